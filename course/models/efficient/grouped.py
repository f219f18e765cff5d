"""Fewer heads of keys and values than of queries: what has to be kept of every token read becomes smaller."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from course.attention import scaled_dot_product_attention


def grouped_attention(
    query: Float[Tensor, "*batch heads query d_k"],
    key: Float[Tensor, "*batch groups key d_k"],
    value: Float[Tensor, "*batch groups key d_v"],
    mask: Bool[Tensor, "#query #key"] | None = None,
) -> Float[Tensor, "*batch heads query d_v"]:
    """Attention in which heads share keys and values: heads 0, 1, ... of a group stand next to one another.

    As many groups as heads is multi-head attention; one group is multi-query attention (Shazeer 2019).

    Raises:
        ValueError: if the heads cannot be shared out evenly.

    Source: Ainslie et al. 2023, figure 2.
    """
    heads, groups = query.shape[-3], key.shape[-3]
    if heads % groups:
        raise ValueError(f"{heads} heads cannot be shared out evenly over {groups} groups")
    together = query.unflatten(-3, (groups, -1))  # [*batch, groups, heads of a group, query, d_k]
    output, _ = scaled_dot_product_attention(together, key.unsqueeze(-3), value.unsqueeze(-3), mask)
    return output.flatten(-4, -3)


def cache_bytes(length: int, layers: int, groups: int, d_head: int, bytes_each: int = 2) -> int:
    """What writing keeps of ``length`` tokens: a key and a value, in every layer and every group."""
    return 2 * length * layers * groups * d_head * bytes_each


def state_bytes(layers: int, hidden: int, bytes_each: int = 4, cells: int = 2) -> int:
    """What an LSTM keeps, however long the text: h and c of every layer."""
    return cells * layers * hidden * bytes_each
