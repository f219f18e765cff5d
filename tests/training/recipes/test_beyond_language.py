"""Notebook 12, first half: cards say what logs and scores say; shipped models reach their scores again."""

import json
from dataclasses import replace
from importlib import import_module

import pytest
import torch

from course.checkpoints import SHIPPED
from course.data import digits
from course.models.any_sequence import SequenceConfig, SequenceEncoder, n_parameters
from course.models.vision import ViT
from course.studies.few_labels import mean_and_interval
from course.training import RECIPES
from course.training.recipes import digits as digits_recipe
from course.training.recipes import new_digits, spoken_digits
from course.training.recipes.sequences import SequenceRecipe, drawn
from course.training.report import wrapped
from course.training.trainer import Log, TrainingConfig

SEQUENCES = ("moving-shapes", "spoken-digits", "protein-families")
NAMES = ("digits", "new-digits", *SEQUENCES)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """What the cards say they were trained on."""
    for module in ("digits", "new_digits", "sequences"):
        monkeypatch.setattr(f"course.training.recipes.{module}.device_name", lambda device: "one CPU thread")


def scores_of(name: str) -> dict:
    return json.loads((SHIPPED / name / "scores.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_its_card_says_what_its_log_and_its_scores_say(name):
    module, folder, scores = import_module(RECIPES[name]), SHIPPED / name, scores_of(name)
    scores.pop("tested", None)
    made = (module.RECIPE if name in SEQUENCES else module).card(folder, scores, "cpu")
    assert (folder / "README.md").read_text(encoding="utf-8") == wrapped(made)
    config = module.RECIPE.training if name in SEQUENCES else module.TRAINING
    assert Log(folder / "log.jsonl").read()[-1]["step"] == config.steps


def test_they_are_small():
    files = [file for name in NAMES for file in (SHIPPED / name).iterdir()]
    assert sum(file.stat().st_size for file in files) < 2e6
    assert sum(file.stat().st_size for file in digits.FOLDER.iterdir()) < 1.5e6


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_shipped_encoder_reaches_its_score_again(name):
    module = import_module(RECIPES[name])
    found = SequenceEncoder.from_pretrained(name).accuracy(*module.RECIPE.tested())
    assert found == pytest.approx(scores_of(name)["encoder"][0], abs=0.005)


def test_digits_are_read_as_well_as_was_promised():
    vit, scores = ViT.from_pretrained("digits"), scores_of("digits")
    accuracy = vit.accuracy(*digits.held_out())
    assert accuracy >= 0.97 and accuracy == pytest.approx(scores["ViT"]["accuracy"], abs=0.002)
    assert n_parameters(vit) == scores["ViT"]["parameters"] <= 500_000


def test_a_single_frame_is_at_chance_and_space_and_time_are_not():
    scores = scores_of("moving-shapes")
    assert min(scores["encoder"]) > 0.95
    standard = (0.25 * 0.75 / 1000) ** 0.5
    assert all(abs(x - 0.25) < 5 * standard for x in scores["encoder, one frame"])
    assert max(scores["linear, all frames"]) < 0.4 and scores["encoder, frames shuffled"][0] < 0.5
    assert max(scores["encoder, tokens of one frame"]) < 0.6


def test_old_digits_help_with_new_ones_and_the_curve_can_be_made_again():
    curve, vit = scores_of("new-digits")["curve"], ViT.from_pretrained("new-digits")
    assert {way: len(of) for way, of in curve.items()} == dict.fromkeys(new_digits.WAYS, len(new_digits.KS))
    means = {way: [mean_and_interval(x)[0] for x in of] for way, of in curve.items()}
    assert means["frozen"][1] > means["linear, on the points"][1]
    assert means["tuned"][-1] > means["linear, on the points"][-1]
    assert all(tuned > scratch for tuned, scratch in zip(means["tuned"], means["from scratch"], strict=True))
    assert all(a > b for a, b in zip(means["frozen"], means["frozen, short schooling"], strict=True))
    for way in ("frozen", "linear, on the points"):
        assert new_digits.score(vit, way, 5, 0) == pytest.approx(curve[way][2][0], abs=0.01)
    pool, tested = new_digits.new_digits()
    assert pool.labels.unique().tolist() == tested.labels.unique().tolist() == [0, 1, 2, 3, 4]


# ---- the recipes themselves ----------------------------------------------------------------------


def test_a_recipe_of_sequences_learns_and_goes_on_where_it_was(tmp_path):
    generator = torch.Generator().manual_seed(0)
    x, labels = torch.randn(60, 3, 2, generator=generator), torch.arange(60) % 2
    x[:, 1, 0] = 4.0 * labels - 2
    recipe = SequenceRecipe(
        title="Signs",
        data="numbers of our own, CC0",
        tested_on="what was trained on",
        model=SequenceConfig(2, 3, 2, d_model=8, n_heads=2, d_ff=8, n_layers=1),
        training=TrainingConfig(steps=60, peak_lr=1e-2, warmup=5, log_every=20, save_every=20),
        batch=16,
        batches=lambda seed: drawn(x, labels, 16, seed),
        tested=lambda: (x, labels),
        beside={"nothing": lambda encoder: [0.5]},
        seeds=(0, 1),
    )
    model = recipe.train(tmp_path, progress=False)
    assert model.accuracy(x, labels) == 1.0
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores == {"encoder": [1.0, 1.0], "nothing": [0.5], "tested": 60}
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "# Signs" in card and "CC0" in card and "| nothing | 50.0% |" in card
    assert "100.0% (100.0%–100.0%, 2 seeds)" in card
    before = (tmp_path / "model" / "model.safetensors").read_bytes()
    recipe.train(tmp_path, progress=False)
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == before


def test_a_step_of_a_recipe_always_trains_on_the_same():
    data = digits.held_out()
    for a, b in zip(*(digits_recipe.batches(data, 8, 2, 0, 5) for _ in range(2)), strict=True):
        assert torch.equal(a, b)
    one, other = (digits_recipe.batches(data, 8, 2, seed, 5)[0] for seed in (0, 1))
    assert not torch.equal(one, other)


def test_one_shuffle_for_all_pictures_loses_nothing():
    images = digits.small("test").images[:20]
    mixed = digits_recipe.reordered(images, "fixed", 7)
    assert not torch.equal(mixed, images)
    assert torch.equal(mixed.flatten(1).sort(-1).values, images.flatten(1).sort(-1).values)
    alone = digits_recipe.reordered(images[3:4], "fixed", 7)
    assert torch.equal(alone, mixed[3:4])


def test_words_slide_later_and_begin_with_silence():
    frames = torch.arange(40.0)[None, :, None].expand(30, 40, 2)
    moved = spoken_digits.slid(frames, torch.Generator().manual_seed(0))[..., 0]
    shift = (moved == 0).sum(1) - 1
    assert shift.min() == 0 and shift.max() == spoken_digits.SLIDE
    for row, by in zip(moved, shift.tolist(), strict=True):
        assert torch.equal(row[by:], torch.arange(40.0 - by))


def test_new_digits_start_with_a_head_of_their_own(monkeypatch):
    monkeypatch.setattr(new_digits, "MODEL", replace(new_digits.MODEL, d_model=16, d_ff=16, n_layers=1))
    torch.manual_seed(0)
    vit = ViT(new_digits.MODEL)
    before = {name: p.clone() for name, p in vit.state_dict().items()}
    found = new_digits.curve(vit, vit, ks=(1,), steps=1)
    assert [len(found[way][0]) for way in new_digits.WAYS] == [8, 4, 8, 8, 4]
    assert all(torch.equal(p, before[name]) for name, p in vit.state_dict().items())
