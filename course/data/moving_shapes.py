"""Films of a shape that moves up, down, left or right; one frame alone says nothing about which."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

WAYS = ("up", "down", "left", "right")
_STEPS = torch.tensor([(-1, 0), (1, 0), (0, -1), (0, 1)])
FRAMES, SIDE, NOISE = 4, 12, 0.1
SHAPES = {
    "square": ("####", "####", "####", "####"),
    "cross": (".##.", "####", "####", ".##."),
    "ring": ("####", "#..#", "#..#", "####"),
    "corner": ("#...", "#...", "#...", "####"),
    "bar": ("....", "####", "####", "...."),
    "stick": (".##.", ".##.", ".##.", ".##."),
}


class Films(NamedTuple):
    """Films and the number of the way that the shape of each goes, in ``WAYS``."""

    films: Float[Tensor, "film frame 1 side side"]
    ways: Int[Tensor, "film"]


def draw(n: int, seed: int = 0, frames: int = FRAMES, noise: float = NOISE) -> Films:
    """Draw films: a shape somewhere, 1 or 2 points further at each frame.

    What leaves on one side enters on the other. Place, shape, speed and way are drawn evenly and apart from
    one another: so every frame by itself is as likely under each of the four ways.
    """
    generator = torch.Generator().manual_seed(seed)

    def pick(below: int, *shape: int) -> Tensor:
        return torch.randint(below, (n, *shape), generator=generator)

    kind, ways, speed, place = pick(len(SHAPES)), pick(len(WAYS)), 1 + pick(2), pick(SIDE, 2)
    moved = _STEPS[ways][:, None] * speed[:, None, None] * torch.arange(frames)[:, None]  # [film, frame, 2]
    corner = place[:, None] + moved
    within = (
        torch.arange(SIDE) - corner[..., None]
    ) % SIDE  # [film, frame, 2, side]: how far from the corner
    canvas = torch.zeros(len(SHAPES), SIDE, SIDE)
    canvas[:, :4, :4] = _stencils()
    films = canvas[kind[:, None, None, None], within[..., 0, :, None], within[..., 1, None, :]]
    films = films + noise * torch.randn(films.shape, generator=generator)
    return Films(films[:, :, None], ways)


def shuffled(films: Float[Tensor, "film frame ..."], generator: torch.Generator) -> Tensor:
    """The frames of each film in an order of its own."""
    order = torch.rand(films.shape[:2], generator=generator).argsort(dim=1)
    return films[torch.arange(len(films))[:, None], order]


def _stencils() -> Float[Tensor, "shape 4 4"]:
    return torch.tensor([[[float(c == "#") for c in row] for row in rows] for rows in SHAPES.values()])
