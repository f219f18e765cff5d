"""Which cells of a notebook are the course's and which the learner's: their ids tell.

The build gives each cell an id made from its text. So a cell whose id still fits its text is the course's,
untouched; one whose id does not fit was changed; one with another kind of id is the learner's own. No list of
what was shipped is needed, and it holds for every version. Standard library only.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from course.workbook.reading import source_of

Cell = dict[str, Any]

OF_THE_BUILD = re.compile(r"[0-9a-f]{12}(?:-\d+)?")
HANDED_IN = re.compile(
    r"""^@exercise\(\s*["'](\d+\.\d+)["']\s*\)[^\n]*\n+(?:def|class)\s+(\w+)""", re.MULTILINE
)
CHECK = re.compile(r"""\s*check\(\s*["'](\d+\.\d+)["']\s*\)\s*""")
HEADING = re.compile(r"### ✎ Exercise (\d+\.\d+) ")


def text_of(cell: Cell) -> str:
    """A cell's text, its lines ended as the course ends them."""
    return source_of(cell).replace("\r\n", "\n")


def digest(cell_type: str, text: str) -> str:
    """What the build makes a cell's id from."""
    return hashlib.sha256(f"{cell_type}\n{text}".encode()).hexdigest()[:12]


def digest_of(cell: Cell) -> str:
    return digest(cell["cell_type"], text_of(cell))


def is_the_courses(cell: Cell) -> bool:
    """Whether the course put the cell there, whatever has become of its text."""
    return bool(OF_THE_BUILD.fullmatch(cell.get("id", "")))


def is_untouched(cell: Cell) -> bool:
    """Whether a cell is the course's and as the course wrote it."""
    return is_the_courses(cell) and cell["id"].partition("-")[0] == digest_of(cell)


def ids_of_the_course(notebook: Cell) -> list[str]:
    """The ids of the course's cells: what version of the notebook this is."""
    return [cell["id"] for cell in notebook["cells"] if is_the_courses(cell)]


def what_the_learner_wrote(notebook: Cell) -> list[Cell]:
    """Cells with text that is not the course's: answers, changed cells, cells of their own."""
    written = [cell for cell in notebook["cells"] if text_of(cell).strip()]
    if not any(
        map(is_the_courses, written)
    ):  # an editor that keeps no ids: the answers are to be told otherwise
        return [cell for cell in written if exercise_of(cell)]
    return [cell for cell in written if not is_untouched(cell)]


def exercise_of(cell: Cell) -> str | None:
    """The exercise whose answer a cell holds, by the line that hands it in, else by its metadata."""
    if cell["cell_type"] != "code":
        return None
    handed_in = HANDED_IN.search(text_of(cell))
    return handed_in[1] if handed_in else _in_metadata(cell, "exercise")


def name_handed_in(cell: Cell) -> str | None:
    """The function or class that a cell hands in."""
    handed_in = HANDED_IN.search(text_of(cell))
    return handed_in[2] if handed_in else None


def check_of(cell: Cell) -> str | None:
    """The exercise that a cell checks."""
    match = CHECK.fullmatch(text_of(cell)) if cell["cell_type"] == "code" else None
    return match[1] if match else None


def heading_of(cell: Cell) -> str | None:
    """The exercise that a cell announces."""
    match = HEADING.match(text_of(cell)) if cell["cell_type"] == "markdown" else None
    return match[1] if match else None


def _in_metadata(cell: Cell, kind: str) -> str | None:
    course = cell.get("metadata", {}).get("course")
    found = course.get(kind) if isinstance(course, dict) else None
    return found if isinstance(found, str) else None
