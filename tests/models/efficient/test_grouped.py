import pytest
import torch
import torch.nn.functional as F

from course.masks import causal_mask
from course.models.efficient.grouped import cache_bytes, grouped_attention


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_it_is_torchs(groups):
    q, k, v = torch.randn(2, 6, 5, 4), torch.randn(2, groups, 5, 4), torch.randn(2, groups, 5, 3)
    wanted = F.scaled_dot_product_attention(q, k, v, causal_mask(5), enable_gqa=True)
    torch.testing.assert_close(grouped_attention(q, k, v, causal_mask(5)), wanted, rtol=1e-5, atol=1e-6)


def test_the_cache_shrinks_with_the_groups():
    """Llama 2's 70B, as its paper has it: 8 groups for 64 heads."""
    assert cache_bytes(4096, 80, 64, 128) == 8 * cache_bytes(4096, 80, 8, 128) == 2 * 4096 * 80 * 64 * 128 * 2
    with pytest.raises(ValueError, match="6 heads"):
        grouped_attention(torch.randn(6, 2, 3), torch.randn(4, 2, 3), torch.randn(4, 2, 3))
