"""How far a learner is, read from their saved notebooks: nothing is kept anywhere else."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from course.workbook.bootstrap import NOTEBOOKS
from course.workbook.record import MIME, chapters, exercises_of


@dataclass(frozen=True)
class Standing:
    """An exercise in a saved notebook. ``state``: right, wrong, todo, stopped, changed (since its check)."""

    exercise: str
    title: str
    state: str
    points: int
    total: int


def notebook_path(number: int, folder: Path = NOTEBOOKS) -> Path | None:
    """The notebook with that number in a folder, if it is there."""
    return next(iter(sorted(folder.glob(f"{number:02d}_*.ipynb"))), None)


def standings(path: Path, number: int) -> list[Standing]:
    """How each exercise of a saved notebook stands."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    as_run = TransformerManager().transform_cell  # %magics turned into Python, as in the text a check keeps
    sources = {as_run("".join(c["source"])).strip() for c in cells if c["cell_type"] == "code"}
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
    """A table of all exercises; shows itself in a notebook and prints in a terminal."""

    def __init__(self, rows: dict[str, list[Standing]]):
        self.rows = rows

    @property
    def points(self) -> tuple[int, int]:
        every = [s for standings in self.rows.values() for s in standings]
        return sum(s.points for s in every), sum(s.total for s in every)

    def __repr__(self) -> str:
        lines = []
        for name, rows in self.rows.items():
            lines.append(name)
            lines += [f"  {s.exercise}  {WORDS[s.state]:<28} {s.points}/{s.total}  {s.title}" for s in rows]
        return "\n".join([*lines, "{} of {} points".format(*self.points)])

    def _repr_html_(self) -> str:
        body, left = "", "style='text-align:left'"
        for name, rows in self.rows.items():
            file = html.escape(name)
            body += f"<tr><th colspan='4' {left}><a href='{file}'>{file}</a></th></tr>"
            body += "".join(
                f"<tr><td>{s.exercise}</td><td {left}>{html.escape(s.title)}</td>"
                f"<td {left}>{WORDS[s.state]}</td><td>{s.points}/{s.total}</td></tr>"
                for s in rows
            )
        points = "<b>{} of {} points.</b>".format(*self.points)
        return f"<table>{body}</table><p>{points} Read from your saved notebooks.</p>"


def progress(folder: str | Path = NOTEBOOKS) -> Progress:
    """How far you are, read from the notebooks as you last saved them."""
    folder = Path(folder)
    found = {n: notebook_path(n, folder) for n in chapters()}
    if not any(found.values()):
        raise FileNotFoundError(f"no notebook with exercises in {folder}")
    return Progress({path.name: standings(path, n) for n, path in found.items() if path})
