"""The recipe of the memory curves: it goes on where it stopped; scores and card are of its log."""

import json

import pytest

from course import checkpoints
from course.training.log import Log
from course.training.recipes import long_range
from course.training.recipes.long_range import RUNS, Run, summary, train

TINY = {"near": Run("one clue", (1, 2), (1, 3), 4, ("RNN", "GRU"))}


def test_it_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(long_range, "SEEDS", range(2))
    scores = train(tmp_path, runs=TINY)
    whole = (tmp_path / "log.jsonl").read_text()
    (tmp_path / "log.jsonl").write_text("".join(line + "\n" for line in whole.splitlines()[:3]))
    assert train(tmp_path, runs=TINY) == scores
    assert (tmp_path / "log.jsonl").read_text() == whole
    assert [score["seeds"] for score in scores] == [2, 2]
    card = (tmp_path / "README.md").read_text()
    assert "## near: 4 steps" in card and f"{scores[0]['mean'][0]:.2f} (" in card


def shipped() -> tuple[list[dict], list[dict]]:
    folder = checkpoints.SHIPPED / "long-range"
    return json.loads((folder / "scores.json").read_text()), Log(folder / "log.jsonl").read()


def test_the_shipped_scores_are_those_of_the_shipped_log():
    scores, log = shipped()
    assert scores == summary(log, RUNS)
    assert all(0 < score["seeds"] <= len(long_range.SEEDS) for score in scores)


def of(run: str, reader: str) -> dict:
    return next(score for score in shipped()[0] if (score["run"], score["reader"]) == (run, reader))


@pytest.mark.parametrize("reader", ["GRU", "LSTM", "attention"])
def test_distance_alone_defeats_none_that_has_met_near_clues(reader):
    assert min(of("one clue, 1 to 30 back", reader)["low"]) > 0.95


def test_at_one_far_distance_only_attention_learns_in_time():
    assert of("one clue, always 20 back", "attention")["low"][0] > 0.95
    assert max(of("one clue, always 20 back", reader)["mean"][0] for reader in ("RNN", "GRU", "LSTM")) < 0.25


@pytest.mark.parametrize("run, many, least", [("many pairs", 8, 0.95), ("cloze", [8, 0], 0.5)])
def test_the_number_of_clues_defeats_the_cells_and_not_attention(run, many, least):
    for reader in ("RNN", "GRU", "LSTM"):
        score = of(run, reader)
        assert score["high"][score["sizes"].index(many)] < 0.35
    score = of(run, "attention")
    assert score["low"][score["sizes"].index(many)] > least
