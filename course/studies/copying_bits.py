"""The copy task: read rows of bits, then say them once more, from memory alone.

A machine with an outside memory (``course.models.turing_machine``) and an LSTM with only its own state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from course.models.turing_machine import Controls, TuringMachine

BITS = 8
LONGEST = 20
"""The longest sequence in training."""


class Copies(NamedTuple):
    """Sequences of one length: what is read at each of 2n + 2 steps, and what is to be said at the last n."""

    inputs: Float[Tensor, "batch time bits+2"]
    bits: Float[Tensor, "batch length bits"]


def copies(length: int, batch: int, generator: torch.Generator) -> Copies:
    """A sign to begin, ``length`` rows of random bits, a sign to answer, and then nothing, for as long.

    Raises:
        ValueError: if the length is less than 1.

    Source: Graves et al. 2014, §4.1; lecture row L1.2.e.
    """
    if length < 1:
        raise ValueError(f"there is 1 row of bits or more to copy; got {length}")
    return posed(torch.randint(2, (batch, length, BITS), generator=generator).float())


def posed(bits: Float[Tensor, "batch length bits"]) -> Copies:
    """The task of copying these rows."""
    batch, length, width = bits.shape
    inputs = bits.new_zeros(batch, 2 * length + 2, width + 2)
    inputs[:, 0, width] = 1
    inputs[:, 1 : length + 1, :width] = bits
    inputs[:, length + 1, width + 1] = 1
    return Copies(inputs, bits)


def copy_losses(
    logits: Float[Tensor, "*some batch time bits"], bits: Float[Tensor, "*some batch length bits"]
) -> Float[Tensor, "*some"]:
    """The mean cross-entropy of a bit in the answers of a batch, in nats: 0.693 for somebody who guesses."""
    answers = logits[..., -bits.shape[-2] :, :]
    return F.binary_cross_entropy_with_logits(answers, bits, reduction="none").mean(dim=(-3, -2, -1))


def drawn(step: int, seed: int, longest: int, batch: int) -> Copies:
    """The batch of a step, of a length from 1 to ``longest``; it depends on step and seed alone."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + step)
    return copies(1 + int(torch.randint(longest, (), generator=generator)), batch, generator)


Say = Callable[[Tensor], Tensor]
"""Logits of every step for the inputs of every step."""


@torch.no_grad()
def wrong_bits(say: Say, lengths: Sequence[int], n: int = 50, seed: int = 10**6) -> list[float]:
    """The share of an answer's bits that is wrong, for each length: ``n`` new sequences each; chance 0.5."""
    found = []
    for length in lengths:
        inputs, bits = copies(length, n, torch.Generator().manual_seed(seed + length))
        found.append(((say(inputs)[:, -length:] > 0) != (bits > 0)).float().mean().item())
    return found


class CopyLSTM(nn.Module):
    """An LSTM of one layer that has nothing but its state to keep the bits in. Torch's own, for speed."""

    def __init__(self, hidden: int = 256):
        super().__init__()
        self.lstm, self.say = nn.LSTM(BITS + 2, hidden, batch_first=True), nn.Linear(hidden, BITS)

    def forward(self, x: Float[Tensor, "batch time inputs"]) -> Float[Tensor, "batch time outputs"]:
        """Logits of what is said at every step."""
        return self.say(self.lstm(x)[0])


class Copying(nn.Module):
    """A model at its task: what ``fit`` trains. A machine is given a memory of so many slots."""

    def __init__(self, model: TuringMachine | CopyLSTM, slots: int | None = None):
        super().__init__()
        self.model, self.slots = model, slots

    def forward(self, x: Float[Tensor, "batch time inputs"]) -> Float[Tensor, "batch time outputs"]:
        """Logits of what is said at every step."""
        return self.model(x) if self.slots is None else self.model(x, self.slots)

    def loss(
        self, inputs: Float[Tensor, "batch time inputs"], bits: Float[Tensor, "batch length bits"]
    ) -> Tensor:
        """See ``copy_losses``."""
        return copy_losses(self(inputs), bits)


class Parts(NamedTuple):
    """How much of each part of the machine's addressing is left: 1 is all of it, 0 nothing.

    Without strength a search finds every slot alike; without search the head goes on from where it was;
    without shift it stays; without sharpening what is smeared stays smeared; without erasing what is
    written comes on top of what is there.
    """

    strength: float = 1.0
    search: float = 1.0
    shift: float = 1.0
    sharpening: float = 1.0
    erasing: float = 1.0

    def weaken(self, how: Controls) -> Controls:
        """What is left of the controller's wishes."""
        stay = how.kernel.new_tensor([0.0, 1.0, 0.0])
        return how._replace(
            strength=self.strength * how.strength,
            gate=self.search * how.gate,
            kernel=self.shift * how.kernel + (1 - self.shift) * stay,
            sharpness=1 + self.sharpening * (how.sharpness - 1),
            erase=self.erasing * how.erase,
        )
