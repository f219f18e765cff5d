"""The table of lecture rows agrees with the map of the lectures and is used where it says."""

import re
from pathlib import Path

import pytest

from course.workbook.lectures import ROWS, TITLES, course_map, rows_of

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT.parent / "shared" / "lectures" / "MAP.md"


def numbers(cell: str) -> tuple[int, ...]:
    """The notebooks a cell of the map names: "12, 06" and "03–05" alike."""
    spans = re.findall(r"(\d+)(?:–(\d+))?", cell)
    return tuple(sorted(n for a, b in spans for n in range(int(a), int(b or a) + 1)))


def test_every_row_has_a_notebook_with_a_title():
    assert all(row.notebooks and set(row.notebooks) <= TITLES.keys() for row in ROWS.values())
    assert all(rows_of(number) for number in TITLES)


@pytest.mark.skipif(not MAP.exists(), reason="the map of the lectures lies beside the project, not in it")
def test_rows_are_those_of_the_map():
    """All of them but those with a +, which were added later and may be missing; its 12 may be 13."""
    line = r"^\| (\+?)(L\d\.\d+\.[a-z]) \|[^|]*\|[^|]*\| ([^|]+) \|"
    found = re.findall(line, MAP.read_text(encoding="utf-8"), re.M)
    ours = {id: tuple(sorted({min(n, 12) for n in row.notebooks})) for id, row in ROWS.items()}
    theirs = {id: numbers(c) for _, id, c in found}
    assert {id for added, id, _ in found if not added} <= ours.keys()
    assert ours == {id: theirs.get(id) for id in ours}


def test_rows_named_in_docstrings_exist():
    named = {
        r
        for p in (ROOT / "course").rglob("*.py")
        for r in re.findall(r"\bL\d\.\d+\.[a-z]\b", p.read_text("utf-8"))
    }
    assert named <= ROWS.keys()


def test_the_map_shows_every_notebook_and_escapes():
    shown = course_map()._repr_html_()
    assert all(f"<code>{id}</code>" in shown for id in ROWS)
    assert "<script" not in shown and shown.count("<tr>") == len(TITLES) + 1
