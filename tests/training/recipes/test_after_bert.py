"""Three ways to pre-train at equal compute, and four tasks against the number of labels: small runs."""

import dataclasses
import json

import pytest
import torch

from course.data import everyday, rt_polarity
from course.data.examples import Labelled
from course.data.little_reports import LABELS, reports
from course.models.bert import BertConfig
from course.models.bert_heads import BertForMaskedLM, BertForPreTraining
from course.models.deberta import Deberta
from course.studies.bert_pretraining import encode
from course.studies.downstream import Classification
from course.studies.fine_tuning import Settings
from course.text.wordpiece import WordPiece
from course.training.recipes import after_bert, fine_tuned
from course.training.recipes.after_bert import Race, compare, race, step_flops

SOME = [r.opinion for r in reports(60, seed=0)]
TEXTS = [f"{sentence}." for r in SOME for sentence in r.text.rstrip(".").split(". ")]
TOKENIZER = WordPiece.train(TEXTS, 250)
SIZES = BertConfig(len(TOKENIZER), 16, 4, 32, 1, max_length=40, dropout=0.0, attention_dropout=0.0)


def budget(steps: int) -> Race:
    """For so many steps of the masked LM."""
    conditions = Race(SIZES, 1e18, batch=8)
    batch = after_bert._batch("masked LM", encode(TOKENIZER, TEXTS), TOKENIZER, conditions, 0)
    return Race(SIZES, steps * step_flops(BertForMaskedLM(SIZES), *batch), batch=8)


def test_a_linear_maps_step_costs_three_passes():
    class Model(torch.nn.Linear):
        def loss(self, x):
            return self(x).sum()

    x = torch.randn(5, 7, requires_grad=True)
    assert step_flops(Model(7, 3), x) == 3 * 2 * 5 * 7 * 3


def test_all_spend_the_same_read_the_same_and_do_the_task():
    conditions = budget(12)
    found = race(encode(TOKENIZER, TEXTS), TOKENIZER, conditions)
    assert set(found) == {"masked LM", "ELECTRA", "DeBERTa"} and found["masked LM"].steps == 12
    for entrant in found.values():
        assert conditions.flops / 2 < entrant.flops <= conditions.flops
        assert len(entrant.losses) == entrant.steps and entrant.seconds > 0
    assert isinstance(found["DeBERTa"].encoder, Deberta)
    assert found["DeBERTa"].steps < 12  # three scores cost more than one
    task = Classification(LABELS)
    scores = compare(found, task, TOKENIZER, SOME[:40], SOME[40:], Settings(steps=2))
    assert scores.keys() == found.keys()
    assert all(0 <= x <= 1 for score in scores.values() for x in score.values())


def test_electra_reads_the_same_texts_with_all_of_the_chosen_hidden():
    conditions, texts = budget(1), encode(TOKENIZER, TEXTS)
    (bert, _), (electra, labels) = (
        after_bert._batch(name, texts, TOKENIZER, conditions, 3) for name in ("masked LM", "ELECTRA")
    )
    chosen = labels != -100
    assert (electra[chosen] == TOKENIZER.mask_id).all() and not (electra[~chosen] == TOKENIZER.mask_id).any()
    assert torch.equal(bert[~chosen], electra[~chosen])


def test_what_cannot_be_run_is_refused():
    texts = encode(TOKENIZER, TEXTS)
    with pytest.raises(ValueError, match="a step of masked LM costs"):
        race(texts, TOKENIZER, Race(SIZES, 10.0))
    with pytest.raises(ValueError, match="a text has 62 tokens, and the models read 40"):
        race([[7] * 60], TOKENIZER, Race(SIZES, 1e9))


@pytest.fixture
def small_reviews(monkeypatch):
    examples = [Labelled(x.text, x.label) for x in SOME]
    corpus = rt_polarity.Corpus(examples[:40], examples[40:50], examples[50:])
    monkeypatch.setattr(rt_polarity, "reviews", lambda: corpus)


def test_the_logged_race_leaves_scores_and_a_card(tmp_path, monkeypatch, small_reviews):
    texts = everyday.Texts([TEXTS[:6]], TEXTS)
    monkeypatch.setattr(everyday, "english", lambda: everyday.Corpus(texts, texts))
    small = {"d_model": 16, "n_heads": 4, "d_ff": 32, "n_layers": 1, "max_length": 24}
    for name, value in {
        "CONDITIONS": small,
        "FLOPS": 1e8,
        "VOCABULARY": 250,
        "LABELS": 20,
        "SETTINGS": Settings(2),
    }.items():
        monkeypatch.setattr(after_bert, name, value)
    after_bert.train(tmp_path)
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert list(scores) == ["masked LM", "ELECTRA", "DeBERTa", "naive Bayes"]
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert all(f"| {name} |" in card for name in ("masked LM", "ELECTRA", "DeBERTa"))


def test_the_logged_tasks_leave_a_row_a_point_and_go_on(tmp_path, monkeypatch, small_reviews):
    torch.manual_seed(0)
    BertForPreTraining(SIZES).save(tmp_path / "bert")
    TOKENIZER.save(tmp_path / "bert" / "tokenizer.json")
    job = fine_tuned.JOBS["classification"]
    another = ("short", "short reviews", lambda: rt_polarity.reviews().test[:3])
    small = dataclasses.replace(job, sizes=(8, 16), most=2, draws={8: 3}, beside=(another,))
    monkeypatch.setattr(fine_tuned, "JOBS", {"classification": small})
    monkeypatch.setattr(fine_tuned, "ADAPTING", Settings(2))
    scores = fine_tuned.train(tmp_path / "run", encoder=tmp_path / "bert")
    ways = ["baseline", "fine-tuned", "frozen", "from scratch", "adapted"]
    expected = [("classification", 8), ("classification", 16), ("classification, short", 16)]
    assert [(x["task"], x["labels"], x["how"]) for x in scores] == [
        (*e, way) for e in expected for way in ways
    ]
    assert all(x["metric"] == "accuracy" for x in scores)
    assert [len(x.get("draws", [])) for x in scores] == [3] * 5 + [0] * 10
    assert all(x["score"] == pytest.approx(sum(x["draws"]) / 3, abs=1e-4) for x in scores[:5])
    assert len({tuple(x["draws"]) for x in scores[:5]}) > 1
    assert (tmp_path / "run" / "README.md").read_text(encoding="utf-8").count("| classification |") == 10
    monkeypatch.setattr(fine_tuned, "fine_tune", None)  # nothing is left to do
    assert fine_tuned.train(tmp_path / "run", encoder=tmp_path / "bert") == scores


@pytest.mark.parametrize("labels, steps", [(8, 100), (500, 375), (4000, 800)])
def test_updates_grow_with_the_labels_within_bounds(labels, steps):
    assert fine_tuned.JOBS["named entities"].settings(labels).steps == steps


def test_every_job_has_its_examples_and_its_sizes():
    for name in ("answers", "inference"):
        job = fine_tuned.JOBS[name]
        train, test = job.examples()
        assert max(job.sizes) <= len(train) and len(test) >= 80
        assert len(job.beside[0][2]()) >= 80
