"""What an exercise is: one of the package's functions, how it is looked at, and how people get it wrong."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MIME = "application/vnd.course.check+json"
"""What a check's result is called in a notebook's outputs."""


@dataclass(frozen=True)
class Part:
    """One thing that is looked at: ``run(function)`` makes fresh inputs, calls it, returns what it gave.

    ``says`` is for a part that measures one property (a number, a yes or no): the sentence for an answer
    whose value differs there, "a later token changes what comes out before it".
    """

    name: str
    points: int
    run: Callable[[Any], Any]
    says: str = ""


@dataclass(frozen=True)
class Mistake:
    """A wrong version and the sentence that names the misconception behind it."""

    name: str
    says: str
    candidate: Any


@dataclass
class Exercise:
    """An exercise: ``reference`` without its body (a function, or a class's ``blank`` methods)."""

    id: str
    reference: Any
    title: str
    minutes: int
    difficulty: int
    parts: list[Part]
    hints: list[str]
    blank: tuple[str, ...] = ()
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.reference.__name__

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    def mistake(self, name: str, says: str) -> Callable[[Any], Any]:
        """Decorator that adds a wrong version to the bank."""

        def add(candidate: Any) -> Any:
            self.mistakes.append(Mistake(name, says, candidate))
            return candidate

        return add


REGISTRY: dict[str, Exercise] = {}
BANKS: dict[int, Callable[[], Any]] = {}
"""The number of each notebook with exercises, and what imports its bank; ``course.exercises`` fills it."""


def register(number: int, bank: Callable[[], Any]) -> None:
    """Make a notebook's exercises known; ``bank`` imports the module that defines them, when first needed."""
    BANKS[number] = bank


def define(id: str, reference: Any, title: str, *, minutes: int, difficulty: int, parts: list[tuple],
           hints: list[str], blank: tuple[str, ...] = ()) -> Exercise:  # fmt: skip
    """Record an exercise. ``parts`` are (name, points, run) or (…, says); exactly three graded ``hints``."""
    if id in REGISTRY:
        raise ValueError(f"exercise {id} is defined twice")
    if len(hints) != 3:
        raise ValueError(
            f"exercise {id} has {len(hints)} hints; it needs three, from a nudge to nearly the answer"
        )
    if inspect.isclass(reference) and not blank:
        raise ValueError(f"exercise {id} is a class: say which methods are blank")
    REGISTRY[id] = Exercise(
        id, reference, title, minutes, difficulty, [Part(*p) for p in parts], hints, blank
    )
    return REGISTRY[id]


def chapters() -> list[int]:
    """The numbers of the notebooks that have exercises."""
    return sorted(BANKS)


def exercises_of(number: int) -> list[Exercise]:
    """The exercises of one notebook, in order; none for a notebook that has no exercises."""
    if number not in BANKS:
        return []
    BANKS[number]()
    return [e for e in REGISTRY.values() if int(e.id.split(".")[0]) == number]


def find(id: str) -> Exercise:
    """The exercise with that id; a LookupError that lists the neighbours when there is none."""
    match = re.fullmatch(r"(\d+)\.(\d+)", id) if isinstance(id, str) else None
    if not match:
        raise LookupError(f'an exercise id looks like "3.1"; got {id!r}')
    number = int(match[1])
    known = [e.id for e in exercises_of(number)]
    if id not in known:
        have = ", ".join(known) or "none"
        raise LookupError(f"there is no exercise {id}; notebook {number:02d} has {have}")
    return REGISTRY[id]
