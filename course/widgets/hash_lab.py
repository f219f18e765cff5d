"""The hash lab (L1.5.f): points on a circle, hashed, sorted, cut into chunks; which neighbours are found."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import torch
import traitlets
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course.models.efficient.reformer import draw_rotations, lsh_buckets, same_chunk
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS, NEAREST, DRAWS, ROUNDS = 64, 4, 12, 8
BUCKETS, CHUNKS = (2, 4, 8, 16), (4, 8, 16, 32)
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8A00", "#777777")

WORDS = {
    "title": "Hash lab: near ones fall in one bucket, mostly",
    "rounds": "Rounds",
    "n_buckets": "Buckets",
    "chunk": "Chunk",
    "shown": "Round shown",
    "point": "Point",
    "again": "New rotations",
    "strip": "Sorted by bucket, and cut into chunks",
    "says": "Of each point's {nearest} nearest, one round finds {one} % on average, {rounds} together "
    "{all} %; independent rounds would find 1 − (1 − {p})^{rounds} = {law} %.",
    "alone": "Of each point's {nearest} nearest, this round finds {all} %.",
    "of_point": "Point {point} looks at {looks} points; {found} of its {nearest} nearest are among them.",
    "label": "64 points on a circle; point {point} in bucket {bucket}, its nearest {near}",
    "note": "Whole ring: a nearest point that is found; dashed ring: one that is missed. A point finds what "
    "is in its chunk or the one before. Colours repeat after eight buckets, paler.",
}


@cache
def rotations() -> Float[Tensor, "draws rounds d half"]:
    """For each draw and round a matrix whose first columns serve for fewer buckets."""
    generator = torch.Generator().manual_seed(16)
    return draw_rotations(DRAWS * ROUNDS, 2, max(BUCKETS), generator).unflatten(0, (DRAWS, ROUNDS))


@cache
def angles() -> Float[Tensor, "points"]:
    """Where the points are, in turns of the circle, not evenly."""
    generator = torch.Generator().manual_seed(4)
    return (torch.arange(POINTS) + 0.8 * torch.rand(POINTS, generator=generator)) / POINTS


class HashLab(CourseWidget):
    """Rounds, buckets, the size of a chunk; new rotations at a click; the share of neighbours that is found.

    ``rounds``, ``n_buckets``, ``chunk``, ``shown``, ``point`` and ``draw`` follow what the learner does.
    """

    _esm = module("hash_lab")
    _css = stylesheet("common", "hash_lab")
    rotations = traitlets.Bytes().tag(sync=True)
    angles = traitlets.List(traitlets.Float()).tag(sync=True)
    nearest = traitlets.Int(NEAREST).tag(sync=True)
    draws = traitlets.Int(DRAWS).tag(sync=True)
    most = traitlets.Int(ROUNDS).tag(sync=True)
    bucket_choices = traitlets.List(list(BUCKETS)).tag(sync=True)
    chunk_choices = traitlets.List(list(CHUNKS)).tag(sync=True)
    rounds = traitlets.Int(1, min=1, max=ROUNDS).tag(sync=True)
    n_buckets = traitlets.Enum(BUCKETS, 8).tag(sync=True)
    chunk = traitlets.Enum(CHUNKS, 8).tag(sync=True)
    shown = traitlets.Int(1, min=1, max=ROUNDS).tag(sync=True)
    point = traitlets.Int(10, min=0, max=POINTS - 1).tag(sync=True)
    draw = traitlets.Int(0, min=0, max=DRAWS - 1).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, **settings: Any):
        turns = [round(t, 6) for t in angles().double().tolist()]
        super().__init__(rotations=rotations().numpy().astype("<f4").tobytes(), angles=turns, **settings)

    def buckets(self) -> Int[Tensor, "rounds points"]:
        """The bucket of every point in each round, by ``lsh_buckets``."""
        turn = 2 * torch.pi * torch.tensor(self.angles, dtype=torch.float64)
        x = torch.stack([turn.cos(), turn.sin()], dim=-1)
        return lsh_buckets(x, rotations()[self.draw, : self.rounds, :, : self.n_buckets // 2].double())

    def order(self) -> Int[Tensor, "rounds points"]:
        """The points as they stand after sorting, round by round."""
        return self.buckets().argsort(dim=-1, stable=True)

    def neighbours(self) -> Int[Tensor, "points nearest"]:
        """The nearest others of every point, by angle."""
        turn = torch.tensor(self.angles, dtype=torch.float64)
        apart = (turn[:, None] - turn).abs()
        apart = torch.minimum(apart, 1 - apart).fill_diagonal_(9)
        return apart.argsort(dim=-1, stable=True)[:, :NEAREST]

    def found(self) -> Bool[Tensor, "rounds points nearest"]:
        """Whether each neighbour stands in the point's chunk or the one before, by round."""
        near = self.neighbours().expand(self.rounds, -1, -1)
        return same_chunk(self.order(), self.chunk).take_along_dim(near, dim=-1)

    def describe(self) -> str:
        found, seen = self.found(), same_chunk(self.order(), self.chunk)
        p, every = found.double().mean().item(), found.any(0).double().mean().item()
        whole = WORDS["alone"] if self.rounds == 1 else WORDS["says"]
        law = 1 - (1 - p) ** self.rounds
        first = whole.format(
            nearest=NEAREST,
            one=_percent(p),
            all=_percent(every),
            rounds=self.rounds,
            p=f"{p:.2f}",
            law=_percent(law),
        )
        looks = int(seen.any(0)[self.point].sum())
        of = int(found.any(0)[self.point].sum())
        return f"{first} {WORDS['of_point'].format(point=self.point, looks=looks, found=of, nearest=NEAREST)}"

    def still(self) -> Figure:
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        figure = Figure(figsize=(9, 5.2), layout="constrained")
        circle, strip = figure.subplots(2, 1, height_ratios=[4, 1.2])
        shown = min(self.shown, self.rounds) - 1
        turn, buckets = 2 * torch.pi * torch.tensor(self.angles), self.buckets()[shown]
        x, y = turn.cos().tolist(), turn.sin().tolist()
        colours = [(COLOURS[b % len(COLOURS)], 1.0 if b < len(COLOURS) else 0.45) for b in buckets.tolist()]
        circle.scatter(x, y, c=colours, s=36)
        circle.scatter(
            [x[self.point]], [y[self.point]], s=170, facecolors="none", edgecolors="#777777", marker="D"
        )
        near, found = self.neighbours()[self.point].tolist(), self.found().any(0)[self.point].tolist()
        for j, yes in zip(near, found, strict=True):
            circle.scatter(
                [x[j]], [y[j]], s=120, facecolors="none", edgecolors="#777777", ls="-" if yes else ":"
            )
        circle.set(aspect="equal", xlim=(-3, 3), ylim=(-1.15, 1.15))
        circle.set_axis_off()
        for place, i in enumerate(self.order()[shown].tolist()):
            strip.add_patch(Rectangle((place, 0), 0.9, 1, facecolor=colours[i]))
        for border in range(0, POINTS + 1, self.chunk):
            strip.axvline(border - 0.05, ymin=0.05, ymax=0.95, color="#777777", lw=1.5)
        strip.set(xlim=(-0.5, POINTS + 0.5), ylim=(-0.3, 1.3), title=WORDS["strip"], xticks=[], yticks=[])
        return figure


def _percent(share: float) -> int:
    """Rounded as the browser does: halves up."""
    return int(100 * share + 0.5)
