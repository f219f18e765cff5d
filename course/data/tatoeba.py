"""Tatoeba's French and English sentences, split so that nothing tested was ever trained on.

Sentences: tatoeba.org by way of www.manythings.org/anki, CC BY 2.0.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from course.data.download import read_text
from course.text.plain import bare_words, plain_text

HELD_OUT = 1_000


class Pair(NamedTuple):
    """A sentence and its translation."""

    french: str
    english: str


class Corpus(NamedTuple):
    """Pairs to train on, to choose settings by, and to test with.

    ``test`` and ``validation`` are held out of this data set; ``laser`` is another, published test set.
    Each of the three has one pair for each of its English sentences.
    """

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    laser: list[Pair]


def french_english() -> Corpus:
    """The French-English sentences of 2017-09-29: 142,787 pairs, of 98,659 English sentences.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return split(parse(read_text("tatoeba_fra_eng")), laser_test())


def laser_test() -> list[Pair]:
    """The 1,000 French-English pairs published as a test set with LASER (Artetxe and Schwenk 2019)."""
    french, english = (
        read_text("tatoeba_laser_test", f"tatoeba.fra-eng.{language}").strip().split("\n")
        for language in ("fra", "eng")
    )
    return [Pair(plain_text(fra), plain_text(eng)) for fra, eng in zip(french, english, strict=True)]


def parse(text: str) -> list[Pair]:
    """Lines of English, tab, French (and perhaps another tab and an attribution), as plainly typed pairs."""
    rows = (line.split("\t") for line in text.split("\n") if line)
    return [Pair(plain_text(row[1]), plain_text(row[0])) for row in rows]


def split(pairs: Iterable[Pair], laser: Sequence[Pair] = (), held_out: int = HELD_OUT) -> Corpus:
    """Hold out test and validation pairs by their English side, and train on nothing that touches them.

    An English sentence with several French ones stays whole: the first of them is tested. Which sentences
    are held out depends on their words alone (the smallest SHA-256), not on chance or on their order. A pair
    is trained on once, and only if neither of its sides is among those held out or in ``laser``, case and
    punctuation aside.
    """
    bare = {pair: _bare(pair) for pair in pairs}
    first = {bare[pair].english: pair for pair in reversed(bare)}
    ranked = sorted(first, key=lambda english: sha256(english.encode()).digest())[: 2 * held_out]
    held = {english: first[english] for english in ranked}
    touched = [sides for sides in bare.values() if sides.english in held]
    untrainable = {side for pair in [*touched, *map(_bare, laser)] for side in pair}
    train = [pair for pair, sides in bare.items() if untrainable.isdisjoint(sides)]
    test, validation = list(held.values())[:held_out], list(held.values())[held_out:]
    return Corpus(train, validation, test, list(laser))


def _bare(pair: Pair) -> Pair:
    return Pair(bare_words(pair.french), bare_words(pair.english))
