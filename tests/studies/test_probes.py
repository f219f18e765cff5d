"""The probes against attention that is known to look ahead, or not to."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.studies.probes import influence, leaks, permutation_gap, prefix_passes

N, D = 6, 8


def attention(mask=None):
    """Self-attention by torch, so that the probes are not tested with the code they will probe."""

    def f(x):
        keep = None if mask is None else mask[: len(x), : len(x)]
        return torch.nn.functional.scaled_dot_product_attention(x[None], x[None], x[None], attn_mask=keep)[0]

    return f


def allowed(diagonal):
    return torch.ones(N, N, dtype=torch.bool).tril(diagonal)


causal, off_by_one, unmasked = attention(allowed(0)), attention(allowed(1)), attention()


@pytest.fixture
def x():
    return torch.randn(N, D, generator=torch.Generator().manual_seed(4))


def test_causal_attention_moves_only_the_changed_position_and_later_ones(x):
    moved = influence(causal, x)
    assert moved.shape == (N, N)
    assert (moved.tril(-1) == 0).all()
    assert (moved[torch.ones(N, N).triu().bool()] > 0).all()
    assert not leaks(moved).any()


def test_unmasked_attention_leaks_everywhere_before_the_changed_position(x):
    assert torch.equal(leaks(influence(unmasked, x)), torch.ones(N, N).tril(-1).bool())


def test_a_mask_off_by_one_leaks_exactly_one_position_back(x):
    assert leaks(influence(off_by_one, x)).nonzero().tolist() == [[i, i - 1] for i in range(1, N)]


@given(st.lists(st.lists(st.booleans(), min_size=N, max_size=N), min_size=N, max_size=N))
def test_influence_recovers_any_mask_that_keeps_the_diagonal(rows):
    mask = torch.tensor(rows) | torch.eye(N, dtype=torch.bool)
    x = torch.randn(N, D, generator=torch.Generator().manual_seed(4))
    assert torch.equal(influence(lambda x: mask.to(x) @ x, x) > 0, mask.T)


def test_a_movement_below_the_tolerance_is_rounding_not_a_leak():
    moved = torch.eye(3)
    moved[2, 0] = 1e-8
    assert not leaks(moved).any()
    assert leaks(moved, tolerance=1e-9).nonzero().tolist() == [[2, 0]]


def test_the_probe_leaves_its_input_alone_and_repeats_itself(x):
    before = x.clone()
    assert torch.equal(influence(unmasked, x), influence(unmasked, x))
    assert not torch.equal(influence(unmasked, x), influence(unmasked, x, seed=1))
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda x: x[:-1], "6 vectors in, 5 out"),
        (lambda x: x / 0, "NaN or infinity"),
        (torch.nn.Dropout(0.5), "model.eval"),
    ],
)
def test_what_cannot_be_measured_is_said(f, said, x):
    with pytest.raises(ValueError, match=said):
        influence(f, x)


def test_one_causal_pass_equals_n_prefix_passes(x):
    torch.testing.assert_close(prefix_passes(causal, x), causal(x), rtol=0, atol=1e-6)
    assert (prefix_passes(unmasked, x) - unmasked(x)).abs().max() > 0.1


@given(st.permutations(range(N)))
def test_attention_without_positions_commutes_with_every_permutation(permutation):
    x = torch.randn(N, D, generator=torch.Generator().manual_seed(4))
    assert permutation_gap(unmasked, x, permutation) < 1e-6


def test_with_positions_it_does_not(x):
    positions = torch.arange(N)[:, None] / N
    assert permutation_gap(lambda x: unmasked(x + positions), x, [5, 4, 3, 2, 1, 0]) > 0.1


def test_a_permutation_names_each_position_once(x):
    with pytest.raises(ValueError, match="must name each of 0"):
        permutation_gap(unmasked, x, [0, 0, 1, 2, 3, 4])
