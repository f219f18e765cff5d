"""Slopes, and what counts as memory and as work."""

import pytest
import torch

from course.studies.cost import explicitly, fitted, flops, log_log_slope, saved_bytes


def test_a_power_law_has_its_power_and_no_error():
    n = torch.tensor([128.0, 256, 512, 1024])
    slope, error = log_log_slope(n, 3e-6 * n**1.7)
    assert slope == pytest.approx(1.7) and error == pytest.approx(0, abs=1e-6)


def test_the_interval_holds_the_power_nineteen_times_in_twenty():
    n, held = torch.tensor([128.0, 256, 512, 1024, 2048]), 0
    for _ in range(1000):
        low, high = fitted(n.tolist(), (n**2 * (0.1 * torch.randn(5)).exp()).tolist()).interval(5)
        held += low < 2 < high
    assert abs(held - 950) < 5 * (1000 * 0.95 * 0.05) ** 0.5


def test_what_has_no_slope_is_refused():
    for n, cost in (([1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0, 3.0], [1.0, 0.0, 2.0])):
        with pytest.raises(ValueError, match="above 0"):
            log_log_slope(torch.tensor(n), torch.tensor(cost))


def test_saved_bytes_counts_each_block_once():
    x = torch.randn(10, 10, requires_grad=True)
    assert saved_bytes(lambda: x * x) == 400
    assert saved_bytes(lambda: x.exp().exp()) == 800
    assert saved_bytes(lambda: x.detach().exp()) == 0


def test_the_fused_kernel_keeps_no_scores_and_the_products_do():
    q = torch.randn(1, 1, 128, 8, requires_grad=True)
    attend = lambda: torch.nn.functional.scaled_dot_product_attention(q, q, q)  # noqa: E731
    fused = saved_bytes(attend)
    with explicitly():
        plain = saved_bytes(attend)
    assert fused < 4 * 128 * 128 < plain


def test_flops_are_two_a_multiply_and_add():
    assert flops(lambda: torch.randn(3, 4) @ torch.randn(4, 5)) == 2 * 3 * 4 * 5
