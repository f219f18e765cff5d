"""Tatoeba's French and English sentences with as many held out in each band of length, short to long.

Sentences: tatoeba.org by way of www.manythings.org/anki, CC BY 2.0.
"""

import random
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from course.data import tatoeba
from course.data.tatoeba import Pair
from course.text.plain import bare_words

BANDS = {"1–5": (1, 5), "6–10": (6, 10), "11–15": (11, 15), "16–25": (16, 25)}
"""Words of the French side, as spaces part them."""

HELD_OUT = 300


class BandedCorpus(NamedTuple):
    """Pairs to train on, and for each band those to test with.

    Of ``tests[band]`` the first ``unseen[band]`` are also unknown to the shipped Transformer "fr-en".
    """

    train: list[Pair]
    validation: list[Pair]
    tests: dict[str, list[Pair]]
    unseen: dict[str, int]


def by_length(held_out: int = HELD_OUT) -> BandedCorpus:
    """The corpus of ``course.data.tatoeba`` split anew.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return split(tatoeba.french_english(), held_out)


def split(corpus: tatoeba.Corpus, held_out: int = HELD_OUT) -> BandedCorpus:
    """Hold out pairs by length; first those that were never trained on, then, where these are few, others.

    Which of the others are held out depends on their English words alone (the smallest SHA-256). Nothing is
    trained on that shares a side with a pair of a test or of the validation set, case and punctuation aside.

    Raises:
        ValueError: if a band has not as many pairs.
    """
    fresh = _one_for_each(_ranked([*corpus.test, *corpus.validation, *corpus.laser]))
    known = _ranked(corpus.train)
    tests, unseen = {}, {}
    for band in BANDS:
        first = [pair for pair in fresh if band_of(pair) == band][:held_out]
        both = _one_for_each([*first, *(pair for pair in known if band_of(pair) == band)])[:held_out]
        if len(both) < held_out:
            raise ValueError(f"{held_out} pairs should be held out of {band} words; there are {len(both)}")
        tests[band], unseen[band] = both, len(first)
    tested = _sides(pair for pairs in tests.values() for pair in pairs)
    validation = [pair for pair in corpus.validation if tested.isdisjoint(_bare(pair))]
    untrainable = tested | _sides([*corpus.test, *corpus.validation, *corpus.laser])
    train = [pair for pair in corpus.train if band_of(pair) and untrainable.isdisjoint(_bare(pair))]
    return BandedCorpus(train, validation, tests, unseen)


def band_of(pair: Pair) -> str | None:
    """The band of a pair's French side; None beyond them all."""
    n = len(pair.french.split())
    return next((name for name, (low, high) in BANDS.items() if low <= n <= high), None)


def joined(pairs: Sequence[Pair], n: int, longest: int = 25, seed: int = 0) -> list[Pair]:
    """New examples, each two or three pairs in a row: long sources are rare in a phrase book.

    Args:
        longest: the most French words of an example.

    Raises:
        ValueError: if no two of the pairs are short enough.

    Source: Kondo et al. 2021 ("Sentence Concatenation Approach to Data Augmentation for NMT").
    """
    if 2 * min(len(pair.french.split()) for pair in pairs) > longest:
        raise ValueError(f"no two of these pairs have {longest} French words or fewer together")
    chance, found = random.Random(seed), []
    while len(found) < n:
        parts = chance.sample(pairs, chance.choice((2, 3)))
        one = Pair(*(" ".join(side) for side in zip(*parts, strict=True)))
        if len(one.french.split()) <= longest:
            found.append(one)
    return found


def _ranked(pairs: Iterable[Pair]) -> list[Pair]:
    return sorted(pairs, key=lambda pair: sha256(pair.english.encode()).digest())


def _one_for_each(pairs: Iterable[Pair]) -> list[Pair]:
    """The first pair of each English sentence and of each French one."""
    kept, seen = [], set()
    for pair in pairs:
        sides = _bare(pair)
        if seen.isdisjoint(sides):
            kept.append(pair)
            seen |= sides
    return kept


def _bare(pair: Pair) -> set[tuple[int, str]]:
    return {(side, bare_words(text)) for side, text in enumerate(pair)}


def _sides(pairs: Iterable[Pair]) -> set[tuple[int, str]]:
    return {side for pair in pairs for side in _bare(pair)}
