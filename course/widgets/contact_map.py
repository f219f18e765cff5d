"""Contacts from relatives (L1.2.d): a map of pairs, filled from the best score down; any two columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.data.relatives import LETTERS, Family
from course.studies.contacts import APART, NEAR, far_pairs, relative_weights
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 8
"""Pairs of letters in the table."""
WORDS = {
    "title": "Contacts from relatives",
    "method": "Score",
    "top": "Best pairs shown",
    "next": "Next best pair",
    "previous": "Previous pair",
    "hit": "predicted, and they touch",
    "miss": "predicted, and they do not",
    "true": "they touch (the structure)",
    "says": "{method}: of the best {top} pairs {hits} touch, {precision} (chance {chance}).",
    "pair": "Places {i} and {j}, {a} and {b} in this protein, are {distance} Å apart and {touch}. Among {n} "
    "pairs this score ranks them number {rank}.",
    "touch": "touch",
    "apart": "do not touch",
    "near": "Places {i} and {j} are neighbours in the chain, fewer than {apart} apart: they do not count.",
    "table": "The two columns, {effective} effective relatives",
    "letters": "letters",
    "seen": "seen",
    "expected": "if independent",
    "strip": "Sixty relatives, sorted: column {i} above, column {j} below",
    "label": "Map of pairs of {length} places: predicted above the diagonal, the structure below. {says} "
    "{pair}",
    "help": "Click a pair, or walk with the arrow keys (with Shift ten at a time). What is near the "
    "diagonal is left out: neighbours in the chain touch in any case. Counts weigh relatives that are nearly "
    "copies of one another as one.",
}


class ContactMap(CourseWidget):
    """A protein's pairs of places: scores from its relatives against a structure, and any two columns.

    ``method``, ``top``, ``i`` and ``j`` (from 0, i < j) follow what the learner does.

    Args:
        of: the relatives and the structure.
        scores: for each method a score of every two places; the first is shown first.

    Raises:
        ValueError: if there is no score, or its size is not the protein's.
    """

    _esm = module("contact_map")
    _css = stylesheet("common", "contact_map")
    letters = traitlets.Bytes().tag(sync=True)
    counted = traitlets.Bytes().tag(sync=True)
    scores = traitlets.Bytes().tag(sync=True)
    distances = traitlets.Bytes().tag(sync=True)
    methods = traitlets.List(traitlets.Unicode()).tag(sync=True)
    sizes = traitlets.Dict().tag(sync=True)
    method = traitlets.Unicode().tag(sync=True)
    top = traitlets.Int(min=1).tag(sync=True)
    i = traitlets.Int(0, min=0).tag(sync=True)
    j = traitlets.Int(APART, min=0).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, of: Family, scores: Mapping[str, Float[Tensor, "column column"]], **more: Any):
        n = of.letters.shape[1]
        if not scores or any(s.shape != (n, n) for s in scores.values()):
            raise ValueError(f"scores are tables of {n} by {n}, by method; got {_sizes(scores)}")
        self.family, self.pairs = of, far_pairs(n)
        self.weights = relative_weights(of.letters).float()
        rows, columns = self.pairs
        self.by_method = {name: s[rows, columns].float() for name, s in scores.items()}
        places = of.positions.double()
        self.apart = torch.cdist(places, places)[rows, columns].float()
        self.touching = self.apart < NEAR
        super().__init__(
            letters=of.letters.to(torch.uint8).numpy().tobytes(),
            counted=self.weights.numpy().astype("<f4").tobytes(),
            scores=torch.stack(list(self.by_method.values())).numpy().astype("<f4").tobytes(),
            distances=self.apart.numpy().astype("<f4").tobytes(),
            methods=list(scores),
            sizes={
                "n": n,
                "relatives": len(of.letters),
                "apart": APART,
                "near": NEAR,
                "shown": SHOWN,
                "alphabet": LETTERS,
            },
            **{"method": next(iter(scores)), "top": n, **more},
        )
        if "i" not in more:
            self.i, self.j = (int(x) for x in self.pairs[:, self.order()[0]])

    @traitlets.validate("method")
    def _known(self, proposal: dict) -> str:
        if proposal["value"] not in self.methods:
            raise traitlets.TraitError(f"method is one of {self.methods}; got {proposal['value']!r}")
        return proposal["value"]

    def order(self) -> Tensor:
        """The pairs from the highest score down."""
        return self.by_method[self.method].argsort(descending=True, stable=True)

    def facts(self) -> dict[str, Any]:
        """The numbers of the first sentence."""
        hits = int(self.touching[self.order()[: self.top]].sum())
        chance = self.touching.double().mean().item()
        share = {"precision": f"{int(100 * hits / self.top + 0.5) / 100:.2f}", "chance": f"{chance:.3f}"}
        return {"method": self.method, "top": self.top, "hits": hits} | share

    def about(self) -> str:
        """The sentence about the chosen pair."""
        if self.j - self.i < APART:
            return WORDS["near"].format(i=self.i + 1, j=self.j + 1, apart=APART)
        place = int(((self.pairs[0] == self.i) & (self.pairs[1] == self.j)).nonzero())
        a, b = (LETTERS[self.family.letters[0, c]] for c in (self.i, self.j))
        return WORDS["pair"].format(
            i=self.i + 1, j=self.j + 1, a=a, b=b, distance=f"{self.apart[place]:.1f}",
            touch=WORDS["touch" if self.touching[place] else "apart"], n=f"{len(self.apart):,}",
            rank=f"{int((self.order() == place).nonzero()) + 1:,}",
        )  # fmt: skip

    def counts(self) -> list[tuple[str, float, float]]:
        """Pairs of letters in the two columns: how many were seen, and how many if they were independent.

        Those come first where the two differ most.
        """
        a, b = self.family.letters[:, self.i], self.family.letters[:, self.j]
        seen = torch.zeros(len(LETTERS), len(LETTERS), dtype=torch.float64)
        seen.index_put_((a, b), self.weights.double(), accumulate=True)
        expected = seen.sum(1, keepdim=True) * seen.sum(0) / seen.sum()
        order = (seen - expected).abs().flatten().argsort(descending=True, stable=True)[:SHOWN].tolist()
        pairs = [divmod(place, len(LETTERS)) for place in order]
        return [(LETTERS[x] + LETTERS[y], seen[x, y].item(), expected[x, y].item()) for x, y in pairs]

    def describe(self) -> str:
        return f"{WORDS['says'].format(**self.facts())} {self.about()}"

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.2, 4.6), layout="constrained")
        chart, table = figure.subplots(1, 2, width_ratios=[1.5, 1])
        best = self.order()[: self.top]
        rows, columns = self.pairs
        hit = self.touching[best]
        for chosen, colour, marker, name in (
            (best[hit], "#0072B2", "s", "hit"),
            (best[~hit], "#D55E00", "x", "miss"),
        ):
            chart.scatter(
                columns[chosen] + 1, rows[chosen] + 1, s=7, c=colour, marker=marker, lw=1, label=WORDS[name]
            )
        chart.scatter(
            rows[self.touching] + 1, columns[self.touching] + 1, s=4, c="#8A8A8A", label=WORDS["true"]
        )
        n = self.sizes["n"]
        chart.set(
            xlim=(0, n + 1),
            ylim=(n + 1, 0),
            aspect="equal",
            title=WORDS["says"].format(**self.facts()).replace(": ", ":\n"),
        )
        chart.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06), fontsize=8)
        found = self.counts()[::-1]
        places = np.arange(len(found))
        table.barh(places + 0.2, [s for _, s, _ in found], 0.36, color="#0072B2", label=WORDS["seen"])
        table.barh(places - 0.2, [e for _, _, e in found], 0.36, color="#B98500", label=WORDS["expected"])
        table.set_yticks(places, [letters for letters, _, _ in found], family="monospace")
        table.set(title=f"places {self.i + 1} and {self.j + 1}", xlabel="effective relatives")
        table.legend(fontsize=8)
        return figure


def _sizes(scores: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name}: {tuple(s.shape)}" for name, s in scores.items()) or "none"
