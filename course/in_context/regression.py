"""Linear regression as a prompt: (x₁, y₁), (x₂, y₂), ..., and the estimators that are exact at it.

Every prompt has a weight vector w of its own, which nobody is told: y = w·x + noise. Whoever predicts the
next y well has found w from the pairs in the prompt. Source: Garg et al. 2022, §2; lecture row L1.6.d.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

WIDTH, POINTS, NOISE = 20, 41, 0.25
"""Numbers in an x, zeros included; pairs in the longest prompt; standard deviation of the noise."""

Estimator = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From shots x ``[*batch, shots, width]``, y ``[*batch, shots]`` and a query ``[*batch, width]``: its y."""


class Regression(NamedTuple):
    """A batch of prompts, and the weights behind each, which the prompt does not show."""

    x: Float[Tensor, "batch points width"]
    y: Float[Tensor, "batch points"]
    w: Float[Tensor, "batch width"]


def draw_regression(
    d: Int[Tensor, "batch"],
    points: int = POINTS,
    width: int = WIDTH,
    noise: float = NOISE,
    generator: Generator | None = None,
) -> Regression:
    """Prompts with x ~ N(0, I_d), w ~ N(0, I_d / d) and y = w·x + noise · N(0, 1); zeros beyond d.

    So w·x has variance 1 on average, and y has 1 + noise², whatever d is.

    Args:
        d: the dimension of each prompt, from 1 to ``width``.

    Raises:
        ValueError: if a dimension is out of range.

    Source: Garg et al. 2022, §3.1, who have w ~ N(0, I_d), and §4.3 for noise.
    """
    if int(d.min()) < 1 or int(d.max()) > width:
        raise ValueError(f"a dimension lies between 1 and {width}; got {int(d.min())} to {int(d.max())}")
    used = torch.arange(width) < d[:, None]  # [batch, width]
    x = torch.randn(len(d), points, width, generator=generator) * used[:, None]
    w = torch.randn(len(d), width, generator=generator) * used / d[:, None].sqrt()
    clean = (x @ w[..., None]).squeeze(-1)  # [batch, points]
    return Regression(x, clean + noise * torch.randn(clean.shape, generator=generator), w)


# -- estimators --


def least_squares(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    """The w that fits the shots best, applied to the query.

    With fewer shots than dimensions many w fit perfectly: then it is the shortest of them (`pinv` finds it).
    Without shots the answer is 0. It can be differentiated.
    """
    w = torch.linalg.pinv(x) @ y[..., None]  # [*batch, width, 1]
    return (query * w.squeeze(-1)).sum(-1)


def ridge(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
    penalty: float | Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch"]:
    """Least squares with ``penalty`` · ‖w‖² added to the squared error: w = (XᵀX + penalty · I)⁻¹ Xᵀy.

    With ``bayes_penalty`` this is the mean of y given all that the prompt tells: no estimator has a smaller
    mean squared error. It can be differentiated.

    Source: Hoerl and Kennard 1970, equation 2.1.
    """
    w = torch.linalg.solve(_penalised(x, penalty), x.mT @ y[..., None]).squeeze(-1)  # [*batch, width]
    return (query * w).sum(-1)


def nearest_neighbour(
    x: Float[Tensor, "*batch shots width"],
    y: Float[Tensor, "*batch shots"],
    query: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch"]:
    """The y of the shot whose x is nearest to the query; 0 without shots."""
    if x.shape[-2] == 0:
        return query.new_zeros(query.shape[:-1])
    nearest = (x - query[..., None, :]).square().sum(-1).argmin(-1, keepdim=True)
    return y.gather(-1, nearest).squeeze(-1)


def bayes_penalty(d: int | Int[Tensor, "*batch"], noise: float = NOISE) -> float | Float[Tensor, "*batch"]:
    """With it ``ridge`` is optimal here: the variance of the noise over that of each weight, 1/d."""
    return noise**2 * d


def predict_each(
    estimator: Estimator, x: Float[Tensor, "*batch points width"], y: Float[Tensor, "*batch points"]
) -> Float[Tensor, "*batch points"]:
    """Every y of a prompt predicted from the pairs before it: 0 shots, 1 shot, ..., points - 1 shots.

    The estimator is asked without shots, too; x and y stay as they are.
    """
    points = range(x.shape[-2])
    return torch.stack([estimator(x[..., :k, :], y[..., :k], x[..., k, :]) for k in points], dim=-1)


def baselines(d: int | Int[Tensor, "batch"], noise: float = NOISE) -> dict[str, Estimator]:
    """The estimators to draw beside a model, by name, for prompts of these dimensions."""
    return {
        "ridge (optimal)": partial(ridge, penalty=bayes_penalty(d, noise)),
        "least squares": least_squares,
        "nearest neighbour": nearest_neighbour,
    }


# -- what theory says of their errors --


def bayes_error(
    x: Float[Tensor, "*batch shots width"],
    query: Float[Tensor, "*batch width"],
    d: int | Int[Tensor, "*batch"],
    noise: float = NOISE,
) -> Float[Tensor, "*batch"]:
    """The mean squared error of the best prediction of y, over all w and noise, given these x.

    It is the posterior variance: noise² · (1 + qᵀ (XᵀX + penalty · I)⁻¹ q), with q the query.

    Source: Bishop 2006, equation 3.59.
    """
    spread = torch.linalg.solve(_penalised(x, bayes_penalty(d, noise)), query[..., None]).squeeze(-1)
    return noise**2 * (1 + (query * spread).sum(-1))


def least_squares_error(shots: int, d: int, noise: float = NOISE) -> float:
    """The mean squared error of ``least_squares`` over all x, w and noise: infinite where shots ≈ d.

    Below d shots part of w is not seen at all; near d the fit bends itself to the noise; above, the error
    falls to noise². (A curve that goes up and down again: double descent.)

    Source: Belkin et al. 2020 (Two models of double descent), theorem 1, with ‖w‖² = 1 on average.
    """
    if shots <= d - 2:
        return (1 - shots / d) + noise**2 * (1 + shots / (d - shots - 1))
    return noise**2 * (1 + d / (shots - d - 1)) if shots >= d + 2 else math.inf


def _penalised(x: Float[Tensor, "*batch shots width"], penalty: float | Tensor) -> Tensor:
    penalty = torch.as_tensor(penalty, dtype=x.dtype, device=x.device)
    return x.mT @ x + penalty[..., None, None] * torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
