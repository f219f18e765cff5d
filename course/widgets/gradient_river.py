"""The gradient river (L2.4.a): ‖∂h_T/∂h_t‖ back through time, for a spectral radius that you choose."""

from __future__ import annotations

from functools import cache
from math import floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.studies.gradient_flow import MATRICES, river
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RADII = tuple(round(0.5 + 0.05 * i, 2) for i in range(21))
LONGEST = 100
CLIPS = (0.1, 1.0, 10.0, 100.0)

WORDS = {
    "title": "A gradient on its way back through time",
    "radius": "Spectral radius of Wₕ",
    "steps": "Steps back",
    "clip": "Clip the sum to",
    "off": "off",
    "tanh": "tanh",
    "matrix": "Matrix",
    "kinds": {
        "turning": "turns, changes no length",
        "random": "random entries",
        "lopsided": "lopsided (not normal)",
    },
    "axis": "steps back from the end",
    "height": "‖∂h(T) / ∂h(t)‖: how much the end moves with each state before it",
    "law": "λⁿ",
    "says": "{n} steps back the norm is {value}; λⁿ = {radius}ⁿ alone would be {law}. On the way it is "
    "{peak} at most, {at} back.",
    "clipped": "Clipping multiplies all of it by {factor}.",
    "unclipped": "The columns add up to less than {clip}: clipping leaves them as they are.",
    "note": "Columns: the largest singular value of the product of Jacobians, by the number of steps back "
    "from the last of 100, on a log scale. 16 units; with tanh, the states are those of a run with random "
    "inputs (standard deviation 0.3). Dashed: the spectral radius to the power of the steps. Pale: before "
    "clipping.",
}


@cache
def rivers() -> Float[np.ndarray, "kind tanh radius back"]:
    """log₁₀ of every norm that the widget can show; ``back`` counts from the last state."""
    found = [
        torch.stack([river(kind, radius, LONGEST, tanh).flip(0) for radius in RADII])
        for kind in MATRICES
        for tanh in (False, True)
    ]
    norms = torch.stack(found).unflatten(0, (len(MATRICES), 2))
    return norms.log10().float().numpy()


def power(x: float) -> str:
    """A number for people, however large or small: 0.35, 12, 3.2 · 10⁻⁵."""
    if 0.01 <= x < 1000:
        return f"{x:.2f}" if x < 10 else f"{x:.0f}"
    e = floor(log10(x))
    if f"{x / 10**e:.1f}" == "10.0":
        e += 1
    exponent = str(e).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{x / 10**e:.1f} · 10{exponent}"


class GradientRiver(CourseWidget):
    """How a gradient shrinks or grows on its way back: radius, steps, tanh, kind of matrix, clipping.

    ``radius``, ``steps``, ``tanh``, ``matrix`` and ``clip`` follow what the learner does, and can be set.
    """

    _esm = module("gradient_river")
    _css = stylesheet("common", "gradient_river")
    norms = traitlets.Bytes().tag(sync=True)
    radii = traitlets.List(list(RADII)).tag(sync=True)
    kinds = traitlets.List(list(MATRICES)).tag(sync=True)
    clips = traitlets.List(list(CLIPS)).tag(sync=True)
    longest = traitlets.Int(LONGEST).tag(sync=True)
    radius = traitlets.Float().tag(sync=True)
    steps = traitlets.Int(min=1, max=LONGEST).tag(sync=True)
    tanh = traitlets.Bool().tag(sync=True)
    matrix = traitlets.Enum(MATRICES).tag(sync=True)
    clip = traitlets.Float(None, allow_none=True).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        radius: float = 0.9,
        steps: int = 50,
        tanh: bool = False,
        matrix: str = "turning",
        clip: float | None = None,
    ):
        super().__init__(
            norms=rivers().astype("<f4").tobytes(),
            radius=radius,
            steps=steps,
            tanh=tanh,
            matrix=matrix,
            clip=clip,
        )

    @traitlets.validate("radius")
    def _known(self, proposal: dict) -> float:
        if proposal["value"] not in RADII:
            raise ValueError(
                f"the radius goes from {RADII[0]} to {RADII[-1]} in steps of 0.05; got {proposal['value']}"
            )
        return proposal["value"]

    def shown(self) -> Float[Tensor, "steps+1"]:
        """The norms before clipping, from the last state back."""
        place = MATRICES.index(self.matrix), int(self.tanh), RADII.index(self.radius)
        return 10.0 ** torch.from_numpy(rivers()[place]).double()[: self.steps + 1]

    def factor(self) -> float:
        """What clipping multiplies everything by: the columns then add up to ``clip`` at most."""
        return 1.0 if self.clip is None else min(1.0, self.clip / self.shown().sum().item())

    def describe(self) -> str:
        norms = self.shown()
        at = int(norms.argmax())
        says: dict[str, Any] = {"n": self.steps, "radius": f"{self.radius:g}", "at": at}
        says |= {"value": power(norms[-1].item()), "peak": power(norms[at].item())}
        text = WORDS["says"].format(law=power(self.radius**self.steps), **says)
        if self.clip is None:
            return text
        clipped = "clipped" if self.factor() < 1 else "unclipped"
        return f"{text} {WORDS[clipped].format(factor=power(self.factor()), clip=f'{self.clip:g}')}"

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.add_subplot()
        norms, back = self.shown(), torch.arange(self.steps + 1)
        norms, back = norms.numpy(), back.numpy()
        if self.factor() < 1:
            axes.bar(back, norms - 1, bottom=1, color="#0072B2", alpha=0.25, width=0.8)
        scaled = norms * self.factor()
        axes.bar(back, scaled - 1, bottom=1, color="#0072B2", width=0.8)
        axes.plot(
            back, self.radius**back, "--", color="#D55E00", label=f"{WORDS['law']}, λ = {self.radius:g}"
        )
        axes.axhline(1, color="gray", linewidth=0.8)
        title = f"{WORDS['kinds'][self.matrix]}, {'with' if self.tanh else 'without'} tanh"
        axes.set(yscale="log", xlabel=WORDS["axis"], ylabel=WORDS["height"].split(":")[0], title=title)
        axes.legend()
        axes.invert_xaxis()
        return figure
