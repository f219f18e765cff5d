"""How far apart two positions are: in steps of information, counted and felt.

Links are a mask as everywhere: True = row i takes from column j in one step (one layer, one time step).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course.masks import check_boolean

NO_PATH = -1


def hops(links: Bool[Tensor, "n n"]) -> Int[Tensor, "n n"]:
    """How many steps it takes at least until something of position j is in position i; -1 if it never is.

    0 from a position to itself. Links run one way: that i takes from j does not let j take from i.

    Raises:
        TypeError: if the links are not boolean.
        ValueError: if they are not square.

    Source: breadth-first search; "maximum path length" in Vaswani et al. 2017, table 1; lecture row L1.5.a.
    """
    check_boolean(links)
    if links.dim() != 2 or links.shape[0] != links.shape[1]:
        raise ValueError(f"links must be square, a row and a column a position; got {list(links.shape)}")
    reached = torch.eye(len(links), dtype=torch.bool, device=links.device)
    steps = torch.where(reached, 0, NO_PATH)
    step, frontier = 0, reached
    while frontier.any():
        step += 1
        # Who takes from what was reached in the last step, and had not been reached before.
        frontier = ((links.float() @ frontier.float()) > 0) & ~reached
        steps = steps.masked_fill(frontier, step)
        reached = reached | frontier
    return steps


def recurrent_links(n: int) -> Bool[Tensor, "n n"]:
    """An RNN: each position takes from itself and from the one before."""
    return torch.eye(n, dtype=torch.bool) | torch.diag(torch.ones(max(n - 1, 0), dtype=torch.bool), -1)


def dilated_hops(n: int, width: int) -> int:
    """Layers of convolutions that step by 1, k, k², ... until the last of n positions sees the first."""
    layers, seen = 0, 1
    while seen < n:
        seen += (width - 1) * width**layers
        layers += 1
    return layers


def gradient_reach(
    model: Callable[[Float[Tensor, "n d"]], Float[Tensor, "n d_out"]],
    x: Float[Tensor, "n d"],
    place: int = -1,
) -> Float[Tensor, "n"]:
    """How much the output at one place moves with the input at each: ‖∂y_place/∂x_j‖, a Jacobian's norm.

    0 exactly where nothing of x_j gets there.

    Source: lecture row L1.5.a.
    """
    jacobian = torch.autograd.functional.jacobian(lambda given: model(given)[place], x)  # [d_out, n, d]
    return torch.linalg.matrix_norm(jacobian.transpose(0, 1))


def convolutions(d: int, width: int, layers: int, dilated: bool = False) -> nn.Module:
    """Causal convolutions with tanh between, ``[n, d]`` to ``[n, d]``; dilated ones step by 1, k, k², ..."""
    steps = []
    for layer in range(layers):
        by = width**layer if dilated else 1
        steps += [
            nn.ConstantPad1d(((width - 1) * by, 0), 0.0),
            nn.Conv1d(d, d, width, dilation=by),
            nn.Tanh(),
        ]
    return _Sideways(nn.Sequential(*steps))


class _Sideways(nn.Module):
    """A module over ``[d, n]`` for ``[n, d]``."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        return self.inner(x.mT).mT
