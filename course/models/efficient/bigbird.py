"""BigBird: everybody looks at a window, at a few global places and at a few random ones.

A pattern is a boolean mask as everywhere in the course, over tokens or over blocks of tokens. Here attention
is computed for the blocks that it marks and for no others, so that a mask of n × n is never made.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course.masks import window_mask


def bigbird_pattern(n: int, width: int, n_global: int, picks: Int[Tensor, "n r"]) -> Bool[Tensor, "n n"]:
    """Who attends to whom: True where the window, a global place or a pick lets row i look at column j.

    Args:
        n: tokens, or blocks of tokens.
        width: of the window, on either side: |i - j| <= width. It does not wrap round at the ends.
        n_global: the first so many look at all, and all look at them.
        picks: the columns that each row looks at besides. Rows pick for themselves: j need not look back.

    Raises:
        ValueError: if there are not picks for n rows, or more global places than n.

    Source: Zaheer et al. 2020, §2 and figure 1 (ITC); lecture row L1.5.d.
    """
    if picks.shape[0] != n or not 0 <= n_global <= n:
        raise ValueError(
            f"picks must have a row for each of the {n} places and n_global lie from 0 to {n}; "
            f"got {picks.shape[0]} rows and n_global = {n_global}"
        )
    pattern = window_mask(n, width)
    pattern[:n_global] = True
    pattern[:, :n_global] = True
    return pattern.scatter(1, picks, True)


def draw_picks(
    n: int, width: int, n_global: int, r: int, generator: torch.Generator | None = None
) -> Int[Tensor, "n r"]:
    """For each row ``r`` columns at random that neither its window nor the global places have.

    No column is picked twice by a row. Where a row has fewer left, the rest repeat what it sees already.

    Source: Zaheer et al. 2020, §2.
    """
    free = ~bigbird_pattern(n, width, n_global, torch.empty(n, 0, dtype=torch.int64))
    return (torch.rand(n, n, generator=generator) * free).topk(r, dim=-1).indices


def bigbird_blocks(
    n_blocks: int, width: int = 1, n_global: int = 1, r: int = 1, seed: int = 0
) -> Bool[Tensor, "blocks blocks"]:
    """``bigbird_pattern`` over blocks with picks drawn from a seed: of few blocks, everything."""
    r = min(r, n_blocks)
    picks = draw_picks(n_blocks, width, n_global, r, torch.Generator().manual_seed(seed))
    return bigbird_pattern(n_blocks, width, n_global, picks)


def token_mask(blocks: Bool[Tensor, "*heads blocks blocks"], size: int) -> Bool[Tensor, "*heads n n"]:
    """The same pattern for tokens, each block ``size`` of them: n², for pictures and for comparing."""
    return blocks.repeat_interleave(size, -2).repeat_interleave(size, -1)


def block_sparse_attention(
    query: Float[Tensor, "*batch n d_k"],
    key: Float[Tensor, "*batch n d_k"],
    value: Float[Tensor, "*batch n d_v"],
    blocks: Bool[Tensor, "*#heads blocks blocks"],
) -> Float[Tensor, "*batch n d_v"]:
    """The output of ``scaled_dot_product_attention`` under ``token_mask(blocks, size)``, without the n².

    For each block of queries the blocks of keys it looks at are gathered side by side; rows that look
    everywhere are done as usual. Time and memory grow with n times the blocks that a row looks at.

    Args:
        blocks: for all alike, or (with one axis more) a pattern for each head, the last axis of the batch.

    Raises:
        ValueError: if n cannot be cut into so many blocks, or a row looks nowhere.

    Source: Zaheer et al. 2020, appendix D; lecture row L1.5.d.
    """
    n, n_blocks = query.shape[-2], blocks.shape[-1]
    _check_blocks(n, blocks)
    everywhere = blocks.all(-1).reshape(-1, n_blocks).all(0)
    sparse = ~everywhere
    q, k, v = (x.unflatten(-2, (n_blocks, -1)) for x in (query / math.sqrt(query.shape[-1]), key, value))
    output = value.new_empty(*query.shape[:-1], value.shape[-1]).unflatten(-2, (n_blocks, -1))
    if everywhere.any():
        rows = q[..., everywhere, :, :].flatten(-3, -2)
        found = (rows @ key.mT).softmax(-1) @ value
        output = _placed(output, everywhere, found.unflatten(-2, (-1, n // n_blocks)))
    if sparse.any():
        at, seen = _listed(blocks[..., sparse, :])
        keys, values = (_gathered(x, at) for x in (k, v))
        scores = q[..., sparse, :, :] @ keys.mT
        if not seen.all():
            scores = scores.masked_fill(~seen.repeat_interleave(n // n_blocks, -1).unsqueeze(-2), -torch.inf)
        output = _placed(output, sparse, scores.softmax(-1) @ values)
    return output.flatten(-3, -2)


def _placed(output: Tensor, rows: Bool[Tensor, "blocks"], found: Tensor) -> Tensor:
    """``found`` at these blocks of the output: itself, where they are all of them."""
    if rows.all():
        return found
    return output.index_copy(-3, rows.nonzero()[:, 0], found)


def _listed(
    blocks: Bool[Tensor, "*heads rows blocks"],
) -> tuple[Int[Tensor, "*heads rows most"], Bool[Tensor, "*heads rows most"]]:
    """The blocks that each row looks at, in order, filled up to the longest list; and which are no fill."""
    most = int(blocks.sum(-1).max())
    seen, at = blocks.to(torch.uint8).sort(dim=-1, descending=True, stable=True)
    return at[..., :most], seen[..., :most].bool()


def _gathered(
    x: Float[Tensor, "*batch blocks size d"], at: Int[Tensor, "*#heads rows most"]
) -> Float[Tensor, "*batch rows most*size d"]:
    """Side by side, the blocks that each row looks at."""
    rows, most = at.shape[-2:]
    if at.dim() == 2:
        found = x.index_select(-3, at.flatten())
    else:
        heads = torch.arange(at.shape[0], device=x.device)[:, None]
        found = x[..., heads, at.flatten(-2), :, :]
    return found.unflatten(-3, (rows, most)).flatten(-3, -2)


def _check_blocks(n: int, blocks: Tensor) -> None:
    if n % blocks.shape[-1]:
        raise ValueError(f"{n} tokens cannot be cut into {blocks.shape[-1]} blocks of one size")
    if not blocks.any(-1).all():
        raise ValueError("every block of queries must look at one block of keys or more")
