"""Luong's local-p window (L1.3.d): a softmax inside it, a Gaussian over it, and a sum below one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.attention import masked_softmax
from course.models.luong import local_p_weights
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {
    "title": "A window over the source",
    "place": "Place p",
    "half_width": "Half-width D",
    "softmax": "softmax inside the window",
    "weights": "× Gaussian: local-p",
    "again": "divided by their sum again",
    "says": "Window from {low} to {high}: {inside} of {n} words. The weights of local-p sum to {sum}; "
    "“{best}” has {most}, and {more} once they are made to sum to 1.",
    "word": "{word}: softmax {softmax}, local-p {weight}, summing to one {again}",
    "help": "Drag the place or the width. Between two words, both lose: so the gradient tells p where to go.",
}


class Window(CourseWidget):
    """A place and a half-width to drag: each word's softmax weight, local-p's, and those made to sum to one.

    Args:
        words: the source.
        scores: how well each fits, one number a word.
        place: p, from 0 to the last word's place.
        half_width: D, from 0.5 to 6.
    """

    _esm = module("window")
    _css = stylesheet("common", "window")
    source = traitlets.List(traitlets.Unicode()).tag(sync=True)
    scores = traitlets.List(traitlets.Float()).tag(sync=True)
    place = traitlets.Float(0.0, min=0.0).tag(sync=True)
    half_width = traitlets.Float(2.0, min=0.5, max=6.0).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        words: Sequence[str],
        scores: Float[Tensor, "source"] | Sequence[float],
        place: float | None = None,
        half_width: float = 2.0,
    ):
        words, scores = [str(word) for word in words], torch.as_tensor(scores, dtype=torch.float32).tolist()
        if len(words) < 2 or len(scores) != len(words):
            raise ValueError(
                f"a window needs two words or more, each with a score; got {len(words)} and {len(scores)}"
            )
        place = (len(words) - 1) / 2 if place is None else float(place)
        super().__init__(source=words, scores=scores, place=place, half_width=half_width)

    @traitlets.validate("place")
    def _in_the_sentence(self, proposal: dict) -> float:
        if proposal["value"] > len(self.source) - 1:
            raise ValueError(f"p lies from 0 to {len(self.source) - 1}; got {proposal['value']:g}")
        return proposal["value"]

    def weights(self) -> dict[str, Float[Tensor, "source"]]:
        """The softmax inside the window, local-p's weights, and those divided by their sum."""
        scores, place = torch.tensor([self.scores]), torch.tensor([self.place])
        inside = (torch.arange(len(self.source)) - self.place).abs() <= self.half_width
        weights = local_p_weights(scores, place, self.half_width)[0]
        softmax = masked_softmax(scores, inside[None])[0]
        return {"softmax": softmax, "weights": weights, "again": weights / weights.sum().clamp(min=1e-12)}

    def describe(self) -> str:
        found, n = self.weights(), len(self.source)
        best = int(found["weights"].argmax())
        inside = sum(abs(s - self.place) <= self.half_width for s in range(n))
        return WORDS["says"].format(
            low=f"{self.place - self.half_width:.2f}".replace("-", "−"),
            high=f"{self.place + self.half_width:.2f}",
            inside=inside,
            n=n,
            sum=f"{found['weights'].sum():.2f}",
            best=self.source[best],
            most=f"{found['weights'][best]:.2f}",
            more=f"{found['again'][best]:.2f}",
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.plots import elide

        found, n = self.weights(), len(self.source)
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.subplots()
        axes.axvspan(self.place - self.half_width, self.place + self.half_width, color="#0072B2", alpha=0.08)
        looks = {"softmax": "#B8B8B8", "weights": "#0072B2", "again": "#B98500"}
        for i, (name, colour) in enumerate(looks.items()):
            at = [s + 0.26 * (i - 1) for s in range(n)]
            hatch = {"again": "///"}.get(name)
            axes.bar(
                at,
                found[name].tolist(),
                0.24,
                color=colour,
                label=WORDS[name],
                hatch=hatch,
                edgecolor="white",
            )
        x = torch.linspace(-0.5, n - 0.5, 200)
        axes.plot(
            x, torch.exp(-((x - self.place) ** 2) / (2 * (self.half_width / 2) ** 2)), color="#797979", lw=1
        )
        axes.set_xticks(range(n), map(elide, self.source), parse_math=False)
        total = found["weights"].sum()
        title = f"p = {self.place:.2f}, D = {self.half_width:g}: local-p sums to {total:.2f}"
        axes.set(xlim=(-0.6, n - 0.4), ylim=(0, 1.05), ylabel="weight", xlabel="source word", title=title)
        axes.legend(fontsize=8)
        return figure
