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
    monkeypatch.setattr(dialogues, "dialogues", lambda: ([talk] * 30, [talk] * 4))
    monkeypatch.setattr(dialogue, "VOCABULARY", 300)
    monkeypatch.setattr(dialogue, "SIZES", dialogue.SIZES | {"d_model": 16, "n_heads": 2, "n_layers": 1})
    settings = dataclasses.replace(dialogue.TRAINING, steps=2, log_every=1, save_every=1)
    monkeypatch.setattr(dialogue, "TRAINING", settings)
    dialogue.train(tmp_path, progress=False)
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert scores["texts"] == 30 and scores["ended"][1] == 4 and sum(scores["values"]) == 4 * 4
    assert set(scores["held"]) == {"None", "6", "4", "2", "0"}
    first = Log(tmp_path / "log.jsonl").read()[0]
    assert first["flops"] > 0 and first["peak_bytes"] > 0
    assert "CC BY-SA 4.0" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert ChatModel.from_pretrained(tmp_path / "model").reply(talk[:1]).ids


def test_the_conversation_that_ships_is_small_and_says_what_it_is():
    folder, scores = SHIPPED / "gpt-dialogue", scores_of("gpt-dialogue")
    assert sum(file.stat().st_size for file in folder.iterdir()) < 4e6
    model, log = ChatModel.from_pretrained(), Log(folder / "log.jsonl").read()
    assert log[-1]["step"] == dialogue.TRAINING.steps
    assert card_of("gpt-dialogue") == wrapped(dialogue.card(model, scores, log[-1], "cpu"))
    assert all(
        scores["nats_a_token"]["GPT"] < x for name, x in scores["nats_a_token"].items() if name != "GPT"
    )


def test_marks_and_history_are_worth_something():
    replies = scores_of("gpt-dialogue")["replies"]
    for way in ("without marks", "roles exchanged", "without history"):
        assert replies[f"{way}, more"][1] > 0, way  # the interval of the difference lies above 0


def test_the_stop_comes_and_without_it_both_sides_are_written():
    model = ChatModel.from_pretrained()
    turns = [Turn("user", "i need a bus from oakland to fresno.")]
    assert model.reply(turns).ended
    spoken = list(
        model.spoken([model.marks.assistant, *model.finish(model.prompt(turns), 70, stop=False).ids])
    )
    assert {turn.role for turn in spoken} == {"user", "assistant"}
    ended, written = scores_of("gpt-dialogue")["ended"]
    assert ended / written > 0.9


def test_what_is_not_read_is_not_said():
    scores = scores_of("gpt-dialogue")
    held, bands = scores["held"], scores["bands"]
    for keep in (2, 4, 6):
        for i, (first, _) in enumerate(bands):
            if first > keep:  # it was last said before what is read
                assert held[str(keep)][i][0] <= held["None"][i][0] + 0.05


# ---- intents ------------------------------------------------------------------------------------


def test_intents_as_shipped():
    scores = scores_of("intents", "result.json")
    assert card_of("intents") == wrapped(intents.card(scores, "cpu"))
    assert len(scores["draws"]) == intents.DRAWS
    for draw in scores["draws"]:
        assert draw["fine-tuned"] > draw["from scratch"]
    truth, alone = scores["pipe"]["the truth"][0], scores["pipe"]["nobody"][0]
    assert truth["not served"][0] == truth["not served"][1] and truth["served"][0] > alone["served"][0]


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


@pytest.mark.parametrize("kind", ["best", "pushed"])
def test_the_proxy_rises_throughout_and_the_reader_turns_away(kind):
    """Means over the seeds, and every seed for what is said of the ends."""
    seeds = [seed[kind] for seed in scores_of("values")["seeds"]]
    middle = [[fmean(seed[i][c] for seed in seeds) for c in (1, 2, 3)] for i in range(len(seeds[0]))]
    proxy, reader = [row[1] for row in middle], [row[2] for row in middle]
    assert proxy == sorted(proxy)
    top = reader.index(max(reader))
    assert 0 < top < len(reader) - 1 and reader[-1] < max(reader) - 0.2
    assert all(seed[-1][2] > seed[0][2] for seed in seeds)


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
        assert abs(run["seconds_error"]) <= 0.30, run["name"]


def test_a_run_is_measured():
    run = budget.RUNS["shakespeare-char"]
    small = run._replace(
        config=dataclasses.replace(run.config, d_model=16, n_layers=1, max_length=16), batch=2
    )
    found = budget.measured(small, steps=2)
    assert found["flops"] == found["formula_flops"] and found["seconds"] > 0
    assert abs(found["bytes_error"]) < 0.2
