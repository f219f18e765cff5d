"""Judging: which mistakes are named and on what evidence, what is said of all others."""

import copy
import re

import pytest
import torch
from answers import cell

from course.workbook.judge import judge
from course.workbook.record import Exercise, Mistake, Part, chapters, exercises_of, find

ALL = [e for number in chapters() for e in exercises_of(number)]
FUNCTIONS = [e for e in ALL if not e.blank]


# ---- naming --------------------------------------------------------------------------------------


def double(x):
    return 2 * x


NUMBERS = [3.0, -1.7, 11.0]


@pytest.fixture
def doubling(monkeypatch):
    """An exercise of its own: double a number; and never change a sign (a part of its own)."""
    parts = [Part(f"for {x:g}", 1, lambda f, x=x: f(x)) for x in NUMBERS]
    sign = Part("a sign", 1, lambda f: {"the sign is kept": f(-1.0) < 0}, "the sign is lost")
    e = Exercise("99.1", double, "Doubling", 1, 1, [*parts, sign], ["", "", ""])
    e.mistake("squared", "It is squared.")(lambda x: x * x)
    e.mistake("tripled", "It is tripled.")(lambda x: 3 * x)
    e.mistake("raises", "It raises.")(lambda x: 1 / 0)
    monkeypatch.setattr("course.workbook.judge.find", lambda id: e)
    monkeypatch.setattr("course.workbook.judge.expected_of", no_memory(e, "expected_of"))
    monkeypatch.setattr("course.workbook.judge.imitation_of", no_memory(e, "imitation_of"))
    return e


def no_memory(e, name):
    import course.workbook.judge as module

    return getattr(module, name).__wrapped__


def test_a_mistake_is_named_when_every_part_is_equal(doubling):
    result = judge(doubling, lambda x: x**2)
    assert (result.mistake, result.diagnosis, result.sort) == ("squared", "It is squared.", "mistake")


def test_a_mistake_that_only_some_parts_show_is_not_named(doubling):
    result = judge(doubling, lambda x: x * x if x > 5 else 2 * x)
    assert (result.mistake, result.sort) == (None, "property")
    assert result.diagnosis == "Only in “for 11”, for x 11, the result should be 22; yours is 121."


def test_a_property_may_fail_besides(doubling):
    result = judge(doubling, lambda x: abs(3 * x) if x == -1 else 3 * x)
    assert result.mistake == "tripled"
    assert result.diagnosis == "It is tripled. Besides, the sign is lost (the sign is kept: False)."


def test_a_property_that_fails_alone_is_told_with_what_was_measured(doubling):
    result = judge(doubling, lambda x: abs(2 * x) if x == -1 else 2 * x)
    assert (result.sort, result.diagnosis) == ("property", "the sign is lost (the sign is kept: False).")


def test_two_mistakes_that_behave_alike_are_not_named(doubling):
    doubling.mistake("cubed by another way", "It is tripled, too.")(lambda x: x + x + x)
    result = judge(doubling, lambda x: 3 * x)
    assert result.mistake is None and "should be 6; yours is 9" in result.diagnosis


def test_what_single_numbers_have_in_common_is_told(doubling):
    assert judge(doubling, lambda x: 4 * x).diagnosis == (
        "In “for 3”, for x 3, the result should be 6; yours is 12."
        " In each of 3 parts yours is twice what it should be."
    )


@pytest.mark.parametrize("error", [RuntimeError, TypeError, ValueError, IndexError, AttributeError])
@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_an_exception_alone_is_no_known_mistake(exercise, error):
    """Many mistakes raise on some part; raising the same says nothing about why."""

    def answer(*args, **kwargs):
        raise error("no idea")

    result = judge(exercise, answer)
    assert (result.state, result.mistake, result.points) == ("wrong", None, 0)
    assert f"your code raises {error.__name__}" in result.diagnosis and "no idea" in result.diagnosis


def test_not_even_a_mistake_that_always_raises_is_recognised_by_its_exception(monkeypatch):
    def raises(weights, value):
        raise ValueError

    exercise = find("0.1")
    monkeypatch.setattr(exercise, "mistakes", [*exercise.mistakes, Mistake("raises", "It raises.", raises)])
    assert judge(exercise, raises).mistake is None


def test_points_are_given_for_the_parts_that_are_right():
    source = (
        "def scaled_dot_product_attention(query, key, value, mask=None, scale=None):\n"
        "    assert mask is None\n"
        "    return attention.scaled_dot_product_attention(query, key, value, None, scale)\n"
    )
    result = judge(find("3.3"), cell(source))
    right = {p.name for p in result.parts if p.right}
    assert "without a mask" in right and "with a mask" not in right
    assert 0 < result.points < result.total


# ---- answers that nobody foresaw -----------------------------------------------------------------


class Odd:
    """A result whose every look at it fails."""

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


HOSTILE = {
    "GeneratorExit": "raise GeneratorExit",
    "BaseException": "raise BaseException('base')",
    "SystemExit": "raise SystemExit(3)",
    "a surrogate": "raise ValueError('half \\ud800')",
    "a mute exception": "raise Mute",
    "a surrogate returned": "return '\\ud800'",
    "its own class": "return object()",
    "a list of itself": "x = []; x.append(x); return x",
    "default device": "torch.set_default_device('meta'); return weights",
    "deep recursion": "return weighted_sum(weights, value)",
    "complex": "return (weights @ value).to(torch.complex64)",
    "sparse": "return (weights @ value).to_sparse()",
    "meta": "return (weights @ value).to('meta')",
}  # fmt: skip
MUTE = "class Mute(BaseException):\n    def __str__(self):\n        raise GeneratorExit\n"


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_an_answer_does_it_is_judged(name):
    answer = cell(f"{MUTE}def weighted_sum(weights, value):\n    {HOSTILE[name]}\n", "weighted_sum")
    result = judge(find("0.1"), answer)
    assert (result.state, result.mistake) == ("wrong", None)
    result.diagnosis.encode()


def test_a_result_that_cannot_be_compared_is_wrong(monkeypatch):
    part = Part("a thing", 1, lambda f: f())
    e = Exercise("99.2", lambda: "x", "Odd", 1, 1, [part], ["", "", ""])
    monkeypatch.setattr("course.workbook.judge.find", lambda id: e)
    result = judge(e, cell("def f():\n    return Odd()\n", "f", Odd=Odd))
    assert result.state == "wrong"


# ---- what is left as it was ----------------------------------------------------------------------


def keeps(e):
    """Whether a part looks at the inputs afterwards, as the docstring promises that they stay."""
    promise = re.compile("stays as it was|afterwards|given (is|are) changed|given should come back")
    counted = e.id == "10.1"  # among its shares is that of the tokens changed in place
    return counted or any(promise.search(f"{p.name} {p.says}") for p in e.parts)


def copied(x):
    """Apart from the original, and in the same graph of gradients."""
    if isinstance(x, torch.Tensor):
        return x.clone()
    return type(x)(copied(y) for y in x) if type(x) in (tuple, list) else copy.deepcopy(x)


MAY_OVERWRITE = [e for e in FUNCTIONS if not keeps(e)]


@pytest.mark.parametrize("exercise", MAY_OVERWRITE, ids=lambda e: e.id)
def test_code_that_works_in_place_spoils_nothing(exercise):
    """Every part makes fresh inputs, so an answer may overwrite them and is judged right time after time."""

    def spoiling(*args, **kwargs):
        result = exercise.reference(*args, **kwargs)
        given = [x for x in [*args, *kwargs.values()] if isinstance(x, torch.Tensor)]
        if not any(x.requires_grad for x in given):
            result = copied(result)  # it may be a view of what is spoilt now
            for x in given:
                x.zero_()
        return result

    for _ in range(2):
        assert judge(exercise, spoiling).right


def spoilt(x):
    """Change whatever can be changed of an argument."""
    if isinstance(x, list):
        for y in x:
            spoilt(y)
        x.append(x[0]) if x else None
    elif isinstance(x, dict):
        x.clear()
    elif isinstance(x, torch.Tensor) and not x.requires_grad:
        x.zero_()
    elif hasattr(x, "__dict__") and not callable(x):
        for y in vars(x).values():
            spoilt(y)


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.id)
def test_nothing_that_an_answer_spoils_is_left_to_the_next(exercise):
    def spoiling(*args, **kwargs):
        result = copy.deepcopy(exercise.reference(*args, **kwargs)) if not kept(args) else None
        for x in [*args, *kwargs.values()]:
            spoilt(x)
        return result

    def kept(args):
        return any(isinstance(x, torch.Tensor) and x.requires_grad for x in args)

    judge(exercise, spoiling)
    assert judge(exercise, exercise.reference).right


# ---- blank ---------------------------------------------------------------------------------------


def test_a_blank_answer_is_to_do_and_is_not_run():
    def explode():
        raise AssertionError

    source = "def weighted_sum(weights, value, at=explode):\n    ...\n"
    result = judge(find("0.1"), cell(source, "weighted_sum", explode=explode))
    assert (result.state, result.points, result.parts) == ("todo", 0, ())
    assert result.total == find("0.1").points
