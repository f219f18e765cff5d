"""The pattern builder (L1.5.d): window, global places and picks; who sees whom, and in how many steps."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
import traitlets
from jaxtyping import Bool, Int
from torch import Tensor

from course.models.efficient.bigbird import bigbird_pattern, block_sparse_attention
from course.studies.cost import milliseconds
from course.studies.path_length import hops
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST, SIZE, DRAWS = 24, 32, 12
KINDS = ("window", "global", "random")

WORDS = {
    "title": "Pattern builder: who may look at whom",
    "n": "Blocks",
    "width": "Window, either side",
    "n_global": "Global",
    "r": "Random, each row",
    "row": "From row",
    "column": "to column",
    "again": "Draw anew",
    "window": "window",
    "global": "global",
    "random": "random",
    "rows": "row: the block that asks",
    "columns": "column: the block that is asked",
    "says": "{edges} of {all} cells are computed: {share} %. {way} {far}",
    "way": "From {row} to {column}: {steps} ({path}).",
    "here": "From {row} to itself: no step.",
    "no_way": "From {row} nothing of {column} is ever reached.",
    "steps": ["1 step", "{steps} steps"],
    "far": "The farthest two are {steps} apart.",
    "apart": "Some never reach each other.",
    "ms": "Measured here, {tokens} tokens in blocks of {size}: {ms} ms; all cells {full} ms.",
    "cell": "row {row}, column {column}",
    "note": "One step is one layer. Squares: window; bars: global; dots: random. Press a cell to ask the way "
    "from its row to its column. With a kernel each pattern is timed as you make it, 2 heads of 32.",
}


@cache
def lots() -> Int[Tensor, "draws n n"]:
    """A number from 0 to 65,535 for each cell and draw: a row picks the free columns with the smallest."""
    generator = torch.Generator().manual_seed(6)
    return torch.randint(2**16, (DRAWS, LARGEST, LARGEST), generator=generator)


class PatternBuilder(CourseWidget):
    """Window, global places and picks to choose: the grid, the way from one block to another, and the time.

    ``n``, ``width``, ``n_global``, ``r``, ``draw``, ``row`` and ``column`` follow what the learner does, and
    can be set; ``pattern`` gives the mask that is shown.
    """

    _esm = module("pattern_builder")
    _css = stylesheet("common", "pattern_builder")
    lots = traitlets.Bytes().tag(sync=True)
    largest = traitlets.Int(LARGEST).tag(sync=True)
    draws = traitlets.Int(DRAWS).tag(sync=True)
    size = traitlets.Int(SIZE).tag(sync=True)
    n = traitlets.Int(16, min=4, max=LARGEST).tag(sync=True)
    width = traitlets.Int(1, min=0, max=6).tag(sync=True)
    n_global = traitlets.Int(1, min=0, max=3).tag(sync=True)
    r = traitlets.Int(1, min=0, max=3).tag(sync=True)
    draw = traitlets.Int(0, min=0, max=DRAWS - 1).tag(sync=True)
    row = traitlets.Int(12, min=0, max=LARGEST - 1).tag(sync=True)
    column = traitlets.Int(4, min=0, max=LARGEST - 1).tag(sync=True)
    measured = traitlets.List(traitlets.Float()).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, timed: bool = True, **settings: Any):
        super().__init__(lots=lots().numpy().astype("<u2").tobytes(), **settings)
        if timed:
            self.observe(self._measure, ["n", "width", "n_global", "r", "draw"])
            self._measure()

    @property
    def pattern(self) -> Bool[Tensor, "n n"]:
        """The mask over blocks that is shown: ``bigbird_pattern`` with its picks."""
        return bigbird_pattern(self.n, self.width, self.n_global, self.picks())

    def picks(self) -> Int[Tensor, "n r"]:
        """The columns that each row picks of those it does not see anyway."""
        nothing = torch.empty(self.n, 0, dtype=torch.int64)
        seen = bigbird_pattern(self.n, self.width, self.n_global, nothing)
        order = (lots()[self.draw, : self.n, : self.n] + 2**17 * seen).argsort(dim=1, stable=True)
        return order[:, : self.r]

    def kinds(self) -> list[list[str]]:
        """Why each cell is there, "" where it is not: a global place before the window before a pick."""
        at = torch.arange(self.n)
        glob = (at[:, None] < self.n_global) | (at < self.n_global)
        window = (at[:, None] - at).abs() <= self.width

        def kind(i: int, j: int) -> str:
            if not pattern[i, j]:
                return ""
            return "global" if glob[i, j] else "window" if window[i, j] else "random"

        pattern = self.pattern
        return [[kind(i, j) for j in range(self.n)] for i in range(self.n)]

    def way(self) -> list[int]:
        """Blocks from ``row`` to ``column``, one step each: the first that leads there soonest."""
        steps, pattern = hops(self.pattern), self.pattern
        row, column = self._ends()
        if steps[row, column] < 0:
            return []
        path = [row]
        while path[-1] != column:
            left = steps[path[-1], column]
            path.append(
                next(j for j in range(self.n) if pattern[path[-1], j] and steps[j, column] == left - 1)
            )
        return path

    def describe(self) -> str:
        pattern, steps, path = self.pattern, hops(self.pattern), self.way()
        edges, (row, column) = int(pattern.sum()), self._ends()
        if not path:
            way = WORDS["no_way"].format(row=row, column=column)
        elif len(path) == 1:
            way = WORDS["here"].format(row=row)
        else:
            way = WORDS["way"].format(
                row=row, column=column, steps=_steps(len(path) - 1), path=" → ".join(map(str, path))
            )
        far = WORDS["apart"] if (steps < 0).any() else WORDS["far"].format(steps=_steps(int(steps.max())))
        share = int(100 * edges / self.n**2 + 0.5)
        return WORDS["says"].format(edges=edges, all=self.n**2, share=share, way=way, far=far)

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5.4, 5.2), layout="constrained")
        axes, looks = (
            figure.subplots(),
            {"window": ("s", "#0072B2"), "global": ("_", "#D55E00"), "random": ("o", "#009E73")},
        )
        kinds, side = self.kinds(), 240 / self.n
        for kind, (marker, colour) in looks.items():
            cells = [(j, i) for i, row in enumerate(kinds) for j, k in enumerate(row) if k == kind]
            if cells:
                axes.scatter(
                    *zip(*cells, strict=True), marker=marker, s=side * 3, color=colour, label=WORDS[kind]
                )
        path = self.way()
        for i, j in pairwise(path):
            axes.scatter([j], [i], s=side * 7, facecolors="none", edgecolors="#777777", linewidths=1.5)
        axes.set(xlim=(-0.6, self.n - 0.4), ylim=(self.n - 0.4, -0.6), aspect="equal",
                 xlabel=WORDS["columns"], ylabel=WORDS["rows"])  # fmt: skip
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=3, frameon=False)
        return figure

    def _ends(self) -> tuple[int, int]:
        return min(self.row, self.n - 1), min(self.column, self.n - 1)

    def _measure(self, _: Any = None) -> None:
        q, k, v = torch.randn(3, 1, 2, self.n * SIZE, 32, generator=torch.Generator().manual_seed(0))
        every = torch.ones(self.n, self.n, dtype=torch.bool)
        some, full = (
            milliseconds(lambda blocks=blocks: block_sparse_attention(q, k, v, blocks), rounds=3)
            for blocks in (self.pattern, every)
        )
        self.measured = [some, full]


def _steps(n: int) -> str:
    return WORDS["steps"][0] if n == 1 else WORDS["steps"][1].format(steps=n)
