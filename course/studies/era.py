"""How fast sizes and compute have grown: a line through their logarithms (L2.7.e)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch


class Growth(NamedTuple):
    """Months in which a quantity doubled, with the 95 % interval; ``models`` it was fitted to."""

    months: float
    low: float
    high: float
    models: int


def doubling(years: Sequence[float], values: Sequence[float]) -> Growth:
    """A straight line through (year, log₂ value), by least squares: how long a doubling takes.

    The interval is of the slope, as if the models were independent of one another; they are not quite.

    Raises:
        ValueError: if there are fewer than 10 points, or one is not above 0.
    """
    if len(years) != len(values) or len(years) < 10 or min(values) <= 0:
        raise ValueError("a growth needs 10 models or more, and a value above 0 for each")
    x, y = torch.tensor(years, dtype=torch.float64), torch.tensor(values, dtype=torch.float64).log2()
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (x * x).sum()
    error = (((y - slope * x) ** 2).sum() / (len(x) - 2) / (x * x).sum()).sqrt()
    ends = (slope + 1.96 * error, slope - 1.96 * error)
    return Growth(*(12 / float(s) for s in (slope, *ends)), len(x))
