"""Soft or hard attention (L1.3.a, L1.3.b): weights over a scene, and estimates round a gradient."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.models.glimpse import expected_gradient, score_function_gradient
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ESTIMATES = 120
"""Dots in each cloud."""

WORDS = {
    "title": "Soft or hard: where to look, and what a gradient costs",
    "temperature": "Temperature",
    "looks": "Looks for an estimate",
    "again": "Draw anew",
    "scene": "Weights over the scene",
    "cloud": "Estimates of one gradient",
    "x": "∂/∂score of cell A",
    "y": "∂/∂score of cell B",
    "without": "no baseline",
    "with": "baseline",
    "exact": "exact",
    "argmax": "argmax",
    "says": "Cell A has weight {a}, cell B {b}. Exact gradient ({x}, {y}). Spread of an estimate: "
    "{without} without a "
    "baseline, {with} with one. The argmax's gradient is (0, 0), wherever it looks.",
    "help": "A dot is the mean over that many looks, each at one cell drawn with the weights' "
    "probabilities; a "
    "look earns ln P(right answer). Both clouds lie about the cross: unbiased. They differ in how far "
    "they spread.",
    "cell": "cell {row}, {column}: weight {weight}",
}


class SoftOrHard(CourseWidget):
    """A temperature and a number of looks: soft weights on a scene beside estimates of a gradient.

    Args:
        image: the scene, from 0 to 1.
        scores: one for each cell of a square grid, row by row.
        rewards: what a look at each cell earns.
    """

    _esm = module("soft_or_hard")
    _css = stylesheet("common", "soft_or_hard")
    picture = traitlets.Unicode(help="the scene as a PNG, in base64").tag(sync=True)
    scores = traitlets.List(traitlets.Float()).tag(sync=True)
    rewards = traitlets.List(traitlets.Float()).tag(sync=True)
    pair = traitlets.List(traitlets.Int(), help="cells A and B").tag(sync=True)
    temperature = traitlets.Float(1.0, min=0.1, max=5.0).tag(sync=True)
    looks = traitlets.Int(4, min=2, max=64).tag(sync=True)
    seed = traitlets.Int(1).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        image: Float[Tensor, "3 side side"],
        scores: Float[Tensor, "cell"],
        rewards: Float[Tensor, "cell"],
        temperature: float = 1.0,
        looks: int = 4,
    ):
        side = round(len(scores) ** 0.5)
        if side * side != len(scores) or len(rewards) != len(scores) or side < 2:
            raise ValueError(
                f"scores and rewards are of the cells of a square grid; got {len(scores)} and {len(rewards)}"
            )
        first, second = scores.topk(2).indices.tolist()
        super().__init__(
            picture=_png(image),
            scores=scores.tolist(),
            rewards=rewards.tolist(),
            pair=[first, second],
            temperature=temperature,
            looks=looks,
        )

    def numbers(self) -> dict[str, Tensor]:
        """Weights; A's and B's exact gradient; estimates without and with a baseline, ``[estimate, 2]``."""
        scores, rewards = torch.tensor(self.scores) / self.temperature, torch.tensor(self.rewards)
        generator = torch.Generator().manual_seed(self.seed)
        drawn = torch.multinomial(scores.softmax(-1), ESTIMATES * self.looks, True, generator=generator)
        drawn = drawn.view(ESTIMATES, self.looks)
        found = {"weights": scores.softmax(-1), "exact": expected_gradient(scores, rewards)[self.pair]}
        for name, baseline in {"without": False, "with": True}.items():
            of = [score_function_gradient(scores, cells, rewards[cells], baseline) for cells in drawn]
            found[name] = torch.stack(of)[:, self.pair]
        return found

    def describe(self) -> str:
        found = self.numbers()
        a, b = found["weights"][self.pair].tolist()
        x, y = found["exact"].tolist()
        spread = {name: f"{_spread(found[name]):.3f}" for name in ("without", "with")}
        return WORDS["says"].format(a=f"{a:.2f}", b=f"{b:.2f}", x=f"{x:+.3f}", y=f"{y:+.3f}", **spread)

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        found, side = self.numbers(), round(len(self.scores) ** 0.5)
        figure = Figure(figsize=(9.5, 4), layout="constrained")
        scene, cloud = figure.subplots(1, 2, width_ratios=[4, 5])
        scene.imshow(_unpng(self.picture), extent=(0, side, side, 0), interpolation="nearest")
        weights = found["weights"].view(side, side)
        veil = torch.zeros(side, side, 4)
        veil[..., 3] = 0.75 * (1 - (weights / weights.max()) ** 0.5)
        scene.imshow(veil.numpy(), extent=(0, side, side, 0), interpolation="nearest")
        for name, cell in zip("AB", self.pair, strict=True):
            row, column = divmod(cell, side)
            box = {"boxstyle": "round,pad=0.1", "facecolor": "#00000099", "edgecolor": "none"}
            look = {"ha": "center", "va": "center", "color": "white", "weight": "bold", "bbox": box}
            scene.text(column + 0.5, row + 0.5, name, **look)
        scene.set(title=f"{WORDS['scene']}, T = {self.temperature:g}", xticks=[], yticks=[])
        for name, (colour, mark) in {"without": ("#D55E00", "o"), "with": ("#0072B2", "^")}.items():
            label = f"{WORDS[name]}: spread {_spread(found[name]):.3f}"
            cloud.scatter(*found[name].T, s=14, color=colour, marker=mark, alpha=0.55, label=label)
        cloud.scatter(*found["exact"], s=120, color="#797979", marker="+", linewidths=2, label=WORDS["exact"])
        cloud.scatter(0, 0, s=60, facecolor="none", edgecolor="#797979", marker="s", label=WORDS["argmax"])
        cloud.set(xlabel=WORDS["x"], ylabel=WORDS["y"], title=f"{WORDS['cloud']}, {self.looks} looks each")
        cloud.legend(fontsize=8)
        return figure


def _spread(estimates: Float[Tensor, "estimate 2"]) -> float:
    """The root of the mean squared distance from their mean."""
    return (estimates - estimates.mean(0)).square().sum(-1).mean().sqrt().item()


def _png(image: Float[Tensor, "3 side side"]) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _unpng(text: str):
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
