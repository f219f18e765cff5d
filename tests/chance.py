"""Comparing counts that chance decides with what theory says.

A right function fails one such comparison in 1.7 million; the seeds are fixed besides.
"""

import math


def assert_share(count: int, n: int, p: float) -> None:
    """The count is within 5 standard deviations of what Binomial(n, p) has on average."""
    assert abs(count - n * p) <= 5 * math.sqrt(n * p * (1 - p)), f"{count} of {n}, expected {n * p:.0f}"
