"""What a checked notebook says of its exercises: which cell hands one in, which checks it, what came of it.

What a cell displays is the notebook's own word, so of a result only what the record of the exercise knows is
taken over; a check without one is no check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from course.workbook.kernels import shortened
from course.workbook.reading import number_of
from course.workbook.record import Exercise, exercises_of, find

CHECK = re.compile(r"""^\s*check\(\s*["'](\d+\.\d+)["']""", re.MULTILINE)
HANDED_IN = re.compile(r"""^@exercise\(\s*["'](\d+\.\d+)["']\s*\)\s*\n(?:def|class)\s+(\w+)""", re.MULTILINE)
STATES = ("right", "wrong", "todo", "stopped")
SORTS = ("mistake", "property", "raises", "place")
LONGEST = 1000  # characters of a diagnosis, or of an error's line
DELETED = "its check is not in the notebook: was the cell deleted?"
SILENT = "its check showed no result: was `check` given another meaning, or its output switched off?"


# -- in a notebook's cells --


def checked(source: str) -> list[str]:
    """The exercises that a cell checks."""
    return list(dict.fromkeys(id for id in CHECK.findall(source) if known(id)))


def handed_in(source: str) -> str | None:
    """The exercise that a cell hands in."""
    match = HANDED_IN.search(source)
    return match[1] if match and known(match[1]) else None


def without_check(notebook: dict) -> list[str]:
    """Exercises of this notebook, and others handed in in it, that none of its cells checks."""
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    number = number_of(notebook)
    ids = [] if number is None else [exercise.id for exercise in exercises_of(number)]
    ids += filter(None, map(handed_in, sources))
    checks = {id for source in sources for id in checked(source)}
    return [id for id in dict.fromkeys(ids) if id not in checks]


def known(id: object) -> Exercise | None:
    """The exercise of that id, if there is one."""
    try:
        return find(id)
    except LookupError:
        return None


# -- what came of a check --


def trusted(displayed: object) -> dict | None:
    """A displayed result in the record's own words and points; None if it is no result of a check."""
    data = displayed if isinstance(displayed, dict) else {}
    exercise, state = known(data.get("exercise")), data.get("state")
    if exercise is None or state not in STATES:
        return None
    right = [state == "right" or is_right for is_right in _parts_right(data.get("parts"), exercise)]
    if state != "right" and all(right):
        right = []
    mistake = data.get("mistake")
    parts = [
        {"name": part.name, "points": part.points, "right": is_right}
        for part, is_right in zip(exercise.parts, right, strict=False)
    ]
    return {
        "exercise": exercise.id,
        "title": exercise.title,
        "state": state,
        "points": sum(part["points"] for part in parts if part["right"]),
        "total": exercise.points,
        "diagnosis": one_line(data.get("diagnosis")),
        "mistake": mistake if mistake in [known.name for known in exercise.mistakes] else None,
        "parts": parts if state in ("right", "wrong") else [],
        "sort": data["sort"] if data.get("sort") in SORTS else "",
    }


def _parts_right(parts: object, exercise: Exercise) -> list[bool]:
    """Which parts a result calls right; none where it does not speak of this exercise's parts."""
    named = parts if isinstance(parts, (list, tuple)) and all(isinstance(p, dict) for p in parts) else []
    if [part.get("name") for part in named] != [part.name for part in exercise.parts]:
        return [False] * len(exercise.parts)
    return [part.get("right") is True for part in named]


def stopped(id: str, reason: str) -> dict:
    """The result of a check that could not be made."""
    return trusted({"exercise": id, "state": "stopped", "diagnosis": reason})


# -- in words --


def one_line(text: object) -> str:
    """A text as it may stand in a terminal: one line, of bounded length, no control characters."""
    line = " ".join(shortened(text if isinstance(text, str) else "", LONGEST).split())
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


def result_line(result: dict) -> str:
    mark = {"right": "ok     ", "wrong": "wrong  ", "todo": "to do  "}.get(result["state"], "stopped")
    says = "" if result["state"] in ("right", "todo") else f": {result['diagnosis']}"
    return f"{mark} {result['exercise']:<5} {result['points']}/{result['total']}  {result['title']}{says}"


def parts_text(result: dict) -> str:
    lines = [f"  {'ok   ' if p['right'] else 'wrong'}  {p['name']}" for p in result["parts"]]
    return "\n".join([f"{result['title']}: {result['points']} of {result['total']} points", *lines])


def failure_text(results: Iterable[dict]) -> str:
    """What a failed check says in pytest's report."""
    return "\n".join(
        f"Exercise {result['exercise']}: {result['diagnosis']}\n{parts_text(result)}"
        for result in results
        if result["state"] != "right"
    )


def first_line(longrepr: object) -> str:
    """The line of a failure that says what went wrong."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", str(longrepr))
    lines = plain.strip().splitlines() or ["it failed without a word"]
    raised = [line for line in lines if re.match(r"\w*(Error|Exception|Interrupt)\b", line)]
    return one_line((raised or lines)[-1])
