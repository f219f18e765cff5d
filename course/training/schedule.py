"""How the learning rate goes up and comes down again."""

import math


def inverse_square_root(step: int, warmup: int) -> float:
    """The share of the peak rate: up in a straight line for ``warmup`` steps, then down as 1 / √step.

    Steps count from 1.

    Source: Vaswani et al. 2017, equation 3, divided by its peak.
    """
    return min(step / warmup, math.sqrt(warmup / step))


def cosine(step: int, warmup: int, steps: int) -> float:
    """The share of the peak rate: up in a straight line for ``warmup`` steps, then down half a cosine to 0.

    Steps count from 1; the rate would be 0 one step after the last.

    Source: Loshchilov and Hutter 2017 (SGDR), equation 5, without restarts.
    """
    if step <= warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps + 1 - warmup)))
