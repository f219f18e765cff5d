"""Scenes of shapes, drawn by the course, and what people say of them: eight kinds, six colours, nine places.

A scene is nine places, three rows of three, and in each a thing or nothing. A thing is a kind in a colour.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

COLOURS = {
    "red": (0.74, 0.05, 0.15),
    "yellow": (0.96, 0.78, 0.05),
    "green": (0.38, 0.74, 0.30),
    "blue": (0.08, 0.35, 0.75),
    "purple": (0.50, 0.22, 0.60),
    "black": (0.13, 0.13, 0.15),
}
GROUND = (0.97, 0.96, 0.93)
ROWS, COLUMNS = ("top", "", "bottom"), ("left", "", "right")
PLACES = tuple(" ".join(filter(None, (row, column))) or "middle" for row in ROWS for column in COLUMNS)
THING = 12
"""A thing's side, in points."""
SIDE = 3 * THING
FINE = 8
"""Each point's colour is the mean of so many by so many finer ones: edges come out smooth."""

Shape = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _star(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Five tips: between a tip and the next notch the edge is straight."""
    angle = np.mod(np.arctan2(x, y) + np.pi / 5, 2 * np.pi / 5) - np.pi / 5  # from the nearest tip
    across, along = np.hypot(x, y) * np.abs(np.sin(angle)), np.hypot(x, y) * np.cos(angle)
    (tip, notch), turn = (0.95, 0.40), np.pi / 5
    corner = notch * np.sin(turn), notch * np.cos(turn)
    return across * (tip - corner[1]) <= corner[0] * (tip - along)


def _heart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Two discs, and below them a triangle; x is the distance from the middle."""
    return (np.hypot(x - 0.38, y - 0.34) <= 0.42) | ((y <= 0.34) & (x <= 0.66 * (y + 0.88)))


SHAPES: dict[str, Shape] = {
    "circle": lambda x, y: np.hypot(x, y) <= 0.8,
    "square": lambda x, y: np.maximum(abs(x), abs(y)) <= 0.72,
    "triangle": lambda x, y: (y >= -0.7) & (abs(x) * 1.55 <= 0.85 * (0.8 - y)),
    "diamond": lambda x, y: abs(x) * 1.25 + abs(y) <= 0.92,
    "star": lambda x, y: _star(x, y + 0.06),
    "heart": lambda x, y: _heart(abs(x), y),
    "cross": lambda x, y: (np.minimum(abs(x), abs(y)) <= 0.25) & (np.maximum(abs(x), abs(y)) <= 0.8),
    "ring": lambda x, y: (np.hypot(x, y) <= 0.85) & (np.hypot(x, y) >= 0.48),
}  # fmt: skip
"""Whether a point belongs to the shape: x to the right and y upwards, both from -1 to 1."""

KINDS = tuple(SHAPES)
THINGS = len(KINDS) * len(COLOURS)
"""How many things there are; they count from 1, for 0 is nothing."""


def thing(kind: str, colour: str) -> int:
    """The number of a thing.

    Raises:
        ValueError: if there is no such kind or colour.
    """
    for what, all_of_it in ((kind, KINDS), (colour, tuple(COLOURS))):
        if what not in all_of_it:
            raise ValueError(f"{what!r} is none of {', '.join(all_of_it)}")
    return 1 + KINDS.index(kind) * len(COLOURS) + tuple(COLOURS).index(colour)


def kind_and_colour(number: int) -> tuple[str, str]:
    """What a thing is: its kind and its colour."""
    kind, colour = divmod(number - 1, len(COLOURS))
    return KINDS[kind], tuple(COLOURS)[colour]


@cache
def tiles() -> Float[np.ndarray, "things 3 side side"]:
    """A picture of nothing, and of every thing, in the order of their numbers; colours from 0 to 1."""
    fine = (np.arange(THING * FINE) + 0.5) / (THING * FINE) * 2 - 1
    x, y = np.meshgrid(fine, -fine)
    ground = np.asarray(GROUND)[:, None, None] * np.ones((3, THING, THING))
    drawn = [ground]
    for shape in SHAPES.values():
        inside = shape(x, y).astype(float).reshape(THING, FINE, THING, FINE).mean((1, 3))
        drawn += [ground + inside * (np.asarray(c)[:, None, None] - ground) for c in COLOURS.values()]
    return np.stack(drawn).astype(np.float32)


def draw(scenes: Int[Tensor, "*batch 9"]) -> Float[Tensor, "*batch 3 36 36"]:
    """The pictures of scenes: at each place its thing, 0 being nothing.

    Raises:
        ValueError: if a scene has not nine places, or a number is no thing's.
    """
    if scenes.shape[-1] != len(PLACES) or not ((scenes >= 0) & (scenes <= THINGS)).all():
        raise ValueError(
            f"a scene is {len(PLACES)} numbers from 0 to {THINGS}; got {tuple(scenes.shape)}, "
            f"from {scenes.min()} to {scenes.max()}"
        )
    pictures = torch.from_numpy(tiles())[scenes].unflatten(-4, (3, 3))  # [*batch, row, column, 3, side, side]
    return pictures.movedim(-3, -5).transpose(-3, -2).flatten(-4, -3).flatten(-2)


def random_scenes(n: int, new: bool = False, seed: int | Sequence[int] = 0) -> Int[np.ndarray, "n 9"]:
    """Scenes of two or three things, at places of their own.

    Args:
        new: every thing stands at a place where it never does in training, in place of none; ``held_out``.
    """
    random = np.random.default_rng(seed)
    scenes = np.zeros((n, len(PLACES)), dtype=np.int64)
    allowed = [1 + np.flatnonzero(held_out()[1:, place] == new) for place in range(len(PLACES))]
    for scene in scenes:
        for place in random.permutation(len(PLACES))[: random.integers(2, 4)]:
            scene[place] = random.choice(allowed[place])
    return scenes


@cache
def held_out(each: int = 5, seed: int = 0) -> Bool[np.ndarray, "things_1 places"]:
    """True where a thing is never drawn at a place in training, so many things a place; row 0 is nothing.

    Each thing is kept from one place at most: it is seen at all others, and the place with most other things.
    What is new is the three together, kind, colour and place.
    """
    order = np.random.default_rng([seed, 12]).permutation(THINGS)[: each * len(PLACES)]
    chosen = np.zeros((THINGS + 1, len(PLACES)), dtype=bool)
    for place, things in enumerate(order.reshape(len(PLACES), each)):
        chosen[things + 1, place] = True
    return chosen


# --------------------------------------------------------------------------------------------------
# What people say of a scene
# --------------------------------------------------------------------------------------------------

WHERE = {
    place: [f"in the {place}", f"at the {place}", place]
    + ([f"in the {place} corner"] if " " in place else [])
    + [p.replace("top", "upper").replace("bottom", "lower") for p in [f"in the {place}"] if " " in place]
    for place in PLACES
}
WHERE |= {
    "left": ["on the left", "at the left", "left"],
    "right": ["on the right", "at the right", "right"],
    "top": ["at the top", "on top", "top"],
    "bottom": ["at the bottom", "bottom"],
    "middle": ["in the middle", "in the centre", "in the center", "middle"],
}
"""Ways to say each place."""

SAYINGS = (
    "a {colour} {kind} {where}",
    "a {colour} {kind} {where}",
    "{where} a {colour} {kind}",
    "{where} there is a {colour} {kind}",
    "the {kind} {where} is {colour}",
    "a {kind} {where} in {colour}",
)
"""Ways to say a thing; the first is said twice as often as the others."""

BETWEEN = (" and ", " , ", " , and ")
VAGUE = ("a {colour} {kind}", "a {kind} {where}")
"""Ways to leave something out: the place, the colour."""


def caption(scene: Sequence[int], random: np.random.Generator, vague: float = 0.0) -> str:
    """What somebody says of a scene: its things in any order, each in any of the ways to say it.

    Args:
        vague: how often one of the things is said without its place or its colour.
    """
    places = random.permutation(np.flatnonzero(np.asarray(scene)))
    left_out = random.integers(len(places)) if random.random() < vague else -1
    parts = []
    for number, place in enumerate(places):
        kind, colour = kind_and_colour(int(scene[place]))
        ways = VAGUE if number == left_out else SAYINGS
        where = WHERE[PLACES[place]]
        parts.append(
            ways[random.integers(len(ways))].format(
                kind=kind, colour=colour, where=where[random.integers(len(where))]
            )
        )
    text = parts[0]
    for part in parts[1:]:
        text += BETWEEN[random.integers(len(BETWEEN))] + part
    return text


def split_words(text: str) -> list[str]:
    """A caption's words, in lower case; commas, semicolons and full stops between them are a word, ","."""
    found: list[str] = []
    for word in re.findall(r"[^\s.,;:!?\"()]+|[.,;]", text.lower()):
        word = "," if word in ".;" else word
        if word != "," or (found and found[-1] != ","):
            found.append(word)
    return found[:-1] if found[-1:] == [","] else found


def vocabulary() -> list[str]:
    """Every word that a caption may have, sorted."""
    texts = [*SAYINGS, *VAGUE, *BETWEEN, *COLOURS, *KINDS, *(w for ways in WHERE.values() for w in ways)]
    return sorted({",", *(word for text in texts for word in split_words(text) if "{" not in word)})
