"""The recipes of notebook 02 on tiny data: they go from data to a model, its scores and its card."""

import json
from dataclasses import replace

import pytest

from course.checkpoints import SHIPPED
from course.data import babi, cat_and_mouse, multi30k
from course.data.babi import StoryQuestion
from course.data.length_bands import BANDS, BandedCorpus
from course.data.tatoeba import Pair
from course.models.seq2seq import Seq2SeqConfig
from course.training.recipes import cat_and_mouse as cat_recipe
from course.training.recipes import (
    copying,
    fr_en_recurrent,
    multi30k_recurrent,
    recurrent,
    scenes,
    stories_asked,
)
from course.training.trainer import TrainingConfig

PAIRS = [(s.english, s.chinese) for s in cat_and_mouse.sentences(40)]
TRAINING = TrainingConfig(steps=3, peak_lr=1e-3, warmup=1, decay="cosine", log_every=1, save_every=3)
SMALL = {"d_embedding": 8, "d_hidden": 10}


def small(recipe: recurrent.RecurrentRecipe, **changes) -> recurrent.RecurrentRecipe:
    models = {name: (kind, SMALL) for name, (kind, _) in recipe.models.items()}
    return replace(recipe, models=models, training=TRAINING, vocab_size=300, beam=2, **changes)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setattr(recurrent, "device_name", lambda device: "one CPU thread")


def read(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_family_of_translators_leaves_models_scores_and_cards_and_is_not_trained_twice(
    tmp_path, monkeypatch
):
    corpus = lambda: (PAIRS[:30], PAIRS[30:35], {"held out": PAIRS[35:]})  # noqa: E731
    recipe = small(cat_recipe.RECIPE, corpus=corpus)
    found = recipe.train(tmp_path, progress=False)
    assert set(found) == {"bahdanau", "cosine"}
    for name, model in found.items():
        scores, card = (
            read(tmp_path / name / "scores.json"),
            (tmp_path / name / "model/README.md").read_text("utf-8"),
        )
        assert scores["held out"]["sentences"] == 5 and f"({name})" in card and "3 steps" in card
        again = read(tmp_path / name / "translations.json")["held out"]
        assert model.translate_all([e for e, _ in PAIRS[35:]], beam=2) == again
    monkeypatch.setattr(recurrent, "Trainer", None)
    assert set(recipe.train(tmp_path, progress=False)) == set(found)


def test_the_three_of_one_comparison_are_alike_in_steps_and_parameters():
    for recipe in (fr_en_recurrent.RECIPE, multi30k_recurrent.RECIPE):
        sizes = [
            sum(p.numel() for p in kind(Seq2SeqConfig(recipe.vocab_size, **of)).parameters())
            for kind, of in recipe.models.values()
        ]
        assert list(recipe.models) == ["fixed", "bahdanau", "luong"]
        assert max(sizes) / min(sizes) < 1.01


def test_the_comparison_scores_every_band_and_the_alignments(tmp_path, monkeypatch):
    pairs = [Pair("Tom est ici.", "Tom is here."), Pair("Il dort.", "He sleeps.")]
    banded = BandedCorpus(pairs * 3, pairs, dict.fromkeys(BANDS, pairs), dict.fromkeys(BANDS, 1))
    recipe = small(fr_en_recurrent.RECIPE, corpus=lambda: (banded.train, pairs, banded.tests))
    models = recipe.train(tmp_path, progress=False)
    some = fr_en_recurrent.aligned_sentences()[:3]
    monkeypatch.setattr(fr_en_recurrent.hansards, "aligned_pairs", lambda: some)
    monkeypatch.setattr(fr_en_recurrent, "aligned_sentences", lambda: some)
    monkeypatch.setattr(fr_en_recurrent, "_cut_alike", lambda pair: True)
    scores = fr_en_recurrent.compare(models, tmp_path, banded)
    assert list(scores["bands"]) == list(BANDS)
    assert {n: x["sentences"] for n, x in scores["bands"]["1–5"].items()} == {
        "fixed": 2, "bahdanau": 2, "luong": 2, "transformer": 1,
    }  # fmt: skip
    assert set(scores["alignments"]) == {"bahdanau", "luong", "diagonal"}
    assert "| 16–25 |" in (tmp_path / "together/README.md").read_text("utf-8")


def test_multi30ks_three_models_train_on_tiny_data(tmp_path, monkeypatch):
    monkeypatch.setattr(multi30k, "captions", lambda split, language: ["Ein Hund.", "Zwei Katzen."] * 4)
    monkeypatch.setattr(multi30k_recurrent, "RECIPE", small(multi30k_recurrent.RECIPE))
    assert set(multi30k_recurrent.train(tmp_path)) == {"fixed", "bahdanau", "luong"}
    assert set(read(tmp_path / "luong/scores.json")) == {"test2016", "test2017"}


def test_scenes_are_compared_three_ways(tmp_path, monkeypatch):
    for name, value in {"SEEDS": 1, "STEPS": 2, "BATCH": 4, "DRAWN": 8, "TESTED": 4, "EVERY": 1,
                        "SHIPPED_STEPS": 1, "SHIPPED_DRAWN": 6}.items():  # fmt: skip
        monkeypatch.setattr(scenes, name, value)
    scenes.train(tmp_path)
    scores = read(tmp_path / "model/scores.json")
    assert {way: len(of[0]) for way, of in scores.items()} == dict.fromkeys(scenes.WAYS, 2)
    assert (tmp_path / "model/model.safetensors").exists()


def test_stories_are_read_and_guesses_are_counted(tmp_path, monkeypatch):
    asked = [
        StoryQuestion(("Mary went home.", "John left."), "Where is Mary?", "home", (0,)),
        StoryQuestion(("Mary went home.", "Mary left."), "Where is Mary?", "home", (0,)),
    ]
    monkeypatch.setattr(babi, "questions", lambda task, split="train": asked)
    monkeypatch.setattr(stories_asked, "SEEDS", 1)
    monkeypatch.setattr(stories_asked, "EPOCHS", 1)
    stories_asked.train(tmp_path)
    assert stories_asked.guess(asked) == {"last": 0.5, "even": 0.5}
    assert set(read(tmp_path / "model/scores.json")["seeds"][0]) == set(babi.TASKS)


def test_copying_is_measured_place_by_place(tmp_path, monkeypatch):
    for name, value in {"SIZES": (4,), "SEEDS": 1, "STEPS": 1, "BATCH": 3, "LONGEST": 4}.items():
        monkeypatch.setattr(copying, name, value)
    found = copying.train(tmp_path)
    places = found["right"]["fixed"]["4"][0]
    assert [len(p) for p in places] == [2, 3, 4] == found["lengths"]


# ---- what is shipped ------------------------------------------------------------------------------

NAMES = ("fr-en-fixed", "fr-en-bahdanau", "fr-en-luong", "cat-and-mouse-mlp", "cat-and-mouse-cosine",
         "scenes", "stories-asked", "copying", "fr-en-recurrent")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shipped_is_small_and_has_its_card(name):
    folder = SHIPPED / name
    assert sum(file.stat().st_size for file in folder.iterdir()) < 6e6
    card = (folder / "README.md").read_text("utf-8")
    assert ("- Data: " in card and "Training: " in card) or name == "fr-en-recurrent"


def test_attention_gains_most_on_long_sentences_and_bahdanaus_ten_points():
    bands = read(SHIPPED / "fr-en-recurrent" / "scores.json")["bands"]
    long = bands["16–25"]
    assert long["bahdanau"]["bleu"] - long["fixed"]["bleu"] >= 10
    assert (
        long["luong"]["bleu"] - long["luong"]["interval"] > long["fixed"]["bleu"] + long["fixed"]["interval"]
    )
    for name in ("fixed", "bahdanau", "luong"):
        scores = [bands[band][name]["bleu"] for band in BANDS]
        assert scores == sorted(scores, reverse=True)
