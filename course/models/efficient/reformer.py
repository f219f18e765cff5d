"""Reformer: look only at what hashes alike.

Queries and keys are one (a key is its query, of length 1), so who is near whom is a matter of angles. A
random rotation gives each vector a bucket; places are sorted by bucket and cut into chunks, and each looks at
its own chunk and the one before. Several rounds, each with a rotation of its own, find what one misses.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

ITSELF = -1e5
LATER = -1e9


def lsh_buckets(
    x: Float[Tensor, "*batch n d"], rotations: Float[Tensor, "*#batch rounds d half"]
) -> Int[Tensor, "*batch rounds n"]:
    """For every round the bucket of each vector: argmax of [xR; -xR], one of 2 · half.

    Near ones by angle fall in one bucket likely, for all are turned by the same R. Length plays no part.
    Buckets of each round count from 0.

    Raises:
        ValueError: if the vectors are not as wide as the rotations have rows.

    Source: Andoni et al. 2015; Kitaev et al. 2020, §2, "locality sensitive hashing"; lecture row L1.5.f.
    """
    if x.shape[-1] != rotations.shape[-2]:
        raise ValueError(f"vectors of width {x.shape[-1]} and rotations of {rotations.shape[-2]} rows")
    turned = x.unsqueeze(-3) @ rotations  # [*batch, rounds, n, half]
    return torch.cat([turned, -turned], dim=-1).argmax(dim=-1)


def draw_rotations(
    rounds: int, d: int, n_buckets: int, generator: torch.Generator | None = None
) -> Float[Tensor, "rounds d half"]:
    """Normal entries, one matrix a round.

    Raises:
        ValueError: unless the number of buckets is even, and 2 or more.
    """
    if n_buckets < 2 or n_buckets % 2:
        raise ValueError(f"buckets come in pairs, xR and -xR; got {n_buckets}")
    return torch.randn(rounds, d, n_buckets // 2, generator=generator)


def look_back(x: Float[Tensor, "*batch chunks size d"]) -> Float[Tensor, "*batch chunks 2*size d"]:
    """Each chunk with the one before it in front; before the first stands the last, as in a ring.

    Source: Kitaev et al. 2020, figure 2 (d).
    """
    return torch.cat([x.roll(1, dims=-3), x], dim=-2)


def combine_rounds(
    outputs: Float[Tensor, "*batch rounds n d"], log_sums: Float[Tensor, "*batch rounds n"]
) -> Float[Tensor, "*batch n d"]:
    """One output of those of all rounds: each is weighted by its share of what was found altogether.

    A round's ``log_sums`` are ln Σ exp(score) over the keys that it saw, so that its output times exp of it
    is the sum before it was normalised. Where all rounds saw different keys, this is the softmax over all of
    them; a key seen in two rounds counts twice. Any size of log_sums will do.

    Source: Kitaev et al. 2020, equation 6 and appendix A; lecture row L1.5.f.
    """
    return (log_sums.softmax(dim=-2).unsqueeze(-1) * outputs).sum(dim=-3)


def shared_qk_attention(
    qk: Float[Tensor, "*batch n d"], value: Float[Tensor, "*batch n d_v"], causal: bool = False
) -> Float[Tensor, "*batch n d_v"]:
    """Full attention whose keys are the queries, of length 1: q · k / |k|. LSH attention is held against it.

    No place attends to itself unless it sees no other: its score is -10⁵ and not -∞, or the first row of a
    causal one would be 0/0. There is no √d: keys have length 1 already.

    Source: Kitaev et al. 2020, §2, "shared-QK Transformer"; lecture row L1.5.f.
    """
    at = torch.arange(qk.shape[-2], device=qk.device)
    scores = _ruled(qk @ F.normalize(qk, dim=-1).mT, at, at, causal)
    return scores.softmax(-1) @ value


def lsh_attention(
    qk: Float[Tensor, "*batch n d"],
    value: Float[Tensor, "*batch n d_v"],
    rotations: Float[Tensor, "*#batch rounds d half"],
    chunk: int,
    causal: bool = False,
    more: Float[Tensor, "*#batch rounds d half2"] | None = None,
) -> Float[Tensor, "*batch n d_v"]:
    """``shared_qk_attention`` where each place, sorted by bucket, sees only its chunk and the one before.

    With one chunk it is ``shared_qk_attention``.

    Args:
        more: a second set of rotations; a bucket is then a pair of them, so that a + b rotations make a · b
            buckets. As many buckets as chunks, from one set, would cost n² again.

    Raises:
        ValueError: if n is not a multiple of the chunk.

    Source: Kitaev et al. 2020, §2 and figure 2; lecture row L1.5.f.
    """
    n, rounds = qk.shape[-2], rotations.shape[-3]
    if n % chunk:
        raise ValueError(f"{n} tokens cannot be cut into chunks of {chunk}: pad them to a multiple of it")
    buckets = lsh_buckets(qk.detach(), rotations)
    if more is not None:
        buckets = buckets + 2 * rotations.shape[-1] * lsh_buckets(qk.detach(), more)
    order = buckets.argsort(dim=-1, stable=True)  # [*batch, rounds, n]
    at = order.flatten(-2).unflatten(-1, (-1, chunk))  # [*batch, rounds * chunks, chunk]
    q, v = (_taken(x, at) for x in (qk, value))
    at = at.to(torch.int32)  # half the memory to compare
    k, seen = F.normalize(q, dim=-1), at.unsqueeze(-1)
    if n > chunk:
        k, v, seen = look_back(k), look_back(v), look_back(seen)
    scores = _ruled(q @ k.mT, at, seen.squeeze(-1), causal)
    log_sums = scores.logsumexp(dim=-1, keepdim=True)
    found = scores.softmax(dim=-1) @ v
    back = order.argsort(dim=-1)  # the inverse permutation
    by_round = _gathered(found.flatten(-3, -2).unflatten(-2, (rounds, n)), back)
    sums = log_sums.flatten(-3).unflatten(-1, (rounds, n)).gather(-1, back)
    return combine_rounds(by_round, sums)


def _taken(x: Float[Tensor, "*batch n d"], at: Int[Tensor, "*batch m chunk"]) -> Tensor:
    """Rows of x by their places, in chunks."""
    return _gathered(x, at.flatten(-2)).unflatten(-2, at.shape[-2:])


def _gathered(x: Float[Tensor, "*batch n d"], at: Int[Tensor, "*batch m"]) -> Float[Tensor, "*batch m d"]:
    """Rows of x by their places. (``take_along_dim`` would first ask whether places are negative.)"""
    return x.gather(-2, at.unsqueeze(-1).expand(*at.shape, x.shape[-1]))


def _ruled(scores: Tensor, query_at: Int[Tensor, "*q"], key_at: Int[Tensor, "*k"], causal: bool) -> Tensor:
    """Nothing later, where causal; and itself only where there is nothing else."""
    q, k = query_at.unsqueeze(-1), key_at.unsqueeze(-2)
    if causal:
        scores = scores.masked_fill(k > q, LATER)
    return scores.masked_fill(k == q, ITSELF)


def same_chunk(order: Int[Tensor, "*batch rounds n"], chunk: int) -> Tensor:
    """Whether j stands in i's chunk or the one before it, by round: boolean, ``[*batch, rounds, n, n]``."""
    number = order.argsort(dim=-1) // chunk
    i, j = number.unsqueeze(-1), number.unsqueeze(-2)
    return (j == i) | (j == i - 1)
