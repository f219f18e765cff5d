"""Several rates, one text: what is left is a log of all, and a table of what each model can do."""

import dataclasses
import json

import pytest
from test_bert_recipe import RECIPE

from course.training.recipes import bert_rates, bert_small
from course.training.trainer import Log, TrainingConfig

SHORT = TrainingConfig(steps=4, peak_lr=1e-3, warmup=2, log_every=2, save_every=2)
SETTINGS = {"15%": (0.15, (0.8, 0.1, 0.1)), "100/0/0": (0.5, (1.0, 0.0, 0.0))}


@pytest.fixture
def run(tmp_path, monkeypatch):
    def recipe(rate, split):
        return dataclasses.replace(RECIPE, training=SHORT, rate=rate, split=split)

    monkeypatch.setattr(bert_rates, "recipe", recipe)
    monkeypatch.setattr(bert_rates, "SETTINGS", SETTINGS)
    bert_rates.train(tmp_path)
    return tmp_path


def test_all_settings_are_logged_scored_and_on_the_card(run):
    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    log = Log(run / "log.jsonl").read()
    assert [(entry["name"], entry["step"]) for entry in log] == [(x, n) for x in SETTINGS for n in (2, 4)]
    card = (run / "README.md").read_text(encoding="utf-8")
    for score, entry in zip(scores, log[1::2], strict=True):
        assert score["accuracy"] == pytest.approx(entry["validation_accuracy"])
        assert list(score["stands"]) == list(bert_rates.STANDS)
        assert f"| {score['name']} | {score['accuracy']:.1%} |" in card


def test_the_recipes_differ_in_what_masking_does_alone():
    recipes = [bert_rates.recipe(*setting) for setting in bert_rates.SETTINGS.values()]
    one = recipes[0]
    for other in recipes:
        assert dataclasses.replace(other, rate=one.rate, split=one.split) == one
    assert one.corpus == bert_small.RECIPE.corpus and one.tokens == bert_small.RECIPE.tokens
    assert {recipe.rate for recipe in recipes} == set(bert_rates.RATES)
