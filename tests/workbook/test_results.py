"""What is taken for the result of a check."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.workbook.judge import judge
from course.workbook.record import find
from course.workbook.results import LONGEST, first_line, one_line, stopped, trusted, without_check

LETTERS = "ab 1.é注\n\x1b\0\ud800"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(LETTERS, max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(LETTERS, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = ["exercise", "title", "state", "points", "total", "diagnosis", "mistake", "parts", "cell"]


@pytest.mark.parametrize("id", ["0.1", "3.2"])
def test_what_a_check_shows_is_taken_over_as_it_is(id):
    exercise = find(id)
    for candidate in (exercise.reference, *(mistake.candidate for mistake in exercise.mistakes)):
        result = judge(exercise, candidate).as_dict()
        assert trusted(json.loads(json.dumps(result))) == result | {"parts": list(result["parts"])}


@given(
    st.dictionaries(st.sampled_from(KEYS), JSON),
    st.sampled_from(["right", "wrong", "todo", "stopped", "x", None]),
)
@settings(max_examples=100, deadline=None)
def test_nothing_displayed_earns_more_than_there_is(shown, state):
    result = trusted(shown | {"exercise": "0.1", "state": state})
    if state not in ("right", "wrong", "todo", "stopped"):
        assert result is None
        return
    assert result["total"] == find("0.1").points and result["title"] == find("0.1").title
    assert (result["points"] == result["total"]) == (state == "right")
    assert result["points"] == sum(part["points"] for part in result["parts"] if part["right"])
    assert result["diagnosis"].isprintable() and len(result["diagnosis"]) < LONGEST + 100
    json.dumps(result).encode()


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_what_is_no_result_is_none(shown):
    assert trusted(shown) is None


def test_a_line_is_one_line_of_bounded_length():
    assert one_line("a\n\tb\x1b[2J\ud800") == "a b�[2J�"
    assert len(one_line("x" * 10**6)) < LONGEST + 100 and "999,000 characters left out" in one_line(
        "x" * 10**6
    )
    assert first_line("Cell 3\n\x1b[31mValueError\x1b[0m: no\n  more") == "ValueError: no"
    assert first_line("") == "it failed without a word"
    assert stopped("0.1", "because")["diagnosis"] == "because"


def test_exercises_without_a_check():
    def notebook(*sources):
        cells = [{"cell_type": "code", "source": source} for source in sources]
        return {"cells": cells, "metadata": {}}

    hands_in = '@exercise("0.1")\ndef weighted_sum(w, v): ...'
    assert without_check(notebook(hands_in)) == ["0.1"]
    assert without_check(notebook(hands_in, 'check("0.1")')) == []
    assert without_check(notebook(hands_in, '# check("0.1")')) == ["0.1"]
    assert without_check(notebook('@exercise("99.1")\ndef f(): ...', "x")) == []
    assert without_check(notebook("x = 1")) == []
