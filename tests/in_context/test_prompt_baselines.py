"""The rules that answer a prompt: each on a prompt where its answer is known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.in_context.baselines import BASELINES, copy_ngram, edit_distance, majority, nearest_shot
from course.in_context.tasks import Example

SHOTS = [Example("a", "x"), Example("bb", "y"), Example("c", "x"), Example("bbd", "z")]


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
def test_without_shots_there_is_nothing_to_say(baseline):
    assert baseline([], "chat") == ""


def test_the_majority_is_the_most_frequent_answer_whatever_is_asked():
    assert majority(SHOTS, "bb") == "x"
    assert majority(SHOTS[1:], "a") == "y"


def test_the_nearest_shot_is_the_one_of_fewest_edits():
    assert nearest_shot(SHOTS, "bb") == "y"
    assert nearest_shot(SHOTS, "bbdd") == "z"


@pytest.mark.parametrize(("question", "answer"), [("a", "x"), ("bb", "y"), ("bbd", "z")])
def test_copying_n_grams_looks_a_question_up(question, answer):
    assert copy_ngram(SHOTS, question) == answer


def test_copying_n_grams_prefers_the_longest_match_and_of_several_the_latest():
    assert copy_ngram([Example("ab", "one"), Example("b", "two")], "ab") == "one"
    assert copy_ngram([Example("a", "one"), Example("a", "two")], "a") == "two"


def by_definition(a: str, b: str) -> int:
    if not a or not b:
        return len(a) + len(b)
    kept = by_definition(a[1:], b[1:]) + (a[0] != b[0])
    return min(kept, 1 + by_definition(a[1:], b), 1 + by_definition(a, b[1:]))


@settings(deadline=None)
@given(st.text("ab", max_size=5), st.text("abc", max_size=5))
def test_the_edit_distance_is_the_definitions(a, b):
    assert edit_distance(a, b) == by_definition(a, b) == edit_distance(b, a)
