"""An LSTM and a Transformer of equal size; parity; seconds that are counted."""

import time

import pytest
import torch

from course.studies.long_range import Drawn
from course.studies.old_and_new import KINDS, PARITY, RECALL, fit_for, make, parity


def test_parity_is_the_parity_of_the_bits():
    ids, answers = parity(7, 50, torch.Generator().manual_seed(0))
    assert ids.shape == (50, 8, 1) and (ids[:, -1] == 2).all() and ids[:, :-1].max() == 1
    assert answers.tolist() == [sum(row) % 2 for row in ids[:, :-1, 0].tolist()]
    with pytest.raises(ValueError, match="got 0"):
        parity(0, 1, torch.Generator())


@pytest.mark.parametrize("task", [RECALL, PARITY])
def test_both_are_of_one_size_to_five_per_cent(task):
    sizes = [sum(p.numel() for p in make(kind, task).parameters()) for kind in KINDS]
    assert max(sizes) < 1.05 * min(sizes)
    ids, _ = task.draw(5, 3, torch.Generator().manual_seed(0))
    for kind in KINDS:
        assert make(kind, task)(ids).shape == (3, task.answers)
    with pytest.raises(ValueError, match="'GRU'"):
        make("GRU", task)


def test_training_stops_when_its_seconds_are_over():
    model, start = make("LSTM", PARITY), time.process_time()
    steps = fit_for(model, Drawn(PARITY, (1, 2), 8), 0.3)
    assert steps > 1 and 0.3 <= time.process_time() - start < 3 and not model.training
