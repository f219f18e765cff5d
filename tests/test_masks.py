"""Masks: who may attend to whom, position by position, and what is refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.masks import causal_mask, combine, padding_mask, prefix_mask, to_additive, window_mask

lengths = st.integers(0, 12)


def allowed(n, rule):
    return torch.tensor([[rule(i, j) for j in range(n)] for i in range(n)], dtype=torch.bool).reshape(n, n)


@given(lengths)
def test_causal_mask_lets_a_position_see_itself_and_the_past(n):
    assert torch.equal(causal_mask(n), allowed(n, lambda i, j: j <= i))


@given(lengths, st.integers(0, 15))
def test_window_mask_lets_a_position_see_its_neighbours(n, width):
    assert torch.equal(window_mask(n, width), allowed(n, lambda i, j: abs(i - j) <= width))


@given(st.data(), lengths)
def test_prefix_mask_is_causal_but_for_the_prefix(data, n):
    prefix = data.draw(st.integers(0, n))
    assert torch.equal(prefix_mask(n, prefix), allowed(n, lambda i, j: j <= i or j < prefix))


@given(st.data(), lengths)
def test_padding_mask_hides_what_follows_the_sentence(data, n):
    sentences = data.draw(st.lists(st.integers(0, n), min_size=1, max_size=4))
    mask = padding_mask(sentences, n)
    assert mask.shape == (len(sentences), 1, n)
    assert mask.sum(dim=-1).flatten().tolist() == sentences
    assert torch.equal(mask, mask.sort(dim=-1, descending=True, stable=True).values), "a gap in a sentence"
    assert torch.equal(mask, padding_mask(torch.tensor(sentences), n))


def test_combine_allows_what_every_mask_allows():
    causal, padding = causal_mask(4), padding_mask([4, 2], 4)
    both = combine(causal, padding)
    assert both.shape == (2, 4, 4)
    assert torch.equal(both[0], causal)
    assert torch.equal(both[1], causal & torch.tensor([True, True, False, False]))
    assert torch.equal(combine(causal), causal)


def test_combine_keeps_sentences_and_heads_apart():
    padding, heads = padding_mask([4, 2], 4), torch.rand(2, 2, 4, 4) > 0.5
    both = combine(padding, heads)
    for sentence in range(2):
        for head in range(2):
            assert torch.equal(both[sentence, head], padding[sentence] & heads[sentence, head])


def test_additive_mask_is_zero_or_minus_infinity():
    expected = torch.tensor([[0.0, -torch.inf], [0.0, 0.0]])
    assert torch.equal(to_additive(causal_mask(2)), expected)


@pytest.mark.parametrize(
    ("call", "error", "seen"),
    [
        (lambda: causal_mask(-1), ValueError, "n = -1"),
        (lambda: window_mask(4, -2), ValueError, "width = -2"),
        (lambda: window_mask(-4, 2), ValueError, "n = -4"),
        (lambda: prefix_mask(4, 5), ValueError, "n = 4; got prefix = 5"),
        (lambda: prefix_mask(4, -1), ValueError, "prefix = -1"),
        (lambda: padding_mask([2, 5], 4), ValueError, r"n = 4; got \[2, 5\]"),
        (lambda: padding_mask([-1], 4), ValueError, r"\[-1\]"),
        (lambda: padding_mask([[1, 2]], 4), ValueError, r"shape \[1, 2\]"),
        (lambda: padding_mask([1.5], 4), TypeError, "torch.float32"),
        (lambda: padding_mask([], 4), ValueError, "at least one sentence"),
        (lambda: combine(), ValueError, "none"),
        (lambda: combine(causal_mask(3), causal_mask(4)), ValueError, r"\[3, 3\], \[4, 4\]"),
        (lambda: combine(causal_mask(3), torch.ones(3, 3)), TypeError, "torch.float32"),
        (lambda: to_additive(torch.ones(3, 3, dtype=torch.int64)), TypeError, "torch.int64"),
        (lambda: to_additive([[True]]), TypeError, "list"),
    ],
)
def test_bad_masks_are_refused_with_what_was_seen(call, error, seen):
    with pytest.raises(error, match=seen):
        call()
