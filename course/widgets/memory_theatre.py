"""The memory theatre (L1.2.e): a Neural Turing Machine at work, its heads over time, each part breakable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.models.turing_machine import State, TuringMachine
from course.studies.copying_bits import BITS, Parts, posed
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHORTEST, MOST, SLOTS = 2, 14, 18
PARTS = Parts._fields
PICTURE = ("#0072B2", "#D55E00")

WORDS = {
    "title": "Memory theatre: two heads over a memory",
    "length": "Rows to copy",
    "moment": "Step shown",
    "strength": "Key strength",
    "search": "Search",
    "shift": "Shift",
    "sharpening": "Sharpening",
    "erasing": "Erasing",
    "whole": "Whole again",
    "anew": "Other bits",
    "inputs": "read",
    "outputs": "said",
    "writing": "writing head",
    "reading": "reading head",
    "memory": "memory at step {moment}",
    "slots": "slots",
    "time": "steps →",
    "right": "All {of} bits come back right.",
    "wrong": "{wrong} of {of} bits come back wrong; guessing would make it about {half}.",
    "here": "At step {moment} ({what}) the writing head has {write} % of its weight on slot {writes}, "
    "the reading head {read} % on slot {reads}.",
    "begin": "the sign to begin",
    "row": "row {n} is read",
    "answer": "the sign to answer",
    "say": "row {n} is said",
    "bit": "Bit {bit} of row {row}: {value}",
    "note": "Time runs to the right. Press a bit to turn it (arrow keys walk over them). In the memory, "
    "blue is below 0 and orange above; a framed bit is a wrong one. A slider at 100 % leaves a part whole.",
}


class MemoryTheatre(CourseWidget):
    """A trained machine, run in the browser: bits to be drawn, five parts to be broken, a step to look at.

    ``bits``, ``moment`` and the parts (``strength``, ``search``, ``shift``, ``sharpening``, ``erasing``, in
    percent) follow what the learner does.

    Args:
        machine: reads and says eight bits, as the shipped one does.
        bits: rows of 0 and 1 to begin with; by default six rows drawn by chance.
    """

    _esm = module("memory_theatre")
    _css = stylesheet("common", "memory_theatre")
    weights = traitlets.Bytes().tag(sync=True)
    places = traitlets.List().tag(sync=True)
    """Of each weight its name, where it begins and how many numbers it has."""
    sizes = traitlets.Dict().tag(sync=True)
    slots = traitlets.Int(SLOTS).tag(sync=True)
    most = traitlets.Int(MOST).tag(sync=True)
    least = traitlets.Int(SHORTEST).tag(sync=True)
    start_value = traitlets.Float().tag(sync=True)
    bits = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    spare = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    """Rows to draw from where the learner asks for more of them, or for others."""
    moment = traitlets.Int(1, min=1).tag(sync=True)
    strength = traitlets.Int(100, min=0, max=100).tag(sync=True)
    search = traitlets.Int(100, min=0, max=100).tag(sync=True)
    shift = traitlets.Int(100, min=0, max=100).tag(sync=True)
    sharpening = traitlets.Int(100, min=0, max=100).tag(sync=True)
    erasing = traitlets.Int(100, min=0, max=100).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, machine: TuringMachine, bits: Float[Tensor, "rows 8"] | None = None, **settings: Any):
        spare = torch.randint(2, (5 * MOST, BITS), generator=torch.Generator().manual_seed(13))
        rows = spare[:6] if bits is None else torch.as_tensor(bits)
        if rows.shape[-1] != machine.config.outputs or not SHORTEST <= len(rows) <= MOST:
            raise ValueError(
                f"bits are {SHORTEST} to {MOST} rows of {machine.config.outputs}; got {list(rows.shape)}"
            )
        self.machine = machine
        flat, places, at = [], [], 0
        for name, weight in machine.state_dict().items():
            flat.append(weight.detach().float().flatten())
            places.append([name, at, weight.numel()])
            at += weight.numel()
        super().__init__(
            weights=torch.cat(flat).numpy().astype("<f4").tobytes(), places=places,
            sizes={n: getattr(machine.config, n) for n in ("inputs", "outputs", "hidden", "width")},
            start_value=machine.start_value, bits=rows.long().tolist(), spare=spare.tolist(), **settings,
        )  # fmt: skip

    @torch.no_grad()
    def run(self) -> tuple[list[State], Float[Tensor, "time bits"]]:
        """The machine's state after every step, with what is left of its parts, and its logits."""
        parts = Parts(*(getattr(self, name) / 100 for name in PARTS))
        inputs = posed(torch.tensor(self.bits, dtype=torch.float32)[None]).inputs
        states = self.machine.run(inputs, self.slots, parts.weaken)
        return states, self.machine.spoken(states)[0]

    def what(self, moment: int) -> str:
        """What happens at a step, in words."""
        n = len(self.bits)
        if moment in (1, n + 2):
            return WORDS["begin" if moment == 1 else "answer"]
        return WORDS["row" if moment < n + 2 else "say"].format(
            n=moment - 1 if moment < n + 2 else moment - n - 2
        )

    def describe(self) -> str:
        states, logits = self.run()
        n = len(self.bits)
        wrong = int(((logits[-n:] > 0).long() != torch.tensor(self.bits)).sum())
        whole = WORDS["wrong" if wrong else "right"].format(wrong=wrong, of=n * BITS, half=n * BITS // 2)
        moment = min(self.moment, len(states))
        (read, reads), (write, writes) = (w.max(dim=0) for w in states[moment - 1].weights[0])
        here = WORDS["here"].format(
            moment=moment, what=self.what(moment), write=_percent(write), writes=int(writes),
            read=_percent(read), reads=int(reads),
        )  # fmt: skip
        return f"{whole} {here}"

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.figures import INK

        states, logits = self.run()
        n, moment = len(self.bits), min(self.moment, len(states))
        inputs = posed(torch.tensor(self.bits, dtype=torch.float32)[None]).inputs[0].T
        said = torch.zeros(BITS, len(states))
        said[:, -n:] = logits[-n:].sigmoid().T
        heads = [torch.stack([s.weights[0, h] for s in states], 1) for h in (1, 0)]
        figure = Figure(figsize=(8.6, 6.2), layout="constrained")
        left, right = figure.add_gridspec(1, 2, width_ratios=[2.2, 1])
        axes = left.subgridspec(4, 1, height_ratios=[10, 8, 18, 18]).subplots(sharex=True)
        titles = ("inputs", "outputs", "writing", "reading")
        for ax, name, values in zip(axes, titles, (inputs, said, *heads), strict=True):
            ax.imshow(_shades(values, PICTURE[0]).numpy(), aspect="auto", interpolation="nearest")
            ax.set(ylabel=WORDS[name], xticks=[], yticks=[])
            ax.axvline(moment - 1, color=INK, lw=1, ls=":")
        axes[-1].set(xlabel=WORDS["time"])
        ax = figure.add_subplot(right)
        memory = states[moment - 1].memory[0]
        pale, dark = _shades(memory.clamp(min=0), PICTURE[1]), _shades(-memory.clamp(max=0), PICTURE[0])
        shades = torch.where((memory >= 0)[..., None], pale, dark).numpy()
        ax.imshow(shades, aspect="auto", interpolation="nearest")
        ax.set(title=WORDS["memory"].format(moment=moment), ylabel=WORDS["slots"], xticks=[])
        return figure


def _shades(values: Float[Tensor, "rows columns"], colour: str) -> Float[Tensor, "rows columns 4"]:
    """One colour, more or less of it, with no ground of its own."""
    from matplotlib.colors import to_rgb

    rgb = torch.tensor(to_rgb(colour)).expand(*values.shape, 3)
    return torch.cat([rgb, (0.06 + 0.94 * values.abs().clamp(max=1))[..., None]], dim=-1)


def _percent(share: Tensor) -> int:
    """Rounded as the browser does: halves up."""
    return int(100 * share.item() + 0.5)
