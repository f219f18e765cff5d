"""Held out by length: as many in each band, nothing trained on that touches them."""

import pytest

from course.data.length_bands import BANDS, _sides, band_of, joined, split
from course.data.tatoeba import Corpus, Pair


def pair(n: int, i: int) -> Pair:
    return Pair(" ".join([f"mot{i}", *["mot"] * (n - 1)]), " ".join([f"word{i}", *["word"] * (n - 1)]))


def corpus() -> Corpus:
    train = [pair(n, 100 * n + i) for n in (3, 8, 12, 20) for i in range(12)]
    fresh = [pair(n, 5000 + 100 * n + i) for n in (3, 8, 12) for i in range(4)]
    return Corpus(train, fresh[::2], fresh[1::2], [pair(20, 9000)])


def test_each_band_has_as_many_and_those_nobody_trained_on_come_first():
    found = split(corpus(), held_out=5)
    assert {band: len(pairs) for band, pairs in found.tests.items()} == dict.fromkeys(BANDS, 5)
    assert found.unseen == {"1–5": 4, "6–10": 4, "11–15": 4, "16–25": 1}
    assert found.tests["16–25"][0] == pair(20, 9000)
    assert all(band_of(p) == band for band, pairs in found.tests.items() for p in pairs)


def test_nothing_is_trained_on_that_shares_a_side_with_a_test():
    given = corpus()
    twin = given.train[0]._replace(english="Quite another sentence.")
    found = split(given._replace(train=[*given.train, twin]), held_out=12)
    tested = _sides(p for pairs in found.tests.values() for p in pairs)
    assert tested.isdisjoint(_sides(found.train)) and tested.isdisjoint(_sides(found.validation))


def test_too_few_are_refused():
    with pytest.raises(ValueError, match="40 pairs should be held out of 1–5 words; there are 16"):
        split(corpus(), held_out=40)


def test_joined_examples_are_pairs_in_a_row():
    pairs = [pair(5, i) for i in range(9)]
    found = joined(pairs, 20, longest=12, seed=1)
    assert found == joined(pairs, 20, longest=12, seed=1)
    assert {len(p.french.split()) for p in found} == {10}
    for p in found:
        firsts = [w for w in p.french.split() if w != "mot"]
        assert [w.replace("word", "mot") for w in p.english.split() if w != "word"] == firsts
    with pytest.raises(ValueError, match="no two of these pairs"):
        joined(pairs, 1, longest=9)
