"""Judge an answer by what it does: equal to the package's own function, or equal to a known mistake."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from course.workbook.answer import cell_of, is_blank, sound
from course.workbook.compare import difference
from course.workbook.describe import Saying, describe, property_of
from course.workbook.record import Exercise, Mistake, find
from course.workbook.sandbox import Outcome, Stopped, observe, sandbox, time_limit

__all__ = ["Verdict", "cell_of", "difference", "imitation_of", "is_blank", "judge", "same", "verdict"]

SECONDS = 10


@dataclass(frozen=True)
class PartResult:
    name: str
    points: int
    right: bool


@dataclass(frozen=True)
class Verdict:
    """The result of one check. ``state`` is "right", "wrong", "todo" or "stopped".

    ``sort`` is what the diagnosis rests on: a known "mistake", a "property" that fails, what the code
    "raises", or only the "place" where a value differs.
    """

    exercise: str
    title: str
    state: str
    points: int
    total: int
    diagnosis: str
    mistake: str | None = None
    parts: tuple[PartResult, ...] = ()
    sort: str = ""

    @property
    def right(self) -> bool:
        return self.state == "right"

    def as_dict(self) -> dict:
        return asdict(self)


def verdict(exercise: Exercise, state: str, diagnosis: str, mistake: str | None = None,
            parts: tuple[PartResult, ...] = (), sort: str = "") -> Verdict:  # fmt: skip
    points = sum(p.points for p in parts if p.right)
    return Verdict(
        exercise.id, exercise.title, state, points, exercise.points, sound(diagnosis), mistake, parts, sort
    )


# ---- what is expected ----------------------------------------------------------------------------------


@cache
def expected_of(id: str) -> list[Outcome]:
    """What the package's own function gives in every part."""
    with sandbox():
        outcomes = observe(find(id), find(id).reference)
    broken = [o.error for o in outcomes if o.error]
    if broken:
        raise RuntimeError(f"the package's own function fails exercise {id}") from broken[0]
    return outcomes


@cache
def imitation_of(id: str, index: int) -> list[Outcome]:
    """What a known mistake gives in every part."""
    with sandbox():
        return observe(find(id), find(id).mistakes[index].candidate)


class _Refusal(ValueError, TypeError, IndexError, KeyError, ArithmeticError, NotImplementedError):
    """Whatever error a part waits for."""


def _refuse(*args: Any, **kwargs: Any) -> Any:
    raise _Refusal


@cache
def refusals_of(id: str) -> list[bool]:
    """Which parts an answer gets right that only raises: they look at what is refused."""
    with sandbox():
        outcomes = observe(find(id), _refuse)
    return [same(e, o) for e, o in zip(expected_of(id), outcomes, strict=True)]


def same(a: Outcome, b: Outcome) -> bool:
    """Whether a part gave the same; to raise is to raise."""
    if a.error or b.error:
        return bool(a.error and b.error)
    try:
        return difference(a.value, b.value) is None
    except Exception:  # a learner's own kind of result, whose comparison fails
        return False


# ---- judging -------------------------------------------------------------------------------------------


def judge(exercise: Exercise, candidate: Any, seconds: float = SECONDS) -> Verdict:
    """Look at an answer and say what it is worth and, when it is wrong, which mistake it makes."""
    if is_blank(candidate):
        return verdict(exercise, "todo", "not done yet: replace the … by your code.")
    expected = expected_of(exercise.id)
    with sandbox():
        return _judge(exercise, candidate, expected, seconds)


def _judge(exercise: Exercise, candidate: Any, expected: list[Outcome], seconds: float) -> Verdict:
    imported = len(sys.modules)
    try:
        outcomes, right = _look(exercise, candidate, expected, seconds)
    except Stopped:
        outcomes = None
    if outcomes is None and len(sys.modules) > imported:  # a first import may be slow; now it is done
        try:
            outcomes, right = _look(exercise, candidate, expected, seconds)
        except Stopped:
            outcomes = None
    if outcomes is None:
        says = f"your code did not finish within {seconds:g} seconds: is there an endless loop?"
        return verdict(exercise, "stopped", says)
    parts = tuple(PartResult(p.name, p.points, r) for p, r in zip(exercise.parts, right, strict=True))
    if all(right):
        return verdict(exercise, "right", "right.", parts=parts)
    said = diagnose(exercise, candidate, outcomes, expected)
    return verdict(exercise, "wrong", said.says, said.mistake, parts, said.sort)


def _look(exercise: Exercise, candidate: Any, expected: list[Outcome], seconds: float) -> tuple[list, list]:
    limit = time_limit(seconds)
    try:
        with limit:
            outcomes = observe(exercise, candidate)
            right = [same(e, o) for e, o in zip(expected, outcomes, strict=True)]
    finally:
        limit.put_back()
    if all(right):
        return outcomes, right
    looked = zip(exercise.parts, outcomes, refusals_of(exercise.id), strict=True)
    values = [o for part, o, refusal in looked if not (part.says or refusal)]
    if values and all(o.error for o in values):  # who always raises has refused nothing, and kept nothing
        right = [False] * len(right)
    return outcomes, right


def diagnose(exercise: Exercise, candidate: Any, outcomes: list[Outcome], expected: list[Outcome]) -> Saying:
    """What is said of a wrong answer: the known mistake that it equals, else what was measured."""
    wrong = [i for i, (e, o) in enumerate(zip(expected, outcomes, strict=True)) if not same(e, o)]
    known = named(exercise, outcomes, expected, wrong)
    if known is None:
        return describe(exercise, candidate, outcomes, expected, wrong)
    mistake, besides = known
    more = [property_of(exercise.parts[i], outcomes[i], expected[i]) for i in besides]
    return Saying(" ".join([mistake.says, *(f"Besides, {says}" for says in more)]), "mistake", mistake.name)


def named(exercise: Exercise, outcomes: list[Outcome], expected: list[Outcome],
          wrong: list[int]) -> tuple[Mistake, list[int]] | None:  # fmt: skip
    """The one known mistake that does the same on every part, if there is one and a wrong value shows it.

    Parts that measure one property (they have a ``says``) may fail besides: they speak for themselves, and
    their numbers are returned too. An exception is no evidence: it says nothing about why.
    """
    alike = []
    for index, mistake in enumerate(exercise.mistakes):
        imitation = imitation_of(exercise.id, index)
        differ = [i for i, (m, o) in enumerate(zip(imitation, outcomes, strict=True)) if not same(m, o)]
        apart = all(exercise.parts[i].says and i in wrong and same(imitation[i], expected[i]) for i in differ)
        if apart and any(not outcomes[i].error for i in wrong if i not in differ):
            alike.append((mistake, differ))
    whole = [(m, differ) for m, differ in alike if not differ] or alike
    return whole[0] if len(whole) == 1 else None
