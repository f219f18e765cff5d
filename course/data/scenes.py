"""Scenes: a photograph, and in front of it three small pictures, an animal, a fruit and a vehicle.

Credits and licences: ``art/README.md``.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

ART = Path(__file__).with_name("art")
KINDS = ("animal", "fruit", "vehicle")
THINGS = (
    *("dog", "cat", "frog", "pig", "fox", "panda"),
    *("apple", "banana", "grapes", "strawberry", "lemon", "watermelon"),
    *("car", "bus", "bicycle", "sailboat", "tractor", "helicopter"),
)
EACH = len(THINGS) // len(KINDS)
SIDE, CELL, SPRITE = 64, 8, 20
"""A scene's side, the side of one of its cells, and a thing's, in points."""
GRID = SIDE // CELL

PHOTOS = {"train": (0, 1, 2, 3, 4), "held out": (5, 6)}
"""Which photographs stand behind the scenes to train on, and behind those to test with."""


class Scenes(NamedTuple):
    """Scenes, what is in them, and where.

    ``things`` are numbers in ``THINGS``; ``cover`` is the share of each cell that a thing covers.
    """

    images: Float[Tensor, "scene 3 side side"]
    things: Int[Tensor, "scene kind"]
    cover: Float[Tensor, "scene kind grid grid"]

    def cells(self, share: float = 0.1) -> Tensor:
        """The cells that each thing is in, ``[scene, kind, cell]``: it covers at least this share of them."""
        return (self.cover >= share).flatten(-2)


def draw(n: int, photos: str = "train", seed: int = 0) -> Scenes:
    """Draw scenes: a piece of a photograph, perhaps mirrored, and one thing of each kind, none over another.

    Raises:
        ValueError: if ``photos`` is neither "train" nor "held out".
    """
    if photos not in PHOTOS:
        raise ValueError(f"photos must be one of {', '.join(map(repr, PHOTOS))}; got {photos!r}")
    random = np.random.default_rng([seed, list(PHOTOS).index(photos)])
    things = random.integers(EACH, size=(n, len(KINDS))) + EACH * np.arange(len(KINDS))
    images = np.stack([_background(random, PHOTOS[photos]) for _ in range(n)])
    cover = np.zeros((n, len(KINDS), SIDE, SIDE), dtype=np.float32)
    for scene in range(n):
        for kind, (x, y) in enumerate(_places(random, len(KINDS))):
            alpha, colour = _thing(int(things[scene, kind]))
            part = images[scene, :, y : y + SPRITE, x : x + SPRITE]
            part += alpha * (colour - part)
            cover[scene, kind, y : y + SPRITE, x : x + SPRITE] = alpha
    cells = cover.reshape(n, len(KINDS), GRID, CELL, GRID, CELL).mean(axis=(3, 5))
    return Scenes(torch.from_numpy(images), torch.from_numpy(things), torch.from_numpy(cells))


def _background(random: np.random.Generator, photos: tuple[int, ...]) -> np.ndarray:
    photo = _photos()[random.choice(photos)]
    y, x = (random.integers(size - SIDE + 1) for size in photo.shape[1:])
    piece = photo[:, y : y + SIDE, x : x + SIDE]
    return (piece[:, :, ::-1] if random.random() < 0.5 else piece).copy()


def _places(random: np.random.Generator, n: int) -> list[tuple[int, int]]:
    """Corners of squares that do not touch, by trying again."""
    while True:
        corners = random.integers(SIDE - SPRITE + 1, size=(n, 2))
        apart = np.abs(corners[:, None] - corners[None]).max(-1) >= SPRITE
        if (apart | np.eye(n, dtype=bool)).all():
            return [(int(x), int(y)) for x, y in corners]


@cache
def _photos() -> np.ndarray:
    """Every photograph, ``[photo, 3, height, width]``, from 0 to 1."""
    strip = np.asarray(Image.open(ART / "photos.jpg").convert("RGB"), dtype=np.float32) / 255
    return np.stack(np.split(strip.transpose(2, 0, 1), 7, axis=2))


@cache
def _thing(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A thing's opacity and its colours, each from 0 to 1."""
    sheet = np.asarray(Image.open(ART / "things.png").convert("RGBA"), dtype=np.float32) / 255
    row, column = divmod(number, EACH)
    square = sheet[row * SPRITE : (row + 1) * SPRITE, column * SPRITE : (column + 1) * SPRITE]
    return square[..., 3], square[..., :3].transpose(2, 0, 1)
