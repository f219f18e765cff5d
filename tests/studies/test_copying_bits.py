"""The copy task and the parts that can be broken."""

import pytest
import torch

from course.models.turing_machine import TuringConfig, TuringMachine
from course.studies.copying_bits import BITS, Copying, CopyLSTM, Parts, copies, drawn, wrong_bits


def test_a_task_is_a_sign_the_rows_a_sign_and_silence():
    inputs, bits = copies(3, 4, torch.Generator().manual_seed(0))
    assert inputs.shape == (4, 8, BITS + 2) and bits.shape == (4, 3, BITS)
    assert torch.equal(inputs[:, 1:4, :BITS], bits) and inputs[:, 5:].sum() == 0
    assert (inputs[:, 0, BITS] == 1).all() and (inputs[:, 4, BITS + 1] == 1).all()
    assert inputs[..., BITS:].sum() == 8
    with pytest.raises(ValueError, match="got 0"):
        copies(0, 1, torch.Generator())


def test_a_steps_batch_depends_on_step_and_seed_alone():
    assert torch.equal(drawn(5, 1, 9, 2).inputs, drawn(5, 1, 9, 2).inputs)
    assert {drawn(s, 0, 4, 1).bits.shape[1] for s in range(60)} == {1, 2, 3, 4}


def test_wrong_bits_count_what_is_said_at_the_end():
    def knows(inputs):
        n = inputs.shape[1] // 2 - 1
        return torch.nn.functional.pad(inputs[:, 1 : n + 1, :BITS] - 0.5, (0, 0, n + 2, 0))

    assert wrong_bits(knows, (1, 4), 5) == [0.0, 0.0]
    assert wrong_bits(lambda x: -knows(x), (4,), 5) == [1.0]
    (half,) = wrong_bits(lambda x: torch.ones(*x.shape[:2], BITS), (20,), 50)
    assert abs(half - 0.5) < 0.03


@pytest.mark.parametrize(
    "learner", [lambda: Copying(TuringMachine(TuringConfig()), 6), lambda: Copying(CopyLSTM(8))]
)
def test_both_learn_by_the_same_loss(learner):
    torch.manual_seed(0)
    model = learner()
    loss = model.loss(*drawn(0, 0, 4, 3))
    loss.backward()
    assert 0.5 < loss.item() < 1 and all(p.grad is not None for p in model.parameters())


def test_each_part_alone_does_what_is_said_of_it():
    how = TuringMachine(TuringConfig()).controls(torch.randn(2, 64))
    for name, changed in (("strength", "strength"), ("search", "gate"), ("shift", "kernel"),
                          ("sharpening", "sharpness"), ("erasing", "erase")):  # fmt: skip
        left = Parts(**{name: 0.0}).weaken(how)
        for field in how._fields:
            assert torch.equal(getattr(left, field), getattr(how, field)) == (field != changed)
    gone = Parts(0.0, 0.0, 0.0, 0.0, 0.0).weaken(how)
    assert gone.strength.sum() == gone.gate.sum() == gone.erase.sum() == 0 and (gone.sharpness == 1).all()
    assert torch.equal(gone.kernel, torch.tensor([0.0, 1.0, 0.0]).expand(2, 2, 3))
    for whole, same in zip(how, Parts().weaken(how), strict=True):
        torch.testing.assert_close(whole, same)
