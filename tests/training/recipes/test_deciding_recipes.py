"""The recipes on deciding and memory: they go on where they stopped; what ships is of its log, and shows."""

import json

import pytest
import torch

from course import checkpoints
from course.in_context.few_shot import wilson_interval
from course.models.decision_transformer import DecisionTransformer
from course.models.turing_machine import TuringMachine
from course.studies.copying_bits import LONGEST, Copying, Parts, copies, wrong_bits
from course.studies.shortest_paths import NODES, ask, distances, outcome, random_graph
from course.training.log import Log
from course.training.recipes import decisions, turing_machine
from course.training.report import wrapped


def test_decisions_go_on_where_they_were_interrupted(tmp_path, monkeypatch):
    for name, value in {"SEEDS": range(2, 4), "STEPS": 2, "SHIPPED": 2}.items():
        monkeypatch.setattr(decisions, name, value)
    scores = decisions.train(tmp_path)
    log = tmp_path / "log.jsonl"
    first, second = log.read_text().splitlines()
    log.write_text(first + "\n")
    again = decisions.train(tmp_path)
    assert log.read_text().splitlines()[0] == first and again["seeds"][0] == scores["seeds"][0]
    assert {k: v for k, v in again["seeds"][1].items() if k != "cpu_seconds"} == {
        k: v for k, v in json.loads(second).items() if k != "cpu_seconds"
    }
    assert "| behaviour cloning |" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")


def test_the_machines_go_on_where_they_were_interrupted(tmp_path, monkeypatch):
    settings = {"SEEDS": {"machine": range(2), "LSTM": range(1)}, "STEPS": 2, "BATCH": 2, "SLOTS": 4,
                "LENGTHS": (1, 20, 25), "TESTED": 2, "has_learned": lambda line: True}  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setattr(turing_machine, name, value)
    turing_machine.train(tmp_path)
    log = tmp_path / "log.jsonl"
    lines = log.read_text().splitlines()
    assert len(lines) == 3
    log.write_text("".join(line + "\n" for line in lines[:2]))
    scores = turing_machine.train(tmp_path)
    assert log.read_text().splitlines()[:2] == lines[:2] and set(scores["wrong"]) == {"machine", "LSTM"}
    assert TuringMachine.from_pretrained(tmp_path / "model").config.width == 16


def test_no_machine_ships_if_none_learned():
    line = {"model": "machine", "seed": 0, "parameters": 1, "wrong": {"20": 0.01, "30": 0.2}}
    with pytest.raises(RuntimeError, match="none of 1 seeds"):
        turing_machine.summary([line])


def test_the_median_of_those_that_learned_is_shipped():
    beyond = {0: 0.3, 1: 0.0, 2: 0.1, 3: 0.2}
    log = [
        {"model": "machine", "seed": s, "parameters": 1, "wrong": {"20": 0.5 * (s == 0), "30": w}}
        for s, w in beyond.items()
    ]
    scores = turing_machine.summary(log)
    assert scores["learned"] == [1, 2, 3] and scores["shipped"] == 2


# ---- what ships: rows L1.2.d and L1.2.e ------------------------------------------------------------


def shipped(name: str) -> tuple[dict, list[dict], str]:
    folder = checkpoints.find(name)
    scores, card = ((folder / file).read_text(encoding="utf-8") for file in ("scores.json", "README.md"))
    return json.loads(scores), Log(folder / "log.jsonl").read(), card


def test_the_shipped_scores_and_cards_are_of_the_shipped_logs():
    scores, log, card = shipped("decisions")
    assert decisions.summary(log) == scores and wrapped(decisions.card(scores)) == card
    scores, log, card = shipped("turing-machine")
    machine = TuringMachine.from_pretrained("turing-machine")
    assert turing_machine.summary(log) == scores and wrapped(turing_machine.card(scores, machine)) == card


def test_asked_for_the_shortest_way_it_finds_it_and_cloning_does_not():
    """L1.2.d; nineteen starts on each of five graphs."""
    scores, _, _ = shipped("decisions")
    together, seeds = scores["together"], scores["seeds"]
    assert len(seeds) == 5 and all(line["shortest"]["of"] == 19 for line in seeds)
    asked, cloned, tenth = (together[row] for row in ("shortest", "cloned", "cloned tenth"))
    assert asked["shortest"] >= 0.95 * asked["of"] and cloned["shortest"] <= 0.5 * asked["shortest"]
    assert tenth["interval"][1] < asked["interval"][0]
    assert list(wilson_interval(asked["shortest"], 95)) == pytest.approx(asked["interval"], abs=1e-3)
    assert together["planned"]["shortest"] == 95  # a table of single moves needs no network


def test_the_shipped_decider_does_what_its_scores_say():
    scores, _, _ = shipped("decisions")
    line = scores["seeds"][scores["shipped"]]
    model, edges = DecisionTransformer.from_pretrained("decisions"), random_graph(scores["shipped"])
    fewest = distances(edges)[1:] - 1
    found = outcome(ask(model, edges, torch.arange(1, NODES), -fewest), edges)  # stored in float16
    assert (found.arrived, found.shortest) == (line["shortest"]["arrived"], line["shortest"]["shortest"])


def test_machines_copy_what_they_were_trained_for_and_the_larger_lstm_does_not():
    """L1.2.e; all seeds are in the scores, and the shipped one is the median of those that learned."""
    scores, _, _ = shipped("turing-machine")
    assert scores["parameters"]["LSTM"] > 5 * scores["parameters"]["machine"]
    for seed in scores["learned"]:
        wrong = scores["wrong"]["machine"][str(seed)]
        assert all(share == 0 for length, share in wrong.items() if int(length) <= LONGEST)
    for wrong in scores["wrong"]["LSTM"].values():
        assert wrong["20"] > 0.1


@torch.no_grad()
def test_the_shipped_machine_copies_and_each_part_is_needed():
    machine = TuringMachine.from_pretrained("turing-machine")
    assert wrong_bits(Copying(machine, 72), (1, 5, 10, 20), 20) == [0.0] * 4
    inputs, bits = copies(10, 20, torch.Generator().manual_seed(7))
    said = machine.spoken(machine.run(inputs, 24, Parts(shift=0.0).weaken))[:, -10:]
    assert ((said > 0) != (bits > 0.5)).float().mean() > 0.2
