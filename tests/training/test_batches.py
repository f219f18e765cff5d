"""Batches hold like lengths, waste little, miss nothing, and are a function of the step and the seed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.text.tokenizers import BOS, EOS, PAD
from course.training.batches import PairBatches, TokenBuckets

lengths_of_pairs = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=60)


def epoch(buckets: TokenBuckets, number: int = 0) -> list[list[int]]:
    return [buckets(step).tolist() for step in range(number * len(buckets), (number + 1) * len(buckets))]


@given(lengths_of_pairs, st.integers(30, 200), st.integers(0, 3))
def test_every_epoch_has_each_example_once_and_no_batch_is_too_large(lengths, tokens, number):
    batches = epoch(TokenBuckets(lengths, tokens), number)
    assert Counter(example for batch in batches for example in batch) == Counter(range(len(lengths)))
    for batch in batches:
        assert batch and len(batch) * max(max(lengths[example]) for example in batch) <= tokens


def lengths_like_sentences(n: int) -> np.ndarray:
    random = np.random.default_rng(0)
    source = random.integers(3, 40, n)
    return np.stack([source, np.maximum(2, source + random.integers(-3, 4, n))], axis=1)


def test_batches_are_nearly_full():
    lengths = lengths_like_sentences(3000)
    batches = epoch(TokenBuckets(lengths, 1000))
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert lengths.max(axis=1).sum() / padded > 0.97
    assert np.mean([len(batch) * lengths[batch].max() for batch in batches]) > 950


def test_an_epoch_differs_from_the_last_in_batches_and_in_their_order():
    buckets = TokenBuckets(lengths_like_sentences(500), 300)
    first, second = epoch(buckets), epoch(buckets, 1)
    assert len(first) == len(second) and first != second
    assert {frozenset(batch) for batch in first} != {frozenset(batch) for batch in second}


def test_a_step_has_its_batch_whatever_was_asked_before():
    lengths = lengths_like_sentences(300)
    walked, jumped = TokenBuckets(lengths, 300, seed=3), TokenBuckets(lengths, 300, seed=3)
    steps = range(4 * len(walked))
    in_order = [walked(step).tolist() for step in steps]
    assert [jumped(step).tolist() for step in reversed(steps)] == in_order[::-1]
    assert epoch(TokenBuckets(lengths, 300, seed=4)) != epoch(walked)


def test_pairs_are_padded_and_marked():
    batches = PairBatches([([5, 6, 7], [8]), ([9, 10], [11, 12])], tokens=100)
    source, target = batches(0)
    rows = sorted(zip(source.tolist(), target.tolist(), strict=True))
    assert len(batches) == 1
    assert rows == [
        ([5, 6, 7, EOS], [BOS, 8, EOS, PAD]),
        ([9, 10, EOS, PAD], [BOS, 11, 12, EOS]),
    ]


def test_no_examples_or_one_too_long_is_refused():
    with pytest.raises(ValueError, match="no examples"):
        TokenBuckets([], 100)
    with pytest.raises(ValueError, match="example 1 has 101 tokens, more than the 100 of a batch"):
        TokenBuckets([(5, 6), (7, 101)], 100)
