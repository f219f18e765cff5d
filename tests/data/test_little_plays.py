"""Little plays: their letters, their length, and the entropy that is claimed for them."""

import math
from collections import Counter

import pytest

from course.data import little_plays
from course.data.little_plays import ENTROPY, FAREWELLS, JUDGEMENTS, play, speeches

SHAKESPEARES = set("\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
MANY = speeches(20_000, seed=0)


def test_they_are_written_in_the_characters_of_tinyshakespeare_and_fit_its_models_context():
    assert set("".join(speech.text for speech in MANY)) <= SHAKESPEARES
    assert max(len(speech.text) for speech in MANY) <= 64


def test_the_seed_fixes_them():
    assert play(5, seed=3) == "".join(s.text for s in speeches(5, seed=3)) != play(5, seed=4)
    assert speeches(1, 0)[0] == MANY[0]


def test_the_farewell_fits_the_judgement_and_nothing_else_of_it():
    for speech in MANY:
        assert speech.text.startswith(speech.judged)
        assert any(judgement in speech.judged for judgement in JUDGEMENTS[speech.kind])
        assert speech.text.endswith(tuple(f" {farewell}!\n\n" for farewell in FAREWELLS[speech.kind]))


def test_there_are_as_many_as_the_entropy_says_and_all_are_equally_probable():
    counts = Counter(speech.text for speech in MANY)
    n = math.exp(ENTROPY)
    assert n == pytest.approx(little_plays.CHOICES) and evenly_spread(counts, n)


def evenly_spread(counts: Counter, n: float) -> bool:
    """Pearson's statistic, of mean n - 1 and variance 2 (n - 1), within 5 standard deviations."""
    expected = sum(counts.values()) / n
    statistic = sum((c - expected) ** 2 for c in counts.values()) / expected + (n - len(counts)) * expected
    return abs(statistic - (n - 1)) < 5 * math.sqrt(2 * (n - 1))
