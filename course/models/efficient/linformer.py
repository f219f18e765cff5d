"""Linformer: keys and values are mixed from n places down to a few before anybody attends to them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from course.attention import scaled_dot_product_attention


def linformer_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch n d_k"],
    value: Float[Tensor, "*batch n d_v"],
    e: Float[Tensor, "rank n"],
    f: Float[Tensor, "rank n"],
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query rank"]]:
    """softmax(Q (E K)ᵀ / √d_k) (F V): every query attends to ``rank`` mixtures of the keys, not to n keys.

    Output and weights, query × rank of them. With the identity for E and F it is full attention.

    Raises:
        ValueError: if E and F do not have as many columns as there are keys, or differ in shape.

    Source: Wang et al. 2020, equation 7; lecture row L1.5.e.
    """
    n = key.shape[-2]
    if e.shape[-1] != n or e.shape != f.shape:
        raise ValueError(
            f"E and F must be of shape [rank, n], with n = {n} keys; got {list(e.shape)} and {list(f.shape)}"
        )
    return scaled_dot_product_attention(query, e @ key, f @ value)


def random_projection(rank: int, n: int, generator: torch.Generator | None = None) -> Float[Tensor, "rank n"]:
    """Normal entries of variance 1/rank: on average it keeps every inner product (Johnson and Lindenstrauss).

    Source: Wang et al. 2020, theorem 1.
    """
    return torch.randn(rank, n, generator=generator) / rank**0.5


def rank_error(weights: Float[Tensor, "*batch query key"], rank: int) -> Float[Tensor, "*batch"]:
    """What the best matrix of this rank misses of the weights: ‖P - P̂‖ / ‖P‖, from 0 to 1.

    It is the root of the squared singular values left out, over that of all: no projection can do better.

    Source: Eckart and Young 1936; Wang et al. 2020, figure 1; lecture row L1.5.e.
    """
    squares = torch.linalg.svdvals(weights) ** 2
    return (squares[..., rank:].sum(-1) / squares.sum(-1)).sqrt()
