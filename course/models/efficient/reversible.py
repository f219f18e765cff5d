"""Reversible layers: what went in can be worked out from what came out, so it need not be stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course.blocks import FeedForward, LayerNorm
from course.heads import MultiHeadAttention

Sublayer = Callable[[Tensor], Tensor]


def reversible_forward(
    x1: Float[Tensor, "*shape"], x2: Float[Tensor, "*shape"], f: Sublayer, g: Sublayer
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """y₁ = x₁ + f(x₂), then y₂ = x₂ + g(y₁). In Reformer f is attention and g the feed-forward network.

    Source: Gomez et al. 2017, equation 6; Kitaev et al. 2020, equation 7; lecture row L1.5.f.
    """
    y1 = x1 + f(x2)
    return y1, x2 + g(y1)


def reversible_inverse(
    y1: Float[Tensor, "*shape"], y2: Float[Tensor, "*shape"], f: Sublayer, g: Sublayer
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """What went into ``reversible_forward``: x₁ and x₂ from y₁ and y₂.

    f and g are asked once each, and only ever forward: they need not be invertible. What is given is not
    changed.

    Source: Gomez et al. 2017, equation 7; Kitaev et al. 2020, equation 8; lecture row L1.5.f.
    """
    x2 = y2 - g(y1)
    return y1 - f(x2), x2


class ReversibleStack(nn.Module):
    """Layers of (f, g): forward as usual; on the way back each layer's input is worked out anew.

    Of all layers together only the last output is stored. The input is doubled at the start, and the two
    halves are averaged at the end, as in Reformer.

    Args:
        layers: pairs of modules, each of which keeps its input's shape.
    """

    def __init__(self, layers: list[tuple[nn.Module, nn.Module]]):
        super().__init__()
        self.layers = nn.ModuleList(nn.ModuleList(pair) for pair in layers)

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        y1, y2 = _Reversible.apply(x, x, self.layers, *self.parameters())
        return (y1 + y2) / 2

    def stored(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The same function by the usual way, which stores what every layer computes."""
        x1 = x2 = x
        for f, g in self.layers:
            x1, x2 = reversible_forward(x1, x2, f, g)
        return (x1 + x2) / 2


class _Reversible(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x1: Tensor, x2: Tensor, layers: nn.ModuleList, *parameters: Tensor) -> tuple:
        ctx.layers, ctx.chances, ctx.given = layers, [], parameters
        for f, g in layers:
            # Dropout must fall alike when the layer is asked again, so where its chance began is kept.
            before_f = torch.get_rng_state()
            x1 = x1 + f(x2)
            ctx.chances.append((before_f, torch.get_rng_state()))
            x2 = x2 + g(x1)
        ctx.save_for_backward(x1, x2)
        return x1, x2

    @staticmethod
    def backward(ctx: Any, d1: Tensor, d2: Tensor) -> tuple:
        y1, y2 = ctx.saved_tensors
        found: dict[Tensor, Tensor] = {}
        now = torch.get_rng_state()
        for (f, g), (before_f, before_g) in zip(reversed(ctx.layers), reversed(ctx.chances), strict=True):
            said, through = _asked(g, y1, d2, before_g, found)
            y2, d1 = y2 - said, d1 + through
            said, through = _asked(f, y2, d1, before_f, found)
            y1, d2 = y1 - said, d2 + through
        torch.set_rng_state(now)
        return d1, d2, None, *(found.get(p) for p in ctx.given)


def _asked(
    sublayer: nn.Module, x: Tensor, d: Tensor, chance: Tensor, found: dict[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """What a sublayer says to x; and d sent back through it to x and (added up in ``found``) its weights."""
    torch.set_rng_state(chance)
    x, weights = x.detach().requires_grad_(), [p for p in sublayer.parameters() if p.requires_grad]
    with torch.enable_grad():
        said = sublayer(x)
    through, *of_weights = torch.autograd.grad(said, [x, *weights], d, allow_unused=True)
    for p, gradient in zip(weights, of_weights, strict=True):
        if gradient is not None:
            found[p] = found[p] + gradient if p in found else gradient
    return said.detach(), torch.zeros_like(x) if through is None else through


def transformer_layers(d: int, n_heads: int, depth: int) -> list[tuple[nn.Module, nn.Module]]:
    """Reformer's pairs: f is attention, g the feed-forward network, each behind a norm.

    Source: Kitaev et al. 2020, equation 9.
    """
    return [(_Attend(d, n_heads), nn.Sequential(LayerNorm(d), FeedForward(d, 2 * d))) for _ in range(depth)]


class _Attend(nn.Module):
    def __init__(self, d: int, n_heads: int):
        super().__init__()
        self.norm, self.attention = LayerNorm(d), MultiHeadAttention(d, n_heads)

    def forward(self, x: Float[Tensor, "*batch n d"]) -> Float[Tensor, "*batch n d"]:
        return self.attention(self.norm(x), need_weights=False)[0]


@torch.no_grad()
def reconstruction_errors(stack: ReversibleStack, x: Float[Tensor, "*shape"]) -> list[float]:
    """How wrong each layer's input comes out when it is worked out from the last output: ‖x̂ - x‖ / ‖x‖.

    The first layer's first. In exact arithmetic all would be 0.
    """
    went_in, y1, y2 = [], x, x
    for f, g in stack.layers:
        went_in.append(torch.stack([y1, y2]))
        y1, y2 = reversible_forward(y1, y2, f, g)
    errors = []
    for (f, g), wanted in zip(reversed(stack.layers), reversed(went_in), strict=True):
        y1, y2 = reversible_inverse(y1, y2, f, g)
        found = torch.stack([y1, y2]).float()
        errors.append(((found - wanted.float()).norm() / wanted.float().norm()).item())
    return errors[::-1]
