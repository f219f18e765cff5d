"""From captions to pictures: the recipe goes through, and what ships is what its card says."""

import dataclasses
import json

import pytest
import torch

from course.checkpoints import find
from course.data.shapes import held_out, random_scenes, thing
from course.models.gpt import GPTConfig
from course.models.picture_writer import CAPTION, PICTURE, PictureWriter
from course.studies.captioned_pictures import picture_scores
from course.training.log import Log
from course.training.recipes import captioned_shapes as recipe
from course.training.report import wrapped

NAME = "captioned-shapes"
FOLDER = find(NAME)


@pytest.fixture(scope="module")
def writer() -> PictureWriter:
    return PictureWriter.from_pretrained(NAME)


def scores() -> dict:
    return json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))


def test_it_goes_through_small_and_learns_the_ground(tmp_path, monkeypatch):
    book = torch.rand(12, 48, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(recipe, "codebook", lambda: book)
    tokens = PictureWriter.tokens(12, 33)
    small = GPTConfig(
        tokens, d_model=16, n_heads=2, n_layers=2, max_length=CAPTION + 1 + PICTURE, dropout=0.0
    )
    monkeypatch.setattr(recipe, "MODEL", small)
    steps = {"steps": 12, "warmup": 2, "log_every": 4, "save_every": 4, "peak_lr": 2e-2}
    monkeypatch.setattr(recipe, "TRAINING", dataclasses.replace(recipe.TRAINING, **steps))
    for name, value in (("BATCH", 4), ("TESTED", 6), ("KEPT", 30), ("CODES", 12)):
        monkeypatch.setattr(recipe, name, value)
    monkeypatch.setattr(recipe, "evaluate", lambda writer, of=recipe.evaluate: of(writer, 6, 30))
    recipe.train(tmp_path, progress=False)
    losses = [line["loss"] for line in Log(tmp_path / "log.jsonl").read()]
    assert losses[-1] < 0.8 * losses[0]
    assert PictureWriter.from_pretrained(tmp_path / "model").draw("a red star").codes.shape == (81,)
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "45 of 432 combinations" in card and "| new | nearest caption | 0.0%" in card


def test_a_step_is_a_function_of_its_number_and_nothing_kept_back_is_in_it(writer):
    batches = recipe.Batches(writer, 8)
    (ids, targets), again = batches(7), batches(7)
    assert torch.equal(ids, again[0]) and torch.equal(targets, again[1])
    assert not torch.equal(ids, batches(8)[0])
    scenes = random_scenes(8, seed=(recipe.TRAINING.seed, 7))
    assert torch.equal(targets[:, CAPTION:], writer.scene_codes(torch.from_numpy(scenes)))
    assert not any(held_out()[thing, place] for scene in scenes for place, thing in enumerate(scene))


def test_what_ships_draws_new_combinations_as_its_card_says(writer):
    """Lecture row L1.2.f: a text prompt makes an imaginary picture."""
    told = scores()["new"]["GPT"]
    assert told["exact"] >= 0.7 and told["low"] > 0.7 and told["pictures"] == 1000
    assert scores()["new"]["nearest caption"]["tokens on things"] < 0.5 * told["tokens on things"]
    _, scenes, prompts = recipe.captioned(writer, 40, (77, 1), new=True)
    scenes = torch.from_numpy(scenes)
    found = picture_scores(writer.write(prompts), writer.scene_codes(scenes), scenes)
    assert found["low"] <= told["exact"] <= found["high"]


def test_what_is_said_twice_in_other_words_is_one_picture(writer):
    a = writer.draw("a red star in the top left and a blue ring in the middle").codes
    b = writer.draw("the ring in the center is blue, in the upper left there is a red star").codes
    scene = torch.zeros(9, dtype=torch.long)
    scene[0], scene[4] = thing("star", "red"), thing("ring", "blue")
    assert torch.equal(a, b) and torch.equal(a, writer.scene_codes(scene))


def test_its_log_is_that_of_its_recipe_and_its_card_is_made_of_log_and_scores(writer, monkeypatch):
    log = Log(FOLDER / "log.jsonl").read()
    assert log[-1]["step"] == recipe.TRAINING.steps and log[-1]["loss"] < log[0]["loss"]
    assert dataclasses.asdict(writer.gpt.config) == dataclasses.asdict(recipe.MODEL)
    monkeypatch.setattr(recipe, "device_name", lambda device: "one CPU thread")
    card = wrapped(recipe.card(FOLDER, writer, scores(), "cpu"))
    assert card == (FOLDER / "README.md").read_text(encoding="utf-8")
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 5e6
