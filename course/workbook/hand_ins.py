"""A teacher's table: a folder of handed-in notebooks checked, one line each, on the screen and as CSV."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from course.files import write_whole
from course.workbook import copies
from course.workbook.grading import STOPPED, check_notebook, say, summary, write_json

COLUMNS = ("file", "notebook", "points", "of", "right", "stuck_at")


def check_folders(paths: list[Path], csv_file: Path | None = None, json_file: Path | None = None) -> int:
    """Check every notebook in folders (and files) and print one table; 0 only if all of all is right.

    The table is written to ``points.csv`` in the first folder unless another file is named.
    """
    files = list(notebooks_in(paths))
    folder = next(path for path in paths if path.is_dir())
    if not files:
        print(f"There is no notebook in {folder}.", file=sys.stderr)
        return 2
    out, results, rows, is_stopped = sys.stdout, [], [], False
    for n, path in enumerate(files, start=1):
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
        say(f"{n} of {len(files)}: {name}", out)
        result, is_stopped = check_notebook(path, io.StringIO())
        results.append({**result, "notebook": name})
        rows.append(row(name, copies.number_in(path), result))
        if is_stopped:
            break
    data = summary(results, is_stopped)
    say("\n" + table(rows), out)
    say(f"{len(rows)} of {len(files)} files." + (" Stopped." if is_stopped else ""), out)
    write_csv(csv_file or folder / "points.csv", rows)
    if json_file:
        write_json(json_file, data)
    return STOPPED if is_stopped else 0 if data["ok"] else 1


def notebooks_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The notebooks of folders and of those in them, but what editors and ``update`` keep; files as named."""
    for path in paths:
        found = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        for file in found:
            hidden = path.is_dir() and any(part.startswith(".") for part in file.relative_to(path).parts)
            if not (hidden or copies.SET_ASIDE.search(file.stem)):
                yield file


def row(name: str, number: int | None, result: dict) -> dict[str, str | int]:
    """What one file comes to."""
    right = sum(r["state"] == "right" for r in result["exercises"])
    return {
        "file": name,
        "notebook": "" if number is None else f"{number:02d}",
        "points": result["points"],
        "of": result["total"],
        "right": f"{right} of {len(result['exercises'])} exercises",
        "stuck_at": stuck_at(result),
    }


def stuck_at(result: dict) -> str:
    """Which exercises are not right and why, those that were begun first; then what else went wrong."""
    begun = [
        f"{r['exercise']}: {r['diagnosis']}"
        for r in result["exercises"]
        if r["state"] not in ("right", "todo")
    ]
    todo = [r["exercise"] for r in result["exercises"] if r["state"] == "todo"]
    return " | ".join([*begun, *([f"to do: {', '.join(todo)}"] if todo else []), *result["errors"]])


def table(rows: list[dict]) -> str:
    """The rows in columns; the last one, the longest, is cut to a hundred characters."""
    cells = [["file", "points", "stuck at"]]
    cells += [[str(r["file"]), f"{r['points']}/{r['of']}", _cut(str(r["stuck_at"]), 100)] for r in rows]
    first, second = (max(len(line[column]) for line in cells) for column in (0, 1))
    return "\n".join(f"{a:<{first}}  {b:>{second}}  {c}".rstrip() for a, b, c in cells)


def _cut(text: str, n: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= n else text[: n - 1] + "…"


def write_csv(path: Path, rows: list[dict]) -> None:
    """Write the table so that spreadsheets read its letters and run none of its texts as a formula."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    writer.writerows([{name: _text(value) for name, value in r.items()} for r in rows])
    try:
        write_whole(path, buffer.getvalue().encode("utf-8-sig", "backslashreplace"))
        print(f"As a table for a spreadsheet: {path}")
    except OSError as error:
        print(
            f"{path} could not be written ({error.strerror}): name another file with --csv.", file=sys.stderr
        )


def _text(value: str | int) -> str | int:
    return f"'{value}" if str(value)[:1] in ("=", "+", "-", "@", "\t") else value
