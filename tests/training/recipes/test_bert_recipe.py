"""A BERT and its twin learn from the same tiny corpus, and their cards say what their scores say."""

import dataclasses
import json
from importlib import import_module

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course.data.everyday import Corpus, Texts
from course.masking import IGNORED
from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.next_sentence import IS_NEXT, NOT_NEXT
from course.studies.bert_pretraining import scores
from course.text.wordpiece import WordPiece
from course.training import RECIPES
from course.training.recipes.bert import (
    BASELINES,
    BertRecipe,
    PretrainingBatches,
    encoded,
    held_out_batches,
    told,
)
from course.training.trainer import Log, TrainingConfig

ANIMALS = {"cat": "purrs", "dog": "barks", "hen": "clucks", "cow": "moos", "pig": "grunts", "owl": "hoots"}


def story(animal: str) -> list[str]:
    noise = ANIMALS[animal]
    return [f"this is a {animal}.", f"the {animal} {noise}.", f"it {noise} again.", f"good {animal}!"]


STORIES = [story(animal) for animal in ANIMALS]
SENTENCES = [f"i see the {animal} that {noise}." for animal, noise in ANIMALS.items()]
CORPUS = Corpus(Texts(STORIES * 6, SENTENCES * 10), Texts(STORIES, SENTENCES))
RECIPE = BertRecipe(
    title="Farm",
    about="A BERT of a farm.",
    data="sentences of our own, CC0",
    objective="masked",
    corpus=lambda: CORPUS,
    vocab_size=120,
    model={"d_model": 32, "n_heads": 2, "d_ff": 64, "n_layers": 2, "max_length": 24, "dropout": 0.0}
    | {"attention_dropout": 0.0},
    training=TrainingConfig(steps=150, peak_lr=4e-3, warmup=30, decay="cosine", log_every=50, save_every=150),
    tokens=256,
    muon=True,
)
TWIN = dataclasses.replace(RECIPE, title="Farm's twin", objective="causal")
TOKENIZER = WordPiece.train([*SENTENCES, *(text for story in STORIES for text in story)], 120)
TEXTS = encoded(TOKENIZER, CORPUS.train)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folders = {recipe.objective: tmp_path_factory.mktemp(recipe.objective) for recipe in (RECIPE, TWIN)}
    for recipe in (RECIPE, TWIN):
        recipe.train(folders[recipe.objective], progress=False)
    return folders


def batches(objective: str = "masked", **changes) -> PretrainingBatches:
    return PretrainingBatches(TEXTS, TOKENIZER, objective, **{"longest": 24, "tokens": 256} | changes)


# -- batches --


def test_a_steps_batch_depends_on_the_step_and_the_seed_alone():
    one, two = batches(), batches()
    for x, y in zip(one(4), [two(7), two(4)][-1], strict=True):
        assert torch.equal(x, y)
    assert not torch.equal(one(3)[0], batches(seed=1)(3)[0])


def test_two_batches_of_pairs_for_one_of_single_sentences():
    made = batches()
    for step in range(6):
        ids, labels, next_labels, segments = made(step)
        assert ids.shape == labels.shape == segments.shape and ids.numel() <= 256 + 24
        if step % 3 == 2:
            assert (next_labels == IGNORED).all() and (segments == 0).all()
        else:
            assert set(next_labels.tolist()) <= {IS_NEXT, NOT_NEXT}
            assert ((ids == TOKENIZER.sep_id).sum(dim=-1) == 2).all()


def test_the_twin_reads_the_same_rows_and_is_asked_for_what_comes_next():
    for step in range(3):
        hidden, labels, next_labels, segments = batches()(step)
        ids, targets, next_of_twin, segments_of_twin = batches("causal")(step)
        assert torch.equal(hidden.where(labels == IGNORED, labels), ids)
        assert torch.equal(next_labels, next_of_twin) and torch.equal(segments, segments_of_twin)
        for row, target in zip(ids.tolist(), targets.tolist(), strict=True):
            n = len(row) - row.count(TOKENIZER.pad_id)
            assert target == [*row[1:n], *[IGNORED] * (len(row) - n + 1)]


def test_something_is_asked_for_in_every_batch_however_small():
    made = batches(rate=0.02, tokens=24)
    for step in range(60):
        assert (made(step)[1] != IGNORED).any()


def test_special_tokens_are_neither_hidden_nor_drawn():
    made = batches(rate=1.0, split=(0.0, 1.0, 0.0))
    for step in range(6):
        ids, labels, _, _ = made(step)
        special = torch.isin(ids, torch.tensor(TOKENIZER.special_ids))
        assert torch.equal(labels == IGNORED, special)


def test_both_models_are_scored_at_the_same_places():
    held_out = encoded(TOKENIZER, CORPUS.validation)
    masked, causal = (held_out_batches(held_out, TOKENIZER, name, 24) for name in ("masked", "causal"))
    for part in masked:
        for (rows, batch), (same, twins) in zip(masked[part], causal[part], strict=True):
            assert torch.equal(rows.ids, same.ids) and torch.equal(twins[0], rows.ids)
            assert torch.equal(batch[1][:, 1:], twins[1][:, :-1])
            asked = batch[1] != IGNORED
            assert torch.equal(batch[1][asked], rows.ids[asked])


# -- from texts to a card --


def test_both_learn_and_their_logs_say_so(folders):
    for name in folders:
        log = Log(folders[name] / "log.jsonl").read()
        assert [entry["step"] for entry in log] == [50, 100, 150] and log[-1]["loss"] < 0.8 * log[0]["loss"]
        assert {"validation_loss", "validation_accuracy", "validation_next_accuracy"} < set(log[-1])


def test_scores_are_those_of_both_models_and_of_counting(folders):
    found = {
        name: json.loads((folders[name] / "scores.json").read_text(encoding="utf-8")) for name in folders
    }
    for part in ("stories", "sentences", "both"):
        for baseline in BASELINES:
            assert found["masked"][part][baseline] == found["causal"][part][baseline]
        for name in found:
            assert found[name][part]["model"]["accuracy"] > found[name][part]["unigram"]["accuracy"]
            assert 0 <= found[name]["next_accuracy"]["segments"] <= 1
    assert found["masked"]["trained"]["stories"] == 36 and found["masked"]["held_out"]["sentences"] == 6
    assert found["masked"]["asked"] == found["causal"]["asked"] > 20


def test_scores_are_of_what_is_stored(folders):
    for name, kind in (("masked", BertForPreTraining), ("causal", CausalBert)):
        model = kind.from_pretrained(folders[name] / "model")
        tokenizer = WordPiece.load(folders[name] / "model" / "tokenizer.json")
        assert len(tokenizer) == model.config.vocab_size
        held_out = held_out_batches(encoded(tokenizer, CORPUS.validation), tokenizer, name, 24)
        found = json.loads((folders[name] / "scores.json").read_text(encoding="utf-8"))
        again = scores(model, [batch for _, batch in held_out["singles"]])
        assert found["sentences"]["model"]["loss"] == pytest.approx(again["loss"], rel=1e-4)
        assert found["next_accuracy"] == pytest.approx(
            told(model, tokenizer, encoded(tokenizer, CORPUS.validation))
        )


def test_who_tells_all_pairs_or_none_is_known():
    """A judge that says what it was told to, by way of a head that knows nothing but its bias."""
    model = BertForPreTraining(BertConfig(len(TOKENIZER), 16, 4, 32, 1, max_length=24)).eval()
    texts = encoded(TOKENIZER, CORPUS.validation)
    nn.init.zeros_(model.next_head.weight)
    shares = []
    for always in (IS_NEXT, NOT_NEXT):
        with torch.no_grad():
            model.next_head.bias.copy_(F.one_hot(torch.tensor(always), 2))
        shares.append(told(model, TOKENIZER, texts))
    for part in ("segments", "sentences"):
        assert sum(share[part] for share in shares) == pytest.approx(1) and 0.2 < shares[0][part] < 0.8


def test_cards_say_where_the_models_come_from_and_how_good_they_are(folders):
    for name, recipe in (("masked", RECIPE), ("causal", TWIN)):
        card = " ".join((folders[name] / "model" / "README.md").read_text(encoding="utf-8").split())
        found = json.loads((folders[name] / "scores.json").read_text(encoding="utf-8"))
        for said in (
            f"# {recipe.title}",
            "CC0",
            '"steps": 150',
            "; Muon",
            "80/10/10" if name == "masked" else "the next token is predicted",
            f"{found['both']['model']['accuracy']:.1%} |",
            f"tells {found['next_accuracy']['segments']:.1%}",
        ):
            assert said in card


def test_the_recipes_differ_in_the_objective_alone_and_keep_their_promises():
    one, twin = (import_module(RECIPES[name]).RECIPE for name in ("bert-small", "bert-small-causal"))
    words = {"title": twin.title, "about": twin.about, "objective": "causal"}
    assert dataclasses.replace(one, **words) == twin
    sizes = [sum(p.numel() for p in recipe.new_model(8000).parameters()) for recipe in (one, twin)]
    assert sizes[0] == sizes[1] and 5e6 < sizes[0] <= 8e6 and one.vocab_size <= 8000
    assert BertConfig(8000, **one.model).d_model == 256
