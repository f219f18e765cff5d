"""Forecasting: a series cut into questions and answers without looking ahead; what a forecast is worth."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def windows(
    series: Float[Tensor, "n"], length: int, ahead: int = 1
) -> tuple[Float[Tensor, "window length"], Float[Tensor, "window"]]:
    """Every stretch of ``length`` days, and the day that lies ``ahead`` days after its last.

    Both are given relative to the last day of the stretch, which is subtracted: so 0 is the forecast "it
    stays as it is today", and a model has to say only what will change.

    Args:
        series: one number a day, the earliest first.
        length: days that a forecast may look at.
        ahead: 1 for the very next day.

    Returns:
        The windows, the earliest first, each with its last day (now 0) at the end; and the answers.

    Raises:
        ValueError: if the series is too short for one window and its answer, or a number is less than 1.

    Source: lecture row L1.2.h.
    """
    if length < 1 or ahead < 1 or len(series) < length + ahead:
        raise ValueError(
            f"a window of {length} days and an answer {ahead} ahead do not fit into a series of {len(series)}"
        )
    stretches = series[: len(series) - ahead].unfold(0, length, 1)  # [window, length]
    today = stretches[:, -1:]
    return stretches - today, series[length + ahead - 1 :] - today[:, 0]


def skill(forecast: Float[Tensor, "day"], answers: Float[Tensor, "day"]) -> float:
    """How much of the error of "tomorrow is today" a forecast takes away: 1 is all, 0 nothing, less is harm.

    Both are relative to today, as ``windows`` gives them: the naive forecast is 0.

    Source: 1 minus a ratio of mean squared errors (Murphy 1988); lecture row L1.2.h.
    """
    return 1 - ((forecast - answers).square().mean() / answers.square().mean()).item()


def least_squares(
    inputs: Float[Tensor, "example d"], answers: Float[Tensor, "example"], ridge: float = 1e-3
) -> Float[Tensor, "d+1"]:
    """The linear forecast with the least squared error, its constant last; for ``linear_forecast``."""
    x = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1).double()
    normal = x.mT @ x + ridge * torch.eye(x.shape[1], dtype=x.dtype)
    return torch.linalg.solve(normal, x.mT @ answers.double()).float()


def linear_forecast(
    weights: Float[Tensor, "d+1"], inputs: Float[Tensor, "example d"]
) -> Float[Tensor, "example"]:
    """A weighted sum of the days, and the constant."""
    return inputs @ weights[:-1] + weights[-1]
