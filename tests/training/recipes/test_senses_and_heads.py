"""Small runs of two recipes: they score what they say, keep what they have, and write a card."""

import json
from statistics import fmean

import pytest

from course.checkpoints import SHIPPED
from course.data.examples import Labelled
from course.data.parsed_sentences import Parsed, Relation
from course.data.winobias import Pronoun
from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.studies.word_probe import load_probes
from course.text.wordpiece import WordPiece
from course.training.recipes import heads, senses
from course.training.report import wrapped

TEXTS = [f"i know {what} well" for what in ("him", "it", "her", "that")] * 4
TOKENIZER = WordPiece.train(["the old dog saw the cat because he was late .", *TEXTS] * 3, 300)


@pytest.fixture
def models(tmp_path):
    """A tiny BERT and a tiny twin on disk, and their names."""
    names = []
    for kind in (BertForPreTraining, CausalBert):
        names.append(tmp_path / kind.__name__)
        kind(BertConfig(len(TOKENIZER), 16, 2, 32, 1, max_length=24)).save(names[-1])
        TOKENIZER.save(names[-1] / "tokenizer.json")
    return names


def test_senses_are_probed_and_tuned_once_and_the_probes_kept(models, monkeypatch, tmp_path):
    said = [Labelled(text, "savoir" if "t" in text.split()[2] else "connaître") for text in TEXTS]
    monkeypatch.setattr(senses, "NAMES", models)
    monkeypatch.setattr(senses.senses, "of", lambda word: senses.senses.Corpus(said, said))
    monkeypatch.setattr(senses.senses, "SENSES", {"know": senses.senses.SENSES["know"]})
    for name, value in {
        "SIZES": (4, 8, 400),
        "DRAWS": 2,
        "TUNED": (8,),
        "TUNED_DRAWS": 1,
        "STEPS": 2,
    }.items():
        monkeypatch.setattr(senses, name, value)
    rows = senses.train(tmp_path / "run")
    assert [(row["what"], row["labels"], row["tested"]) for row in rows] == [
        ("probe", 4, 16),
        ("probe", 8, 16),
        ("tuned", 8, 16),
    ]
    assert all(len(x) == 2 for x in rows[0]["scores"].values()) and set(rows[0]["scores"]) == set(senses.WAYS)
    at_word = rows[1]["scores"]["one way, at the word"]
    assert at_word == [0.5, 0.5]  # "i know" is all that the twin has seen there
    assert set(load_probes(tmp_path / "run" / "probes.safetensors")) == set(senses.WAYS[:3])
    assert "| know | 8 | 2 | 16 |" in (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    monkeypatch.setattr(senses, "vectors", None)  # nothing is left to be done
    assert senses.train(tmp_path / "run") == json.loads(json.dumps(rows))


def test_heads_are_chosen_on_one_half_and_scored_on_the_other(models, monkeypatch, tmp_path):
    words, tags = (
        ("the", "old", "dog", "saw", "the", "cat", "."),
        ("DET", "ADJ", "NOUN", "VERB", "DET", "NOUN", "PUNCT"),
    )
    relations = [
        Relation(name, *ends) for name in heads.treebanks.RELATIONS.values() for ends in ((0, 2), (2, 3))
    ]
    monkeypatch.setattr(heads, "MODEL", models[0])
    monkeypatch.setattr(
        heads.treebanks,
        "sentences",
        lambda: [Parsed(words, (*relations, Relation("determiner", 4, 5)), tags)] * 2,
    )
    pronoun = ("the", "dog", "saw", "the", "cat", "because", "he", "was", "late", ".")
    monkeypatch.setattr(
        heads.winobias, "pronouns", lambda: [Pronoun(pronoun, 6, 1, 4), Pronoun(pronoun, 6, 4, 1)] * 2
    )
    scores = heads.train(tmp_path / "run")
    determiner = scores["relations"]["determiner"]
    assert determiner["cases"] == 6 and determiner["best"]["tested"] == 3 and determiner["offset"] == 1
    assert determiner["elsewhere"]["cases"] == 2 and determiner["elsewhere"]["offset"] == 2
    assert scores["pronouns"]["best"]["finds"] == 0.5  # the same sentence means each of the two once
    assert 0 < scores["weights"]["even part of speech"] < 1
    assert "| determiner | 6 |" in (tmp_path / "run" / "README.md").read_text(encoding="utf-8")


def test_the_shipped_cards_are_made_of_the_shipped_scores():
    for name, made in {"heads": heads.card, "senses": lambda rows: senses.card(rows, "cpu")}.items():
        scores = json.loads((SHIPPED / name / "scores.json").read_text(encoding="utf-8"))
        assert (SHIPPED / name / "README.md").read_text(encoding="utf-8") == wrapped(made(scores))


def test_two_ways_know_at_the_word_what_one_way_cannot_and_only_where_it_comes_later():
    rows = json.loads((SHIPPED / "senses" / "scores.json").read_text(encoding="utf-8"))
    means = {
        (row["word"], row["labels"]): {way: fmean(x) for way, x in row["scores"].items()}
        for row in rows
        if row["what"] == "probe"
    }
    two, at_word, at_end, counting = senses.WAYS
    know = means["know", 64]
    assert know[two] > know[at_end] + 0.05 and know[two] > know[counting] + 0.05
    assert know[at_word] < 0.62
    for word in ("time", "like"):
        assert abs(means[word, 64][two] - means[word, 64][at_word]) < 0.02
