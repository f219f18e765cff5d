"""Change an input, see which outputs move: a look-ahead shows itself (L1.4.d)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
import traitlets
from jaxtyping import Bool, Float
from torch import Tensor

from course.studies.probes import TOLERANCE, leaks
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {
    "title": "Leak detector",
    "runs": "Models to compare",
    "inputs": "Input to change",
    "help": "Press an input token, or walk with the arrow keys: its vector is changed, and the outputs that "
    "move light up with the largest change among their numbers. Positions count from 0.",
    "output": "output {position}",
    "mark_still": "",
    "mark_moved": "moves",
    "mark_leak": "⚠ LEAK",
    "map": "All changes: row = output, column = changed input",
    "cell": "input {input} moves output {output} by {amount}",
    "clean": "Changing token {position} ({token}) moves output {outputs}. No leak.",
    "leak": "LEAK: output {outputs} saw token {position} ({token}), which comes later.",
    "nothing": "Changing token {position} ({token}) moves no output.",
    "tight": "No output sees a later token: 0 leaks in {pairs} pairs.",
    "leaky": "{leaks} of {pairs} pairs of an output and a later token leak (marked !).",
}


class LeakDetector(CourseWidget):
    """Which outputs saw which inputs, for one model or several: see :func:`course.studies.probes.influence`.

    >>> LeakDetector(["a", "b"], {"causal": torch.eye(2)}).describe()
    'causal: no output sees a later token.'
    """

    _esm = module("leak_detector")
    _css = stylesheet("common", "leak_detector")
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    influences = traitlets.Dict().tag(sync=True)
    tolerance = traitlets.Float(TOLERANCE).tag(sync=True)
    run = traitlets.Unicode(help="the name of the model shown").tag(sync=True)
    position = traitlets.Int(help="the input that is changed").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        tokens: Sequence[str],
        influences: Float[Tensor, "position output"] | Mapping[str, Float[Tensor, "position output"]],
        position: int | None = None,
    ):
        if not isinstance(influences, Mapping):
            influences = {"model": influences}
        n = len(tokens)
        for name, matrix in influences.items():
            if tuple(matrix.shape) != (n, n):
                raise ValueError(
                    f"{name}: {n} tokens need influences of shape [{n}, {n}], got {list(matrix.shape)}"
                )
        super().__init__(
            tokens=list(tokens),
            influences={name: matrix.tolist() for name, matrix in influences.items()},
            run=next(iter(influences)),
            position=n - 2 if position is None else position,
        )

    @property
    def matrices(self) -> dict[str, Float[Tensor, "position output"]]:
        return {name: torch.tensor(rows) for name, rows in self.influences.items()}

    def describe(self) -> str:
        return "\n".join(
            f"{name}: {_in_words(leaks(moved, self.tolerance))}" for name, moved in self.matrices.items()
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(1 + 3.2 * len(self.influences), 3.8), layout="constrained")
        panels = figure.subplots(1, len(self.influences), squeeze=False)[0]
        for axes, (name, moved) in zip(panels, self.matrices.items(), strict=True):
            self._draw(axes, name, moved)
        return figure

    def _draw(self, axes: Axes, name: str, moved: Float[Tensor, "position output"]) -> None:
        found = leaks(moved, self.tolerance)
        axes.imshow(moved.T.numpy(), cmap="Blues", vmin=0, vmax=1.4 * moved.max())
        for position, output in found.nonzero().tolist():
            axes.text(position, output, "!", ha="center", va="center", color="#b84300", weight="bold")
        from course.fonts import elide

        tokens = [elide(token) for token in self.tokens]
        axes.set_xticks(range(len(tokens)), tokens, rotation=45, ha="right", parse_math=False)
        axes.set_yticks(range(len(tokens)), tokens, parse_math=False)
        axes.set(xlabel="changed input", ylabel="output", title=f"{name}: {int(found.sum())} leaks (!)")


def _in_words(found: Bool[Tensor, "position output"]) -> str:
    if not found.any():
        return "no output sees a later token."
    seen = ", ".join(f"output {output} saw token {position}" for position, output in found.nonzero().tolist())
    return f"{int(found.sum())} leaks: {seen}."
