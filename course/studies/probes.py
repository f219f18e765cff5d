"""Measuring a model from outside: change its input, watch its output.

Every probe takes any function ``f`` from a sequence of vectors to a sequence of vectors of the same
length, ``[n, d] -> [n, d_out]``, and looks at what it does, never at how it is made.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SequenceMap = Callable[[Float[Tensor, "n d"]], Float[Tensor, "n d_out"]]

TOLERANCE = 1e-6
"""An output has moved when it moves by more than this share of the largest movement seen."""


@torch.no_grad()
def influence(f: SequenceMap, x: Float[Tensor, "n d"], seed: int = 0) -> Float[Tensor, "position output"]:
    """How far each output moves when the vector at each input position is changed (L1.4.d).

    Entry ``[i, j]`` is the largest absolute change among the numbers of output ``j`` when one seeded
    random vector, the same for every position, is added to input ``i``. In the units of ``f(x)``.

    Raises:
        ValueError: ``f`` gives another answer for the same input (dropout?), a number of outputs
            other than ``len(x)``, or outputs that are not finite.
    """
    outputs = f(x)
    _check_outputs(outputs, f(x), len(x))
    step = torch.randn(x[0].shape, generator=torch.Generator().manual_seed(seed)).to(x)
    moved = []
    for position in range(len(x)):
        changed = x.clone()
        changed[position] += step
        moved.append((f(changed) - outputs).abs().flatten(1).amax(-1))
    return torch.stack(moved)


def _check_outputs(outputs: Tensor, again: Tensor, n: int) -> None:
    if len(outputs) != n:
        raise ValueError(f"f must give one output per position: {n} vectors in, {len(outputs)} out")
    if not outputs.isfinite().all():
        raise ValueError("f(x) holds NaN or infinity, so movements cannot be measured")
    if not torch.equal(outputs, again):
        raise ValueError("f gives another answer for the same input; switch dropout off with model.eval()")


def leaks(
    moved: Float[Tensor, "position output"], tolerance: float = TOLERANCE
) -> Bool[Tensor, "position output"]:
    """Where an output saw a later input: True at ``[i, j]``, ``j < i``, if input ``i`` moves output ``j``."""
    return (moved > tolerance * moved.max()).tril(-1)


@torch.no_grad()
def prefix_passes(f: SequenceMap, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d_out"]:
    """The last output of ``f`` on each prefix ``x[:1], x[:2], …, x``: reading one token at a time (L1.4.c).

    Where ``f`` lets no output see a later input, this equals the single pass ``f(x)``.
    """
    return torch.stack([f(x[:end])[-1] for end in range(1, len(x) + 1)])


@torch.no_grad()
def permutation_gap(f: SequenceMap, x: Float[Tensor, "n d"], permutation: Sequence[int]) -> float:
    """The largest difference between ``f(P x)`` and ``P f(x)``: zero if ``f`` ignores order (L1.4.a).

    ``permutation[i]`` says which row of ``x`` comes to position ``i``.

    Raises:
        ValueError: ``permutation`` does not name each position once.
    """
    order = torch.as_tensor(permutation)
    if sorted(order.tolist()) != list(range(len(x))):
        raise ValueError(f"permutation must name each of 0..{len(x) - 1} once, got {order.tolist()}")
    return (f(x[order]) - f(x)[order]).abs().max().item()
