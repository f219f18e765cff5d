"""Windows look at no day after today; skill is 0 for the naive forecast; least squares is the best line."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.data.prices import random_walk
from course.studies.forecasting import least_squares, linear_forecast, skill, windows


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 8))
def test_every_window_has_its_answer_and_none_sees_it(length, ahead, more):
    series = torch.arange(length + ahead + more).double() ** 2
    x, y = windows(series, length, ahead)
    assert x.shape == (more + 1, length) and y.shape == (more + 1,)
    for i in range(more + 1):
        today = series[i + length - 1]
        assert torch.equal(x[i], series[i : i + length] - today)
        assert y[i] == series[i + length - 1 + ahead] - today


def test_a_change_of_the_future_changes_answers_only():
    series = random_walk(30, 0)
    changed = series.clone()
    changed[20:] += 100
    (x, y), (x2, y2) = windows(series, 5, 3), windows(changed, 5, 3)
    assert (
        torch.equal(x[:16], x2[:16]) and torch.equal(y[:13], y2[:13]) and not torch.equal(y[13:16], y2[13:16])
    )


@pytest.mark.parametrize("length, ahead", [(0, 1), (3, 0), (8, 3)])
def test_what_does_not_fit_is_said(length, ahead):
    with pytest.raises(ValueError, match=f"a window of {length} days and an answer {ahead} ahead do not fit"):
        windows(torch.zeros(10), length, ahead)


def test_skill_is_measured_from_tomorrow_is_today():
    answers = torch.randn(50, generator=torch.Generator().manual_seed(0))
    assert skill(torch.zeros(50), answers) == 0 and skill(answers, answers) == 1
    assert skill(-answers, answers) == pytest.approx(-3)


def test_least_squares_finds_a_line_and_its_constant():
    x = torch.randn(200, 4, generator=torch.Generator().manual_seed(1))
    y = x @ torch.tensor([1.0, -2.0, 0.5, 0.0]) + 3
    weights = least_squares(x, y)
    assert torch.allclose(weights, torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0]), atol=1e-3)
    assert skill(linear_forecast(weights, x), y) > 0.99999
