"""The controlled experiment goes from two checkpoints to a table, and its table says what its scores say."""

import json

import pytest
import torch
from test_bert_recipe import CORPUS, SENTENCES, TOKENIZER

from course.data import everyday, rt_polarity
from course.data.examples import Labelled
from course.data.rt_polarity import Corpus
from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.training.recipes import bert_comparison
from course.training.recipes.bert_comparison import asked

KIND, UNKIND = "this is a good cat and dog.", "the owl hoots again the pig grunts."
REVIEWS = [Labelled(KIND, "positive"), Labelled(UNKIND, "negative")] * 10


@pytest.fixture
def scores(tmp_path, monkeypatch):
    torch.manual_seed(0)
    names = tmp_path / "bert", tmp_path / "twin"
    for name, kind in zip(names, (BertForPreTraining, CausalBert), strict=True):
        kind(BertConfig(len(TOKENIZER), 16, 2, 32, 1, max_length=24)).save(name)
        TOKENIZER.save(name / "tokenizer.json")
    monkeypatch.setattr(bert_comparison, "NAMES", names)
    monkeypatch.setattr(bert_comparison, "LABELS", 12)
    monkeypatch.setattr(everyday, "english", lambda: CORPUS)
    monkeypatch.setattr(rt_polarity, "reviews", lambda: Corpus(REVIEWS, [], REVIEWS[:8]))
    bert_comparison.train(tmp_path / "run")
    return json.loads((tmp_path / "run" / "scores.json").read_text(encoding="utf-8"))


def test_a_table_of_three_tasks(scores, tmp_path):
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    for task in ("next", "gap", "reviews"):
        for name in ("bert", "twin"):
            assert 0 <= scores[task][name] <= 1 and f"{scores[task][name]:.1%}" in card
    assert scores["singles"] == len(SENTENCES) and scores["tested"] == 8 and scores["frequent"] == 0.5
    assert scores["reviews"] == {"bert": 1.0, "twin": 1.0}  # two texts, which any features tell apart


def test_sentences_that_are_short_or_long_are_not_asked_about():
    kept = asked([[7] * n for n in (4, 5, 40, 41)])
    assert [len(ids) for ids in kept] == [5, 40]
