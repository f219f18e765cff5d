"""Bounds that a right answer leaves once in 10⁸, and a wrong share does not stay in."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.workbook.chance import ALARM, Share, divergence


@pytest.mark.parametrize("truth", [0.001, 0.15, 1 / 39, 0.5, 0.9])
@pytest.mark.parametrize("n", [20, 1000, 100_000])
def test_the_bound_holds_with_the_stated_probability(truth, n):
    """The exact tail of Binomial(n, truth), summed over all counts that are called wrong."""
    k = torch.arange(n + 1, dtype=torch.double)
    log_p = torch.distributions.Binomial(n, torch.tensor(truth, dtype=torch.double)).log_prob(k)
    called_wrong = torch.tensor([not Share(int(i), n, truth).right for i in k])
    assert log_p[called_wrong].exp().sum() <= ALARM


def test_two_hundred_seeds_are_right_and_another_share_is_not():
    for seed in range(200):
        generator = torch.Generator().manual_seed(seed)
        hits = int((torch.rand(3000, generator=generator) < 1 / 39).sum())
        assert Share(hits, 3000, 1 / 39).right
        assert not Share(hits, 3000, 1 / 12).right
        assert Share(hits, 3000, 1 / 20).like(Share(77, 3000, 1 / 20))


@pytest.mark.parametrize(
    "share, right", [((0, 9, 0.0), True), ((1, 9, 0.0), False), ((8, 9, 1.0), False), ((0, 0, 0.3), True)]
)
def test_what_never_or_always_happens_allows_no_exception(share, right):
    assert Share(*share).right == right


def test_two_samples_of_different_shares_are_told_apart():
    assert not Share(100, 1000, 0.5).like(Share(400, 1000, 0.5))
    assert not Share(0, 0, 0.5).like(Share(1, 2, 0.5))


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_the_divergence_is_positive_but_for_equals(a, b):
    assert divergence(a, b) >= -1e-12 and divergence(a, a) == 0
    assert divergence(0.5, 0) == math.inf


def test_a_share_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="5 of 4"):
        Share(5, 4, 0.5)
