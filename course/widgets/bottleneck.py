"""The bottleneck (L1.7.a): how much one fixed context holds, and what asking again does about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from course.checkpoints import SHIPPED
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURED = SHIPPED / "copying" / "scores.json"
WAYS = ("fixed", "asking")

WORDS = {
    "title": "One context for all, or one for each",
    "length": "Letters to copy",
    "size": "Numbers in C",
    "asking": "Ask again at each letter",
    "source": "read",
    "written": "share of each that is written right",
    "jar": "C: {size} numbers",
    "curve": "Share right against length",
    "fixed": "one fixed context",
    "again": "asking at each letter",
    "says": {
        "fixed": "One context of {size} numbers, {n} letters: {right} % are written right (seeds from "
        "{low} to {high} %); the first "
        "{first} %, the last {last} %.",
        "asking": "Asking again at each letter, with states of {size} numbers, {n} letters: {right} % "
        "are written right (seeds from "
        "{low} to {high} %); the first {first} %, the last {last} %.",
    },
    "note": "Letters drawn at random from sixteen: chance is 6 %. Each bar is a mean over {seeds} "
    "models that were trained from "
    "different starts on all lengths up to {longest}; the right letters before it are given.",
}


class Bottleneck(CourseWidget):
    """A length and a size to choose, and a switch: what was measured on models that copy letters.

    Args:
        measured: what ``course.training.recipes.copying`` wrote; None means what is shipped.
    """

    _esm = module("bottleneck")
    _css = stylesheet("common", "bottleneck")
    measured = traitlets.Dict().tag(sync=True)
    length = traitlets.Int(12).tag(sync=True)
    size = traitlets.Int().tag(sync=True)
    asking = traitlets.Bool(False).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, measured: dict[str, Any] | None = None, length: int = 12, size: int | None = None):
        if measured is None:
            measured = json.loads(Path(MEASURED).read_text(encoding="utf-8"))
        if set(measured.get("right", {})) != set(WAYS):
            raise ValueError(
                f"measured has lengths, sizes and right, with {' and '.join(WAYS)}; got {list(measured)}"
            )
        sizes = measured["sizes"]
        super().__init__(measured=_summed(measured), length=length, size=sizes[0] if size is None else size)

    @traitlets.validate("length", "size")
    def _known(self, proposal: dict) -> int:
        known = self.measured[f"{proposal['trait'].name}s"]
        if proposal["value"] not in known:
            raise ValueError(f"{proposal['trait'].name} is one of {known}; got {proposal['value']}")
        return proposal["value"]

    @property
    def way(self) -> str:
        return WAYS[self.asking]

    def curve(self, way: str) -> list[dict[str, Any]]:
        """For each length the mean share right, its lowest and highest seed, and the mean at each place."""
        return self.measured["right"][way][str(self.size)]

    def describe(self) -> str:
        at = self.curve(self.way)[self.measured["lengths"].index(self.length)]
        percent = {name: _percent(at[name]) for name in ("right", "low", "high")}
        ends = {"first": _percent(at["places"][0]), "last": _percent(at["places"][-1])}
        return WORDS["says"][self.way].format(size=self.size, n=self.length, **percent, **ends)

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        lengths = self.measured["lengths"]
        figure = Figure(figsize=(10, 3.4), layout="constrained")
        bars, curves = figure.subplots(1, 2)
        at = self.curve(self.way)[lengths.index(self.length)]
        colour = {"fixed": "#B34F00", "asking": "#0072B2"}
        bars.bar(range(1, self.length + 1), at["places"], color=colour[self.way])
        bars.set(ylim=(0, 1.03), xlabel="place", ylabel="share right",
                 title=f"{WORDS['again' if self.asking else 'fixed']}, C of {self.size}")  # fmt: skip
        for way, name in zip(WAYS, ("fixed", "again"), strict=True):
            curve = self.curve(way)
            curves.plot(lengths, [x["right"] for x in curve], color=colour[way], ls={"fixed": "--"}.get(way),
                        label=WORDS[name])  # fmt: skip
            low, high = ([x[edge] for x in curve] for edge in ("low", "high"))
            curves.fill_between(lengths, low, high, color=colour[way], alpha=0.15)
        curves.axvline(self.length, color="gray", lw=0.8)
        curves.set(ylim=(0, 1.03), xlabel="letters to copy", title=f"{WORDS['curve']}, C of {self.size}")
        curves.legend()
        return figure


def _percent(share: float) -> int:
    """Rounded as the browser does: halves up."""
    return int(100 * share + 0.5)


def _summed(measured: dict[str, Any]) -> dict[str, Any]:
    """Seeds as means and ranges."""

    def at(seeds: list[list[float]]) -> dict[str, Any]:
        shares = [sum(places) / len(places) for places in seeds]
        places = [round(sum(p) / len(p), 3) for p in zip(*seeds, strict=True)]
        mean = sum(shares) / len(shares)
        return {
            "right": round(mean, 3),
            "low": round(min(shares), 3),
            "high": round(max(shares), 3),
            "places": places,
        }

    right = {
        way: {size: [at(list(lengths)) for lengths in zip(*seeds, strict=True)] for size, seeds in of.items()}
        for way, of in measured["right"].items()
    }
    seeds = len(next(iter(measured["right"]["fixed"].values())))
    return {"lengths": measured["lengths"], "sizes": measured["sizes"], "seeds": seeds, "right": right}
