"""The logged runs of notebook 13: recipes from data to card, and what ships is what its card says."""

import dataclasses
import json
from statistics import fmean

import pytest
import torch
from safetensors.torch import load_file

from course.checkpoints import SHIPPED
from course.data import dialogues
from course.models.chat import ChatModel
from course.models.language_model import LanguageModel
from course.studies import preferences
from course.text.chat import Turn
from course.training.log import Log
from course.training.recipes import budget, dialogue, intents, values
from course.training.report import wrapped


def scores_of(name: str, file: str = "scores.json") -> dict:
    return json.loads((SHIPPED / name / file).read_text(encoding="utf-8"))


def card_of(name: str) -> str:
    return (SHIPPED / name / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """What the cards say they were trained on."""
    for module in (dialogue, intents):
        monkeypatch.setattr(module, "device_name", lambda device: "one CPU thread")


# ---- a conversation -----------------------------------------------------------------------------


def test_a_conversation_from_text_to_card(tmp_path, monkeypatch):
    said = [
        "i need a bus to fresno at 7 pm.",
        "to fresno at 7 pm, is that right?",
        "yes.",
        "done: fresno, 7 pm.",
    ]
    talk = [Turn(("user", "assistant")[i % 2], text) for i, text in enumerate(said)]
    monkeypatch.setattr(dialogues, "dialogues", lambda: ([talk] * 30, [talk] * 20))
    monkeypatch.setattr(dialogue, "VOCABULARY", 300)
    monkeypatch.setattr(dialogue, "SIZES", dialogue.SIZES | {"d_model": 16, "n_heads": 2, "n_layers": 1})
    settings = dataclasses.replace(dialogue.TRAINING, steps=2, log_every=1, save_every=1)
    monkeypatch.setattr(dialogue, "TRAINING", settings)
    dialogue.train(tmp_path, progress=False)
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert scores["texts"] == 30 and scores["ended"][1] == 20 and sum(scores["values"]) == 20 * 4
    assert set(scores["held"]) == {"None", "6", "4", "2", "0"}
    first = Log(tmp_path / "log.jsonl").read()[0]
    assert first["flops"] > 0 and first["peak_bytes"] > 0
    assert "CC BY-SA 4.0" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert ChatModel.from_pretrained(tmp_path / "model").reply(talk[:1]).ids


# ---- intents ------------------------------------------------------------------------------------


def test_draws_share_no_label_and_have_all_intents(real_requests):
    first, second = (intents.drawn(real_requests, draw, 3) for draw in (0, 1))
    assert len(first) == 6 and not {x.text for x in first} & {x.text for x in second}
    assert [x.label for x in first].count("a") == 3


@pytest.fixture
def real_requests():
    from course.data.examples import Labelled

    return [Labelled(f"{label} {i}", label) for label in "ab" for i in range(10)]


# ---- values -------------------------------------------------------------------------------------


def test_values_as_shipped():
    scores = scores_of("values")
    assert card_of("values") == wrapped(values.card(scores))
    assert len(scores["seeds"]) == values.SEEDS
    model = LanguageModel.from_pretrained("gpt-stories")
    samples = load_file(SHIPPED / "values" / "samples.safetensors")["samples"].long()
    assert samples.shape == (values.SAMPLES, preferences.LENGTH)
    assert model.vocabulary.decode(samples[0].tolist()) == scores["seeds"][0]["as it was"]
    _, others = values.rewards(model, samples).split(values.SAMPLES // 2)
    assert scores["seeds"][0]["best"][0][3] == pytest.approx(others.mean().item(), abs=1e-3)


def test_the_proxy_rises_throughout_and_the_reader_does_not_follow():
    """Means over the seeds. Best of n: the reader gains ever less than the proxy. Pushed: it turns round."""
    seeds = scores_of("values")["seeds"]
    for kind in ("best", "pushed"):
        proxy = [fmean(seed[kind][i][2] for seed in seeds) for i in range(len(seeds[0][kind]))]
        assert proxy == sorted(proxy)
        assert all(seed[kind][-1][2] > seed[kind][0][2] for seed in seeds)
    reader = [fmean(seed["pushed"][i][3] for seed in seeds) for i in range(len(values.PUSHES))]
    top = reader.index(max(reader))
    assert values.PUSHES[top] == 4 and reader[-1] < reader[top] - 0.3
    falls = [max(row[3] for row in seed["pushed"]) - seed["pushed"][-1][3] for seed in seeds]
    assert sum(fall > 1 for fall in falls) == 2 and min(falls) == 0  # two fall far, one not at all
    best = [fmean(seed["best"][i][3] for seed in seeds) for i in range(len(values.BEST))]
    assert best[-1] - best[-2] < (best[1] - best[0]) / 2


def test_values_of_one_seed(monkeypatch):
    monkeypatch.setattr(values, "SAMPLES", 40)
    monkeypatch.setattr(values, "PUSHES", (0.0, 4.0))
    monkeypatch.setattr(values, "BEST", (1, 4))
    monkeypatch.setattr(values, "TEXTS", 8)
    monkeypatch.setattr(preferences, "LENGTH", 6)
    model = LanguageModel.from_pretrained("gpt-stories")
    samples = values.story_ids(model, 40, seed=3)
    found = values.of_seed(model, samples, 3)
    assert found["best"][0][2] == pytest.approx(0, abs=1e-4) and found["best"][1][2] > 0
    assert found["pushed"][1][1] > found["pushed"][0][1] == pytest.approx(0, abs=1e-3)
    assert torch.equal(samples, values.story_ids(model, 40, seed=3))


# ---- the budget ---------------------------------------------------------------------------------


def test_the_formulas_are_as_near_as_was_promised():
    scores = scores_of("budget")
    assert card_of("budget") == wrapped(budget.card(scores))
    assert [run["name"] for run in scores["runs"]] == list(budget.RUNS)
    for run in scores["runs"]:
        assert abs(run["flops_error"]) <= 0.05 and abs(run["bytes_error"]) <= 0.20, run["name"]
        most = 0.40 if budget.RUNS[run["name"]].muon else 0.30  # Muon's own products are not in the formula
        assert abs(run["seconds_error"]) <= most, run["name"]


def test_a_run_is_measured():
    run = budget.RUNS["shakespeare-char"]
    small = run._replace(
        config=dataclasses.replace(run.config, d_model=16, n_layers=1, max_length=16), batch=2
    )
    found = budget.measured(small, steps=2)
    assert found["flops"] == found["formula_flops"] and found["seconds"] > 0
    assert abs(found["bytes_error"]) < 0.2
