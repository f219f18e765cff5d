"""Prompts: examples written one after the other, then a question; and what of it all counts.

    123+456=579;200+11=211;17+5=

A learner reads and writes sums as everybody does. The model reads every answer in digits backwards, the ones
first, since a carry runs that way: ``flip_answers`` turns one into the other, both ways. It is the trick of
Lee et al. 2023 (Teaching Arithmetic to Small Transformers), §3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from course.in_context.tasks import TASKS, Example, Task
from course.in_context.words import TRANSLATIONS
from course.masking import IGNORED
from course.text.characters import Characters

SEPARATORS, ENDS = "=>:", ";\n"


@dataclass(frozen=True)
class Format:
    """How an example is written: question, separator, answer, end.

    Raises:
        ValueError: for a separator or an end that is none of ``SEPARATORS``, ``ENDS``.
    """

    separator: str = ">"
    end: str = ";"

    def __post_init__(self) -> None:
        for name, value, known in (("separator", self.separator, SEPARATORS), ("end", self.end, ENDS)):
            if len(value) != 1 or value not in known:
                raise ValueError(f"the {name} is one of {', '.join(map(repr, known))}; got {value!r}")


ARROW = Format()
"""How words are usually written: hapy>happy;"""
UNSEEN_FORMAT = Format(":", "\n")
"""The one format that training leaves out; it sees both of its signs in others."""
TRAINED_FORMATS = tuple(f for s in SEPARATORS for e in ENDS if (f := Format(s, e)) != UNSEEN_FORMAT)

CHARACTERS = Characters(
    "0123456789+" + SEPARATORS + ENDS + "abcdefghijklmnopqrstuvwxyz" + "".join(TRANSLATIONS)
)
"""The vocabulary of the prompts."""


def usual_format(task: Task) -> Format:
    """The format that a task's examples are usually written in."""
    return Format(task.separator)


# -- writing --


def write_prompt(shots: Sequence[Example], question: str, format: Format = ARROW) -> str:
    """The shots, then the question up to the separator: what is left for the model is the answer.

    Source: Brown et al. 2020 (GPT-3), figure 2.1; lecture row L1.6.d.
    """
    written = [shot.question + format.separator + shot.answer + format.end for shot in shots]
    return "".join(written) + question + format.separator


def draw_prompt(
    task: Task | str, shots: int, random: np.random.Generator, held_out: bool = True
) -> tuple[list[Example], Example]:
    """Some shots of a task, and one example more: the question to be asked, with its answer.

    The answer must not stand in the prompt, so no shot has that question. Except in "lookup": its answers are
    made up anew whenever the task draws, so there the question must come from the same draw as the shots,
    and be one of theirs as often as chance will have it; else nobody could answer it.

    Args:
        task: a task, or its name in ``TASKS``; ``task.draw(random, n, held_out)`` gives n examples, a list,
            with different questions (but for lookup).
        shots: how many; 0 gives an empty list.
        random: where all chance comes from.
        held_out: whether shots and question are of the examples that training never sees, or of the others.
    """
    *before, last = (TASKS[task] if isinstance(task, str) else task).draw(random, shots + 1, held_out)
    return before, last


def shuffled(shots: Sequence[Example], random: np.random.Generator) -> list[Example]:
    """The same shots in another order."""
    return [shots[i] for i in random.permutation(len(shots))]


def with_wrong_labels(shots: Sequence[Example], random: np.random.Generator) -> list[Example]:
    """The same questions, each with the answer of another shot.

    The answers are handed on around one circle of all shots, so that nobody keeps their own; where two shots
    share an answer, one of them may get it back.

    Raises:
        ValueError: for a single shot, which has nobody to swap with.

    Source: Min et al. 2022, §4, who draw their wrong labels from the set of all labels.
    """
    if len(shots) == 1:
        raise ValueError("one shot has nobody to swap its answer with: give none, or two and more")
    circle = random.permutation(len(shots)).tolist()
    taken = dict(zip(circle, circle[1:] + circle[:1], strict=True))
    return [Example(shot.question, shots[taken[i]].answer) for i, shot in enumerate(shots)]


def flip_answers(text: str) -> str:
    """The same text with the digits of every answer backwards; doing it twice undoes it."""
    return re.sub(rf"(?<=[{SEPARATORS}])\d+", lambda digits: digits.group()[::-1], text)


# -- encoding --


class Encoded(NamedTuple):
    """A batch of prompts as ids, and what counts of them.

    ``targets`` has the next token where it belongs to an answer or ends one, and ``IGNORED`` elsewhere;
    ``shots`` has there the number of examples before, and -1 elsewhere.
    """

    ids: Int[Tensor, "batch n"]
    targets: Int[Tensor, "batch n"]
    shots: Int[Tensor, "batch n"]


def encode(prompts: Sequence[tuple[Sequence[Example], Format]], length: int) -> Encoded:
    """Prompts, every example of which is to be answered, as tensors of one length.

    Only whole examples that fit into ``length`` are kept, and the rest is filled up with ends, which do not
    count. So every prompt asks with 0 shots, with 1, with 2, ... at once.
    """
    rows = [_encode(examples, format, length) for examples, format in prompts]
    return Encoded(*(torch.tensor(part) for part in zip(*rows, strict=True)))


def _encode(examples: Sequence[Example], format: Format, length: int) -> tuple[list[int], ...]:
    text, shots = "", []
    for number, (question, answer) in enumerate(examples):
        written = question + format.separator + answer + format.end
        if len(text) + len(written) > length + 1:
            break
        text += written
        shots += [-1] * (len(question) + 1) + [number] * (len(answer) + 1)
    missing = length + 1 - len(text)
    ids = CHARACTERS.encode(flip_answers(text) + format.end * missing)
    shots = shots[1:] + [-1] * missing  # of the position before, which predicts
    targets = [id if shot >= 0 else IGNORED for id, shot in zip(ids[1:], shots, strict=True)]
    return ids[:-1], targets, shots
