"""The estimators against closed forms and numpy, and their errors against theory."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.in_context.regression import (
    NOISE,
    baselines,
    bayes_error,
    bayes_penalty,
    draw_regression,
    least_squares,
    least_squares_error,
    nearest_neighbour,
    predict_each,
    ridge,
)


def prompts(d: int, shots: int, batch: int = 3, seed: int = 0):
    """Shots and a query with its y, in float64."""
    drawn = draw_regression(torch.full((batch,), d), shots + 1, generator=torch.Generator().manual_seed(seed))
    x, y = drawn.x.double(), drawn.y.double()
    return x[:, :-1], y[:, :-1], x[:, -1], y[:, -1]


def mean_and_error(values: torch.Tensor) -> tuple[float, float]:
    return values.mean().item(), (values.std() / math.sqrt(len(values))).item()


def test_a_draw_has_zeros_beyond_its_dimension_and_the_variances_promised():
    d = torch.tensor([1, 5, 20] * 2000)
    x, y, w = draw_regression(d, 4, generator=torch.Generator().manual_seed(0))
    assert x.shape == (6000, 4, 20) and y.shape == (6000, 4)
    for dimension in (1, 5, 20):
        rows = d == dimension
        assert (x[rows][..., dimension:] == 0).all() and (w[rows][..., dimension:] == 0).all()
        assert (x[rows][..., :dimension] != 0).all()
        mean, error = mean_and_error(y[rows][:, 0].square())
        assert abs(mean - (1 + NOISE**2)) < 5 * error
        mean, error = mean_and_error((y[rows] - (x[rows] @ w[rows][..., None]).squeeze(-1))[:, 0].square())
        assert abs(mean - NOISE**2) < 5 * error


@pytest.mark.parametrize("d", [0, 21])
def test_a_dimension_that_does_not_fit_is_refused(d):
    with pytest.raises(ValueError, match=f"between 1 and 20; got {d}"):
        draw_regression(torch.tensor([d]))


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(0, 40), st.integers(0, 100))
def test_least_squares_is_numpys(d, shots, seed):
    x, y, query, _ = prompts(d, shots, seed=seed)
    ours = least_squares(x, y, query)
    for i in range(len(x)):
        w = np.linalg.lstsq(x[i].numpy(), y[i].numpy(), rcond=None)[0]  # the shortest of several
        assert ours[i].item() == pytest.approx(query[i].numpy() @ w, rel=1e-6, abs=1e-8)


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(0, 40), st.integers(0, 100))
def test_ridge_is_the_mean_of_y_given_the_prompt(d, shots, seed):
    """By the formula for jointly Gaussian variables, which never solves for w."""
    x, y, query, _ = prompts(d, shots, seed=seed)
    predicted = ridge(x, y, query, bayes_penalty(d))
    between_shots = x @ x.mT / d + NOISE**2 * torch.eye(shots, dtype=x.dtype)
    with_query = (x @ query[..., None]).squeeze(-1) / d
    expected = (with_query * torch.linalg.solve(between_shots, y)).sum(-1)
    torch.testing.assert_close(predicted, expected, rtol=1e-8, atol=1e-8)
    variance = query.square().sum(-1) / d + NOISE**2
    variance -= (with_query * torch.linalg.solve(between_shots, with_query)).sum(-1)
    torch.testing.assert_close(bayes_error(x, query, d), variance, rtol=1e-8, atol=1e-8)


def test_ridge_with_hardly_any_penalty_is_least_squares_and_with_much_is_zero():
    x, y, query, _ = prompts(10, 20)
    torch.testing.assert_close(ridge(x, y, query, 1e-9), least_squares(x, y, query), rtol=1e-6, atol=1e-6)
    assert ridge(x, y, query, 1e9).abs().max() < 1e-6


@pytest.mark.parametrize("shots", [0, 4, 10, 20])
def test_ridges_error_is_the_posterior_variance(shots):
    x, y, query, target = prompts(10, shots, batch=4000)
    error = (ridge(x, y, query, bayes_penalty(10)) - target).square()
    mean, spread = mean_and_error(error - bayes_error(x, query, 10))
    assert abs(mean) < 5 * spread


@pytest.mark.parametrize("shots", [0, 2, 5, 14, 20, 40])
def test_least_squares_error_is_the_one_of_theory(shots):
    x, y, query, target = prompts(10, shots, batch=4000)
    mean, spread = mean_and_error((least_squares(x, y, query) - target).square())
    assert abs(mean - least_squares_error(shots, 10)) < 5 * spread < 0.3


@pytest.mark.parametrize(("shots", "finite"), [(8, True), (9, False), (10, False), (11, False), (12, True)])
def test_least_squares_error_has_no_mean_near_d_shots(shots, finite):
    assert math.isfinite(least_squares_error(shots, 10)) == finite


def test_no_baseline_is_better_than_ridge():
    for shots in (5, 20):
        x, y, query, target = prompts(10, shots, batch=3000)
        errors = {name: (f(x, y, query) - target).square() for name, f in baselines(10).items()}
        best = errors.pop("ridge (optimal)")
        assert errors.keys() == {"least squares", "nearest neighbour"}
        for error in errors.values():
            mean, spread = mean_and_error(error - best)
            assert mean > 3 * spread


def test_each_prediction_sees_only_the_pairs_before():
    drawn = draw_regression(torch.tensor([5]), 6, generator=torch.Generator().manual_seed(0))
    y = drawn.y.clone()
    y[:, 3:] = 100.0
    for name, estimator in baselines(5).items():
        before, after = (predict_each(estimator, drawn.x, values) for values in (drawn.y, y))
        torch.testing.assert_close(before[:, :4], after[:, :4])
        assert name == "nearest neighbour" or not torch.isclose(before[:, 4:], after[:, 4:]).any()
        assert before[0, 0] == 0.0


def test_the_nearest_neighbour_is_the_nearest():
    x = torch.tensor([[0.0, 1.0], [2.0, 2.0], [5.0, 0.0]])
    y = torch.tensor([1.0, 2.0, 3.0])
    assert nearest_neighbour(x, y, torch.tensor([2.0, 1.0])) == 2.0
    assert nearest_neighbour(x, y, torch.tensor([3.0, 9.0])) == 2.0
    assert nearest_neighbour(x[:0], y[:0], torch.tensor([2.0, 1.0])) == 0.0


def test_prompts_of_several_dimensions_have_a_penalty_each():
    d = torch.tensor([5, 20])
    drawn = draw_regression(d, 11, generator=torch.Generator().manual_seed(0))
    together = baselines(d)["ridge (optimal)"](drawn.x[:, :-1], drawn.y[:, :-1], drawn.x[:, -1])
    for i in range(2):
        x, y, query = drawn.x[i, :-1], drawn.y[i, :-1], drawn.x[i, -1]
        torch.testing.assert_close(together[i], ridge(x, y, query, NOISE**2 * d[i].item()))
