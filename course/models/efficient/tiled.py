"""Exact attention, a tile of keys at a time: no score is ever stored, and nothing is left out."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def tiled_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    tile: int,
) -> Float[Tensor, "*batch query d_v"]:
    """The output of ``scaled_dot_product_attention``, ``tile`` keys at a time; the last tile may be shorter.

    For every query three things are carried along: the largest score so far, the sum of exp(score - largest),
    and the same sum with the values. When a tile brings a larger score, both sums are scaled down to it. So
    scores of any size will do.

    Raises:
        ValueError: if the tile is less than 1.

    Source: Milakov and Gimelshein 2018, algorithm 3; Dao et al. 2022 (FlashAttention), algorithm 1.
    """
    if tile < 1:
        raise ValueError(f"a tile has 1 key or more; got {tile}")
    query = query / math.sqrt(query.shape[-1])
    largest = query.new_full((*query.shape[:-1], 1), -torch.inf)
    total, output = torch.zeros_like(largest), query.new_zeros(*query.shape[:-1], value.shape[-1])
    for k, v in zip(key.split(tile, dim=-2), value.split(tile, dim=-2), strict=True):
        scores = query @ k.mT
        new = torch.maximum(largest, scores.amax(dim=-1, keepdim=True))
        shrink, weights = (largest - new).exp(), (scores - new).exp()
        total = total * shrink + weights.sum(dim=-1, keepdim=True)
        output = output * shrink + weights @ v
        largest = new
    return output / total
