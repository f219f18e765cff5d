"""What a computation costs: time, memory, operations against the length, and the slope of their line."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from statistics import median
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

COMPLEXITY = (
    # layer, operations a layer, operations one after another, longest path
    ("self-attention", "n² · d", "1", "1"),
    ("recurrent", "n · d²", "n", "n"),
    ("convolution of width k", "k · n · d²", "1", "n / k; log_k n dilated"),
    ("self-attention in a window of r", "r · n · d", "1", "n / r"),
)
"""Vaswani et al. 2017, table 1: orders of magnitude, for n positions of d numbers."""

_T95 = (
    12.71,
    4.30,
    3.18,
    2.78,
    2.57,
    2.45,
    2.36,
    2.31,
    2.26,
    2.23,
)  # Student's t, 1 to 10 degrees of freedom


class Slope(NamedTuple):
    """The exponent of a power law, and its standard error."""

    value: float
    error: float

    def interval(self, points: int) -> tuple[float, float]:
        """The 95 % interval, for a line fitted to so many points (3 to 12)."""
        wide = _T95[points - 3] * self.error
        return self.value - wide, self.value + wide


def log_log_slope(n: Float[Tensor, "points"], cost: Float[Tensor, "points"]) -> tuple[float, float]:
    """The p of cost = c · nᵖ: the slope of the straight line through (ln n, ln cost), and its standard error.

    Least squares with an intercept; the error is √(Σ residual² / (points - 2) / Σ (ln n - mean)²).

    Raises:
        ValueError: if there are fewer than 3 points, or one that is not above 0: it has no logarithm.

    Source: lecture row L1.5.c.
    """
    if len(n) < 3 or len(n) != len(cost) or (n <= 0).any() or (cost <= 0).any():
        raise ValueError("a slope needs three lengths or more and a cost for each, all above 0")
    x, y = n.double().log(), cost.double().log()
    x, y = x - x.mean(), y - y.mean()
    spread = (x**2).sum()
    slope = (x * y).sum() / spread
    error = (((y - slope * x) ** 2).sum() / (len(n) - 2) / spread).sqrt()
    return slope.item(), error.item()


def fitted(n: Sequence[int], cost: Sequence[float]) -> Slope:
    """``log_log_slope`` of lists."""
    return Slope(*log_log_slope(torch.tensor(n), torch.tensor(cost)))


@torch.inference_mode()
def milliseconds(call: Callable[[], Any], rounds: int = 7, at_least: float = 0.0) -> float:
    """The median time of a call after one that does not count, in ms of this process's CPU time.

    Args:
        at_least: seconds that each round should take; short calls are repeated within it.
    """
    start = time.process_time()
    call()
    once = max(time.process_time() - start, 1e-7)
    times = max(1, int(at_least / once))
    found = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(times):
            call()
        found.append((time.process_time() - start) / times)
    return 1000 * median(found)


def saved_bytes(call: Callable[[], Any]) -> int:
    """The bytes that a computation keeps for its way back, each block of memory once; its weights too.

    The way back is what autograd would do; the process's own size tells little, as memory is not given back.
    """
    blocks: dict[int, Any] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        blocks[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = call()  # held, so that no block is freed and another put in its place
    del result
    return sum(storage.nbytes() for storage in blocks.values())


def flops(call: Callable[[], Any]) -> int:
    """Floating-point operations of the matrix products in a call, as torch counts: sorts cost it nothing."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def explicitly() -> AbstractContextManager:
    """Torch's attention by plain products, which store n² scores: never by a fused kernel."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    return sdpa_kernel(SDPBackend.MATH)
