"""The Neural Turing Machine: a small recurrent network beside a memory that it finds its way in by attention.

Read from the top: four steps of addressing, each a line; reading and writing; then the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from course import checkpoints
from course.attention import cosine_score, masked_softmax, weighted_sum
from course.checkpoints.reading import build, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint

LEAST = 1e-8
"""A weight below this counts as this where its logarithm is taken."""

# --------------------------------------------------------------------------------------------------
# Where to look: by content, then from where one was
# --------------------------------------------------------------------------------------------------


def content_weights(
    memory: Float[Tensor, "*batch slots width"],
    key: Float[Tensor, "*batch heads width"],
    strength: Float[Tensor, "*batch heads"],
) -> Float[Tensor, "*batch heads slots"]:
    """Attention with the cosine for a score: softmax over the slots of β · cos(key, slot).

    Args:
        strength: β, 0 or more: 0 looks everywhere alike, a large one at the best match alone.

    Source: Graves et al. 2014, equations 5 and 6; lecture row L1.2.e.
    """
    return masked_softmax(strength[..., None] * cosine_score(key, memory))


def interpolate(
    content: Float[Tensor, "*batch slots"],
    previous: Float[Tensor, "*batch slots"],
    gate: Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch slots"]:
    """g · content + (1 - g) · previous: 1 is a search, 0 goes on from where the head was.

    Source: Graves et al. 2014, equation 7; lecture row L1.2.e.
    """
    return torch.lerp(previous, content, gate[..., None])


def shift(
    weights: Float[Tensor, "*batch slots"], kernel: Float[Tensor, "*batch moves"]
) -> Float[Tensor, "*batch slots"]:
    """Move the weights along the memory, which is a ring: w'(i) = Σ_m kernel(m) · w(i - m).

    Args:
        kernel: how much of each move, from -r to r slots (an odd number of them), summing to 1: the first
            of three goes back by one slot, the middle one stays, the last goes on by one.

    Source: Graves et al. 2014, equation 8; lecture row L1.2.e.
    """
    reach = kernel.shape[-1] // 2
    moves = range(-reach, reach + 1)
    moved = torch.stack([weights.roll(move, dims=-1) if move else weights for move in moves], dim=-1)
    return (moved @ kernel[..., None]).squeeze(-1)


def sharpen(
    weights: Float[Tensor, "*batch slots"], sharpness: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch slots"]:
    """w^γ / Σ w^γ: what a shift has smeared is drawn together again.

    Computed as softmax(γ ln w), with weights below 10⁻⁸ counted as that: ln 0 is not finite.

    Args:
        sharpness: γ, 1 or more; 1 leaves the weights as they are.

    Source: Graves et al. 2014, equation 9; lecture row L1.2.e.
    """
    return (sharpness[..., None] * weights.clamp(min=LEAST).log()).softmax(dim=-1)


def address(
    memory: Float[Tensor, "*batch slots width"],
    key: Float[Tensor, "*batch heads width"],
    strength: Float[Tensor, "*batch heads"],
    gate: Float[Tensor, "*batch heads"],
    kernel: Float[Tensor, "*batch heads 3"],
    sharpness: Float[Tensor, "*batch heads"],
    previous: Float[Tensor, "*batch heads slots"],
) -> Float[Tensor, "*batch heads slots"]:
    """Where each head looks now. Four steps, in this order:

    1. search: c = softmax over the slots of ``strength`` · cos(key, slot), where cos of a slot of zeros is 0;
    2. gate: w = ``gate`` · c + (1 - ``gate``) · ``previous``;
    3. shift on a ring: w'(i) = kernel[0] · w(i + 1) + kernel[1] · w(i) + kernel[2] · w(i - 1), so that
       ``kernel[2]`` = 1 moves everything on by one slot, from the last to the first;
    4. sharpen: w'^γ / Σ w'^γ, where γ is ``sharpness``; weights below 10⁻⁸ count as 10⁻⁸.

    Every row sums to 1.

    Source: Graves et al. 2014, figure 2 and equations 5 to 9; lecture row L1.2.e.
    """
    found = content_weights(memory, key, strength)
    return sharpen(shift(interpolate(found, previous, gate), kernel), sharpness)


# --------------------------------------------------------------------------------------------------
# What to change there
# --------------------------------------------------------------------------------------------------


def write(
    memory: Float[Tensor, "*batch slots width"],
    weights: Float[Tensor, "*batch slots"],
    erase: Float[Tensor, "*batch width"],
    add: Float[Tensor, "*batch width"],
) -> Float[Tensor, "*batch slots width"]:
    """Each slot, as far as it is looked at, forgets and then takes up: M (1 - w eᵀ) + w aᵀ.

    Written as M + w (a - e M), which needs fewer tensors of the memory's size. What is given is not changed.

    Args:
        erase: for each of the slot's numbers how much of it goes, between 0 and 1.

    Source: Graves et al. 2014, equations 3 and 4; lecture row L1.2.e.
    """
    change = add[..., None, :] - erase[..., None, :] * memory
    return torch.addcmul(memory, weights[..., None], change)


# --------------------------------------------------------------------------------------------------
# The machine
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TuringConfig:
    """The sizes of a machine. How many slots its memory has is said when it runs: no weight depends on it.

    Args:
        inputs: numbers it reads from outside at each step.
        outputs: numbers it says at each step.
        hidden: width of the recurrent network that steers it, the controller.
        width: numbers in a slot.
    """

    inputs: int = 10
    outputs: int = 8
    hidden: int = 64
    width: int = 16


class Controls(NamedTuple):
    """What the controller asks of the two heads, the reading one first."""

    key: Float[Tensor, "*batch 2 width"]
    strength: Float[Tensor, "*batch 2"]
    gate: Float[Tensor, "*batch 2"]
    kernel: Float[Tensor, "*batch 2 3"]
    sharpness: Float[Tensor, "*batch 2"]
    erase: Float[Tensor, "*batch width"]
    add: Float[Tensor, "*batch width"]


class State(NamedTuple):
    """What goes on from step to step; ``weights`` are where the heads looked, the reading one first."""

    hidden: Float[Tensor, "*batch hidden"]
    cell: Float[Tensor, "*batch hidden"]
    read: Float[Tensor, "*batch width"]
    weights: Float[Tensor, "*batch 2 slots"]
    memory: Float[Tensor, "*batch slots width"]


class TuringMachine(nn.Module):
    """An LSTM that reads one slot's worth of memory a step, and writes one, wherever it looks.

    The memory starts with the same small number everywhere. The writing head starts at slot 0; the reading
    head starts spread evenly, so it has to search before it can walk.

    Source: Graves et al. 2014 (Neural Turing Machines), §3; lecture row L1.2.e.
    """

    start_value = 0.1

    def __init__(self, config: TuringConfig):
        super().__init__()
        self.config = config
        self.controller = nn.LSTMCell(config.inputs + config.width, config.hidden)
        self.heads = nn.Linear(config.hidden, 2 * (config.width + 6))
        self.changes = nn.Linear(config.hidden, 2 * config.width)
        self.say = nn.Linear(config.hidden + config.width, config.outputs)

    def start(self, x: Float[Tensor, "*batch inputs"], slots: int) -> State:
        """Before the first step, for as many rows as ``x`` has."""
        batch, width = x.shape[:-1], self.config.width
        spread = x.new_full((*batch, slots), 1 / slots)
        first = torch.zeros_like(spread)
        first[..., 0] = 1
        hidden, memory = (
            x.new_zeros(*batch, self.config.hidden),
            x.new_full((*batch, slots, width), self.start_value),
        )
        return State(hidden, hidden, x.new_zeros(*batch, width), torch.stack([spread, first], dim=-2), memory)

    def controls(self, hidden: Float[Tensor, "*batch hidden"]) -> Controls:
        """What the controller asks for, each number brought into its range."""
        width = self.config.width
        asked = self.heads(hidden).unflatten(-1, (2, width + 6))
        key, scales, kernel = asked.split((width, 3, 3), dim=-1)
        strength, sharpness, gate = scales.unbind(-1)
        erase, add = self.changes(hidden).chunk(2, dim=-1)
        return Controls(
            key.tanh(), F.softplus(strength), gate.sigmoid(), kernel.softmax(-1), 1 + F.softplus(sharpness),
            erase.sigmoid(), add.tanh(),
        )  # fmt: skip

    def step(
        self,
        x: Float[Tensor, "*batch inputs"],
        state: State,
        change: Callable[[Controls], Controls] | None = None,
    ) -> State:
        """One step: the controller decides, the heads move, one reads (as the last step left it), one writes.

        Args:
            change: what to make of the controller's wishes before they are carried out.
        """
        seen = torch.cat([x, state.read], dim=-1)
        hidden, cell = self.controller(seen, (state.hidden, state.cell))
        how = self.controls(hidden) if change is None else change(self.controls(hidden))
        weights = address(state.memory, *how[:5], state.weights)
        read = weighted_sum(weights[..., :1, :], state.memory).squeeze(-2)
        memory = write(state.memory, weights[..., 1, :], how.erase, how.add)
        return State(hidden, cell, read, weights, memory)

    def run(
        self,
        x: Float[Tensor, "*batch time inputs"],
        slots: int,
        change: Callable[[Controls], Controls] | None = None,
    ) -> list[State]:
        """The state after every step."""
        state, states = self.start(x[..., 0, :], slots), []
        for at in x.unbind(-2):
            state = self.step(at, state, change)
            states.append(state)
        return states

    def spoken(self, states: list[State]) -> Float[Tensor, "*batch time outputs"]:
        """The logits that belong to these states."""
        seen = torch.stack([torch.cat([s.hidden, s.read], dim=-1) for s in states], dim=-2)
        return self.say(seen)

    def forward(
        self, x: Float[Tensor, "*batch time inputs"], slots: int
    ) -> Float[Tensor, "*batch time outputs"]:
        """Logits of what is said at every step."""
        return self.spoken(self.run(x, slots))

    # -- files --

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors; ``torch.float16`` takes half the space."""
        write_checkpoint(folder, asdict(self.config), self.state_dict(), dtype)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> TuringMachine:
        """A machine that ``save`` wrote to a folder, or a shipped one by its name, ready to run.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        config, weights = configured(TuringConfig, read_settings(file), file), read_weights(weights_file)
        return build(lambda: cls(config), weights, weights_file)
