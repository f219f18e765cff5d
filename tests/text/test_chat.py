"""A conversation as a row of tokens: marks, whole turns, the newest kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.text.chat import Marks, Turn, chat_prompt, conversation_ids

MARKS = Marks(101, 102, 103)
TURNS = [Turn("user", "ab"), Turn("assistant", "c"), Turn("user", "def")]


def letters(text: str) -> list[int]:
    return [ord(c) - 96 for c in text]


def test_a_conversation_is_marks_and_texts_in_a_row():
    expected = [101, 1, 2, 103, 102, 3, 103, 101, 4, 5, 6, 103]
    assert conversation_ids(TURNS, letters, MARKS) == expected
    assert chat_prompt(TURNS, letters, MARKS, 100) == [*expected, 102]


turns = st.lists(
    st.tuples(st.sampled_from(["user", "assistant"]), st.text("abcxyz", max_size=6)), min_size=1, max_size=8
)


@given(turns, st.integers(10, 40))
def test_what_is_read_are_the_newest_whole_turns_and_as_many_as_fit(turns, room):
    ids = chat_prompt(turns, letters, MARKS, room)
    every = [conversation_ids([Turn(*turn)], letters, MARKS) for turn in turns]
    n = sum(id in (101, 102) for id in ids) - 1
    assert ids == [id for turn in every[len(every) - n :] for id in turn] + [102]
    assert 1 <= n <= len(turns) and len(ids) <= room
    if n < len(turns):
        assert len(ids) + len(every[-n - 1]) > room


def test_what_cannot_be_answered_is_said():
    with pytest.raises(ValueError, match="nothing to answer"):
        chat_prompt([], letters, MARKS, 50)
    with pytest.raises(ValueError, match="the newest turn takes 5 of 4 ids: make it shorter"):
        chat_prompt(TURNS, letters, MARKS, 5)
    with pytest.raises(ValueError, match="got 'robot'"):
        chat_prompt([("robot", "a")], letters, MARKS, 50)
