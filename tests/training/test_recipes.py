"""A recipe goes from text to a checkpoint with scores and a card, and on from where it was interrupted."""

import dataclasses
import json
from importlib import import_module

import pytest
import torch

from course.data import DownloadError, download, registry
from course.models.transformer import TransformerConfig
from course.models.translator import Translator
from course.training import RECIPES
from course.training.recipes.translation import TranslationCorpus, TranslationRecipe
from course.training.trainer import Log, Trainer, TrainingConfig
from course.workbook import cli

NUMBERS = {"un": "one", "deux": "two", "trois": "three", "quatre": "four", "cinq": "five"}


def counting() -> TranslationCorpus:
    """Two French numbers, and the same in English."""
    pairs = [(f"{a} et {b}.", f"{NUMBERS[a]} and {NUMBERS[b]}.") for a in NUMBERS for b in NUMBERS]
    return TranslationCorpus(train=pairs[:-2] * 20, validation=pairs[-2:], tests={"the rest": pairs[:-2]})


RECIPE = TranslationRecipe(
    title="Counting",
    data="sentences of our own, CC0",
    corpus=counting,
    vocab_size=300,
    model={"d_model": 32, "n_heads": 2, "d_ff": 64, "n_encoder_layers": 1, "n_decoder_layers": 1}
    | {"dropout": 0.0, "norm": "pre", "max_length": 32},
    training=TrainingConfig(
        steps=120, peak_lr=1e-2, warmup=20, average=2, average_every=5, log_every=20, save_every=60
    ),
    tokens=300,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    RECIPE.train(folder, progress=False)
    return folder


def test_a_recipe_learns(folder):
    model = Translator.from_pretrained(folder / "model")
    assert model.translate("deux et trois.").text == "two and three."
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    assert scores["the rest"]["sentences"] == 23 and scores["the rest"]["bleu"] > 90
    losses = [entry["loss"] for entry in Log(folder / "log.jsonl").read()]
    assert losses[-1] < 0.5 * losses[0]


def test_the_card_says_where_it_comes_from_and_how_good_it_is(folder):
    card = " ".join((folder / "model" / "README.md").read_text(encoding="utf-8").split())
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))["the rest"]
    for said in ("# Counting", "CC0", '"steps": 120', '"d_model": 32', "CPU thread", "120 steps"):
        assert said in card
    assert f"| the rest | 23 | {scores['bleu']} |" in card and scores["bleu_signature"] in card


def test_a_test_sentence_too_long_is_said_before_training(tmp_path):
    corpus = dataclasses.replace(counting(), tests={"long": [("un et " * 40, "one and " * 40)]})
    recipe = dataclasses.replace(RECIPE, corpus=lambda: corpus)
    with pytest.raises(ValueError, match="this model reads at most 32"):
        recipe.train(tmp_path, progress=False)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_recipe_goes_on_and_ends_the_same(folder, tmp_path, monkeypatch):
    save = Trainer._save

    def save_and_stop(trainer):
        save(trainer)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "_save", save_and_stop)
        RECIPE.train(tmp_path, progress=False)
    RECIPE.train(tmp_path, progress=False)
    one, other = (Translator.from_pretrained(run / "model").state_dict() for run in (folder, tmp_path))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("name", "least", "most"), [("translator", 7e6, 8e6), ("multi30k-en-de", 2.5e6, 2.7e6)]
)
def test_the_recipes_sizes_are_those_promised(name, least, most):
    recipe = import_module(RECIPES[name]).RECIPE
    model = Translator(TransformerConfig(recipe.vocab_size, **recipe.model))
    assert least < sum(parameter.numel() for parameter in model.parameters()) <= most
    assert recipe.longest + 2 <= recipe.model["max_length"]


def test_the_command_trains_a_recipe_by_name(tmp_path, monkeypatch):
    module, calls = import_module(RECIPES["translator"]), []
    monkeypatch.setattr(module, "train", lambda *arguments: calls.append(arguments))
    options = cli.parse(["train", "translator", "--folder", str(tmp_path), "--device", "cpu"])
    assert options.run(options) == 0
    assert calls == [(tmp_path, "cpu")]


def test_an_unknown_recipe_is_answered_with_those_that_exist(capsys):
    with pytest.raises(SystemExit) as exit:
        cli.parse(["train", "latin"])
    said = capsys.readouterr().err
    assert exit.value.code == 2 and all(name in said for name in ["latin", *RECIPES])


def test_a_recipe_without_its_data_ends_in_one_line(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(download, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(registry, "HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    options = cli.parse(["train", "translator", "--folder", str(tmp_path), "--device", "cpu"])
    with pytest.raises(SystemExit, match=r"fra-eng\.zip of tatoeba_fra_eng .* put it at") as exit:
        options.run(options)
    assert isinstance(exit.value.__cause__, DownloadError)
