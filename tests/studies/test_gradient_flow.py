"""Gradients through time: the norms are those of autograd, and follow the eigenvalues in the end."""

import math

import pytest
import torch

from course.studies.gradient_flow import (
    MATRICES,
    clip_by_norm,
    gradient_norms,
    river,
    run_states,
    spectral_radius,
    square_matrix,
    with_spectral_radius,
)


def test_the_radius_counts_complex_eigenvalues_by_their_modulus():
    turn = torch.tensor([[0.0, -2.0], [2.0, 0.0]])  # ±2i: no real part at all
    assert spectral_radius(turn) == pytest.approx(2.0)
    assert spectral_radius(torch.tensor([[-3.0, 7.0], [0.0, 1.0]])) == pytest.approx(3.0)


@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5])
def test_a_matrix_gets_the_radius_asked_for_and_keeps_its_directions(radius):
    w = torch.randn(7, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scaled = with_spectral_radius(w, radius)
    assert spectral_radius(scaled) == pytest.approx(radius, rel=1e-10)
    torch.testing.assert_close(scaled / scaled.norm(), w / w.norm())
    with pytest.raises(ValueError, match="eigenvalues of this matrix are 0"):
        with_spectral_radius(torch.tensor([[0.0, 1.0], [0.0, 0.0]]), radius)


@pytest.mark.parametrize("tanh", [True, False])
def test_the_norms_are_those_of_the_jacobians_by_autograd(tanh):
    w = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 0.6
    inputs = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(4))

    def last(h, start):
        for x in inputs[start:]:
            h = torch.tanh(w @ h + x) if tanh else w @ h + x
        return h

    h, states = torch.zeros(5, dtype=torch.float64), [torch.zeros(5, dtype=torch.float64)]
    for x in inputs:
        h = torch.tanh(w @ h + x) if tanh else w @ h + x
        states.append(h)
    slopes = 1 - torch.stack(states[1:]) ** 2 if tanh else torch.ones(6, 5, dtype=torch.float64)
    expected = [
        torch.linalg.matrix_norm(torch.autograd.functional.jacobian(lambda h, t=t: last(h, t), states[t]), 2)
        for t in range(7)
    ]
    torch.testing.assert_close(gradient_norms(w, slopes), torch.stack(expected), rtol=1e-10, atol=1e-12)


def test_without_tanh_an_orthogonal_matrix_gives_the_power_of_its_radius():
    for radius in (0.7, 1.0, 1.3):
        expected = radius ** torch.arange(40, -1, -1, dtype=torch.float64)
        torch.testing.assert_close(river("turning", radius, 40, tanh=False), expected)


@pytest.mark.parametrize("kind", MATRICES)
def test_every_kind_has_radius_one_and_follows_it_in_the_end(kind):
    assert spectral_radius(square_matrix(kind)) == pytest.approx(1.0, rel=1e-6)
    norms = river(kind, 0.8, 200, tanh=False).log()
    rate = (norms[50] - norms[100]) / 50  # a step further back
    assert rate == pytest.approx(math.log(0.8), abs=0.02)


def test_a_lopsided_matrix_grows_before_it_shrinks():
    norms = river("lopsided", 0.8, 150, tanh=False).flip(0)
    assert norms[:20].max() > 10 and norms[150] < 0.1


def test_tanh_only_shrinks_what_one_step_can_do():
    w = 1.4 * square_matrix("turning")
    slopes = 1 - run_states(w, 30, tanh=True) ** 2
    assert ((slopes > 0) & (slopes <= 1)).all()
    with_tanh, without = gradient_norms(w, slopes), gradient_norms(w, torch.ones_like(slopes))
    assert (with_tanh <= without * (1 + 1e-9)).all() and with_tanh[0] < 1e-2 * without[0]


def test_clipping_keeps_the_direction_of_all_gradients_together():
    gradients = [torch.tensor([3.0, 0.0]), torch.tensor([[0.0], [-4.0]])]  # together of norm 5
    clipped = clip_by_norm(gradients, 1.0)
    torch.testing.assert_close(clipped[0], torch.tensor([0.6, 0.0]))
    torch.testing.assert_close(clipped[1], torch.tensor([[0.0], [-0.8]]))
    for same in (clip_by_norm(gradients, 5.0), clip_by_norm(gradients, 100.0)):
        assert all(map(torch.equal, same, gradients))
    assert torch.equal(clip_by_norm([torch.zeros(3)], 1.0)[0], torch.zeros(3))
    parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    for parameter, ours in zip(parameters, clipped, strict=True):
        torch.testing.assert_close(parameter.grad, ours, rtol=1e-5, atol=1e-5)


def test_an_unknown_matrix_is_refused_in_words():
    with pytest.raises(ValueError, match="turning, random, lopsided; got 'round'"):
        square_matrix("round")
