"""Few labels: as many of each class as asked; a probe that is logistic regression; intervals that hold."""

import pytest
import torch

from course.models.any_sequence import Linear
from course.studies.few_labels import few_of_each, mean_and_interval, probe, tuned


def test_so_many_of_each_class_and_none_twice():
    labels = torch.tensor([0, 1, 2] * 7)
    chosen = few_of_each(labels, 4, torch.Generator().manual_seed(0))
    assert labels[chosen].bincount().tolist() == [4, 4, 4] and len(chosen.unique()) == 12
    other = few_of_each(labels, 4, torch.Generator().manual_seed(1))
    assert not torch.equal(chosen, other)
    with pytest.raises(ValueError, match="class 0 has 7 examples; 8 are asked for"):
        few_of_each(labels, 8, torch.Generator())


def test_a_probe_is_at_the_least_of_its_loss():
    generator = torch.Generator().manual_seed(0)
    x, labels = torch.randn(60, 5, generator=generator), torch.randint(3, (60,), generator=generator)
    model = probe(x, labels, 3, decay=0.1)
    loss = torch.nn.functional.cross_entropy(model(x), labels) + 0.05 * model.weight.square().sum()
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    assert all(g.abs().max() < 1e-3 for g in gradients)


def test_tuning_leaves_the_model_it_began_from():
    torch.manual_seed(0)
    model, x, labels = Linear(4, 2), torch.randn(20, 4), torch.arange(20) % 2
    x[:, 0] = 3 * (2 * labels - 1)
    before = model.map.weight.clone()
    better = tuned(model, x, labels, steps=60, lr=0.05)
    assert torch.equal(model.map.weight, before) and better.accuracy(x, labels) == 1.0


def test_the_interval_is_students():
    mean, low, high = mean_and_interval([1.0, 2.0, 3.0])
    assert (mean, low, high) == pytest.approx((2.0, 2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5))
    with pytest.raises(ValueError, match="2 to 10 draws; got 1"):
        mean_and_interval([1.0])


def test_nineteen_intervals_in_twenty_hold_the_truth():
    drawn = torch.randn(4000, 6, generator=torch.Generator().manual_seed(0)).tolist()
    held = sum(low <= 0 <= high for _, low, high in map(mean_and_interval, drawn)) / 4000
    assert held == pytest.approx(0.95, abs=6 * (0.95 * 0.05 / 4000) ** 0.5)
