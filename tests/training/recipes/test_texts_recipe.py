"""A recipe of a model of subwords goes from texts to a checkpoint with scores and card."""

import dataclasses
import json
import math
from importlib import import_module

import pytest

from course.data.tinystories import Corpus
from course.models.gpt import GPT, GPTConfig
from course.models.language_model import LanguageModel
from course.text.tokenizers import EOS, Tokenizer
from course.training.recipes.texts import BASELINES, TextRecipe, stream
from course.training.trainer import TrainingConfig

LINES = [f"{a} and {b} make friends." for a in ("ann", "ben", "cat", "dan") for b in ("eve", "fay", "gus")]
RECIPE = TextRecipe(
    title="Friends",
    data="sentences of our own, CC0",
    corpus=lambda: Corpus(LINES[:-2] * 8, LINES[-2:]),
    vocab_size=280,
    model={"d_model": 32, "n_heads": 2, "n_layers": 1, "max_length": 16, "dropout": 0.0},
    training=TrainingConfig(steps=80, peak_lr=2e-2, warmup=10, log_every=20, save_every=40),
    batch=8,
)


@pytest.fixture(scope="module", params=[False, True], ids=["AdamW", "Muon"])
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    dataclasses.replace(RECIPE, muon=request.param).train(folder, progress=False)
    return folder


def test_a_recipe_learns_and_its_checkpoint_writes(folder):
    model = LanguageModel.from_pretrained(folder / "model")
    assert model.write("ann and", 20, temperature=0, stop={EOS}).endswith(" make friends.")


def test_its_scores_are_those_of_the_checkpoint_and_of_counting(folder):
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    assert scores["trained"]["texts"] == 80
    assert scores["held_out"]["characters"] == sum(map(len, LINES[-2:]))
    losses = scores["nats_a_token"]
    assert list(losses) == [*BASELINES, "GPT"]
    assert losses["bigram"] < losses["unigram"] < math.log(280)
    assert 0 < losses["GPT"] < losses["unigram"]


def test_its_card_says_where_it_comes_from_and_how_good_it_is(folder):
    card = " ".join((folder / "model" / "README.md").read_text(encoding="utf-8").split())
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    for said in (
        "# Friends",
        "CC0",
        '"steps": 80',
        "80 steps",
        f"| GPT | {scores['nats_a_token']['GPT']:.3f}",
    ):
        assert said in card


def test_every_text_is_followed_by_the_end_token():
    tokenizer = Tokenizer.train(LINES, 280)
    ids = stream(tokenizer, LINES[:3])
    assert ids.count(EOS) == 3 and ids[-1] == EOS
    assert tokenizer.decode(ids) == "".join(LINES[:3])


@pytest.mark.parametrize(
    ("name", "most"), [("stories", 8e6), ("docstrings", 4e6), ("shakespeare_char_gpu", 11e6)]
)
def test_the_recipes_sizes_are_those_promised(name, most):
    recipe = import_module(f"course.training.recipes.{name}").RECIPE
    vocab_size = getattr(recipe, "vocab_size", 65)
    model = GPT(GPTConfig(vocab_size, **recipe.model))
    assert 0.9 * most / 3 < sum(parameter.numel() for parameter in model.parameters()) <= most
