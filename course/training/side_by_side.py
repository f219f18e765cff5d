"""Several small machines trained at once: of many small operations, five sets cost little more than one.

Their weights are stacked, so that each of a step's products is one for all; nothing is shared between them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course.models.recurrent import lstm_step
from course.models.turing_machine import TuringMachine


class Linears(nn.Module):
    """As many linear maps of one shape, each for its own rows."""

    def __init__(self, weights: Sequence[Tensor], biases: Sequence[Tensor]):
        super().__init__()
        self.weight = nn.Parameter(torch.stack([w.detach() for w in weights]))
        self.bias = nn.Parameter(torch.stack([b.detach() for b in biases]))

    def forward(self, x: Float[Tensor, "machine *batch in"]) -> Float[Tensor, "machine *batch out"]:
        """Each machine's own map."""
        rows = x.flatten(1, -2)
        return torch.baddbmm(self.bias[:, None], rows, self.weight.mT).unflatten(1, x.shape[1:-1])


class Cells(nn.Module):
    """As many LSTM cells."""

    def __init__(self, cells: Sequence[nn.LSTMCell]):
        super().__init__()
        self.ih = Linears([c.weight_ih for c in cells], [c.bias_ih for c in cells])
        self.hh = Linears([c.weight_hh for c in cells], [c.bias_hh for c in cells])

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """The new (h, c)."""
        ih, hh = self.ih, self.hh
        return lstm_step(x, *state, ih.weight, hh.weight, ih.bias[:, None], hh.bias[:, None])


def side_by_side(machines: Sequence[TuringMachine]) -> TuringMachine:
    """One machine whose first axis is the machine: it takes ``[machine, batch, time, inputs]``."""
    all_of = copy.deepcopy(machines[0])
    all_of.controller = Cells([m.controller for m in machines])
    for name in ("heads", "changes", "say"):
        layers = [getattr(m, name) for m in machines]
        setattr(all_of, name, Linears([x.weight for x in layers], [x.bias for x in layers]))
    return all_of


@torch.no_grad()
def apart(all_of: TuringMachine, machines: Sequence[TuringMachine]) -> None:
    """Give each machine the weights that it has in the one for all."""
    for k, machine in enumerate(machines):
        for name, parameter in machine.named_parameters():
            part, _, kind = name.rpartition(".")
            if part == "controller":
                kind, _, way = kind.partition("_")
                part = f"controller.{way}"
            parameter.copy_(all_of.get_submodule(part).get_parameter(kind)[k])


@torch.no_grad()
def clip_each(parameters: Sequence[Tensor], most: float) -> None:
    """Cut the gradient of each machine, by itself, to a norm of ``most``."""
    squares = sum(p.grad.flatten(1).square().sum(1) for p in parameters)
    factor = (most / (squares.sqrt() + 1e-6)).clamp(max=1)
    for p in parameters:
        p.grad.mul_(factor.view(-1, *[1] * (p.dim() - 1)))
