"""The shipped model of regression: near the best estimator there is, without least squares' peak."""

import json

import pytest
import torch

from course import checkpoints
from course.in_context.regression import draw_regression, least_squares, predict_each
from course.in_context.regressor import InContextRegressor
from course.training.recipes import in_context_regression as recipe
from course.training.report import wrapped
from course.training.trainer import Log

FOLDER = checkpoints.SHIPPED / "in-context-regression"


@pytest.fixture(scope="module")
def model() -> InContextRegressor:
    return InContextRegressor.from_pretrained("in-context-regression")


@pytest.fixture(scope="module")
def scores() -> list[dict[str, float]]:
    return json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))


def test_card_log_and_recipe_agree(model, scores, monkeypatch):
    monkeypatch.setattr(recipe, "device_name", lambda device: "one CPU thread")
    log = Log(FOLDER / "log.jsonl").read()
    assert log[-1]["step"] == recipe.TRAINING.steps and model.config == recipe.MODEL
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert card == wrapped(recipe.card(FOLDER, model, scores, "cpu")) and "CC0" in card
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 4e6


def test_in_ten_dimensions_after_twenty_shots_it_is_within_a_tenth_of_ridge(model, scores):
    score = next(score for score in scores if (score["d"], score["shots"]) == (10, 20))
    assert score["over ridge"] < 0.1
    over, spread = recipe.excess(recipe.squared_errors(model, d=10, shots=20, prompts=4000, seed=2))
    assert abs(over - score["over ridge"]) < 4 * 2**0.5 * spread


def test_nobody_is_better_than_ridge(scores):
    """Within three standard errors of the difference."""
    assert all(score["over ridge"] > -3 * score["standard error"] for score in scores)


def test_it_has_no_peak_where_least_squares_has(model):
    for d in (5, 10, 20):
        batch = draw_regression(torch.full((400,), d), generator=torch.Generator().manual_seed(7))
        with torch.no_grad():
            errors = (model(batch.x, batch.y) - batch.y).square().mean(0)
        plain = (predict_each(least_squares, batch.x, batch.y) - batch.y).square().mean(0)
        assert errors[d] < 0.5 * plain[d]
        assert errors.max() < 2 and errors[-1] < errors[d] < errors[0]


def test_the_pairs_and_not_their_order_decide(model):
    """Shuffling the shots changes a prediction by little beside the spread of y, which is 1."""
    batch = draw_regression(torch.full((300,), 10), 21, generator=torch.Generator().manual_seed(8))
    order = torch.cat([torch.randperm(20, generator=torch.Generator().manual_seed(9)), torch.tensor([20])])
    with torch.no_grad():
        one, other = model(batch.x, batch.y)[:, -1], model(batch.x[:, order], batch.y[:, order])[:, -1]
    assert (one - other).square().mean() < 0.02
