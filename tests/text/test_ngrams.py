"""Counting: probabilities that sum to one, equal to counts made by hand, and no loss below the entropy."""

import math
from collections import Counter
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.data import little_plays
from course.text.characters import Characters
from course.text.ngrams import NGram, bigram_probabilities

texts = st.lists(st.integers(0, 3), min_size=2, max_size=30)


@given(texts, st.floats(0.01, 5))
def test_bigrams_are_counts_raised_by_alpha(ids, alpha):
    table = bigram_probabilities(torch.tensor(ids), 4, alpha)
    counted = Counter(pairwise(ids))
    for a in range(4):
        row = [counted[a, b] + alpha for b in range(4)]
        assert table[a].tolist() == pytest.approx([x / sum(row) for x in row], rel=1e-5)


@given(texts, st.lists(st.integers(0, 4), max_size=5), st.integers(1, 4))
def test_after_every_context_the_probabilities_sum_to_one(ids, context, order):
    model = NGram(ids, order, vocab_size=5)
    p = [model.probability(context, token) for token in range(5)]
    assert sum(p) == pytest.approx(1) and min(p) > 0


@given(texts, st.lists(st.integers(0, 4), max_size=5), st.integers(1, 4))
def test_all_probabilities_at_once_are_those_one_by_one(ids, context, order):
    model = NGram(ids, order, vocab_size=5)
    expected = [model.probability(context, token) for token in range(5)]
    assert model.probabilities(context).tolist() == pytest.approx(expected, rel=1e-5)


def test_the_mixture_is_witten_and_bells():
    model = NGram([0, 1, 0, 1, 0, 2], 2, vocab_size=3)
    alone = [(3 + 3 / 3) / 9, (2 + 3 / 3) / 9, (1 + 3 / 3) / 9]  # 6 tokens, 3 kinds
    assert model.probability([], 1) == pytest.approx(alone[1])
    behind_0 = (2 + 2 * alone[1]) / (3 + 2)  # 0 was followed by 1, 1, 2
    assert model.probability([0], 1) == model.probability([2, 1, 0], 1) == pytest.approx(behind_0)
    assert model.probability([2], 1) == pytest.approx(alone[1])  # nothing followed 2


def test_a_longer_reach_learns_more_but_not_what_lies_beyond_it():
    text, unseen = little_plays.play(800, seed=0), little_plays.play(200, seed=1)
    characters = Characters(text)
    losses = [
        NGram(characters.encode(text), order, len(characters)).loss(characters.encode(unseen))
        for order in (1, 2, 5)
    ]
    floor = 200 * little_plays.ENTROPY / len(unseen)
    tone = 200 * math.log(2) / len(unseen)  # a farewell out of eight in place of four costs one bit more
    assert losses == sorted(losses, reverse=True) and losses[-1] > floor + tone


@pytest.mark.parametrize("arguments", [([1, 2], 0, 3), ([], 2, 3)])
def test_there_must_be_something_to_count(arguments):
    with pytest.raises(ValueError, match="an order of 1 or more and a text"):
        NGram(*arguments)
