"""The era (L2.7.e): models by date and size or compute, over a timeline of fields within fields."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import traitlets

from course.data.era import EVENTS, FIELDS, fields_of
from course.data.notable_models import CREDIT, DOMAINS, notable_models
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUANTITIES = ("parameters", "compute")
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#C0679B", "#B98500", "#797979")
WORDS = {
    "title": "The era: models by date",
    "search": "Find a model or an event",
    "quantity": "Up",
    "parameters": "parameters",
    "compute": "compute, in floating-point operations",
    "group": "Models of",
    "all": "everything",
    "closer": "Closer",
    "further": "Further away",
    "whole": "Everything",
    "model": "{name} ({organization}, {day}): {group}; {parameters} parameters, {compute} operations of "
    "training{doubt}.",
    "unknown_number": "unknown",
    "doubt": " (Epoch calls its numbers {confidence})",
    "event": "{day}, {field}: {name}. {what}. Source: {source}.",
    "none": "Nothing here is called “{name}”.",
    "help": "Point at a dot or click it; drag to move, turn the wheel or press + and − to zoom. With the "
    "keyboard: ← and → go to the one before and after, ↓ to the events, ↑ to the models.",
    "label": "{n} models with known {quantity}, {events} events. {says}",
    "domains": list(DOMAINS),
    "fields": FIELDS,
    "credit": CREDIT,
}


def number(x: float | None) -> str:
    """A size for people: 340 million, 175 billion, 3.1 · 10²³; "unknown" where it is not known."""
    if x is None:
        return WORDS["unknown_number"]
    if x < 1e6:
        return f"{x:,.0f}"
    for limit, unit, name in ((1e9, 1e6, "million"), (1e12, 1e9, "billion")):
        if x < 0.9995 * limit:
            return f"{x / unit:.3g} {name}"
    exponent = math.floor(math.log10(x))
    if f"{x / 10**exponent:.1f}" == "10.0":
        exponent += 1
    raised = str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{x / 10**exponent:.1f} · 10{raised}"


class Era(CourseWidget):
    """Every model as a dot; below, four fields as bands, one inside the other, with what happened in each.

    Args:
        chosen: the name of a model or an event.
        quantity: "parameters" or "compute".

    Raises:
        ValueError: if nothing is called that.

    Source: lecture row L2.7.e.
    """

    _esm = module("era")
    _css = stylesheet("common", "era")
    models = traitlets.List().tag(sync=True)
    events = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)
    quantity = traitlets.Enum(QUANTITIES, "parameters").tag(sync=True)
    group = traitlets.Int(-1, min=-1, max=len(DOMAINS) - 1).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, chosen: str = "GPT-3 175B (davinci)", quantity: str = "parameters"):
        self.shown = [m for m in notable_models() if m.parameters or m.compute]
        super().__init__(
            models=[
                [
                    m.name, m.organization, str(m.published), round(m.year, 4), DOMAINS.index(m.group),
                    m.parameters, m.compute, m.confidence,
                ]
                for m in self.shown
            ],
            events=[[e.name, str(e.day), round(e.year, 4), e.field, e.what, e.source] for e in EVENTS],
            quantity=quantity,
            chosen=chosen,
        )  # fmt: skip

    @traitlets.validate("chosen")
    def _is_known(self, proposal: dict) -> str:
        name = proposal["value"]
        if not any(row[0] == name for row in (*self.models, *self.events)):
            raise ValueError(WORDS["none"].format(name=name))
        return name

    def describe(self) -> str:
        for event in EVENTS:
            if event.name == self.chosen:
                field = " ⊂ ".join(reversed(fields_of(event.field)))
                return WORDS["event"].format(
                    day=event.day, field=field, name=event.name, what=event.what, source=event.source
                )
        model = next(m for m in self.shown if m.name == self.chosen)
        sure = model.confidence in ("", "Confident")
        return WORDS["model"].format(
            name=model.name, organization=model.organization or "?", day=model.published, group=model.group,
            parameters=number(model.parameters), compute=number(model.compute),
            doubt="" if sure else WORDS["doubt"].format(confidence=model.confidence.lower()),
        )  # fmt: skip

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.figures import INK

        figure = Figure(figsize=(9.4, 6.2), layout="constrained")
        chart, bands = figure.subplots(2, 1, height_ratios=[3, 2], sharex=True)
        for i, group in enumerate(DOMAINS):
            own = [m for m in self.shown if m.group == group and getattr(m, self.quantity)]
            dots = [m.year for m in own], [getattr(m, self.quantity) for m in own]
            chart.scatter(*dots, s=9, color=COLOURS[i], label=group)
        for m in self.shown:
            if m.name == self.chosen and getattr(m, self.quantity):
                chart.plot(m.year, getattr(m, self.quantity), "o", ms=12, mfc="none", mec=INK, mew=2)
        chart.set(yscale="log", ylabel=WORDS[self.quantity])
        chart.legend(fontsize=8)
        names = list(FIELDS)
        for depth, name in enumerate(names):
            start = min(e.year for e in EVENTS if e.field == name) - 1
            bands.broken_barh([(start, 2027 - start)], (depth, 8 - 2 * depth), color=COLOURS[0], alpha=0.16)
            bands.text(start + 0.3, 8 - depth - 0.5, name, va="center", fontsize=9)
            own = [e for e in EVENTS if e.field == name]
            bands.plot([e.year for e in own], [depth + 0.5] * len(own), "o", color=COLOURS[1], ms=4)
        bands.set(yticks=[], xlabel="year", title="fields within fields, and what happened in each")
        return figure
