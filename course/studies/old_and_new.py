"""An LSTM and a Transformer of as many parameters and as many seconds: what each of them learns.

Two tasks. Recall: n pairs of a key and a value, then a key: which value? Parity: a row of bits: is the number
of ones odd? Both are tried on lengths that were in training and on longer ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.blocks import EncoderBlock
from course.positions import sinusoidal_positions
from course.studies.long_range import TASKS, Questions, Reader, Task

KINDS = ("LSTM", "Transformer")


def parity(n: int, batch: int, generator: torch.Generator) -> Questions:
    """``n`` bits, then the question mark; 1 if an odd number of them is 1.

    Raises:
        ValueError: if there is not one bit or more.
    """
    if n < 1:
        raise ValueError(f"there is one bit or more; got {n}")
    bits = torch.randint(2, (batch, n), generator=generator)
    return Questions(F.pad(bits, (0, 1), value=2)[..., None], bits.sum(-1) % 2)


RECALL, PARITY = TASKS["many pairs"], Task(3, 2, parity)


class TransformerReader(nn.Module):
    """Encoder blocks over the whole question, sines for positions; it answers from the last place.

    Its sizes give as many parameters as ``long_range.Reader("LSTM", ...)`` of width 64 has, to 5 %.
    """

    def __init__(self, vocab_size: int, answers: int, d_model: int = 48, layers: int = 2):
        super().__init__()
        self.d_model = d_model
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.blocks = nn.ModuleList(
            EncoderBlock(d_model, 4, 80, norm="pre", activation="gelu") for _ in range(layers)
        )
        self.answer = nn.Linear(d_model, answers)

    def forward(self, ids: Int[Tensor, "batch time parts"]) -> Float[Tensor, "batch answers"]:
        """Logits of the answers."""
        x = self.embedding(ids).sum(dim=-2) + sinusoidal_positions(ids.shape[1], self.d_model)
        for block in self.blocks:
            x = block(x)
        return self.answer(x[:, -1])

    def loss(self, ids: Int[Tensor, "batch time parts"], answers: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
        """The mean cross-entropy of the answers, in nats."""
        return F.cross_entropy(self(ids), answers)


def make(kind: str, task: Task) -> nn.Module:
    """One of ``KINDS`` for a task.

    Raises:
        ValueError: if it is none of them.
    """
    if kind not in KINDS:
        raise ValueError(f"one of {', '.join(KINDS)}; got {kind!r}")
    if kind == "LSTM":
        return Reader("LSTM", task.vocab_size, task.answers)
    return TransformerReader(task.vocab_size, task.answers)


def fit_for(
    model: nn.Module, batches: Callable[[int], tuple[Tensor, ...]], seconds: float, lr: float = 3e-3
) -> int:
    """Train for so many seconds of this process's CPU time, however many steps that makes; gives the steps.

    Adam; the rate falls in a straight line, with the time, to a tenth.
    """
    optimizer, start, steps = torch.optim.Adam(model.parameters(), lr), time.process_time(), 0
    model.train()
    while (spent := (time.process_time() - start) / seconds) < 1:
        optimizer.param_groups[0]["lr"] = lr * (1 - 0.9 * spent)
        loss = model.loss(*batches(steps))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        steps += 1
    model.eval()
    return steps
