"""A learner's copy brought up to a new version of its notebook: theirs kept, the course's new.

What comes out is the new notebook with the learner's answers in its exercises, the cells that they changed as
they have them, and their own cells where they stood. Pure functions on notebooks; standard library only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from course.workbook.moved import rewritten
from course.workbook.ownership import (
    Cell,
    check_of,
    digest_of,
    exercise_of,
    heading_of,
    ids_of_the_course,
    is_the_courses,
    is_untouched,
    name_handed_in,
    text_of,
)

Key = tuple[str, str]

YOURS = "*Yours, from before the update: the course has changed or dropped the cell that this was.*"
GONE = "### Answers to exercises that are no longer here\n\nThe course has changed; what you wrote is kept."


@dataclass
class Merged:
    """The new copy, and what of the learner's is in it."""

    notebook: Cell
    answers: list[str] = field(default_factory=list)
    other_cells: int = 0
    gone: list[str] = field(default_factory=list)


def version(notebook: Cell) -> list[str]:
    """The version that a copy was made from, as the ids of the course's cells."""
    course = notebook["metadata"].get("course")
    kept = course.get("cells") if isinstance(course, dict) else None
    return kept if isinstance(kept, list) else ids_of_the_course(notebook)


def stamped(notebook: Cell) -> Cell:
    """A notebook of the course as a copy: it remembers its version."""
    course = {**(notebook["metadata"].get("course") or {}), "cells": ids_of_the_course(notebook)}
    return {**notebook, "metadata": {**notebook["metadata"], "course": course}}


def is_up_to_date(copy: Cell, new: Cell) -> bool:
    return version(copy) == ids_of_the_course(new)


def bring_up(copy: Cell, new: Cell) -> Merged:
    """The new version with all that the learner wrote in their copy of an older one."""
    here = dict(zip(keys(new["cells"]), new["cells"], strict=False))
    names = {key[1]: name_handed_in(cell) for key, cell in here.items() if key[0] == "exercise"}
    old = keys(copy["cells"], names, known={*version(copy), *ids_of_the_course(new)})
    gone = {check_of(cell) or heading_of(cell) for cell in copy["cells"]} - {None, *names}
    place = anchors([key for key in old if key], list(here))
    merged = Merged(stamped(new))
    chosen, after = dict(here), {index: [] for index in range(-1, len(here))}
    at = -1
    for key, cell in zip(old, copy["cells"], strict=False):
        at = place[key] if key else at
        if key in here:
            chosen[key] = _kept(cell, here[key], merged)
        elif not _is_as_shipped(cell, key) and (check_of(cell) or heading_of(cell)) not in gone:
            if exercise_of(cell) and _is_gone(cell, names):
                merged.gone.append(_gone(cell, names))
            else:
                after[at] += _own(cell, was_the_courses=bool(key))
                merged.other_cells += 1
    cells = [*after[-1]]
    for index, key in enumerate(here):
        cells += [chosen[key], *after[index]]
    if merged.gone:
        cells.append(_markdown("\n\n".join([GONE, *merged.gone])))
    merged.notebook["cells"] = list(_with_ids(cells))
    merged.notebook["metadata"] = {**copy["metadata"], **merged.notebook["metadata"]}
    return merged


# -- which cell is which --


def keys(
    cells: list[Cell], names: dict[str, str | None] | None = None, known: set[str] = frozenset()
) -> list[Key | None]:
    """For each cell what it is in the course, and None for the learner's own.

    ``names`` are what the exercises are about (an answer to something else is none to the exercise of today);
    ``known`` the ids that tell a cell of the course whose editor kept no ids by its text.
    """
    answers = _answers(cells, names)
    found, seen = [], set()
    for index, cell in enumerate(cells):
        key = _key(index, cell, answers, known)
        found.append(None if key in seen else key)  # copied within the notebook: the second is theirs
        seen.add(key)
    return found


def _answers(cells: list[Cell], names: dict[str, str | None] | None) -> dict[int, str]:
    """Which cell is the answer to which exercise: of several that hand it in, the one of the course."""
    ranked: dict[str, tuple[int, int]] = {}
    for index, cell in enumerate(cells):
        id = exercise_of(cell)
        name = name_handed_in(cell)
        if id is None or (names is not None and (id not in names or (name and name != names[id]))):
            continue
        rank = (2 * bool(name) + is_the_courses(cell), -index)
        ranked[id] = max(rank, ranked.get(id, rank))
    return {-index: id for id, (_, index) in ranked.items()}


def _key(index: int, cell: Cell, answers: dict[int, str], known: set[str]) -> Key | None:
    if index in answers:
        return "exercise", answers[index]
    if check_of(cell):
        return "check", check_of(cell)
    if heading_of(cell):
        return "heading", heading_of(cell)
    if is_the_courses(cell) and not name_handed_in(cell):
        return "cell", cell["id"]
    if "id" not in cell and digest_of(cell) in known:
        return "cell", digest_of(cell)
    return None


def _is_as_shipped(cell: Cell, key: Key | None) -> bool:
    """Whether a cell holds nothing of the learner's."""
    if not text_of(cell).strip() or is_untouched(cell):
        return True
    if exercise_of(cell) and not is_the_courses(
        cell
    ):  # a stub whose editor keeps no ids, or that was duplicated
        return _is_blank(text_of(cell))
    if key is None or (is_the_courses(cell) and key[0] == "exercise"):
        return False
    return key[0] in ("check", "heading") or (key[0] == "cell" and "id" not in cell)


def anchors(old: list[Key], new: list[Key]) -> dict[Key, int]:
    """For each old cell the new one after which stands what stood after the old; -1: above all.

    A cell that is there no more is followed by what took its place, so that what used it still comes after.
    """
    place = {}
    for kind, i, end, j, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for offset, key in enumerate(old[i:end]):
            paired = kind == "equal" or end - i == new_end - j
            place[key] = j + offset if paired else new_end - 1
    here = {key: index for index, key in enumerate(new)}
    return {**place, **{key: here[key] for key in old if key in here}}


# -- what becomes of each --


def _kept(cell: Cell, new: Cell, merged: Merged) -> Cell:
    """The new version's cell, with the learner's text and outputs where they have one."""
    text = text_of(cell)
    if text == text_of(new):
        return {**new, **_outputs(cell)}
    exercise = exercise_of(new)
    if check_of(new) or heading_of(new) or _is_as_shipped(cell, ("exercise" if exercise else "cell", "")):
        return new
    if exercise:
        merged.answers.append(exercise)
        return {**new, "source": carried(text, text_of(new)), **_outputs(cell)}
    merged.other_cells += 1
    return {**new, "source": rewritten(text) if _is_code(cell) else text, **_outputs(cell)}


def _is_blank(text: str) -> bool:
    """Whether an exercise's cell is a stub: imports, and a function or class whose bodies are dots."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    *above, handed_in = tree.body or [None]
    comments = re.findall(r"#(.*)", text)
    if not all(map(_imported, above)) or any(comment.strip() != "your code" for comment in comments):
        return False
    functions = [node for node in ast.walk(handed_in) if isinstance(node, ast.FunctionDef)]
    bodies = [f.body[1:] if ast.get_docstring(f) is not None else f.body for f in functions]
    return bool(bodies) and all(len(b) == 1 and ast.unparse(b[0]) == "..." for b in bodies)


def _outputs(cell: Cell) -> Cell:
    return {name: cell[name] for name in ("outputs", "execution_count") if name in cell}


def _is_code(cell: Cell) -> bool:
    return cell["cell_type"] == "code"


def _own(cell: Cell, was_the_courses: bool) -> list[Cell]:
    """A learner's cell; one that was the course's once says so."""
    metadata = {name: value for name, value in cell["metadata"].items() if name != "course"}
    if isinstance(metadata.get("tags"), list):
        metadata["tags"] = [t for t in metadata["tags"] if t not in ("exercise", "check", "exercise-heading")]
    own = {
        **cell,
        "metadata": metadata,
        "source": rewritten(text_of(cell)) if _is_code(cell) else text_of(cell),
    }
    if was_the_courses:
        own.pop("id", None)  # it would be taken for the course's again
        return [_markdown(YOURS), own]
    return [own]


def _is_gone(cell: Cell, names: dict[str, str | None]) -> bool:
    id, name = exercise_of(cell), name_handed_in(cell)
    return id not in names or (bool(name) and name != names[id])


def _gone(cell: Cell, names: dict[str, str | None]) -> str:
    """An answer as text: as code it could not run, for what it answers is not there."""
    name = name_handed_in(cell)
    now = next((id for id, its_name in names.items() if name and its_name == name), None)
    says = f"is exercise {now} now: copy your answer there" if now else "is no longer in this notebook"
    return f"Exercise {exercise_of(cell)} {says}.\n\n```python\n{text_of(cell)}\n```"


def carried(answer: str, stub: str) -> str:
    """An answer under the new stub's import lines; what else the learner imported or wrote above is kept."""
    mine = rewritten(answer)
    above, below = _halves(mine)
    theirs, stub_below = _halves(stub)
    if not below:
        return mine
    base = re.search(r"^class \w+\(([\w.]+)\):", stub_below, re.MULTILINE)
    if base:
        below = re.sub(
            r"^(class \w+)\(course\.[\w.]+\):", rf"\1({base[1]}):", below, count=1, flags=re.MULTILINE
        )
    kept = _what_is_new(above, theirs, below)
    top = "\n\n\n".join(part for part in (theirs.strip("\n"), kept.strip("\n")) if part)
    return f"{top}\n\n\n{below}" if top else below


def _halves(code: str) -> tuple[str, str]:
    """What stands above the line that hands in, and the rest; nothing where there is no such line."""
    found = re.search(r"^@exercise\(", code, re.MULTILINE)
    return (code[: found.start()], code[found.start() :]) if found else ("", "")


def _what_is_new(above: str, stub: str, below: str) -> str:
    """Lines of the learner's without the imports that the stub has by itself, or had and needs no more."""
    try:
        mine, theirs = ast.parse(above), ast.parse(stub)
    except (SyntaxError, ValueError):
        return above
    at_hand = {name for node in theirs.body for name in _imported(node)}
    lines = above.splitlines()
    for node in mine.body:
        names = _imported(node)
        idle = {name for name in names if name.startswith("course.") and f"{name}." not in below}
        if names and names <= at_hand | idle:
            lines[node.lineno - 1 : node.end_lineno] = [None] * (node.end_lineno - node.lineno + 1)
    return "\n".join(line for line in lines if line is not None)


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name for alias in node.names}
    return set()


# -- cells --


def _markdown(text: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _with_ids(cells: list[Cell]) -> Iterator[Cell]:
    """The cells with an id each, none twice; one that is missing is made from the text: the same again."""
    taken = {cell["id"] for cell in cells if is_the_courses(cell)}
    for cell in cells:
        if not is_the_courses(cell):
            wished = cell.get("id") or f"yours-{digest_of(cell)}"
            id, n = wished, 1
            while id in taken:
                n += 1
                id = f"{wished[:60]}-{n}"
            taken.add(id)
            cell = {**cell, "id": id}
        yield cell
