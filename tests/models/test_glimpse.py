"""Soft and hard looks: weights that sum to one, an unbiased estimate, a reader that learns where to look."""

import pytest
import torch

from course.data import scenes
from course.models.glimpse import (
    SceneReader,
    expected_gradient,
    hard_glimpse,
    hard_loss,
    mass_on,
    score_function_gradient,
    soft_glimpse,
    soft_loss,
)

SCORES = torch.tensor([0.4, -1.1, 1.7, 0.2, -0.3, 0.9])
REWARDS = torch.tensor([-2.0, -0.3, -1.4, -3.1, -0.1, -2.2])


def test_a_soft_look_is_the_weighted_sum():
    values = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0))
    glimpse, weights = soft_glimpse(SCORES.expand(2, -1), values)
    assert torch.allclose(weights.sum(-1), torch.ones(2))
    assert torch.allclose(glimpse, (weights[..., None] * values).sum(-2), atol=1e-6)


def test_a_hard_look_sees_one_cell_as_often_as_its_weight_says():
    n, generator = 60_000, torch.Generator().manual_seed(0)
    values = torch.arange(6.0)[:, None].expand(n, 6, 1)
    seen, cell = hard_glimpse(SCORES.expand(n, -1), values, generator)
    assert torch.equal(seen[:, 0], cell.float())
    p = SCORES.softmax(-1)
    often = torch.bincount(cell, minlength=6) / n
    assert ((often - p).abs() < 6 * (p * (1 - p) / n).sqrt()).all()


def test_no_gradient_comes_back_through_a_hard_look():
    scores = SCORES.clone().requires_grad_()
    seen, _ = hard_glimpse(scores[None], torch.randn(1, 6, 3), torch.Generator().manual_seed(0))
    assert not seen.requires_grad


def test_the_expected_gradient_is_autograds():
    scores = SCORES.clone().requires_grad_()
    (scores.softmax(-1) * REWARDS).sum().backward()
    assert torch.allclose(expected_gradient(SCORES, REWARDS), scores.grad, atol=1e-7)


@pytest.mark.parametrize("baseline", [False, True])
@pytest.mark.parametrize("looks", [2, 5])
def test_the_estimate_is_unbiased_to_six_standard_errors(baseline, looks):
    n, generator = 6_000, torch.Generator().manual_seed(7)
    drawn = torch.multinomial(SCORES.softmax(-1), n * looks, True, generator=generator).view(n, looks)
    found = torch.stack([score_function_gradient(SCORES, k, REWARDS[k], baseline) for k in drawn])
    error = found.mean(0) - expected_gradient(SCORES, REWARDS)
    assert (error.abs() < 6 * found.std(0) / n**0.5).all()


def test_a_baseline_that_holds_its_own_reward_would_be_caught():
    """What the test above sees: the mean of all rewards as a baseline shrinks the estimate by (n - 1)/n."""
    n, looks, generator = 6_000, 2, torch.Generator().manual_seed(7)
    drawn = torch.multinomial(SCORES.softmax(-1), n * looks, True, generator=generator).view(n, looks)
    found = torch.stack([score_function_gradient(SCORES, k, REWARDS[k] - REWARDS[k].mean()) for k in drawn])
    error = found.mean(0) - expected_gradient(SCORES, REWARDS)
    assert (error.abs() > 6 * found.std(0) / n**0.5).any()


def test_the_baseline_makes_it_stray_less():
    generator = torch.Generator().manual_seed(1)
    drawn = torch.multinomial(SCORES.softmax(-1), 2000 * 4, True, generator=generator).view(2000, 4)
    spread = [
        torch.stack([score_function_gradient(SCORES, k, REWARDS[k], b) for k in drawn]).var(0).sum()
        for b in (False, True)
    ]
    assert spread[1] < spread[0]


def test_the_estimate_has_no_gradient_of_its_own_and_looks_need_rewards():
    scores = SCORES.clone().requires_grad_()
    found = score_function_gradient(scores, torch.tensor([1, 2]), REWARDS[:2].requires_grad_(), True)
    assert not found.requires_grad
    with pytest.raises(ValueError, match="every look needs its reward; got 1 for 2"):
        score_function_gradient(SCORES, torch.tensor([1, 2]), REWARDS[:1])
    with pytest.raises(ValueError, match="two or more; got one"):
        score_function_gradient(SCORES, torch.tensor([1]), REWARDS[:1], baseline=True)


def test_the_hard_losss_gradient_for_the_scores_is_the_estimate_on_average():
    """Its mean over many draws is that of the expected loss, for the question's vector."""
    torch.manual_seed(0)
    drawn, reader = scenes.draw(1, seed=0), SceneReader().double().eval()
    with torch.no_grad():
        seen = reader.see(drawn.images.double())
    reader.see = torch.nn.Identity()  # the convolutions are done once
    batch = seen, torch.tensor([1]), drawn.things[:, 1]
    scores, rewards = reader.log_p_of_each_cell(*batch)
    exact = torch.autograd.grad(-(scores.softmax(-1) * rewards.detach()).sum(), reader.query.weight)[0][1]
    generator, found = torch.Generator().manual_seed(1), []
    for _ in range(200):
        loss = hard_loss(reader, *batch, looks=16, generator=generator)
        found.append(torch.autograd.grad(loss, reader.query.weight)[0][1])
    found = torch.stack(found)
    assert ((found.mean(0) - exact).abs() < 6 * found.std(0) / 200**0.5).all()


def test_a_reader_learns_where_to_look_from_names_alone():
    torch.manual_seed(0)
    drawn, reader = scenes.draw(24, seed=3), SceneReader()
    optimizer = torch.optim.Adam(reader.parameters(), 3e-3)
    kinds = torch.arange(24) % 3
    batch = drawn.images, kinds, drawn.things[torch.arange(24), kinds]
    first = soft_loss(reader, *batch).item()
    for _ in range(25):
        loss = soft_loss(reader, *batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5 * first


def test_mass_is_the_weight_on_the_cells():
    weights = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    assert mass_on(weights, torch.tensor([[True, False, False, True]])).tolist() == pytest.approx([0.5])


def test_the_shipped_reader_looks_at_what_is_asked_for():
    reader, tested = SceneReader.from_pretrained("scenes"), scenes.draw(150, "held out", seed=11)
    masses, areas = [], []
    with torch.no_grad():
        for kind in range(3):
            _, weights = reader(tested.images, torch.full((150,), kind))
            masses.append(mass_on(weights, tested.cells()[:, kind]).mean())
            areas.append(tested.cells()[:, kind].float().mean())
    assert torch.stack(masses).mean() >= 0.7 and torch.stack(areas).mean() < 0.15
