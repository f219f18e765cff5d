"""Each shipped GPT loads and writes; its card says what its log and its scores say; all are small."""

import json
from importlib import import_module

import pytest
import torch

from course.checkpoints import SHIPPED, find
from course.models.gpt import GPT, GPTConfig
from course.models.language_model import LanguageModel
from course.training import RECIPES
from course.training.recipes import characters, docstrings, scaling, texts
from course.training.report import wrapped
from course.training.trainer import Log

NAMES = ("shakespeare-char", "gpt-stories", "gpt-docstring")
PROMPTS = {
    "shakespeare-char": "ROMEO:\n",
    "gpt-stories": "once upon a time",
    "gpt-docstring": "def __len__(self):\n    ",
}
TRAINED = 1_003_854  # characters of tinyshakespeare that are trained on


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """What the cards say they were trained on."""
    for module in (characters, texts, scaling):
        monkeypatch.setattr(module, "device_name", lambda device: "one CPU thread")


def read(name: str) -> tuple[GPT, dict, list[dict], str]:
    """A checkpoint's model, scores, log and card."""
    folder = find(name)
    scores, card = ((folder / file).read_text(encoding="utf-8") for file in ("scores.json", "README.md"))
    return GPT.from_pretrained(name), json.loads(scores), Log(folder / "log.jsonl").read(), card


@pytest.mark.parametrize("name", NAMES)
def test_it_writes_and_its_weights_are_finite(name):
    model = LanguageModel.from_pretrained(name)
    assert all(bool(torch.isfinite(parameter).all()) for parameter in model.gpt.parameters())
    assert len(model.vocabulary) == model.gpt.config.vocab_size
    assert len(model.write(PROMPTS[name], 20, seed=0)) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_its_log_is_that_of_its_recipe(name):
    recipe = import_module(RECIPES[name]).RECIPE
    model, scores, log, _ = read(name)
    assert log[-1]["step"] == recipe.training.steps and log[0]["loss"] > log[-1]["loss"]
    sizes = recipe.model | {"vocab_size": model.config.vocab_size}
    assert {size: getattr(model.config, size) for size in sizes} == sizes
    loss = scores["whole"] if "whole" in scores else scores["nats_a_token"]["GPT"]
    assert loss == pytest.approx(log[-1]["validation_loss"], abs=0.01)  # float16 against float32


def test_the_cards_are_made_of_logs_and_scores():
    recipe = import_module(RECIPES["shakespeare-char"]).RECIPE
    model, scores, log, card = read("shakespeare-char")
    assert card == wrapped(recipe.card(model, scores, log[-1], TRAINED, "cpu"))
    recipe = import_module(RECIPES["gpt-stories"]).RECIPE
    model, scores, log, card = read("gpt-stories")
    assert card == wrapped(recipe.card(model, scores, log[-1], "cpu"))
    model, scores, log, card = read("gpt-docstring")
    assert card == wrapped(
        docstrings.RECIPE.card(model, scores, log[-1], "cpu") + docstrings.CARD.format(**scores["bodies"])
    )


def test_the_published_loss_is_reached():
    assert read("shakespeare-char")[1]["random"] <= 1.88


@pytest.mark.parametrize("name", ["gpt-stories", "gpt-docstring"])
def test_the_network_predicts_better_than_counting(name):
    losses = read(name)[1]["nats_a_token"]
    assert losses["GPT"] < min(loss for model, loss in losses.items() if model != "GPT")


def test_it_reads_the_docstring():
    """Lecture row L1.6.g: the right body is likelier behind its docstring than behind none, or another's."""
    loss = read("gpt-docstring")[1]["bodies"]["body_loss"]
    assert loss["own"] < min(loss["none"], loss["another"])


def test_what_it_writes_is_mostly_python():
    """Lecture row L1.6.g."""
    bodies = read("gpt-docstring")[1]["bodies"]
    assert 0.5 < bodies["GPT"]["parses"] < bodies["copied"]["parses"] == 1


def test_the_wider_the_better():
    folder = SHIPPED / "gpt-scaling"
    sizes = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    losses = [size["validation_loss"] for size in sizes]
    assert [size["width"] for size in sizes] == list(scaling.WIDTHS)
    assert losses == sorted(losses, reverse=True)
    log = Log(folder / "log.jsonl").read()
    models = [GPT(GPTConfig(65, **scaling.recipe(width).model)) for width in scaling.WIDTHS]
    assert sizes == [scaling.summary(model, log) for model in models]
    assert (folder / "README.md").read_text(encoding="utf-8") == wrapped(scaling.card(sizes, "cpu"))


def test_they_are_small():
    for name in NAMES:
        assert sum(file.stat().st_size for file in find(name).iterdir()) <= 16e6
