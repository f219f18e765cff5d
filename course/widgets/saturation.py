"""Why the scores are divided by √d_k (L2.5.b): entropy and gradient of the softmax, with and without."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt
from typing import TYPE_CHECKING, Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.attention import attention_entropy, dot_score, masked_softmax, scaled_dot_score, softmax_jacobian
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POWERS_OF_TWO = tuple(2**i for i in range(11))

WORDS = {
    "title": "Why the scores are divided by the square root of d_k",
    "without": "softmax(q · k)",
    "with": "softmax(q · k / √d_k)",
    "bars": "weights {weights}",
    "spread": "Standard deviation of the scores",
    "entropy": "Entropy of the weights (nats)",
    "gradient": "Gradient norm of the softmax",
    "says": "At d_k = {d_k} the products q · k spread by {spread} (theory: √d_k = {root}); half of "
    "all queries pass on a gradient of less than {without} without the scale, {with} with it.",
    "note": "Above: {n} fixed scores with mean 0 and variance 1; without the scale they come √d_k times as "
    "large, with it as they are. Below: {samples} random queries over {n} random keys, all components "
    "drawn from N(0, 1); lines are medians, bands hold the middle 80 %. The gradient norm is the Frobenius "
    "norm of the Jacobian diag(p) − p pᵀ.",
}


def band(samples: Float[Tensor, "sample"]) -> dict[str, float]:
    """The median of many samples and the edges of their middle 80 %."""
    return dict(
        zip(("low", "middle", "high"), samples.quantile(torch.tensor([0.1, 0.5, 0.9])).tolist(), strict=True)
    )


def fixed_scores(n_keys: int, seed: int) -> Float[Tensor, "key"]:
    """Scores with mean 0 and variance 1: what is above the charts, the same for every d_k."""
    scores = torch.randn(n_keys, generator=torch.Generator().manual_seed(seed))
    return (scores - scores.mean()) / scores.std(correction=0)


def saturation_curves(d_k_values: Sequence[int], n_keys: int, n_samples: int, seed: int) -> dict[str, Any]:
    """Weights of fixed scores, entropy and Jacobian norm of many, for each d_k, with and without the scale.

    Queries and keys have standard normal components, so q · k has standard deviation √d_k. For smaller d_k
    the same vectors are cut short: what changes along the slider is the dimension alone. One random query
    would show chance, not d_k, so the weights are those of the same scores, grown by √d_k.
    """
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(n_samples, 1, max(d_k_values), generator=generator)
    key = torch.randn(n_samples, n_keys, max(d_k_values), generator=generator)
    curves: dict[str, Any] = {"d_k": list(d_k_values), "n_keys": n_keys, "n_samples": n_samples}
    curves["spread"] = [dot_score(query[..., :d], key[..., :d]).std().item() for d in d_k_values]
    for name, score in {"without": dot_score, "with": scaled_dot_score}.items():
        weights = [masked_softmax(score(query[..., :d], key[..., :d]))[:, 0] for d in d_k_values]
        bands = {
            "entropy": [band(attention_entropy(w)) for w in weights],
            "gradient": [band(softmax_jacobian(w).flatten(1).norm(dim=1)) for w in weights],
        }
        growth = [sqrt(d) if name == "without" else 1.0 for d in d_k_values]
        curves[name] = {"weights": [(fixed_scores(n_keys, seed) * g).softmax(0).tolist() for g in growth]} | {
            quantity: {edge: [b[edge] for b in each] for edge in ("middle", "low", "high")}
            for quantity, each in bands.items()
        }
    return curves


class Saturation(CourseWidget):
    """A slider over d_k: one query's weights with and without 1/√d_k, and what becomes of their gradient."""

    _esm = module("saturation")
    _css = stylesheet("common", "saturation")
    curves = traitlets.Dict().tag(sync=True)
    d_k = traitlets.Int().tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self, d_k_values: Sequence[int] = POWERS_OF_TWO, n_keys: int = 8, seed: int = 0, n_samples: int = 512
    ):
        dks = list(d_k_values)
        if len(dks) < 2 or dks != sorted(set(dks)) or dks[0] < 1:
            raise ValueError(f"d_k_values are two or more rising whole numbers from 1; got {dks}")
        if n_keys < 2:
            raise ValueError(f"the softmax needs at least 2 keys to choose from; got n_keys={n_keys}")
        curves = saturation_curves(dks, n_keys, n_samples, seed)
        super().__init__(curves=curves, d_k=64 if 64 in dks else dks[len(dks) // 2])

    @traitlets.validate("d_k")
    def _known(self, proposal: dict) -> int:
        if proposal["value"] not in self.curves["d_k"]:
            raise ValueError(f"d_k is one of {self.curves['d_k']}; got {proposal['value']}")
        return proposal["value"]

    def describe(self) -> str:
        i = self.curves["d_k"].index(self.d_k)
        return WORDS["says"].format(
            d_k=self.d_k,
            spread=f"{self.curves['spread'][i]:.1f}",
            root=f"{sqrt(self.d_k):.1f}",
            **{name: f"{self.curves[name]['gradient']['middle'][i]:.2g}" for name in ("without", "with")},
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 5), layout="constrained")
        axes = figure.subplots(2, 2)
        i, n = self.curves["d_k"].index(self.d_k), self.curves["n_keys"]
        for column, (name, colour) in enumerate({"without": "#B34F00", "with": "#0072B2"}.items()):
            axes[0, column].bar(
                [f"k{j + 1}" for j in range(n)], self.curves[name]["weights"][i], color=colour
            )
            axes[0, column].set(ylim=(0, 1), ylabel="weight", title=f"{WORDS[name]} at d_k = {self.d_k}")
            for quantity, where in zip(("entropy", "gradient"), axes[1], strict=True):
                self._curve(where, name, quantity, colour)
        axes[1, 0].axhline(log(n), color="gray", linestyle=":", label=f"ln {n}")
        for where in axes[1]:
            where.legend()
        return figure

    def _curve(self, axes: Axes, name: str, quantity: str, colour: str) -> None:
        dks, curve = self.curves["d_k"], self.curves[name][quantity]
        axes.plot(
            dks,
            curve["middle"],
            color=colour,
            label=WORDS[name],
            linestyle="--" if name == "without" else "-",
        )
        axes.fill_between(dks, curve["low"], curve["high"], color=colour, alpha=0.15)
        axes.axvline(self.d_k, color="gray", linewidth=0.8)
        axes.set_xscale("log", base=2)
        axes.set(xlabel="d_k", title=WORDS[quantity], ylim=(0, None))
