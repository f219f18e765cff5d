"""From a prompt's text back to its examples, and to the answer that its last question should get."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from course.in_context.prompts import ENDS, SEPARATORS, Format
from course.in_context.tasks import Example, misspelt_words
from course.in_context.words import TRANSLATIONS


def read_prompt(prompt: str) -> tuple[list[Example], str, Format]:
    """The shots of a prompt, its question, and the format it is written in: ``write_prompt`` undone.

    Raises:
        ValueError: if it is not written in any one format.
    """
    separator = prompt[-1:]
    if not separator or separator not in SEPARATORS:
        raise ValueError(
            f"a prompt ends with its question and one of {' '.join(SEPARATORS)}; this ends {prompt[-6:]!r}"
        )
    end = next((end for end in ENDS if end in prompt), ENDS[0])
    *lines, last = prompt.split(end)
    for line in [*lines, last]:
        if line.count(separator) != 1:
            raise ValueError(
                f"each example has one {separator!r} in it; {line!r} has {line.count(separator)}"
            )
    return [Example(*line.split(separator)) for line in lines], last[:-1], Format(separator, end)


def right_answer(task: str, question: str, shots: Sequence[Example] = ()) -> str | None:
    """The answer that a question of a task should get; None if it is no question of that task.

    The answer of a lookup is in the shots: the latest of those with the same question.

    Raises:
        KeyError: if there is no such task.
    """
    return {
        "addition": _sum,
        "spelling": corrections().get,
        "translation": TRANSLATIONS.get,
        "copying": str,
        "reversal": lambda text: text[::-1],
        "lookup": {shot.question: shot.answer for shot in shots}.get,
    }[task](question)


def _sum(question: str) -> str | None:
    numbers = question.split("+")
    return str(sum(map(int, numbers))) if len(numbers) == 2 and all(n.isdecimal() for n in numbers) else None


@cache
def corrections() -> dict[str, str]:
    """Every misspelling of the spelling task, held out or not, and the word that was meant."""
    return {
        misspelling: word
        for held_out in (False, True)
        for word, misspellings in misspelt_words(held_out).items()
        for misspelling in misspellings
    }
