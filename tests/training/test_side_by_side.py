"""Machines side by side are the same machines: values, gradients, steps; nothing goes from one to another."""

import copy

import pytest
import torch

from course.models.turing_machine import TuringConfig, TuringMachine
from course.training.side_by_side import apart, clip_each, side_by_side

X = torch.randn(3, 2, 5, 4, generator=torch.Generator().manual_seed(1))  # machine, batch, time, inputs


@pytest.fixture
def machines() -> list[TuringMachine]:
    torch.manual_seed(0)
    return [TuringMachine(TuringConfig(inputs=4, outputs=3, hidden=7, width=5)) for _ in range(3)]


def test_values_are_each_machines_own(machines):
    together = side_by_side(machines)(X, 6)
    for k, machine in enumerate(machines):
        torch.testing.assert_close(together[k], machine(X[k], 6))


def test_a_step_is_each_machines_own_clipped_by_itself(machines):
    alone = copy.deepcopy(machines)
    together = side_by_side(machines)
    weights = list(together.parameters())
    optimizer = torch.optim.Adam(weights, 0.01)
    (together(X, 6).square().mean((1, 2, 3)) * torch.tensor([1.0, 50.0, 0.01])).sum().backward()
    clip_each(weights, 0.1)
    optimizer.step()
    apart(together, machines)
    for machine, x, y, scale in zip(alone, X, machines, (1.0, 50.0, 0.01), strict=True):
        optimizer = torch.optim.Adam(machine.parameters(), 0.01)
        (machine(x, 6).square().mean() * scale).backward()
        torch.nn.utils.clip_grad_norm_(machine.parameters(), 0.1)
        optimizer.step()
        for (name, one), other in zip(machine.named_parameters(), y.parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5, msg=name)


def test_what_was_stacked_comes_apart_again(machines):
    before = [copy.deepcopy(m.state_dict()) for m in machines]
    together = side_by_side(machines)
    for machine in machines:
        for parameter in machine.parameters():
            parameter.data.zero_()
    apart(together, machines)
    for machine, state in zip(machines, before, strict=True):
        assert all(torch.equal(state[name], weight) for name, weight in machine.state_dict().items())
