"""The tasks: right answers, nothing held out in training, the same draw from the same generator."""

from itertools import pairwise

import numpy as np
import pytest

from course.in_context.tasks import (
    TASKS,
    draw_sums,
    is_held_out,
    is_held_out_sum,
    misspellings,
    misspelt_words,
)
from course.in_context.words import COMMON_WORDS, TRANSLATIONS

every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
either_part = pytest.mark.parametrize("held_out", [False, True])


def draw(task, n: int, held_out: bool = False, seed: int = 0):
    return task.draw(np.random.default_rng(seed), n, held_out)


@every_task
@either_part
def test_there_are_as_many_as_asked_and_the_same_again(task, held_out):
    examples = draw(task, 12, held_out)
    assert len(examples) == 12 and examples == draw(task, 12, held_out)
    assert examples != draw(task, 12, held_out, seed=1)
    assert all(question and answer for question, answer in examples)


@pytest.mark.parametrize("name", [name for name in TASKS if name != "lookup"])
def test_no_question_comes_twice(name):
    questions = [question for question, _ in draw(TASKS[name], 40)]
    assert len(set(questions)) == 40


@either_part
def test_sums_are_right_and_of_their_part(held_out):
    for question, answer in draw_sums(np.random.default_rng(0), 300, held_out):
        a, b = map(int, question.split("+"))
        assert 0 <= a < 1000 and 0 <= b < 1000 and int(answer) == a + b
        assert is_held_out_sum(a, b) == is_held_out_sum(b, a) == held_out


def test_numbers_of_sums_by_length_are_short_as_often_as_long():
    """A third below 10; a third below 100, of which a tenth is below 10 too; five standard deviations."""
    texts = [draw_sums(np.random.default_rng(seed), 20, by_length=True) for seed in range(40)]
    sums = [tuple(map(int, question.split("+"))) for text in texts for question, _ in text]
    assert not any(is_held_out_sum(*pair) for pair in sums)
    n, numbers = 2 * len(sums), [number for pair in sums for number in pair]
    for below, p in ((10, (1 + 0.1 + 0.01) / 3), (100, (2 + 0.1) / 3)):
        assert abs(np.mean([number < below for number in numbers]) - p) < 5 * (p * (1 - p) / n) ** 0.5


def test_a_tenth_of_all_sums_is_held_out():
    """Of 500,500 pairs, a binomial share's standard deviation is 0.0004."""
    share = np.mean([is_held_out_sum(a, b) for a in range(1000) for b in range(a, 1000)])
    assert share == pytest.approx(0.1, abs=0.002)


def test_misspellings_are_one_slip_away():
    assert misspellings("cat") == {"at", "ct", "ca", "ccat", "caat", "catt", "act", "cta"} | {
        "cet", "cit", "cot", "cut",
    }  # fmt: skip
    assert "see" not in misspellings("see")


@either_part
def test_a_misspelling_is_of_one_word_alone_and_no_word(held_out):
    misspelt = misspelt_words(held_out)
    assert list(misspelt) == list(COMMON_WORDS)
    every = [m for found in misspelt.values() for m in found]
    assert len(every) == len(set(every)) and not set(every) & set(COMMON_WORDS)
    assert all(is_held_out(m) == held_out for m in every)
    for question, answer in draw(TASKS["spelling"], 50, held_out):
        assert question in misspellings(answer)


def test_translations_are_the_lists_own():
    assert all(TRANSLATIONS[french] == english for french, english in draw(TASKS["translation"], 50))
    assert len(TRANSLATIONS) == 368 and TRANSLATIONS["chat"] == "cat"


def test_patterns_are_kept():
    assert all(question == answer for question, answer in draw(TASKS["copying"], 50))
    assert all(question == answer[::-1] for question, answer in draw(TASKS["reversal"], 50))


def test_a_lookup_has_one_answer_a_question_within_a_prompt_and_another_in_the_next():
    made_up = [dict(draw(TASKS["lookup"], 40, seed=seed)) for seed in range(50)]
    for seed, answers in enumerate(made_up):
        assert 2 <= len(answers) <= 6
        assert all(answers[question] == answer for question, answer in draw(TASKS["lookup"], 40, seed=seed))
    assert any(one.get(key) != answer for one, other in pairwise(made_up) for key, answer in other.items())
