import pytest
import torch

from course.attention import scaled_dot_product_attention
from course.models.efficient.linformer import linformer_attention, random_projection, rank_error


def test_the_identity_for_e_and_f_is_full_attention():
    q, k, v = torch.randn(2, 3, 7, 5), torch.randn(2, 3, 9, 5), torch.randn(2, 3, 9, 4)
    one = torch.eye(9)
    for ours, full in zip(
        linformer_attention(q, k, v, one, one), scaled_dot_product_attention(q, k, v), strict=True
    ):
        torch.testing.assert_close(ours, full, rtol=1e-6, atol=1e-6)


def test_keys_go_through_e_and_values_through_f():
    q, k, v = torch.randn(7, 5), torch.randn(9, 5), torch.randn(9, 4)
    e, f = random_projection(3, 9), random_projection(3, 9)
    output, weights = linformer_attention(q, k, v, e, f)
    assert output.shape == (7, 4) and weights.shape == (7, 3)
    torch.testing.assert_close(output, (q @ (e @ k).mT / 5**0.5).softmax(-1) @ (f @ v))
    with pytest.raises(ValueError, match="n = 9 keys; got"):
        linformer_attention(q, k, v, e[:, :8], f[:, :8])


def test_a_random_projection_keeps_inner_products_on_average():
    x = torch.randn(2, 40, dtype=torch.float64)
    kept = torch.stack(
        [(p @ x[0]) @ (p @ x[1]) for p in (random_projection(20, 40).double() for _ in range(4000))]
    )
    assert (kept.mean() - x[0] @ x[1]).abs() < 5 * kept.std() / 4000**0.5


def test_the_error_is_that_of_the_best_matrix_of_its_rank():
    weights = torch.randn(3, 12, 12, dtype=torch.float64).softmax(-1)
    u, s, vh = torch.linalg.svd(weights)
    for rank in (1, 4, 12):
        best = (u[..., :rank] * s[..., None, :rank]) @ vh[..., :rank, :]
        wanted = torch.linalg.matrix_norm(weights - best) / torch.linalg.matrix_norm(weights)
        torch.testing.assert_close(rank_error(weights, rank), wanted, atol=1e-9, rtol=1e-9)
    low = torch.randn(12, 2) @ torch.randn(2, 12)
    assert rank_error(low, 2) < 1e-5 < rank_error(low, 1)
