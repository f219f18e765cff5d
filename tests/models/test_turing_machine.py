"""The Neural Turing Machine: its search is attention, and each part does what its equation says."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.attention import cosine_score, scaled_dot_product_attention, softmax_attention
from course.models.turing_machine import (
    TuringConfig,
    TuringMachine,
    address,
    content_weights,
    interpolate,
    sharpen,
    shift,
    write,
)

seeds = st.integers(0, 99)


def some(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(seeds)
def test_a_search_is_attention_with_the_cosine_for_a_score(seed):
    memory, key, strength = some(seed, 2, 6, 4), some(seed + 1, 2, 3, 4), some(seed + 2, 2, 3).exp()
    weights = content_weights(memory, key, strength)
    read, by_attention = softmax_attention(strength[..., None] * cosine_score(key, memory), memory)
    torch.testing.assert_close(weights, by_attention)
    unit_keys, unit_queries = (x / x.norm(dim=-1, keepdim=True) for x in (memory, key))
    dot, _ = scaled_dot_product_attention(strength[..., None] * unit_queries, unit_keys, memory, scale=1.0)
    torch.testing.assert_close(dot, read)


@given(seeds)
def test_a_search_forgets_lengths_and_an_empty_slot_is_no_fault(seed):
    memory, key, strength = some(seed, 6, 4), some(seed + 1, 1, 4), torch.tensor([3.0], dtype=torch.float64)
    torch.testing.assert_close(
        content_weights(5 * memory, key, strength), content_weights(memory, 7 * key, strength)
    )
    memory[2] = 0
    assert content_weights(memory, key, strength).isfinite().all()


def test_a_gate_is_a_mixture():
    new, old = some(0, 3, 5).softmax(-1), some(1, 3, 5).softmax(-1)
    gate = torch.tensor([0.0, 1.0, 0.25], dtype=torch.float64)
    out = interpolate(new, old, gate)
    torch.testing.assert_close(out[0], old[0])
    torch.testing.assert_close(out[1], new[1])
    torch.testing.assert_close(out[2], 0.25 * new[2] + 0.75 * old[2])


@pytest.mark.parametrize("move", [-2, -1, 0, 1, 2])
def test_a_sure_shift_rolls_the_ring(move):
    weights, kernel = some(0, 3, 7).softmax(-1), torch.zeros(3, 5, dtype=torch.float64)
    kernel[:, move + 2] = 1
    torch.testing.assert_close(shift(weights, kernel), weights.roll(move, -1))


@given(seeds)
def test_an_unsure_shift_is_a_circular_convolution(seed):
    weights, kernel = some(seed, 7).softmax(-1), some(seed + 1, 3).softmax(-1)
    out = shift(weights, kernel)
    by_hand = [sum(kernel[m] * weights[(i - (m - 1)) % 7] for m in range(3)) for i in range(7)]
    torch.testing.assert_close(out, torch.stack(by_hand))
    torch.testing.assert_close(out.sum(), torch.ones((), dtype=torch.float64))


@given(seeds, st.floats(1, 20))
def test_sharpening_is_a_power_and_its_gradient_is_finite_at_0(seed, gamma):
    weights = some(seed, 2, 6).softmax(-1)
    sharpness = torch.full((2,), gamma, dtype=torch.float64)
    out = sharpen(weights, sharpness)
    torch.testing.assert_close(out, weights**gamma / (weights**gamma).sum(-1, keepdim=True))
    assert (out.max(-1).values >= weights.max(-1).values - 1e-12).all()
    given = torch.tensor([1.0, 0.0, 0.0]).requires_grad_()
    raised = torch.tensor(gamma, dtype=torch.float32).requires_grad_()
    sharpen(given, raised).square().sum().backward()
    assert given.grad.isfinite().all() and raised.grad.isfinite()


@given(seeds)
def test_addresses_sum_to_one(seed):
    memory, key = some(seed, 2, 6, 4), some(seed + 1, 2, 3, 4)
    strength, gate, sharpness = some(seed, 2, 3).exp(), some(seed, 2, 3).sigmoid(), 1 + some(seed, 2, 3).exp()
    kernel, previous = some(seed, 2, 3, 3).softmax(-1), some(seed, 2, 3, 6).softmax(-1)
    out = address(memory, key, strength, gate, kernel, sharpness, previous)
    assert out.shape == previous.shape
    torch.testing.assert_close(out.sum(-1), torch.ones(2, 3, dtype=torch.float64))


def test_writing_erases_and_then_adds_where_it_looks():
    memory, erase, add = some(0, 5, 3), some(1, 3).sigmoid(), some(2, 3)
    here = torch.eye(5, dtype=torch.float64)[2]
    out = write(memory, here, erase, add)
    torch.testing.assert_close(out[2], memory[2] * (1 - erase) + add)
    torch.testing.assert_close(out[[0, 1, 3, 4]], memory[[0, 1, 3, 4]])
    wiped = write(memory, torch.ones(5, dtype=torch.float64), torch.ones(3, dtype=torch.float64), add)
    torch.testing.assert_close(wiped, add.expand(5, 3))


def machine() -> TuringMachine:
    torch.manual_seed(0)
    return TuringMachine(TuringConfig(inputs=5, outputs=3, hidden=8, width=4))


def test_a_step_reads_what_the_last_one_left_and_nothing_looks_ahead():
    model, x = machine(), torch.randn(2, 6, 5)
    states = model.run(x, slots=7)
    for before, after in pairwise(states):
        torch.testing.assert_close(after.read, (after.weights[:, :1] @ before.memory)[:, 0])
    out = model(x, slots=7)
    changed = model(torch.cat([x[:, :4], x[:, 4:] + 1], 1), slots=7)
    assert torch.equal(out[:, :4], changed[:, :4]) and not torch.allclose(out[:, 4:], changed[:, 4:])


def test_the_number_of_slots_is_in_no_weight_and_wishes_are_in_range():
    model, x = machine(), torch.randn(2, 6, 5)
    assert model(x, slots=3).shape == model(x, slots=30).shape == (2, 6, 3)
    how = model.controls(torch.randn(2, 8) * 5)
    assert (how.strength >= 0).all() and (how.sharpness >= 1).all()
    assert ((how.gate >= 0) & (how.gate <= 1)).all() and ((how.erase >= 0) & (how.erase <= 1)).all()
    torch.testing.assert_close(how.kernel.sum(-1), torch.ones(2, 2))


def test_every_weight_learns_from_the_copy_task():
    model = machine()
    model(torch.randn(2, 9, 5), slots=6).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_it_is_saved_and_comes_back(tmp_path):
    model, x = machine(), torch.randn(2, 6, 5)
    model.save(tmp_path)
    assert torch.equal(TuringMachine.from_pretrained(tmp_path)(x, slots=5), model(x, slots=5))
