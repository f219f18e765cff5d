"""Positions: the formulas entry by entry, the rotation in the sinusoids, rotary scores, ALiBi's slopes."""

import math

import pytest
import torch
from equality import TOLERANCE, assert_same
from hypothesis import given, settings
from hypothesis import strategies as st

from course.positions import (
    LearnedPositions,
    alibi_bias,
    alibi_slopes,
    frequencies,
    rotary,
    shift_matrix,
    sinusoidal_positions,
)

widths = st.integers(1, 8).map(lambda half: 2 * half)
shifts = st.integers(-30, 30)


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_sinusoids_are_the_papers_entry_by_entry(float64):
    table = sinusoidal_positions(40, 12)
    for position in range(40):
        for i in range(6):
            angle = position / 10_000 ** (2 * i / 12)
            assert table[position, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-12)
            assert table[position, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-12)


def test_sinusoids_take_the_default_type_and_no_positions_give_an_empty_table():
    assert sinusoidal_positions(3, 4).dtype == torch.float32
    assert sinusoidal_positions(0, 4).shape == (0, 4)


@settings(deadline=None)
@given(k=shifts, d_model=widths)
def test_shift_matrix_moves_every_position(k, d_model):
    table = sinusoidal_positions(61, d_model)
    position = torch.arange(max(0, -k), min(61, 61 - k))
    assert_same(table[position] @ shift_matrix(k, d_model).T, table[position + k])


@settings(deadline=None)
@given(a=shifts, b=shifts, d_model=widths)
def test_shifts_compose_and_are_rotations(a, b, d_model):
    turned = shift_matrix(a, d_model)
    assert_same(turned @ shift_matrix(b, d_model), shift_matrix(a + b, d_model))
    assert_same(turned @ turned.T, torch.eye(d_model))
    assert_same(shift_matrix(0, d_model), torch.eye(d_model))


def test_shift_matrix_is_block_diagonal():
    outside = ~torch.block_diag(*[torch.ones(2, 2)] * 4).bool()
    assert shift_matrix(3, 8)[outside].eq(0).all()


def test_learned_positions_are_rows_of_a_table_and_learn():
    positions = LearnedPositions(10, 4)
    assert torch.equal(positions(6), positions.embedding(torch.arange(6)))
    positions(6).sum().backward()
    assert positions.embedding.weight.grad.sum(dim=1).tolist() == [4.0] * 6 + [0.0] * 4


def test_rotary_turns_each_pair_as_a_complex_number():
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64)
    positions = torch.arange(7)
    turn = torch.polar(
        torch.ones(7, 4, dtype=torch.float64), positions[:, None] * frequencies(8, torch.float64)
    )
    expected = torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (4, 2))) * turn).flatten(-2)
    assert_same(rotary(x, positions), expected)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), m=shifts, n=shifts, shift=shifts, d_head=widths)
def test_rotary_scores_depend_on_distance_alone(seed, m, n, shift, d_head):
    generator = torch.Generator().manual_seed(seed)
    q, k = torch.randn(2, 1, d_head, dtype=torch.float64, generator=generator)

    def score(query_position, key_position):
        return (
            rotary(q[None], torch.tensor([query_position])) @ rotary(k[None], torch.tensor([key_position])).mT
        )

    assert_same(score(m, n), score(m + shift, n + shift))


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), d_head=widths)
def test_rotary_keeps_lengths_and_leaves_position_zero(seed, d_head):
    x = torch.randn(5, d_head, generator=torch.Generator().manual_seed(seed))
    turned = rotary(x, torch.arange(5))
    assert_same(turned.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(turned[0], x[0])


def test_rotary_takes_positions_of_each_sentence_and_keeps_the_type():
    x = torch.randn(2, 3, 4, 8)
    positions = torch.tensor([[[0, 1, 2, 3]], [[5, 6, 7, 8]]])
    turned = rotary(x, positions)
    assert torch.equal(turned[0], rotary(x[0], positions[0, 0]))
    assert torch.equal(turned[1], rotary(x[1], positions[1, 0]))
    for dtype in (*TOLERANCE, torch.bfloat16):
        assert rotary(x.to(dtype), positions).dtype == dtype


def test_rotary_in_half_precision_still_tells_distant_positions_apart():
    x = torch.ones(2, 2, dtype=torch.bfloat16)
    first, second = rotary(x, torch.tensor([1000, 1001]))
    assert not torch.equal(first, second)


def test_alibi_slopes_are_the_papers():
    assert alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    assert_same(alibi_slopes(16), torch.tensor([2 ** (-i / 2) for i in range(1, 17)]))


@given(st.integers(1, 70))
def test_alibi_slopes_of_other_head_counts_follow_the_authors_code(n_heads):
    def authors(n):
        if math.log2(n).is_integer():
            start = 2 ** (-(2 ** -(math.log2(n) - 3)))
            return [start * start**i for i in range(n)]
        closest = 2 ** math.floor(math.log2(n))
        return authors(closest) + authors(2 * closest)[0::2][: n - closest]

    assert_same(alibi_slopes(n_heads), torch.tensor(authors(n_heads)))


def test_alibi_bias_is_minus_slope_times_distance():
    bias = alibi_bias(3, 5)
    assert bias.shape == (3, 5, 5)
    for head, slope in enumerate(alibi_slopes(3).tolist()):
        for i in range(5):
            for j in range(5):
                assert bias[head, i, j].item() == pytest.approx(-slope * abs(i - j))


@pytest.mark.parametrize(
    ("call", "seen"),
    [
        (lambda: sinusoidal_positions(4, 5), "got 5"),
        (lambda: sinusoidal_positions(4, 0), "got 0"),
        (lambda: sinusoidal_positions(4, -2), "got -2"),
        (lambda: sinusoidal_positions(-3, 4), "n = -3"),
        (lambda: shift_matrix(1, 7), "got 7"),
        (lambda: LearnedPositions(8, 4)(9), "positions 0 to 7 .* 9 tokens"),
        (lambda: LearnedPositions(8, 4)(-1), "-1 tokens"),
        (lambda: rotary(torch.ones(3, 5), torch.arange(3)), "got 5"),
        (lambda: rotary(torch.ones(3, 4), torch.arange(2)), r"3 vectors; got x \[3, 4\] and positions \[2\]"),
        (lambda: rotary(torch.ones(3, 4), torch.ones(2, 3)), r"positions \[2, 3\]"),
        (lambda: alibi_bias(0, 4), "n_heads = 0"),
        (lambda: alibi_bias(2, -4), "n = -4"),
    ],
)
def test_bad_positions_are_refused_with_what_was_seen(call, seen):
    with pytest.raises(ValueError, match=seen):
        call()
