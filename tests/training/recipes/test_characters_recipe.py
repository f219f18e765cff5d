"""A recipe of a character model goes from text to a checkpoint, with scores and a card."""

import json
import math

import pytest
import torch

from course.data.tinyshakespeare import split
from course.models.gpt import GPT, GPTConfig
from course.text.characters import Characters
from course.training.batches import WindowBatches
from course.training.recipes.characters import CharacterRecipe, whole_loss
from course.training.recipes.shakespeare_char import RECIPE
from course.training.trainer import TrainingConfig

SMALL = CharacterRecipe(
    title="Counting",
    model={"d_model": 16, "n_heads": 2, "n_layers": 1, "max_length": 8, "dropout": 0.0},
    training=TrainingConfig(steps=80, peak_lr=2e-2, warmup=10, log_every=20, save_every=40),
    batch=8,
    corpus=lambda: split("one two three four five " * 40),
    random=3,
)


def test_a_recipe_learns_and_leaves_model_scores_and_card(tmp_path):
    SMALL.train(tmp_path, progress=False)
    model = GPT.from_pretrained(tmp_path / "model")
    characters = Characters.load(tmp_path / "model" / "characters.json")
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert 0 < scores["whole"] < 0.5 * math.log(len(characters))
    assert scores["random"] == pytest.approx(scores["whole"], abs=0.2)
    written = characters.decode(model.generate(characters.encode("one two "), 5, temperature=0))
    assert written == "three"
    card = " ".join((tmp_path / "model" / "README.md").read_text(encoding="utf-8").split())
    for said in ("# Counting", '"steps": 80', "80 steps", "864 characters", f"{scores['whole']:.4f}"):
        assert said in card


def test_the_whole_loss_is_the_mean_over_every_window():
    torch.manual_seed(0)
    model = GPT(GPTConfig(5, 8, 2, 1, max_length=4)).eval()
    ids = torch.randint(5, (15,)).tolist()  # three windows, and two tokens too few for a fourth
    losses = [
        model.loss(torch.tensor([ids[i : i + 4]]), torch.tensor([ids[i + 1 : i + 5]])) for i in (0, 4, 8)
    ]
    assert whole_loss(model, ids, batch=2) == pytest.approx(torch.stack(losses).mean().item(), abs=1e-6)


def test_windows_are_a_function_of_the_step_and_targets_one_token_on():
    batches, again = (WindowBatches(range(50), 6, 4, seed=1) for _ in range(2))
    ids, targets = batches(3)
    assert ids.shape == (4, 6) and torch.equal(targets, ids + 1)
    assert torch.equal(again(3)[0], ids) and not torch.equal(batches(4)[0], ids)
    starts = {start for step in range(200) for start in batches(step)[0][:, 0].tolist()}
    assert starts == set(range(44))
    with pytest.raises(ValueError, match=r"windows of 6 tokens .* got 6"):
        WindowBatches(range(6), 6, 4)


def test_the_published_setting_is_kept():
    assert (RECIPE.batch, RECIPE.training.steps) == (12, 2000)
    model = GPT(GPTConfig(65, **RECIPE.model))
    assert sum(
        p.numel() for name, p in model.named_parameters() if "positions" not in name
    ) / 1e6 == pytest.approx(0.80, abs=0.01)
