"""The glossary: found by either name, then by what is said; nothing is lost without a browser."""

import pytest

from course.widgets import Glossary

MASK = {"english": "mask", "chinese": "掩码", "meaning": "which query may attend", "where": "04", "href": ""}
QUERY = {"english": "query", "chinese": "查询", "meaning": "what asks", "where": "03", "href": "03.ipynb"}


def test_names_come_before_meanings():
    assert Glossary([MASK, QUERY], "Query").found() == [QUERY, MASK]
    assert Glossary([MASK, QUERY], "掩").found() == [MASK]
    assert Glossary([MASK, QUERY]).found() == [MASK, QUERY]


def test_it_is_said_and_drawn():
    widget = Glossary([MASK, QUERY], "asks")
    assert widget.describe().splitlines() == ["1 of 2 words", "query · 查询: what asks (03)"]
    assert widget.png().startswith(b"\x89PNG")


@pytest.mark.parametrize("terms", [[], [{"english": "mask"}]])
def test_what_does_not_fit_is_said(terms):
    with pytest.raises(ValueError, match=r"at least one word|it has no 'chinese'"):
        Glossary(terms)
