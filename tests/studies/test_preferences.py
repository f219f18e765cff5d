"""Preferences: the loss, the model of the reader, and the best of n, exactly."""

import math
from itertools import combinations

import pytest
import torch

from course.models.gpt import GPT, GPTConfig
from course.studies import preferences as study
from course.studies.era import doubling


def test_the_readers_rule():
    assert study.true_reward("she was happy, and she was kind") == 2 - 1  # "she was" stands twice
    assert study.true_reward("happy happy happy") == 1 - 2
    assert study.true_reward("The dog ran.") == 0
    assert study.true_reward("a hug! A smile.") == 2


def test_the_loss_is_that_of_bradley_and_terry():
    a, b = torch.randn(50), torch.randn(50)
    assert torch.allclose(study.preference_loss(a, b), -torch.log(a.exp() / (a.exp() + b.exp())).mean())
    assert study.preference_loss(a, b) == pytest.approx(study.preference_loss(a + 5, b + 5).item(), abs=1e-5)
    assert study.preference_loss(a * 0, a * 0).item() == pytest.approx(math.log(2))
    assert torch.isfinite(study.preference_loss(torch.tensor([-500.0]), torch.tensor([500.0])))


def test_a_linear_reader_is_recovered():
    generator = torch.Generator().manual_seed(0)
    worth, texts = torch.randn(12, generator=generator), torch.randint(12, (400, 9), generator=generator)
    counted = study.counts(texts, 12)
    assert counted.sum(-1).eq(9).all()
    chosen, rejected = study.ranked_pairs(counted @ worth, 600, seed=1)
    assert ((counted @ worth)[chosen] > (counted @ worth)[rejected]).all()
    learned = study.fit_reward(counted[chosen], counted[rejected], decay=1e-4)
    left, right = study.ranked_pairs(counted @ worth, 600, seed=2)
    assert study.agreement(learned, counted[left], counted[right]) > 0.95


def test_the_best_of_n_is_the_mean_over_all_draws():
    proxy, reward = torch.tensor([0.3, -1.0, 2.0, 0.9, 1.1]), torch.tensor([1.0, 5.0, -2.0, 3.0, 0.5])
    for n in range(1, 6):
        best = [max(draw, key=lambda i: proxy[i]) for draw in combinations(range(5), n)]
        expected = (proxy[best].mean().item(), reward[best].mean().item())
        assert study.best_of(proxy, reward, n) == pytest.approx(expected)
    with pytest.raises(ValueError, match="needs 1 to 5 texts"):
        study.best_of(proxy, reward, 6)
    assert study.divergence_of_best(1) == 0 and study.divergence_of_best(4) == pytest.approx(0.636, abs=1e-3)


def test_pushing_raises_what_is_liked_and_its_price():
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(20, 16, 2, 1, max_length=32, dropout=0.0)).eval()
    worth = torch.randn(20)
    plain = study.write(gpt, [1, 2], 40, length=8)
    assert plain.ids.shape == (40, 8) and plain.divergence.abs().max() < 1e-5
    pushed = [study.write(gpt, [1, 2], 40, worth, push, length=8) for push in (1.0, 3.0)]
    liked = [(study.counts(w.ids, 20) @ worth).mean() for w in (plain, *pushed)]
    assert liked[0] < liked[1] < liked[2]
    assert 0 < pushed[0].divergence.mean() < pushed[1].divergence.mean()
    again = study.write(gpt, [1, 2], 40, worth, 3.0, length=8)
    assert torch.equal(again.ids, pushed[1].ids)


def test_a_doubling_is_found():
    years = [2010 + i / 10 for i in range(60)]
    found = doubling(years, [100 * 2 ** (2 * (y - 2010)) for y in years])
    assert found.months == pytest.approx(6) and found.low <= found.months <= found.high
    with pytest.raises(ValueError, match="10 models or more"):
        doubling(years[:5], [1.0] * 5)
