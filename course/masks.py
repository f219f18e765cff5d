"""Masks: which query may attend to which key.

A mask is boolean and **True means "may attend"**, everywhere in the course. Its last two axes are query
and key:

- ``[query, key]``: one pattern for the whole batch (causal, window, prefix);
- ``[batch, query, key]``: one pattern a sentence, the same for every head (padding: ``[batch, 1, key]``);
- ``[batch, heads, query, key]``: one pattern a head.

An axis of length 1 broadcasts.
"""

from collections.abc import Sequence
from functools import reduce

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch._C._functorch import peek_interpreter_stack


def causal_mask(n: int) -> Bool[Tensor, "n n"]:
    """Let position i attend to positions 0, 1, ..., i and to nothing later: no looking ahead. ``n`` may be 0.

    Raises:
        ValueError: if ``n`` is negative.

    Source: Vaswani et al. 2017, §3.2.3; lecture rows L1.4.c, L1.4.d.
    """
    check_length(n)
    return torch.ones(n, n, dtype=torch.bool).tril()


def padding_mask(lengths: Int[Tensor, "batch"] | Sequence[int], n: int) -> Bool[Tensor, "batch 1 n"]:
    """Let every position attend to the first ``lengths[b]`` positions of sentence b, not to its padding.

    The axis of length 1 stands for the queries, so the mask serves self-attention (n queries) and
    cross-attention (any number of queries) alike. What is given is not changed.

    Args:
        lengths: the number of real tokens of each sentence, of one or more; 0 is a length too.
        n: the number of positions, padding included.

    Raises:
        TypeError: if the lengths are not whole numbers (2.0 is none).
        ValueError: if a length is negative or greater than ``n``.

    Source: lecture row L2.7.b ("mask, optional").
    """
    lengths = _check_lengths(lengths, n)
    return torch.arange(n, device=lengths.device) < lengths[:, None, None]


def window_mask(n: int, width: int) -> Bool[Tensor, "n n"]:
    """Let position i attend to itself and to ``width`` neighbours on either side: |i - j| <= width.

    Raises:
        ValueError: if ``n`` or ``width`` is negative.

    Source: local attention, Luong et al. 2015, §3.2, the window [p - D, p + D]; lecture row L1.3.d.
    """
    check_length(n)
    _check_width(width)
    position = torch.arange(n)
    return (position[:, None] - position).abs() <= width


def prefix_mask(n: int, prefix: int) -> Bool[Tensor, "n n"]:
    """Let every position attend to the first ``prefix`` positions, and beyond those be causal.

    ``prefix_mask(n, 0)`` is ``causal_mask(n)``; ``prefix_mask(n, n)`` lets everything attend to everything.

    Raises:
        ValueError: unless 0 <= prefix <= n.

    Source: Raffel et al. 2020 (T5), figure 3, "causal with prefix"; lecture row L1.4.c.
    """
    _check_prefix(prefix, n)
    return causal_mask(n) | (torch.arange(n) < prefix)


def combine(*masks: Bool[Tensor, "..."]) -> Bool[Tensor, "..."]:
    """Let a query attend to a key only where every one of the masks does.

    Masks of different kinds go together as in attention: ``[n, n]`` (causal) and ``[batch, 1, n]`` (padding)
    make ``[batch, n, n]``; beside a mask with four axes, the same is done for each head.

    Raises:
        TypeError: if a mask is not boolean.
        ValueError: if there are no masks, or their shapes do not broadcast.
    """
    return reduce(torch.logical_and, _aligned(masks))


def to_additive(mask: Bool[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The same mask as a number to add to the scores: 0 where attending is allowed, minus infinity where not.

    Raises:
        TypeError: if the mask is not boolean.
    """
    check_boolean(mask)
    return torch.where(mask, 0.0, -torch.inf)


def is_known_true(mask: Tensor) -> bool:
    """Whether all of it is True, where looking is free and allowed: what depends on it then saves some work.

    A GPU would have to be waited for; torch.compile, export, jit and vmap have no values to look at.
    """
    return mask.is_cpu and not is_traced() and bool(mask.all())


def is_traced() -> bool:
    """Whether this runs to be recorded or transformed (compile, export, jit, vmap), not to be computed."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing() or peek_interpreter_stack() is not None


def check_boolean(mask: Tensor) -> None:
    """Raise a TypeError unless the mask is a boolean tensor."""
    if not isinstance(mask, Tensor):
        raise TypeError(f"a mask must be a boolean tensor, True = may attend; got {type(mask).__name__}")
    if mask.dtype != torch.bool:
        raise TypeError(
            f"a mask must be a boolean tensor, True = may attend; got {mask.dtype}. "
            "From 1 and 0 use mask.bool(); from 0 and -inf use mask == 0"
        )


def check_mask(mask: Tensor, shape: Sequence[int]) -> None:
    """Raise unless the mask is boolean and broadcasts to scores of the given shape."""
    check_boolean(mask)
    sizes = zip(reversed(mask.shape), reversed(shape), strict=False)
    if mask.dim() > len(shape) or any(size not in (1, wanted) for size, wanted in sizes):
        raise ValueError(
            f"a mask of shape {list(mask.shape)} does not broadcast to scores of shape {list(shape)}"
        )


def check_length(n: int) -> None:
    """Raise a ValueError unless a sequence can have this length."""
    if n < 0:
        raise ValueError(f"a sequence has 0 or more positions; got n = {n}")


def _check_width(width: int) -> None:
    if width < 0:
        raise ValueError(
            f"the width counts neighbours on either side, so it is 0 or more; got width = {width}"
        )


def _check_prefix(prefix: int, n: int) -> None:
    if not 0 <= prefix <= n:
        raise ValueError(f"the prefix must lie between 0 and n = {n}; got prefix = {prefix}")


def _check_lengths(lengths: Tensor | Sequence[int], n: int) -> Int[Tensor, "batch"]:
    lengths = torch.as_tensor(lengths)
    if lengths.numel() == 0:
        raise ValueError("a padding mask needs the length of at least one sentence; got none")
    if lengths.is_floating_point() or lengths.dtype == torch.bool:
        raise TypeError(f"lengths must be whole numbers, one a sentence; got {lengths.dtype}")
    if lengths.dim() != 1:
        raise ValueError(
            f"lengths must be a list of numbers, one a sentence; got shape {list(lengths.shape)}"
        )
    if not is_traced() and ((lengths < 0) | (lengths > n)).any():
        raise ValueError(f"every length must lie between 0 and n = {n}; got {lengths.tolist()}")
    return lengths


def _aligned(masks: Sequence[Tensor]) -> list[Tensor]:
    """The masks, checked; beside one with heads, those of ``[batch, query, key]`` get an axis for them."""
    if not masks:
        raise ValueError("combine needs at least one mask; got none")
    for mask in masks:
        check_boolean(mask)
    per_head = any(mask.dim() == 4 for mask in masks)
    aligned = [mask.unsqueeze(1) if per_head and mask.dim() == 3 else mask for mask in masks]
    try:
        torch.broadcast_shapes(*(mask.shape for mask in aligned))
    except RuntimeError:
        shapes = ", ".join(str(list(mask.shape)) for mask in masks)
        raise ValueError(f"masks of shapes {shapes} do not broadcast to one another") from None
    return aligned
