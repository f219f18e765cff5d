"""Two series to forecast: one with seasons, and one that walks at random, as prices nearly do."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

WEEK, YEAR = 7, 91
"""The two periods of the seasonal series, in days."""
NOISE = 0.3


def seasonal(n: int, seed: int = 0) -> Float[Tensor, "n"]:
    """n days: a pattern of the week that comes again exactly, a slow wave, and noise of spread ``NOISE``.

    Tomorrow's noise cannot be known: no forecast's mean squared error falls below ``NOISE``².
    """
    generator = torch.Generator().manual_seed(seed)
    week = torch.randn(WEEK, generator=generator)
    day = torch.arange(n)
    wave = 1.5 * torch.sin(2 * math.pi * (day / YEAR + torch.rand(1, generator=generator)))
    return week[day % WEEK] + wave + NOISE * torch.randn(n, generator=generator)


def random_walk(n: int, seed: int = 0) -> Float[Tensor, "n"]:
    """n days: each is the day before plus a step of spread 1, drawn anew.

    The best forecast is "tomorrow is today", and its mean squared error is 1.
    """
    return torch.randn(n, generator=torch.Generator().manual_seed(seed)).cumsum(0)
