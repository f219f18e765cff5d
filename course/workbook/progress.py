"""How far a learner is, read from their saved notebooks: nothing is kept anywhere else."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from IPython.core.inputtransformer2 import TransformerManager

from course.workbook import copies
from course.workbook.reading import UnreadableNotebook, read_notebook, source_of
from course.workbook.record import MIME, chapters, exercises_of


@dataclass(frozen=True)
class Standing:
    """An exercise in a saved notebook. ``state``: right, wrong, todo, stopped, changed (since its check)."""

    exercise: str
    title: str
    state: str
    points: int
    total: int


def notebook_path(number: int, folder: Path) -> Path | None:
    """The notebook with that number in a folder, if it is there."""
    return next(iter(copies.by_number(Path(folder)).get(number, [])), None)


def notebooks(folder: str | Path | None = None) -> dict[int, Path]:
    """The notebooks of a folder by number; without one, those that you work in.

    These are, for each number, the first there is: beside the notebook that runs, in ``my/``, as shipped.
    """
    found = copies.taken([Path(folder)] if folder is not None else None)
    return {number: paths[0] for number, paths in found.items()}


def link(path: Path) -> str:
    """Where a page finds a notebook, seen from the one that runs: a click opens it beside this one."""
    here = copies.running_folder() or path.parent
    try:
        return quote(Path(os.path.relpath(path, here.resolve())).as_posix())
    except ValueError:  # on another drive
        return path.as_uri()


def standings(path: Path, number: int) -> list[Standing]:
    """How each exercise of a saved notebook stands.

    Raises:
        UnreadableNotebook: if the file is no notebook.
    """
    cells = read_notebook(path)["cells"]
    as_run = TransformerManager().transform_cell  # %magics turned into Python, as in the text a check keeps
    sources = {as_run(source_of(c)).strip() for c in cells if c["cell_type"] == "code"}
    results = {r["exercise"]: r for c in cells for r in check_results(c)}
    return [_standing(e, results.get(e.id), sources) for e in exercises_of(number)]


def check_results(cell: dict) -> list[dict]:
    """The results of the checks that a cell's saved outputs hold."""
    return [o["data"][MIME] for o in cell.get("outputs", []) if MIME in o.get("data", {})]


def _standing(exercise, result: dict | None, sources: set[str]) -> Standing:
    if result is None:
        return Standing(exercise.id, exercise.title, "todo", 0, exercise.points)
    state = "changed" if result["cell"] and result["cell"] not in sources else result["state"]
    points = 0 if state == "changed" else result["points"]
    return Standing(exercise.id, exercise.title, state, points, exercise.points)


WORDS = {
    "right": "✓ right",
    "wrong": "✗ wrong",
    "todo": "○ to do",
    "stopped": "■ stopped",
    "changed": "↻ changed since its check",
}


class Progress:
    """A table of all exercises; shows itself in a notebook and prints in a terminal.

    Attributes:
        rows: for each notebook's name how its exercises stand.
        notes: for a notebook's name what is to be said about it: it cannot be read, or there are several.
    """

    def __init__(
        self,
        rows: dict[str, list[Standing]],
        links: dict[str, str] | None = None,
        notes: dict[str, str] | None = None,
    ):
        self.rows, self.links, self.notes = rows, links or {}, notes or {}

    @property
    def points(self) -> tuple[int, int]:
        every = [s for standings in self.rows.values() for s in standings]
        return sum(s.points for s in every), sum(s.total for s in every)

    def __repr__(self) -> str:
        lines = []
        for name, rows in self.rows.items():
            lines += [name, *([f"  {self.notes[name]}"] if name in self.notes else [])]
            lines += [f"  {s.exercise}  {WORDS[s.state]:<28} {s.points}/{s.total}  {s.title}" for s in rows]
        return "\n".join([*lines, "{} of {} points".format(*self.points)])

    def _repr_html_(self) -> str:
        body = "".join(map(self._section, self.rows))
        points = "<b>{} of {} points.</b>".format(*self.points)
        return f"<div>{body}</div><p>{points} Read from your saved notebooks.</p>"

    def _section(self, name: str) -> str:
        """One line a notebook: what there is to do in it, and, folded under it, every exercise."""
        rows, file, left = self.rows[name], html.escape(name), "style='text-align:left'"
        href = html.escape(self.links.get(name, name))
        note = f"<p>{html.escape(self.notes[name])}</p>" if name in self.notes else ""
        right = sum(s.state == "right" for s in rows)
        points = f"{sum(s.points for s in rows)} of {sum(s.total for s in rows)} points"
        exercises = "".join(
            f"<tr><td>{s.exercise}</td><td {left}>{html.escape(s.title)}</td>"
            f"<td {left}>{WORDS[s.state]}</td><td>{s.points}/{s.total}</td></tr>"
            for s in rows
        )
        line = f"<a href='{href}'>{file}</a>: {right} of {len(rows)} exercises right, {points}"
        return f"<details><summary>{line}</summary><table>{exercises}</table></details>{note}"


def progress(folder: str | Path | None = None) -> Progress:
    """How far you are, read from your notebooks as you last saved them (or from those of a folder)."""
    found = copies.taken([Path(folder)] if folder is not None else None)
    found = {number: paths for number, paths in found.items() if number in chapters()}
    if not found:
        raise FileNotFoundError(f"no notebook with exercises in {folder or copies.my_folder()}")
    rows, links, notes = {}, {}, {}
    for number, paths in found.items():
        name = paths[0].name
        rows[name], links[name] = [], link(paths[0])
        if copies.of_doubles(paths):
            notes[name] = copies.of_doubles(paths)
        try:
            rows[name] = standings(paths[0], number)
        except UnreadableNotebook as unreadable:
            notes[name] = str(unreadable)
    return Progress(rows, links, notes)
