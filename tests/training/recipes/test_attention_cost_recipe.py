"""The recipe of what attention costs: it goes on where it stopped; what ships is of its log."""

import json

import pytest

from course import checkpoints
from course.training.log import Log
from course.training.recipes import attention_cost
from course.training.recipes.attention_cost import summary, train


def test_it_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    short = {"duplication": (32, 2), "duplication-128": (64, 2)}
    for name, value in {
        "SEEDS": range(1),
        "SECONDS": 0.05,
        "ASKED": 8,
        "DUPLICATION": short,
        "TEXTS": 2,
    }.items():
        monkeypatch.setattr(attention_cost, name, value)
    scores = train(tmp_path)
    whole = (tmp_path / "log.jsonl").read_text()
    assert len(whole.splitlines()) == 14
    (tmp_path / "log.jsonl").write_text("".join(line + "\n" for line in whole.splitlines()[:13]))
    again = train(tmp_path)
    assert (tmp_path / "log.jsonl").read_text().splitlines()[:13] == whole.splitlines()[:13]
    assert again["recall"] == scores["recall"] and set(again["duplication"]) == set(scores["duplication"])
    table = (tmp_path / "README.md").read_text()
    assert "32 places, 2 steps:" in table and "64 places, 2 steps:" in table


FOLDER = checkpoints.SHIPPED / "attention-cost"
SCORES = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))


def test_the_shipped_scores_are_those_of_the_shipped_log():
    assert summary(Log(FOLDER / "log.jsonl").read()) == SCORES


def test_one_looks_up_and_the_other_keeps_count():
    recall, parity = SCORES["recall"], SCORES["parity"]
    for n in ("8", "16", "32"):
        assert recall["Transformer"]["right"][n][1] > 0.9 > 0.3 > recall["LSTM"]["right"][n][2]
    for n in ("8", "16", "64"):
        assert parity["LSTM"]["right"][n][1] > 0.99 and parity["Transformer"]["right"][n][2] < 0.7


def test_duplication_by_hashing_needs_rounds_and_training_with_it_fewer():
    of = {name: model["right"] for name, model in SCORES["duplication"].items()}
    assert of["full"]["full"][1] > 0.99 and of["full"]["LSH-8"][1] > 0.98
    assert of["full"]["LSH-1"][2] < 0.85 < of["LSH-1"]["LSH-1"][1]
    assert of["BigBird"]["BigBird"][2] < 0.2


def test_the_measured_slopes_are_near_one_and_two():
    ways = json.loads((FOLDER / "slopes.json").read_text(encoding="utf-8"))["ways"]
    assert (
        max(ways[name]["slope"] for name in ("BigBird", "Linformer")) <= 1.1
        and ways["Reformer"]["slope"] <= 1.15
    )
    assert ways["full, fused"]["slope"] == pytest.approx(2, abs=0.1)
    low, high = ways["full, explicit"]["interval"]
    assert low < 2 < high
