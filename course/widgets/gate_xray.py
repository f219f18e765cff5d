"""The gate X-ray (L1.2.a): every cell of an LSTM while it reads, and how long each remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.models.character_lstm import CharacterLSTM, half_life
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHANNELS = ("forget", "input", "output", "cell")
LONGEST = 200

WORDS = {
    "title": "The gates of an LSTM while it reads",
    "text": "Text",
    "run": "Read",
    "channels": {
        "forget": "forget gate",
        "input": "input gate",
        "output": "output gate",
        "cell": "what the cell holds",
    },
    "rows": "{n} cells, those that remember longest on top",
    "keys": "Arrow keys move over cells and characters.",
    "cell": "Cell {cell} at “{character}”: keeps {forget} of what it held, takes in {input}, shows {output}; "
    "it now holds {holds}. {lasts}",
    "lasts": "Kept open like this, half would be left after {steps}.",
    "one": "1 character",
    "more": "{n} characters",
    "below": "less than one character",
    "through": "Of what it held after the first character, {share} is left at the end.",
    "lines": "Cell {cell} over the text: its gates, between 0 and 1, and tanh(c), between −1 and 1",
}


class GateXray(CourseWidget):
    """The forget, input and output gates of every cell over a text that you type, and what each cell holds.

    ``text``, ``channel``, ``cell`` and ``at`` (a character) follow what the learner does, and can be set.

    Args:
        model: an LSTM of characters.
        text: what it reads first.
        cell: the cell to look at first; by default the one that remembers longest.
    """

    _esm = module("gate_xray")
    _css = stylesheet("common", "sentence", "gate_xray")
    text = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    characters = traitlets.List(traitlets.Unicode()).tag(sync=True)
    order = traitlets.List(traitlets.Int()).tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    channel = traitlets.Enum(CHANNELS, "forget").tag(sync=True)
    cell = traitlets.Int(min=0).tag(sync=True)
    at = traitlets.Int(0, min=0).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, model: CharacterLSTM, text: str, cell: int | None = None, channel: str = "forget"):
        self.model = model
        state = self._read(text)
        state["cell"] = state["order"][0] if cell is None else cell
        super().__init__(text=text, channel=channel, **state)
        self.at = len(self.characters) - 1
        self.observe(self._reread, ["text"])

    def _read(self, text: str) -> dict[str, Any]:
        """What the browser needs to know about a text, and ``channels`` for Python."""
        if len(text) > LONGEST:
            raise ValueError(f"type up to {LONGEST} characters; this text has {len(text)}")
        seen = self.model.read(text)
        gates = seen.gates
        self.channels = torch.stack([gates.forget, gates.input, gates.output, seen.cells])  # [4, time, cell]
        order = gates.forget.log().mean(dim=0).argsort(descending=True)
        values = self.channels.mT.contiguous().float().numpy().astype("<f4")  # [4, cell, time]
        return {"characters": seen.characters, "order": order.tolist(), "data": values.tobytes()}

    def _reread(self, _: Any) -> None:
        """Another text; one that cannot be read keeps the last picture and says why."""
        try:
            state = self._read(self.text)
        except ValueError as error:
            self.problem = str(error)
            return
        with self.hold_sync():
            self.problem, self.at = "", len(state["characters"]) - 1
            self.characters, self.order, self.data = state["characters"], state["order"], state["data"]

    @traitlets.validate("cell")
    def _known_cell(self, proposal: dict) -> int:
        n = self.model.config.hidden_size
        if not 0 <= proposal["value"] < n:
            raise ValueError(f"cells are numbered from 0 to {n - 1}; got {proposal['value']}")
        return proposal["value"]

    def of_cell(self) -> Float[Tensor, "channel time"]:
        """Forget, input, output gate and content of the chosen cell over the text."""
        return self.channels[:, :, self.cell]

    def describe(self) -> str:
        forget, take, show, holds = self.of_cell()[:, self.at].tolist()
        said = WORDS["cell"].format(
            cell=self.cell,
            character=visible(self.characters[self.at]),
            forget=f"{forget:.0%}",
            input=f"{take:.0%}",
            output=f"{show:.0%}",
            holds=f"{holds:.2f}".replace("-", "\u2212"),
            lasts=WORDS["lasts"].format(steps=lasting(half_life(torch.tensor(forget)).item())),
        )
        left = self.of_cell()[0, 1:].prod().item()
        return f"{said} {WORDS['through'].format(share=share(left))}"

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.fonts import drawable
        from course.plots import CHANGE, HEAT

        figure = Figure(figsize=(max(7, 0.17 * len(self.characters)), 5), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=(3, 2), sharex=True)
        values = self.channels[CHANNELS.index(self.channel)].mT[self.order]
        signed = self.channel == "cell"
        end = values.abs().quantile(0.99).item() if signed else 1.0
        colours = {"cmap": CHANGE, "vmin": -end} if signed else {"cmap": HEAT, "vmin": 0}
        above.imshow(values.numpy(), aspect="auto", vmax=end, interpolation="nearest", **colours)
        above.axhline(self.order.index(self.cell), color="#D55E00", linewidth=1)
        above.set(
            ylabel=WORDS["rows"].format(n=len(self.order)).replace(", ", ",\n"),
            title=WORDS["channels"][self.channel],
        )
        above.set_yticks([])
        forget, take, show, holds = self.of_cell().numpy()
        for line, name, style in ((forget, "forget", "-"), (take, "input", "--"), (show, "output", ":")):
            below.plot(line, style, label=WORDS["channels"][name], color=COLOURS[name])
        below.bar(range(len(holds)), np.tanh(holds), color="gray", alpha=0.35, label="tanh(c)")
        below.set(ylim=(-1.05, 1.05), title=WORDS["lines"].format(cell=self.cell))
        below.set_xticks(
            range(len(self.characters)), [drawable(visible(c)) for c in self.characters], parse_math=False
        )
        below.tick_params(axis="x", length=0, labelsize=9)
        below.legend(loc="lower left", ncols=4, fontsize=8)
        return figure


COLOURS = {"forget": "#0072B2", "input": "#D55E00", "output": "#009E73"}


def visible(character: str) -> str:
    """A character as a label shows it."""
    return {" ": "␣", "\n": "↵"}.get(character, character)


def lasting(steps: float) -> str:
    """A half-life in characters, for people."""
    if steps < 1:
        return WORDS["below"]
    return WORDS["one"] if round(steps) == 1 else WORDS["more"].format(n=f"{min(steps, 9999):.0f}")


def share(part: float) -> str:
    """What is left, in per cent: 34 %, 0.2 %, under 0.1 %."""
    percent = 100 * part
    if percent < 0.1:
        return "under 0.1 %"
    return f"{percent:.1f} %" if percent < 1 else f"{percent:.0f} %"
