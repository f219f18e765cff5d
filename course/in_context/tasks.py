"""Tasks that a prompt can set by examples alone: addition, spelling, translation, copying, looking up.

A task draws examples, each a question and its answer. Nothing here knows how a prompt is written
(``course.in_context.prompts``) or who answers it. Chance comes from a ``numpy`` generator that is passed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple
from zlib import crc32

import numpy as np

from course.in_context.words import COMMON_WORDS, TRANSLATIONS

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOWELS = "aeiou"


class Example(NamedTuple):
    """A question and its answer, as people write them."""

    question: str
    answer: str


@dataclass(frozen=True)
class Task:
    """One thing to do.

    Args:
        name: what it is called.
        separator: what it is usually written between question and answer.
        draw: from a generator, a number n and ``held_out``, n examples: of those that training never sees, or
            of the others. Where nothing is held out, the two are the same.
    """

    name: str
    separator: str
    draw: Callable[[np.random.Generator, int, bool], list[Example]]


def is_held_out(question: str) -> bool:
    """Whether a question is of the tenth that training never sees: its CRC-32 decides, not chance."""
    return crc32(question.encode("utf-8")) % 10 == 0


# -- addition --


def is_held_out_sum(a: int, b: int) -> bool:
    """Whether a sum is held out; with a + b so is b + a."""
    return is_held_out(f"{min(a, b)}+{max(a, b)}")


def draw_sums(
    random: np.random.Generator, n: int, held_out: bool = False, by_length: bool = False
) -> list[Example]:
    """Different sums of two numbers from 0 to 999.

    Args:
        by_length: draw a third of the numbers from those below 10, and a third from those below 100.

    Source of the range: Brown et al. 2020 (GPT-3), §3.9.1; lecture row L1.6.e.
    """
    sums: dict[str, str] = {}
    while len(sums) < n:
        below = 10 ** random.integers(1, 4, size=2) if by_length else 1000
        a, b = random.integers(below, size=2).tolist()
        if is_held_out_sum(a, b) == held_out:
            sums[f"{a}+{b}"] = str(a + b)
    return [Example(*sum) for sum in sums.items()]


# -- spelling --


def misspellings(word: str) -> set[str]:
    """A letter left out, doubled, or swapped with the next; another vowel in a vowel's place.

    Source of three of the four edits: Damerau 1964.
    """
    edits = set()
    for i, letter in enumerate(word):
        before, after = word[:i], word[i + 1 :]
        edits |= {before + after, before + 2 * letter + after}
        edits |= {before + after[:1] + letter + after[1:]}
        edits |= {before + vowel + after for vowel in VOWELS if letter in VOWELS}
    return edits - {word}


@cache
def misspelt_words(held_out: bool = False) -> dict[str, tuple[str, ...]]:
    """Each common word and its misspellings, those held out or the others.

    What two words could both have become is left out, and what is a word itself.
    """
    made = {word: misspellings(word) for word in COMMON_WORDS}
    times = Counter(edit for edits in made.values() for edit in edits) + Counter(COMMON_WORDS)
    return {
        word: tuple(sorted(e for e in edits if times[e] == 1 and is_held_out(e) == held_out))
        for word, edits in made.items()
    }


def draw_misspellings(random: np.random.Generator, n: int, held_out: bool = False) -> list[Example]:
    """Misspelt words, each of another word, and what was meant. Lecture row L1.6.f."""
    misspelt = misspelt_words(held_out)
    words = [word for word in random.permutation(COMMON_WORDS).tolist() if misspelt[word]][:n]
    return [Example(str(random.choice(misspelt[word])), word) for word in words]


# -- translation --


def draw_translations(random: np.random.Generator, n: int, held_out: bool = False) -> list[Example]:
    """French words and their English.

    Nothing can be held out: no prompt of other words says what "chat" means. The model knows its words from
    training, and the examples tell it no more than that this is about translation.

    Source: Min et al. 2022, §5; lecture row L1.6.f.
    """
    french = random.permutation(list(TRANSLATIONS)).tolist()[:n]
    return [Example(word, TRANSLATIONS[word]) for word in french]


# -- patterns --


def draw_copies(random: np.random.Generator, n: int, held_out: bool = False) -> list[Example]:
    """Strings of three to six random letters, and the same again."""
    return [Example(text, text) for text in _strings(random, n, held_out)]


def draw_reversals(random: np.random.Generator, n: int, held_out: bool = False) -> list[Example]:
    """Strings of three to six random letters, and the same backwards."""
    return [Example(text, text[::-1]) for text in _strings(random, n, held_out)]


def _strings(random: np.random.Generator, n: int, held_out: bool) -> list[str]:
    strings: dict[str, None] = {}
    while len(strings) < n:
        text = "".join(random.choice(list(LETTERS), size=random.integers(3, 7)))
        if is_held_out(text) == held_out:
            strings[text] = None
    return list(strings)


def draw_lookups(random: np.random.Generator, n: int, held_out: bool = False) -> list[Example]:
    """Two to six letters, each with an answer that this prompt made up; questions come again and again.

    The one task here that no training can teach: an answer seen before in the prompt can be looked up, and
    the first of its kind can only be guessed.
    """
    n_keys = int(random.integers(2, 7))
    keys = random.choice(list(LETTERS), size=n_keys, replace=False)
    made_up = dict(zip(keys.tolist(), random.choice(list(LETTERS), size=n_keys).tolist(), strict=True))
    return [Example(key, made_up[key]) for key in random.choice(keys, size=n).tolist()]


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("addition", "=", draw_sums),
        Task("spelling", ">", draw_misspellings),
        Task("translation", ">", draw_translations),
        Task("copying", ">", draw_copies),
        Task("reversal", ">", draw_reversals),
        Task("lookup", ">", draw_lookups),
    )
}
"""Every task by its name."""
