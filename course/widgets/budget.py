"""The budget (L3.6.f): sizes and tokens in; parameters, operations, memory, time and energy out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from course.studies.budget import PUBLISHED, YEAR, Bill, Sizes, bill, parameters, training_flops
from course.widgets.base import CourseWidget, module, stylesheet
from course.widgets.era import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 36, 48, 64, 80, 96, 120)
WIDTHS = (64, 128, 176, 256, 384, 512, 768, 1024, 1280, 1600, 2048, 4096, 8192, 12288, 16384)
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 32768)
VOCABULARIES = (65, 2048, 8000, 30522, 32000, 50257, 128000)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
KINDS = ("weights", "gradients", "moments", "activations")
OURS = (
    # name, sizes, tokens it was trained on
    ("shakespeare-char", Sizes(4, 128, 65, 64), 2000 * 12 * 64),
    ("gpt-stories", Sizes(4, 256, 2048, 256), 1500 * 8 * 256),
)
WORDS = {
    "title": "A budget for training",
    "start": "Start from",
    "own": "your own sizes",
    "layers": "Layers",
    "width": "Width, d_model",
    "length": "Tokens in a window",
    "vocabulary": "Vocabulary",
    "batch": "Windows a batch",
    "tokens": "Tokens in all",
    "half": "loss in bfloat16",
    "rate": "this machine: {rate} operations a second",
    "kinds": {
        "weights": "weights",
        "gradients": "gradients",
        "moments": "Adam's two moments",
        "activations": "activations",
    },
    "says": "{parameters} parameters. {flops} operations. At most {peak} of memory at one time. On a machine "
    "that does {rate} operations a second: {time}. At {watts} watts: {energy}.",
    "bar": "{kind}: {bytes}",
    "chart": "Parameters (across) and operations of training (up): yours among known runs",
    "dot": "{name}: {parameters} parameters, {flops} operations",
    "you": "you",
    "note": "Memory at one time is less than the sum: gradients come as activations go. Time is operations "
    "divided by rate; energy is power times time, without cooling, and without the runs that failed.",
    "units": ["seconds", "minutes", "hours", "days", "years"],
}


def amount(x: float, units: str = "bytes") -> str:
    """Bytes, or kilowatt-hours, for people."""
    if units == "kWh":
        return (
            f"{number(x)} kWh" if x >= 1e6 else f"{_three(x)} kWh" if x >= 0.1 else f"{_three(1000 * x)} Wh"
        )
    for limit, unit, name in ((1e6, 1e3, "kB"), (1e9, 1e6, "MB"), (1e12, 1e9, "GB"), (1e15, 1e12, "TB")):
        if x < 0.9995 * limit:
            return f"{_three(x / unit)} {name}"
    return f"{_three(x / 1e15)} PB"


def duration(seconds: float) -> str:
    """Seconds for people."""
    limits = (120, 7200, 172800, 2 * YEAR, float("inf"))
    unit, name = next(
        (unit, name)
        for limit, unit, name in zip(limits, (1, 60, 3600, 86400, YEAR), WORDS["units"], strict=True)
        if seconds < limit
    )
    return f"{_three(seconds / unit) if seconds / unit < 1e6 else number(seconds / unit)} {name}"


def _three(x: float) -> str:
    """Three digits that count, and no power of ten: 1,230, 45.6, 0.0789."""
    if x >= 1000:
        return f"{float(f'{x:.3g}'):,.0f}"
    return f"{float(f'{x:.3g}'):.6f}".rstrip("0").rstrip(".")


class Budget(CourseWidget):
    """Sliders for a GPT's sizes, its tokens and its batch; the bill, memory by kind, and where it stands.

    Args:
        flops_a_second: what the machine sustains; measure it with ``course.studies.measured.training_rate``.
        watts: what it draws.

    Source: lecture row L3.6.f.
    """

    _esm = module("budget")
    _css = stylesheet("common", "budget")
    layers = traitlets.Int(4, min=1).tag(sync=True)
    width = traitlets.Int(256, min=1).tag(sync=True)
    length = traitlets.Int(256, min=1).tag(sync=True)
    vocabulary = traitlets.Int(2048, min=1).tag(sync=True)
    batch = traitlets.Int(8, min=1).tag(sync=True)
    tokens = traitlets.Float(3e6, help="in all").tag(sync=True)
    half = traitlets.Bool(False).tag(sync=True)
    rate = traitlets.Float().tag(sync=True)
    watts = traitlets.Float().tag(sync=True)
    choices = traitlets.Dict(
        {"layers": LAYERS, "width": WIDTHS, "length": LENGTHS, "vocabulary": VOCABULARIES, "batch": BATCHES}
    ).tag(sync=True)
    known = traitlets.List().tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, flops_a_second: float, watts: float = 30.0, **sizes):
        runs = [
            *OURS,
            *((p.name, p.sizes, p.tokens) for p in PUBLISHED if p.tokens and p.sizes.kind == "gpt"),
        ]
        known = [
            [name, s.n_layers, s.d_model, s.length, s.vocab_size, t, parameters(s), training_flops(s, t)]
            for name, s, t in runs
        ]
        super().__init__(rate=flops_a_second, watts=watts, known=known, **sizes)

    @property
    def bill(self) -> Bill:
        """What it comes to."""
        sizes = Sizes(self.layers, self.width, self.vocabulary, self.length)
        return bill(sizes, self.tokens, self.rate, self.batch, self.watts, self.half)

    def describe(self) -> str:
        b = self.bill
        return WORDS["says"].format(
            parameters=number(b.parameters), flops=number(b.flops), peak=amount(b.memory.peak),
            rate=number(self.rate), time=duration(b.seconds), watts=_three(self.watts),
            energy=amount(b.kilowatt_hours, "kWh"),
        )  # fmt: skip

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.4, 3.4), layout="constrained")
        bars, chart = figure.subplots(1, 2)
        memory = self.bill.memory
        values = [getattr(memory, kind) / 1e6 for kind in KINDS]
        bars.barh([WORDS["kinds"][kind] for kind in KINDS], values, color="#0072B2")
        bars.invert_yaxis()
        bars.set(xlabel="MB", title=f"at one time at most {amount(memory.peak)}")
        for i, (name, *_, count, flops) in enumerate(self.known):
            chart.plot(count, flops, "o", color="#0072B2", ms=5)
            chart.annotate(
                name, (count, flops), textcoords="offset points", xytext=(5, 4 if i % 2 else -8), fontsize=7
            )
        chart.plot(self.bill.parameters, self.bill.flops, "D", color="#D55E00", ms=8)
        chart.set(
            xscale="log", yscale="log", xlabel="parameters", ylabel="operations of training", xlim=(3e5, 3e13)
        )
        return figure
