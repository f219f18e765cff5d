"""A BERT goes on with text of two registers and a vocabulary of it: rows, places held out, pairs, card."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from course.data.mixed import Corpus
from course.masking import IGNORED
from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.next_sentence import IS_NEXT, NOT_NEXT
from course.text.wordpiece import WordPiece
from course.training.recipes import bert_mixed, bert_mixed_causal, hard_pairs, mixed_report, reader
from course.training.recipes.mixed_held_out import held_out_batches
from course.training.recipes.mixed_rows import LONG, SHORT, MixedBatches, Text, chunks, encoded
from course.training.recipes.reader import ReaderRecipe
from course.training.recipes.transplant import transplanted
from course.training.settings import OpenEnded
from course.training.trainer import Log

ANIMALS = {"cat": "purrs", "dog": "barks", "hen": "clucks", "cow": "moos", "pig": "grunts", "owl": "hoots"}


def tale(animal: str, length: int) -> list[str]:
    noise = ANIMALS[animal]
    return [f"the {animal} {noise} .", f"it {noise} again , good {animal} !"] * length


TALES = [tale(animal, length) for length in (40, 5, 12) for animal in ANIMALS]
REMARKS = [[f"i see the {animal} that {noise} ."] for animal, noise in ANIMALS.items()]
CORPUS = Corpus({"tales": TALES, "remarks": REMARKS * 4}, {"tales": TALES[:6], "remarks": REMARKS})
SENTENCES = [text for register in CORPUS.train.values() for document in register for text in document]
TOKENIZER = WordPiece.train(SENTENCES, 120)
TEXT = encoded(TOKENIZER, list(CORPUS.train.values()))
SIZES = {"d_model": 32, "n_heads": 2, "d_ff": 64, "n_layers": 2, "dropout": 0.1}


def batches(objective: str = "masked", **changes) -> MixedBatches:
    return MixedBatches(TEXT, TOKENIZER, objective, **{"tokens": 1024} | changes)


# -- text and chunks --


def test_text_is_all_there_and_survives_a_file(tmp_path):
    assert len(TEXT.documents) - 1 == len(TALES) + len(REMARKS) * 4
    assert TEXT.register.tolist() == [0] * len(TALES) + [1] * (len(REMARKS) * 4)
    for number, document in enumerate(TALES):
        ids = [id for text in document for id in TOKENIZER.encode(text).ids[1:-1]]
        assert TEXT.between(*TEXT.documents[number : number + 2]) == ids
    TEXT.save(tmp_path / "text.npz")
    assert all(np.array_equal(a, b) for a, b in zip(TEXT, Text.load(tmp_path / "text.npz"), strict=True))


def test_a_long_sentence_is_cut_and_nothing_of_it_lost():
    words = ["the cat purrs " * 40]
    text = encoded(TOKENIZER, [[words]], longest=50)
    assert np.diff(text.sentences).tolist() == [50, 50, 20]


@pytest.mark.parametrize("room", [SHORT - 3, LONG - 3])
def test_chunks_are_neighbouring_sentences_and_together_they_are_the_text(room):
    cut = chunks(TEXT, room)
    lengths = TEXT.sentences[cut.behind] - TEXT.sentences[cut.first]
    assert lengths.max() <= room and (cut.behind > cut.first).all()
    assert [
        id for a, b in zip(cut.first, cut.behind, strict=True) for id in TEXT.between(a, b)
    ] == TEXT.tokens.tolist()
    assert (TEXT.documents[cut.document] <= cut.first).all() and (
        cut.behind <= TEXT.documents[cut.document + 1]
    ).all()


# -- batches --


def test_a_steps_batch_depends_on_the_step_and_the_seed_alone():
    one, two = batches(), batches()
    for x, y in zip(one(4), [two(7), two(4)][-1], strict=True):
        assert torch.equal(x, y)
    assert not torch.equal(one(3)[0], batches(seed=1)(3)[0])


def test_rows_are_short_long_or_single_and_half_follow():
    made, labels = batches(), []
    for step in range(60):
        ids, asked, next_labels, segments = made(step)
        assert ids.shape == asked.shape == segments.shape and ids.numel() <= 1024
        if step % 6 == 2:
            assert (next_labels == IGNORED).all() and (segments == 0).all()
        else:
            assert ids.shape[1] <= (LONG if step % 6 == 5 else SHORT)
            assert ((ids == TOKENIZER.sep_id).sum(dim=-1) == 2).all()
            labels += next_labels.tolist()
    assert max(batches()(5)[0].shape) > SHORT
    assert 0.35 < np.mean(np.array(labels) == IS_NEXT) < 0.65 and set(labels) == {IS_NEXT, NOT_NEXT}


def test_what_follows_is_the_text_and_what_does_not_is_whole_sentences_of_another():
    whole = " ".join(TOKENIZER.pieces(TEXT.tokens.tolist()))
    for step in (0, 1, 3, 5):
        ids, segments, labels = batches().rows(step)
        for row, part, label in zip(ids.tolist(), segments.tolist(), labels.tolist(), strict=True):
            a, b = ([id for id, s in zip(row, part, strict=True) if s == n and id > 4] for n in (0, 1))
            a, b = (" ".join(TOKENIZER.pieces(text)) for text in (a, b))
            assert a in whole and b in whole and (label == NOT_NEXT or f"{a} {b}" in whole)


def test_an_epoch_has_as_many_rows_as_there_are_pairs():
    made = batches()
    steps = [step for step in range(300) if step % 6 in (0, 1, 3, 4)]  # those of short rows
    count, size = len(made.pairs[SHORT].first), 1024 // SHORT
    read = [made.rows(step).ids for step in steps[: count // size]]
    assert sum(map(len, read)) == count // size * size


def test_the_twin_reads_the_same_rows_and_is_asked_for_what_comes_next():
    for step in range(6):
        hidden, labels, next_labels, segments = batches()(step)
        ids, targets, next_of_twin, segments_of_twin = batches("causal")(step)
        assert torch.equal(hidden.where(labels == IGNORED, labels), ids)
        assert torch.equal(next_labels, next_of_twin) and torch.equal(segments, segments_of_twin)
        for row, target in zip(ids.tolist(), targets.tolist(), strict=True):
            n = len(row) - row.count(TOKENIZER.pad_id)
            assert target == [*row[1:n], *[IGNORED] * (len(row) - n + 1)]


def test_both_models_are_scored_at_the_same_places():
    held_out = encoded(TOKENIZER, list(CORPUS.validation.values()))
    masked, causal = (held_out_batches(held_out, TOKENIZER, name, 10) for name in ("masked", "causal"))
    assert len(masked) == 2
    for part, twins in zip(masked, causal, strict=True):
        for (rows, batch), (same, twin) in zip(part, twins, strict=True):
            assert torch.equal(rows.ids, same.ids) and torch.equal(twin[0], rows.ids)
            assert torch.equal(batch[1][:, 1:], twin[1][:, :-1])


# -- another vocabulary --


def test_what_both_vocabularies_have_is_kept_and_the_rest_is_the_mean_of_its_pieces():
    old = WordPiece.train(["the cat purrs", "a dog barks"] * 3, 60)
    model = BertForPreTraining(BertConfig(len(old), max_length=16, **SIZES)).eval()
    grown = transplanted(model, old, TOKENIZER, max_length=40, dropout=0.0).eval()
    ids = [old.encode("the cat purrs").ids, TOKENIZER.encode("the cat purrs").ids]
    vectors, biases = grown.bert.tokens.weight, grown.lm_head.bias
    for piece in set(TOKENIZER.pieces(range(len(TOKENIZER)))):
        theirs = old.ids([piece]) if piece in old else old.encode(piece.removeprefix("##")).ids[1:-1]
        mine = TOKENIZER.ids([piece])[0]
        assert torch.allclose(vectors[mine], model.bert.tokens.weight[theirs].mean(0), atol=1e-7)
        assert float(biases[mine]) == pytest.approx(float(model.lm_head.bias[theirs].mean()), abs=1e-7)
    if all(piece in old for piece in TOKENIZER.pieces(ids[1])):
        assert torch.allclose(model.bert(torch.tensor(ids[:1])), grown.bert(torch.tensor(ids[1:])), atol=1e-6)
    assert torch.equal(grown.bert.positions.weight[16:32], model.bert.positions.weight)
    assert grown.config.dropout == 0 and grown.config.max_length == 40


# -- pairs, hard and easy --


def test_hard_pairs_are_what_they_are_said_to_be():
    true, *false = hard_pairs.hard_pairs(TEXT, 12)
    assert len(true) == 12
    whole = " ".join(map(str, TEXT.tokens.tolist()))
    for pair in true:
        assert pair.label == IS_NEXT and " ".join(map(str, pair.first + pair.second)) in whole
    *others, exchanged = false
    assert [(p.second, p.first) for p in exchanged] == [(p.first, p.second) for p in true]
    assert all(p.label == NOT_NEXT for kind in false for p in kind)
    assert all(p.first == q.first for kind in others for p, q in zip(kind, true, strict=True))
    assert all(len(p.first) + len(p.second) <= SHORT - 3 for kind in [true, *false] for p in kind)


def test_who_says_always_the_same_tells_half_of_every_kind(monkeypatch):
    monkeypatch.setattr(hard_pairs, "PAIRS", 8)
    model = BertForPreTraining(BertConfig(len(TOKENIZER), max_length=SHORT, **SIZES)).eval()
    torch.nn.init.zeros_(model.next_head.weight)
    for always in (IS_NEXT, NOT_NEXT):
        with torch.no_grad():
            model.next_head.bias.zero_()[always] = 1
        assert hard_pairs.told(model, TOKENIZER, TEXT) == dict.fromkeys(hard_pairs.KINDS, 0.5)


# -- from texts to a card --


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    """Two twins that go on from tiny models with another vocabulary."""
    folder, made = tmp_path_factory.mktemp("start"), {}
    old = WordPiece.train(["the cat purrs again", "i see a good dog that barks"] * 3, 90)
    for objective, kind in (("masked", BertForPreTraining), ("causal", CausalBert)):
        kind(BertConfig(len(old), max_length=64, **SIZES)).save(folder / objective)
        old.save(folder / objective / "tokenizer.json")
        made[objective] = ReaderRecipe(
            title="Farm",
            about="A BERT of a farm.",
            objective=objective,
            start=str(folder / objective),
            corpus=lambda: CORPUS,
            vocab_size=150,
            max_length=LONG,
            training=OpenEnded(steps=30, peak_lr=8e-3, warmup=5, cooldown=10, log_every=5, save_every=10),
            tokens=256,
            rate=0.4,
        )
    return made


@pytest.fixture(scope="module")
def folders(recipes, tmp_path_factory):
    found = {name: tmp_path_factory.mktemp(name) for name in recipes}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "SEEN", 2)
        patch.setattr(hard_pairs, "PAIRS", 12)
        patch.setattr(mixed_report, "SCORED", 12)
        for name, recipe in recipes.items():
            recipe.train(found[name], progress=False)
    return found


def test_both_learn_and_their_scores_stand_beside_those_of_counting(folders):
    found = {name: json.loads((folders[name] / "scores.json").read_text()) for name in folders}
    for name, folder in folders.items():
        log = Log(folder / "log.jsonl").read()
        assert log[-1]["loss"] < log[0]["loss"] and "validation_accuracy" in log[-1]
        assert set(found[name]["next"]) == set(hard_pairs.KINDS)
        card = (folder / "model" / "README.md").read_text(encoding="utf-8")
        assert f"{found[name]['registers']['all']['model']['accuracy']:.1%} |" in card and "; Muon" in card
    one, twin = (found[name]["registers"] for name in ("masked", "causal"))
    for part in one:
        assert one[part]["places"] == twin[part]["places"] > 0
        for counted in ("unigram", "bigram", "5-gram"):
            assert one[part][counted] == twin[part][counted]


def test_named_words_are_one_piece_however_rare(folders):
    tokenizer = WordPiece.load(folders["masked"] / "model" / "tokenizer.json")
    assert all(len(tokenizer.encode(word).ids) == 3 for word in reader.NAMED)


def test_a_run_becomes_a_longer_one_and_ends_where_that_ends(recipes, folders, tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "SEEN", 2)
    longer = dataclasses.replace(
        recipes["masked"], training=dataclasses.replace(recipes["masked"].training, steps=40)
    )
    whole = longer.fit(tmp_path / "whole", "cpu", progress=False)[0]
    gone_on = longer.fit(folders["masked"], "cpu", progress=False)[0]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, gone_on.state_dict()[name]), name
    assert [entry["step"] for entry in Log(folders["masked"] / "log.jsonl").read()] == list(range(5, 41, 5))


def test_the_recipes_differ_in_the_objective_and_the_start_alone():
    one, twin = bert_mixed.RECIPE, bert_mixed_causal.RECIPE
    changes = {"title": twin.title, "about": twin.about, "objective": "causal", "start": "bert-small-causal"}
    assert dataclasses.replace(one, **changes) == twin
    tokenizer = WordPiece.train(SENTENCES, 120)
    sizes = [sum(p.numel() for p in recipe.new_model(tokenizer).parameters()) for recipe in (one, twin)]
    assert sizes[0] == sizes[1] and sizes[0] + (12_000 - 120) * 257 <= 8e6
    assert one.max_length >= 256 and one.rate == 0.4
