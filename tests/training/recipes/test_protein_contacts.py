"""Contacts from relatives: the recipe goes through, and what ships is what its card says (L1.2.d)."""

import dataclasses
import json

import pytest
import torch

from course.checkpoints import find
from course.models.factored_attention import FactoredAttention, FactoredConfig
from course.studies.contacts import contact_precision, mean_field_scores, shuffled
from course.training.log import Log
from course.training.recipes import protein_contacts as recipe
from course.training.report import wrapped

NAME = "protein-contacts"
FOLDER = find(NAME)


def scores() -> dict:
    return json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))


def test_a_layer_learns_and_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "MODEL", FactoredConfig(n_heads=2, d_head=4))
    steps = {"steps": 8, "warmup": 1, "log_every": 2, "save_every": 4}
    monkeypatch.setattr(recipe, "TRAINING", dataclasses.replace(recipe.TRAINING, **steps))
    first = recipe.fit(tmp_path / "a", 0, progress=False)
    losses = [line["loss"] for line in Log(tmp_path / "a" / "log.jsonl").read()]
    assert losses[-1] < losses[0]
    again = recipe.fit(tmp_path / "a", 0, progress=False)
    assert torch.equal(first.couplings(), again.couplings())
    assert not torch.equal(first.couplings(), recipe.fit(tmp_path / "b", 1, progress=False).couplings())


def test_counting_gives_what_the_card_says_and_reaches_its_goal():
    """Lecture row L1.2.d: mean-field 0.60 or more of the best L, against a chance of 0.034."""
    letters, _, touching = recipe.known()
    found = contact_precision(mean_field_scores(letters), touching, 191)
    told = scores()["precision"]
    assert found == pytest.approx(told["mean-field, APC"]["L"], abs=0.011) and found >= 0.60
    assert told["chance"]["L"] == pytest.approx(recipe.chance(6), abs=1e-4) and recipe.chance(6) < 0.04
    order = ["chance", "mutual information", "mutual information, APC", "mean-field, APC"]
    values = [told[name]["L"] for name in order]
    assert values == sorted(values)


def test_the_attention_layer_finds_contacts_it_was_never_shown():
    """Lecture row L1.2.d: ten times chance and more than corrected information, from every beginning."""
    layer = FactoredAttention.from_pretrained(NAME)
    found = recipe.precisions(recipe.attention_scores(layer))
    told = scores()
    assert found["L"] == pytest.approx(told["precision"]["attention, APC"]["L"], abs=0.011)
    least = min(found["L"], *told["attention, other seeds"])
    assert (
        least > 1.5 * told["precision"]["mutual information, APC"]["L"]
        and least > 8 * told["precision"]["chance"]["L"]
    )


def test_the_knowledge_is_in_the_pairs_and_in_many_relatives():
    letters, _, touching = recipe.known()
    broken = contact_precision(mean_field_scores(shuffled(letters, 0)), touching, 191)
    assert broken == pytest.approx(scores()["shuffled"][0], abs=0.011) and broken < 0.1
    depth = {int(name): of for name, of in scores()["depth"].items()}
    means = [sum(depth[d]) / len(depth[d]) for d in sorted(depth)]
    assert means == sorted(means) and means[0] < 0.15 < 0.3 < means[-1]


def test_two_searches_agree_on_another_protein():
    found = scores()["second protein"]
    assert found["agreed"] > 5 * found["by chance"]


def test_its_log_is_that_of_its_recipe_and_its_card_is_made_of_log_and_scores(monkeypatch):
    layer = FactoredAttention.from_pretrained(NAME)
    log = Log(FOLDER / "log.jsonl").read()
    assert log[-1]["step"] == recipe.TRAINING.steps and log[-1]["loss"] < log[0]["loss"]
    assert layer.config == recipe.MODEL
    monkeypatch.setattr(recipe, "device_name", lambda device: "one CPU thread")
    card = wrapped(recipe.card(FOLDER, layer, scores(), "cpu"))
    assert card == (FOLDER / "README.md").read_text(encoding="utf-8")
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 2e6
