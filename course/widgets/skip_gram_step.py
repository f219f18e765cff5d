"""One step of skip-gram with negative sampling, in two dimensions (L3.6.b): what pulls, what pushes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import traitlets

from course.text.word2vec import skipgram_step
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CENTRE, CONTEXT = "king", "queen"
NEGATIVES = ["the", "ran", "and", "dog", "big"]
START = {
    "centre": [1.5, 0.4],
    "context": [0.3, 1.5],
    "negatives": [[1.6, -0.5], [-1.3, -0.9], [1.1, 1.3], [-0.5, 1.5], [0.7, -1.4]],
}
WORDS = {
    "title": "One step of skip-gram",
    "k": "Negatives k",
    "lr": "Step size",
    "step": "Take a step",
    "again": "Start again",
    "says": "After {steps}: the loss is {loss}. “{centre}” and “{context}”: σ = {true}, so the true pair "
    "pulls with {pull}. "
    "Of the negatives “{worst}” pushes most: σ = {push}.",
    "one": "1 step",
    "more": "{n} steps",
    "table": ["word", "product", "σ", "force on the centre"],
    "pull": "pulls {force}",
    "push": "pushes {force}",
    "help": "Black: the centre's input vector. Blue: the true context's output vector; orange: the "
    "negatives'. Arrows show where each goes in the next step.",
}


class SkipGramStep(CourseWidget):
    """A centre, a true context and up to five negatives, as arrows; a button takes a step of training.

    Args:
        k: how many of the negatives take part, 1 to 5.
        lr: the step size.
    """

    _esm = module("skip_gram_step")
    _css = stylesheet("common", "skip_gram_step")
    centre = traitlets.List(START["centre"]).tag(sync=True)
    context = traitlets.List(START["context"]).tag(sync=True)
    negatives = traitlets.List(START["negatives"]).tag(sync=True)
    steps = traitlets.Int(0, min=0).tag(sync=True)
    k = traitlets.Int(3, min=1, max=5).tag(sync=True)
    lr = traitlets.Float(0.5, min=0.05, max=2.0).tag(sync=True)
    start = traitlets.Dict(START).tag(sync=True)
    names = traitlets.List([CENTRE, CONTEXT, *NEGATIVES]).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, k: int = 3, lr: float = 0.5):
        super().__init__(k=k, lr=lr)

    def shares(self) -> list[float]:
        """σ of the centre with the true context, then with each negative that takes part."""
        others = [self.context, *self.negatives[: self.k]]
        return [1 / (1 + math.exp(-(self.centre[0] * u[0] + self.centre[1] * u[1]))) for u in others]

    def loss(self) -> float:
        true, *false = self.shares()
        return -math.log(true) - sum(math.log(1 - s) for s in false)

    def take(self) -> None:
        """One step: ``course.text.word2vec.skipgram_step`` on these vectors."""
        inputs = torch.tensor([self.centre], dtype=torch.float64)
        outputs = torch.tensor([self.context, *self.negatives], dtype=torch.float64)
        skipgram_step(inputs, outputs, torch.tensor([0]), torch.arange(1 + self.k)[None], self.lr)
        self.centre, (self.context, *self.negatives) = inputs[0].tolist(), outputs.tolist()
        self.steps += 1

    def describe(self) -> str:
        true, *false = self.shares()
        worst = max(range(self.k), key=lambda i: false[i])
        return WORDS["says"].format(
            steps=WORDS["one"] if self.steps == 1 else WORDS["more"].format(n=self.steps),
            loss=f"{self.loss():.2f}",
            centre=CENTRE,
            context=CONTEXT,
            true=f"{true:.2f}",
            pull=f"{1 - true:.2f}",
            worst=NEGATIVES[worst],
            push=f"{false[worst]:.2f}",
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.figures import INK

        figure = Figure(figsize=(7.2, 4.6), layout="constrained")
        axes = figure.subplots()
        true, *false = self.shares()
        v = torch.tensor(self.centre)
        rows = [(self.context, CONTEXT, true - 1, "#0072B2")]
        rows += [
            (u, name, s, "#D55E00") for u, name, s in zip(self.negatives, NEGATIVES, false, strict=False)
        ]
        arrow = {"arrowstyle": "-|>", "lw": 1.6}
        force = torch.zeros(2)
        for u, name, g, colour in rows:
            force -= g * torch.tensor(u)
            axes.plot([0, u[0]], [0, u[1]], color=colour, lw=1, alpha=0.6)
            axes.plot(*u, "o", color=colour)
            axes.annotate(
                f"{name}  σ = {g + (g < 0):.2f}", u, (7, 5), textcoords="offset points", color=colour
            )
            end = torch.tensor(u) - self.lr * g * v
            axes.annotate("", end.tolist(), u, arrowprops=arrow | {"color": colour})
        axes.plot([0, v[0]], [0, v[1]], color=INK, lw=1.6)
        axes.annotate(CENTRE, v.tolist(), (7, -12), textcoords="offset points", weight="bold")
        axes.annotate("", (v + self.lr * force).tolist(), v.tolist(), arrowprops=arrow | {"color": INK})
        axes.axhline(0, color="gray", lw=0.5)
        axes.axvline(0, color="gray", lw=0.5)
        axes.set(
            aspect="equal",
            title=f"loss {self.loss():.2f}; arrows: the next step",
            xlim=(-2.6, 3.2),
            ylim=(-2, 2.6),
        )
        return figure
