"""What answers a prompt without understanding it: the majority, the nearest example, copying n-grams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from course.in_context.prompts import ARROW, Format, write_prompt
from course.in_context.tasks import Example

Baseline = Callable[[Sequence[Example], str], str]
"""From the shots and a question to an answer; the empty answer where there is nothing to go by."""


def majority(shots: Sequence[Example], question: str) -> str:
    """The answer that most shots have; of several, the one that came first."""
    counts = Counter(shot.answer for shot in shots)
    return max(counts, key=counts.get, default="")


def nearest_shot(shots: Sequence[Example], question: str) -> str:
    """The answer of the shot whose question is fewest edits away; of several, the latest."""
    nearest = min(reversed(shots), key=lambda shot: edit_distance(shot.question, question), default=None)
    return nearest.answer if nearest else ""


def copy_ngram(shots: Sequence[Example], question: str, format: Format = ARROW) -> str:
    """Goes on as the text went on where its last characters stood before, as many of them as can be found.

    It is what an induction head does (Olsson et al. 2022), with the longest match in place of one token's.
    """
    text = prompt = write_prompt(shots, question, format)
    longest = len(prompt) + max((len(shot.answer) for shot in shots), default=0)
    while len(text) < longest and (follower := _follower(text)) not in ("", format.end):
        text += follower
    return text.removeprefix(prompt)


def _follower(text: str) -> str:
    """What followed the latest earlier occurrence of the longest possible end of the text."""
    for n in range(len(text) - 1, 0, -1):
        place = text.rfind(text[-n:], 0, len(text) - 1)
        if place >= 0:
            return text[place + n]
    return ""


def edit_distance(a: str, b: str) -> int:
    """The fewest letters to put in, leave out or replace that turn one word into the other.

    Source: Levenshtein 1966; Wagner and Fischer 1974, algorithm X.
    """
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        above, row = row, [i]
        for j, other in enumerate(b, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other)))
    return row[-1]


BASELINES: dict[str, Baseline] = {
    "majority": majority,
    "nearest example": nearest_shot,
    "copying n-grams": copy_ngram,
}
"""The baselines to draw beside a model, by name."""
