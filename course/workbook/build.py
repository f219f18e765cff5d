"""Build the learner's notebooks from their sources: MyST Markdown in, executed notebooks out.

A source holds prose and code; a code cell that is just ``# exercise 3.1`` becomes three cells: a heading made
from the exercise's record, the learner's stub, and its check. Building twice gives the same bytes: cells have
ids made from their text, code runs with fixed seeds, and a cell tagged ``volatile`` (one that prints times)
keeps the outputs it had for as long as its source stays the same.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import jupytext
import nbformat
import numpy as np
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from PIL import Image

from course.files import write_whole
from course.workbook.bootstrap import NOTEBOOKS
from course.workbook.ownership import digest, exercise_of, what_the_learner_wrote
from course.workbook.prose import unseen_numbers
from course.workbook.reading import UnreadableNotebook, read_notebook
from course.workbook.record import Exercise, find
from course.workbook.stub import solved, stub

EXERCISE = re.compile(r"^# exercise (\d+\.\d+)$")
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
LANGUAGE = {"name": "python"}
WIDGET = "application/vnd.jupyter.widget-view+json"
PICTURE = "data:image/png;base64,"
CELL_SECONDS, LARGEST = 120, 400_000


def sources(folder: Path = NOTEBOOKS) -> dict[str, Path]:
    """Notebook number ("03") -> its source."""
    return {p.name[:2]: p for p in sorted((folder / "source").glob("[0-9][0-9]_*.md"))}


def target(source: Path) -> Path:
    return source.parents[1] / f"{source.stem}.ipynb"


def assemble(source: Path, solutions: bool = False) -> NotebookNode:
    """The learner's notebook before it has run: exercises expanded, ids and metadata set."""
    read = jupytext.reads(source.read_text(encoding="utf-8"), fmt="md:myst")
    cells, defined = [], frozenset()
    for cell in read.cells:
        match = EXERCISE.match(cell.source.strip()) if cell.cell_type == "code" else None
        if match:
            record = find(match[1])
            cells += exercise_cells(record, (solved if solutions else stub)(record, defined))
            defined |= {record.name}
        else:
            cells.append(cell)
    if "course" not in read.metadata:
        raise ValueError(f"{source.name}: its header has no 'course' entry (number, rows)")
    metadata = {"kernelspec": KERNEL, "language_info": LANGUAGE, "course": read.metadata["course"]}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    for cell, id in zip(cells, cell_ids(cells), strict=True):
        cell.id = id
        cell.metadata.pop("jupyter", None)
    return notebook


def exercise_cells(record: Exercise, code: str) -> list[NotebookNode]:
    return [
        new_markdown_cell(heading(record), metadata={"tags": ["exercise-heading"]}),
        new_code_cell(code, metadata={"tags": ["exercise"], "course": {"exercise": record.id}}),
        new_code_cell(f'check("{record.id}")', metadata={"tags": ["check"], "course": {"check": record.id}}),
    ]


def heading(record: Exercise) -> str:
    """An exercise's heading, with its hints folded: everything in it comes from the record."""
    level = "●" * record.difficulty + "○" * (3 - record.difficulty)
    points = f"{record.points} point{'s' if record.points > 1 else ''}"
    return (
        f"### ✎ Exercise {record.id} · {record.title}\n\n"
        f"about {record.minutes} minutes · difficulty {level} · {points}\n\n"
        f"Replace the `...` by your code, run the cell, then run the check below it."
        f' Stuck? `hint("{record.id}")` in a new cell gives three hints, one at a time.'
    )


def cell_ids(cells: list[NotebookNode]) -> list[str]:
    """Ids that stay the same for as long as a cell's text does."""
    ids, seen = [], {}
    for cell in cells:
        id = digest(cell.cell_type, cell.source)
        seen[id] = seen.get(id, 0) + 1
        ids.append(id if seen[id] == 1 else f"{id}-{seen[id]}")
    return ids


def run(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run every cell in a fresh kernel of the present environment; an error in any cell is an error here."""
    ours = ("PYTEST_VERSION", "JPY_SESSION_NAME")  # tests, and a notebook from which the build was started
    environment = {k: v for k, v in os.environ.items() if k not in ours} | {"COURSE_STRICT": "0"}
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=environment, cwd=str(folder))
    notebook.metadata.language_info = LANGUAGE  # the kernel added the version of the Python that built it
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = joined(filter(None, map(tidy, cell.outputs)))
    return notebook


def joined(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Printed text in one piece, for how it falls into messages is chance.

    nbclient's coalesce_streams would also move what is printed after a picture in front of it.
    """
    kept = []
    for output in outputs:
        if kept and output.output_type == kept[-1].output_type == "stream":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def tidy(output: NotebookNode) -> NotebookNode | None:
    """An output as it is kept: a widget leaves its picture, a warning on stderr nothing."""
    if output.output_type == "stream" and output.name == "stderr":
        return None
    data = output.get("data", {})
    if WIDGET in data:
        del data[WIDGET]
    if "image/png" in data:
        data["image/png"] = lighter(data["image/png"])
        if PICTURE in data.get("text/html", ""):
            del data["text/html"]  # the same picture, as JupyterLab shows it with its alternative text
    if output.output_type == "execute_result" and "image/png" in data:
        output.metadata = {k: v for k, v in output.metadata.items() if k == "image/png"}
    return output


def lighter(png: str) -> str:
    """A base64 picture in 256 colours: the same to the eye, a third of the bytes."""
    buffer = io.BytesIO()
    few_colours(Image.open(io.BytesIO(base64.b64decode(png)))).save(buffer, format="png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def few_colours(picture: Image.Image, solid: int = 192) -> Image.Image:
    """With a palette: so many colours for what is opaque, the others for edges of letters and no ground."""
    pixels = np.asarray(picture.convert("RGBA"))
    seen_through = pixels[..., 3] < 255
    if not seen_through.any():
        return picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    index, palette = np.zeros(pixels.shape[:2], np.uint8), [0] * 4 * solid
    if not seen_through.all():
        opaque = Image.fromarray(pixels[~seen_through][None, :, :3]).quantize(solid, dither=Image.Dither.NONE)
        index[~seen_through], colours = np.asarray(opaque)[0], opaque.getpalette("RGBA")
        palette[: len(colours)] = colours[: 4 * solid]
    veil = Image.fromarray(pixels[seen_through][None]).quantize(256 - solid, method=Image.Quantize.FASTOCTREE)
    index[seen_through] = solid + np.asarray(veil)[0]
    out = Image.fromarray(index)
    out.putpalette([*palette[: 4 * solid], *veil.getpalette("RGBA")[: 4 * (256 - solid)]], "RGBA")
    return out


def keep_volatile(notebook: NotebookNode, old: Path) -> None:
    """Give cells tagged volatile the outputs that the notebook on disk has for the same source."""
    try:
        read_notebook(old)
    except UnreadableNotebook:
        return
    kept = {c.source: c.outputs for c in nbformat.read(old, as_version=4).cells if c.cell_type == "code"}
    for cell in notebook.cells:
        if "volatile" in cell.metadata.get("tags", []) and kept.get(cell.source):
            cell.outputs = kept[cell.source]


def build(source: Path, out: Path | None = None, solutions: bool = False) -> Path:
    """Assemble, run and write one notebook. A cell that fails leaves the notebook on disk as it was."""
    out = out or target(source)
    notebook = run(assemble(source, solutions), NOTEBOOKS)
    keep_volatile(notebook, out)
    text = nbformat.writes(notebook, version=4) + "\n"
    if not solutions and len(text.encode()) > LARGEST:
        raise ValueError(
            f"{out.name} would have {len(text.encode()):,} bytes, over {LARGEST:,}: make its pictures smaller"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, text.encode("utf-8"))
    return out


def why_not_over(path: Path) -> str | None:
    """What a learner wrote in a notebook that is to be built anew; None if nothing would be lost."""
    try:
        written = what_the_learner_wrote(read_notebook(path))
    except UnreadableNotebook as unreadable:
        return str(unreadable) if path.exists() and path.stat().st_size else None
    if not written:
        return None
    answers = [id for id in map(exercise_of, written) if id]
    others = len(written) - len(answers)
    found = [f"answers to {', '.join(answers)}"] if answers else []
    found += [f"{others} cell{'s' if others > 1 else ''} of theirs"] if others else []
    return f"{path.name} holds what a learner wrote: {' and '.join(found)}."


def main(names: list[str], solved: bool = False, force: bool = False) -> int:
    """``python -m course build [N ...] [--solved] [--force]``; solved notebooks go to build/solved/."""
    known = sources()
    wanted = names or sorted(known, key=lambda n: (n == "00", n))  # 00 reads the others
    if not (solved or force):
        refused = [why for name in wanted if (why := why_not_over(target(known[name])))]
        if refused:
            says = "Nothing was built. `python -m course study` takes it into my/; --force overwrites."
            print("\n".join([*refused, says]), file=sys.stderr)
            return 1
    for name in wanted:
        source = known[name]
        out = NOTEBOOKS.parent / "build" / "solved" / target(source).name if solved else None
        print(f"building {source.stem} …", flush=True)
        try:
            written = build(source, out, solved)
        except CellExecutionError as error:
            print(f"{source.name}: a cell failed, nothing was written\n{error}", file=sys.stderr)
            return 1
        except CellTimeoutError:  # a TimeoutError, and so an OSError
            took = f"a cell took over {CELL_SECONDS} s, nothing was written"
            print(f"{source.name}: {took}. Is the machine busy?", file=sys.stderr)
            return 1
        except OSError as error:
            where = out or target(source)
            print(f"{where} cannot be written ({error.strerror}); what was there stays.", file=sys.stderr)
            return 1
        print(
            f"  {written.relative_to(NOTEBOOKS.parent)}  {written.stat().st_size / 1000:.0f} kB", flush=True
        )
        if unseen := unseen_numbers(nbformat.read(written, as_version=4)):
            print(f"  numbers in its text that no output shows: {', '.join(unseen)}", flush=True)
    return 0
