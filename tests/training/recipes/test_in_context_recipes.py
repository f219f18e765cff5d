"""The recipes of learning in context: what they train on, and that they end in a checkpoint with its card."""

import dataclasses
import json
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch

from course.in_context.induction import moments
from course.in_context.prompts import CHARACTERS
from course.in_context.regressor import InContextRegressor
from course.in_context.tasks import is_held_out, is_held_out_sum, misspellings
from course.in_context.words import TRANSLATIONS
from course.masking import IGNORED
from course.models.gpt import GPT
from course.models.rotary_gpt import RotaryGPT
from course.training.recipes import few_shot, in_context_regression, induction
from course.training.trainer import TrainingConfig

SHORT = TrainingConfig(steps=4, peak_lr=1e-3, warmup=2, decay="cosine", log_every=2, save_every=2)


@pytest.mark.parametrize("recipe", [few_shot, in_context_regression, induction])
def test_a_batch_is_a_function_of_its_step(recipe):
    for one, again, other in zip(recipe.batches(7), recipe.batches(7), recipe.batches(8), strict=True):
        assert torch.equal(one, again) and not torch.equal(one, other)


# -- few-shot --


def test_nothing_held_out_is_trained_on():
    texts = [CHARACTERS.decode(row) for step in range(60) for row in few_shot.batches(step)[0].tolist()]
    sums = [(int(a), int(b)) for text in texts for a, b in re.findall(r"(\d+)\+(\d+)", text)]
    assert len(sums) > 3000 and not any(is_held_out_sum(a, b) for a, b in sums)
    random = np.random.default_rng(0)
    drawn = [few_shot.draw_text(random) for _ in range(300)]
    misspelt = [q for examples, _ in drawn for q, a in examples if q in misspellings(a)]
    misspelt = [question for question in misspelt if question not in TRANSLATIONS]  # French "lettre"
    assert len(misspelt) > 500 and not any(is_held_out(question) for question in misspelt)


def test_formats_and_tasks_have_their_shares():
    """Binomial shares of 2000 texts lie within five standard deviations."""
    random, n = np.random.default_rng(0), 2000
    drawn = [few_shot.draw_text(random) for _ in range(n)]
    added = np.mean(["+" in examples[0].question for examples, _ in drawn])
    assert abs(added - few_shot.SHARES["addition"]) < 5 * (0.4 * 0.6 / n) ** 0.5
    assert {format for _, format in drawn} == set(few_shot.TRAINED_FORMATS)
    assert sum(few_shot.SHARES.values()) == pytest.approx(1)


# -- regression --


def test_the_curriculum_grows_to_the_end_and_stays():
    grown = int(in_context_regression.GROWING * in_context_regression.TRAINING.steps)
    most = [in_context_regression.largest_dimension(step) for step in range(0, 2 * grown, 10)]
    assert most == sorted(most) and set(most) == set(range(5, 21))
    assert most[0] == 5 and in_context_regression.largest_dimension(grown) == 20
    x, y = in_context_regression.batches(0)
    assert x.shape == (64, 11, 20) and y.shape == (64, 11) and (x[..., 5:] == 0).all()
    x, _ = in_context_regression.batches(in_context_regression.TRAINING.steps)
    assert x.shape == (64, 41, 20)
    assert {int((row[0] != 0).sum()) for row in x} <= set(range(5, 21))


def test_the_excess_over_ridge_is_its_share_with_an_error_that_shrinks():
    generator = torch.Generator().manual_seed(0)
    ridge = torch.randn(4000, generator=generator).square()
    errors = {"ridge (optimal)": ridge, "model": 1.1 * ridge}
    assert in_context_regression.excess(errors) == pytest.approx((0.1, 0.0), abs=1e-6)
    errors["model"] = 1.1 * torch.randn(4000, generator=generator).square()
    over, spread = in_context_regression.excess(errors)
    # Two independent means of 4000, each with a relative variance of 2: sqrt(2 * 2 / 4000) * 1.1
    assert spread == pytest.approx(0.035, rel=0.1) and abs(over - 0.1) < 4 * spread


# -- induction --


@pytest.mark.parametrize("step", range(6))
def test_only_pairs_that_came_before_count(step):
    ids, targets = induction.batches(step)
    for row, wanted in zip(ids.tolist(), targets.tolist(), strict=True):
        pairs = list(pairwise(row))
        for i, target in enumerate(wanted[:-1]):
            assert target == (row[i + 1] if pairs[i] in pairs[:i] else IGNORED)


def test_a_text_goes_round_its_circle_but_for_leaps():
    """One leap in ``size`` falls on the next place; five standard deviations of chance are allowed."""
    size, n = 12, 400
    ids = induction.walk(64, size, n, torch.Generator().manual_seed(0))
    left = []
    for row in ids.tolist():
        followers = Counter(pairwise(row))
        usual = {a: max((b for x, b in followers if x == a), key=lambda b: followers[a, b]) for a in set(row)}
        assert len(set(row)) == size and sorted(usual.values()) == sorted(set(row))
        left += [usual[a] != b for a, b in pairwise(row)]
    p = induction.LEAP * (1 - 1 / size)
    assert abs(np.mean(left) - p) < 5 * (p * (1 - p) / len(left)) ** 0.5


# -- from data to checkpoint --


def test_the_induction_recipe_keeps_its_moments(tmp_path, monkeypatch):
    monkeypatch.setattr(induction, "TRAINING", SHORT)
    induction.train(tmp_path, progress=False)
    kept = moments(tmp_path / "model")
    assert [moment.step for moment in kept] == [0, 2, 4]
    final = GPT.from_pretrained(tmp_path / "model").state_dict()
    assert all(torch.equal(final[name], value) for name, value in kept[-1].gpt.state_dict().items())
    assert not torch.equal(kept[0].gpt.embedding.weight, kept[1].gpt.embedding.weight)
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert kept[-1].loss == pytest.approx(scores["repeat_loss"], rel=1e-6)
    card = " ".join((tmp_path / "model" / "README.md").read_text(encoding="utf-8").split())
    for said in ("3 moments", "4 steps", f"{scores['repeat_loss']:.4f} nats", "CC0"):
        assert said in card


def test_the_regression_recipe_ends_in_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(in_context_regression, "TRAINING", SHORT)
    monkeypatch.setattr(in_context_regression, "TEST_PROMPTS", 50)
    small = dataclasses.replace(in_context_regression.MODEL, d_model=16, n_layers=1)
    monkeypatch.setattr(in_context_regression, "MODEL", small)
    in_context_regression.train(tmp_path, progress=False)
    assert InContextRegressor.from_pretrained(tmp_path / "model").config == small
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert [(s["d"], s["shots"]) for s in scores[:5]] == [(5, 5), (5, 10), (5, 20), (5, 40), (10, 5)]
    card = " ".join((tmp_path / "model" / "README.md").read_text(encoding="utf-8").split())
    assert "4 steps" in card and f"| 10 | 20 | {scores[6]['model']:.4f} |" in card


def test_the_few_shot_recipe_ends_in_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(few_shot, "TRAINING", SHORT)
    monkeypatch.setattr(few_shot, "PROMPTS", 4)
    small = dataclasses.replace(few_shot.MODEL, d_model=16, n_heads=2, n_layers=1)
    monkeypatch.setattr(few_shot, "MODEL", small)
    few_shot.train(tmp_path, progress=False)
    assert RotaryGPT.from_pretrained(tmp_path / "model").config == small
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert len(scores) == 12 and "addition, usual format" in scores
    card = " ".join((tmp_path / "model" / "README.md").read_text(encoding="utf-8").split())
    assert "4 steps" in card and card.count("| unseen format |") == 6
