"""``python -m course check``: nbval over the learner's notebooks, told in a learner's words."""

from __future__ import annotations

import io
import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import TextIO

import pytest

from course.workbook.progress import notebook_path
from course.workbook.pytest_plugin import result_line
from course.workbook.record import exercises_of


class Narrator:
    """Prints a line as each check is done: a notebook takes half a minute, and silence looks like a hang."""

    def __init__(self, out: TextIO):
        self.out = out

    def pytest_runtest_logreport(self, report):
        properties = dict(report.user_properties)
        if "course" in properties:
            say("  " + result_line(json.loads(properties["course"])), self.out)
        elif "course_error" in properties:
            say(f"  error   {properties['course_error']}", self.out)


def say(text: str, out: TextIO) -> None:
    """Print, also on a terminal that lacks some of the characters."""
    encoding = out.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=out, flush=True)


def run_checks(paths: list[Path], json_file: Path | None = None) -> int:
    """Check notebooks; 0 only if every exercise of each is right and no other cell fails."""
    out = sys.stdout
    results = [check_notebook(path, out) for path in paths]
    points, total = sum(r["points"] for r in results), sum(r["total"] for r in results)
    ok = all(r["ok"] for r in results)
    say(f"\n{points} of {total} points." + (" All right." if ok else ""), out)
    if json_file:
        data = {"ok": ok, "points": points, "total": total, "notebooks": results}
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        Path(json_file).write_text(text, encoding="utf-8")
    return 0 if ok else 1


def check_notebook(path: Path, out: TextIO) -> dict:
    """One notebook's results, its missing checks among them."""
    say(f"{path.name} (every cell runs; this can take a minute)", out)
    code, data = run_nbval(path, Narrator(out))
    exercises = [r for n in data["notebooks"] for r in n["exercises"]]
    errors = [e for n in data["notebooks"] for e in n["errors"]]
    missing = missing_checks(path, {r["exercise"] for r in exercises})
    for result in missing:
        say("  " + result_line(result), out)
    every = [*exercises, *missing]
    return {
        "notebook": path.name,
        "ok": code == pytest.ExitCode.OK and not errors and all(r["state"] == "right" for r in every),
        "points": sum(r["points"] for r in every),
        "total": sum(r["total"] for r in every),
        "exercises": every,
        "errors": errors,
    }


def run_nbval(path: Path, narrator: Narrator) -> tuple[int, dict]:
    """Run pytest on a notebook, its own report kept aside; its exit code and the plugin's results."""
    options = ["--nbval-lax", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=", "--color=no"]
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()) as report:
        results = Path(folder) / "results.json"
        code = pytest.main([*options, "--course-json", str(results), str(path)], plugins=[narrator])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            raise RuntimeError(
                f"{path.name} could not be checked (pytest exit code {code}):\n{report.getvalue()}"
            )
        return code, json.loads(results.read_text(encoding="utf-8"))


def missing_checks(path: Path, seen: set[str]) -> list[dict]:
    """Exercises of this notebook whose check is no longer in it: nbval alone would pass over them."""
    from course.workbook.judge import verdict

    number = path.name[:2]
    if not number.isdigit() or notebook_path(int(number), path.parent) is None:
        return []
    says = "its check is not in the notebook: was the cell deleted?"
    return [verdict(e, "stopped", says).as_dict() for e in exercises_of(int(number)) if e.id not in seen]
