"""For authors of banks: which part tells each known mistake from the right answer and from every other.

    python -m course.exercises.evidence 3.3

A mistake is named when an answer equals it on every part; so two mistakes that are equal on every part cannot
both be in a bank, and one that is nearly equal to another needs a part that tells them apart.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from course.workbook.judge import expected_of, imitation_of, same
from course.workbook.record import Exercise, find


@dataclass(frozen=True)
class Evidence:
    """``right``: the parts where a mistake differs from the right answer; ``raises``: those where it raises,
    which is weak evidence; ``others``: for every other mistake, the parts where the two differ."""

    mistake: str
    right: tuple[str, ...]
    raises: tuple[str, ...]
    others: dict[str, tuple[str, ...]]


def evidence(exercise: Exercise) -> list[Evidence]:
    """One for each mistake of the bank."""
    names = [part.name for part in exercise.parts]
    right = expected_of(exercise.id)
    bank = [imitation_of(exercise.id, i) for i in range(len(exercise.mistakes))]

    def told(a: list, b: list) -> tuple[str, ...]:
        return tuple(n for n, x, y in zip(names, a, b, strict=True) if not same(x, y))

    return [
        Evidence(
            m.name,
            told(right, seen),
            tuple(n for n, outcome in zip(names, seen, strict=True) if outcome.error),
            {
                o.name: told(seen, other)
                for o, other in zip(exercise.mistakes, bank, strict=True)
                if o is not m
            },
        )
        for m, seen in zip(exercise.mistakes, bank, strict=True)
    ]


def faults(exercise: Exercise) -> list[str]:
    """What is wrong with a bank, in sentences: nothing for a sound one."""
    said = []
    for e in evidence(exercise):
        if not e.right:
            said.append(f"{exercise.id}: no part tells “{e.mistake}” from the right answer")
        elif not set(e.right) - set(e.raises):
            said.append(f"{exercise.id}: “{e.mistake}” raises wherever it differs: no value shows what it is")
        said += [
            f"{exercise.id}: “{e.mistake}” and “{other}” do the same on every part"
            for other, parts in e.others.items()
            if not parts and e.mistake < other
        ]
    return said


def table(exercise: Exercise) -> str:
    """The evidence in lines: for each mistake the parts that show it, and its nearest neighbour."""
    lines = [
        f"{exercise.id} {exercise.title}: parts {len(exercise.parts)}, mistakes {len(exercise.mistakes)}"
    ]
    for e in evidence(exercise):
        lines.append(f"  {e.mistake}: shown by {few(e.right)}")
        if e.others:
            nearest = min(e.others, key=lambda name: len(e.others[name]))
            lines.append(f"    nearest “{nearest}”: told by {few(e.others[nearest])}")
    return "\n".join(lines)


def few(parts: tuple[str, ...]) -> str:
    more = f" and {len(parts) - 3} more" if len(parts) > 3 else ""
    return (" · ".join(parts[:3]) or "NOTHING") + more


if __name__ == "__main__":
    for id in sys.argv[1:]:
        print(table(find(id)), *faults(find(id)), sep="\n")
