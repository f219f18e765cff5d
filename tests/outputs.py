"""When two outputs of a notebook's cell count as the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal

from nbformat import NotebookNode

# With the blank that stands where another number has its sign.
FLOAT = re.compile(r"[ -]?\d+\.\d*(?:e[+-]?\d+)?")
NUMBER = re.compile(r"\s*[-+−]?\d[\d.,]*(?:e[+-]?\d+)?")  # with the blanks that fill a column

# Of links to other notebooks: beside this one, or in the course's own folder.
FOLDER = re.compile(r"(?<=href=')[^']*/(?=[^'/]+\.ipynb')")


def same(ours: NotebookNode, its: NotebookNode) -> bool:
    """Whether two runs of a cell show the same.

    Floats may differ by two units of the last digit. Where the cell is tagged ``volatile`` (it prints times,
    or what training came to on this processor) all numbers may; where it is tagged ``speaks`` as well (a
    model trained just now writes), all words.
    """
    tags = set(ours.metadata.get("tags", []))
    if [kinds(o) for o in ours.outputs] != [kinds(o) for o in its.outputs]:
        return False
    if {"volatile", "speaks"} <= tags:
        return True
    equal = alike_but_for_numbers if "volatile" in tags else alike
    return all(map(equal, map(texts, ours.outputs), map(texts, its.outputs)))


def different(ours: Iterable[NotebookNode], theirs: Iterable[NotebookNode]) -> list[str]:
    """The cells whose outputs are not the same, each with what both show."""
    return [
        f"{a.source}\n--- shipped\n{_shown(b)}\n--- now\n{_shown(a)}"
        for a, b in zip(ours, theirs, strict=True)
        if not same(a, b)
    ]


def _shown(cell: NotebookNode) -> str:
    return "\n".join(f"{kinds(output)} {texts(output)}" for output in cell.outputs)


def kinds(output: NotebookNode) -> list[str]:
    """What an output is: a stream's name or the MIME types of its data."""
    return [output.output_type, *sorted(output.get("data", {})), *([output.name] if "name" in output else [])]


def texts(output: NotebookNode) -> str:
    """An output's words: all but its pictures, and the folders that links to notebooks lead to."""
    data = {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
    return FOLDER.sub("", json.dumps([output.get("text"), data], ensure_ascii=False, sort_keys=True))


def alike(a: str, b: str) -> bool:
    """Equal but for floats, which may differ by two units of the last digit that is shown."""
    pairs = zip(FLOAT.findall(a), FLOAT.findall(b), strict=False)
    return FLOAT.sub("#", a) == FLOAT.sub("#", b) and all(
        close(Decimal(x.strip()), Decimal(y.strip())) for x, y in pairs
    )


def alike_but_for_numbers(a: str, b: str) -> bool:
    return NUMBER.sub("#", a) == NUMBER.sub("#", b)


def close(a: Decimal, b: Decimal) -> bool:
    unit = Decimal(10) ** max(a.as_tuple().exponent, b.as_tuple().exponent)
    return abs(a - b) <= max(2 * unit, Decimal("1e-6"))
