import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.attention import scaled_dot_product_attention
from course.models.efficient.tiled import tiled_attention


@given(st.integers(1, 20), st.integers(1, 25), st.sampled_from([1.0, 30.0]))
def test_it_is_full_attention_whatever_the_tile(keys, tile, size):
    q, k, v = size * torch.randn(2, 3, 5), size * torch.randn(2, keys, 5), torch.randn(2, keys, 4)
    full, _ = scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(
        tiled_attention(q, k, v, tile), full, rtol=1e-6, atol=1e-5 if size > 1 else 1e-6
    )


def test_a_tile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="got 0"):
        tiled_attention(torch.randn(2, 3), torch.randn(2, 3), torch.randn(2, 3), 0)
