"""The shipped model of prompts: its card is made of its log and scores, and notebook 09 says what is true."""

import json

import numpy as np
import pytest
import torch

from course import checkpoints
from course.in_context.few_shot import FewShotModel, exact_matches
from course.in_context.prompts import (
    UNSEEN_FORMAT,
    draw_prompt,
    encode,
    usual_format,
    with_wrong_labels,
    write_prompt,
)
from course.in_context.tasks import TASKS, draw_sums
from course.training.recipes import few_shot
from course.training.report import wrapped
from course.training.trainer import Log

FOLDER = checkpoints.SHIPPED / "few-shot"
PROMPTS = 60


@pytest.fixture(scope="module")
def model() -> FewShotModel:
    return FewShotModel.from_pretrained()


@pytest.fixture(scope="module")
def scores() -> dict[str, dict]:
    return json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def right(model) -> dict[str, torch.Tensor]:
    """For each task, whether each of 60 new prompts' examples is answered, by the number of shots."""
    random = np.random.default_rng(2)
    drawn = {name: [task.draw(random, 12, True) for _ in range(PROMPTS)] for name, task in TASKS.items()}
    return {name: model.is_right(drawn[name], usual_format(TASKS[name])) for name in TASKS}


def test_card_log_and_recipe_agree(model, scores, monkeypatch):
    monkeypatch.setattr(few_shot, "device_name", lambda device: "one CPU thread")
    log = Log(FOLDER / "log.jsonl").read()
    assert log[-1]["step"] == few_shot.TRAINING.steps and model.gpt.config == few_shot.MODEL
    assert log[0]["loss"] > log[-1]["loss"]
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert card == wrapped(few_shot.card(FOLDER, model.gpt, scores, "cpu")) and "CC0" in card
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 4e6


def test_it_scores_what_its_card_says(model, scores, right):
    """The mean share after 1, 2, ... shots, on other prompts than the card's, within five standard errors."""
    for name, matches in right.items():
        p = np.mean(scores[f"{name}, usual format"]["accuracy_by_shots"][1 : matches.shape[1]])
        again = matches[:, 1:].double().mean(dim=1)  # answers within a prompt are no independent trials
        error = max(again.std().item(), 0.05) / PROMPTS**0.5
        assert abs(again.mean().item() - p) < 5 * error, name


def test_held_out_sums_are_right_in_99_of_100(model, scores):
    score = scores["addition, usual format"]
    assert score["right_with_shots"] >= 0.99 * score["asked_with_shots"] > 5000
    random = np.random.default_rng(3)
    prompts = [draw_sums(random, 12, held_out=True) for _ in range(150)]
    matches = model.is_right(prompts, usual_format(TASKS["addition"]))
    assert matches[:, 1:].double().mean() >= 0.98  # 1650 sums: four standard deviations below 99 %
    assert matches[:, 0].double().mean() >= 0.95  # the plus sign says what to do


def test_one_question_is_answered_as_the_shots_ask(model):
    for name, answer in (("translation", "cat"), ("copying", "chat"), ("reversal", "tahc")):
        shots, _ = draw_prompt(name, 4, np.random.default_rng(1))
        assert model.answer(write_prompt(shots, "chat")) == answer


def test_without_shots_copying_and_reversal_are_one_task(right):
    """What is won in one is lost in the other, but for strings that are their own reverse."""
    none, four = ({name: right[name][:, k].double().mean() for name in right} for k in (0, 4))
    assert none["copying"] + none["reversal"] < 1.2
    assert four["copying"] > 0.9 and four["reversal"] > 0.9


def test_what_the_prompt_made_up_is_looked_up_and_never_known(model):
    random = np.random.default_rng(4)
    drawn = [TASKS["lookup"].draw(random, 20, True) for _ in range(100)]
    matches = model.is_right(drawn, usual_format(TASKS["lookup"]))
    seen = torch.tensor(
        [
            [question in {q for q, _ in prompt[:k]} for k, (question, _) in enumerate(prompt)]
            for prompt in drawn
        ]
    )[:, : matches.shape[1]]
    assert matches[seen].double().mean() > 0.97 and matches[~seen].double().mean() < 0.15


def test_the_format_never_trained_is_read_as_well(scores):
    for name in TASKS:
        usual, unseen = (scores[f"{name}, {kind} format"]["right_with_shots"] for kind in ("usual", "unseen"))
        assert unseen > 0.9 * usual, name
    assert UNSEEN_FORMAT not in few_shot.TRAINED_FORMATS


def test_notebook_09_shows_every_task_done(model):
    random = np.random.default_rng(41)
    for name, task in TASKS.items():
        shots, last = draw_prompt(name, 4, random)
        assert model.answer(write_prompt(shots, last.question, usual_format(task))) == last.answer, name


def test_wrong_labels_matter_where_nothing_else_tells_the_task(model):
    """Of 60 prompts of five shots; spelling and translation, like sums, only lose what chance takes."""

    def share(name: str, change) -> float:
        random = np.random.default_rng(21)
        drawn = [TASKS[name].draw(random, 6, True) for _ in range(PROMPTS)]
        prompts = [([*change(shots, random), last], usual_format(TASKS[name])) for *shots, last in drawn]
        encoded = encode(prompts, model.gpt.config.max_length)
        with torch.no_grad():
            return exact_matches(model.gpt(encoded.ids), encoded)[:, -1].double().mean().item()

    def keep(shots, random):
        return shots

    for name in ("addition", "spelling", "translation"):
        assert share(name, with_wrong_labels) > share(name, keep) - 0.1, name
    assert share("copying", with_wrong_labels) > 0.8 > 0.5 > share("reversal", with_wrong_labels)
    assert share("lookup", with_wrong_labels) < share("lookup", keep) - 0.3
    assert all(share(name, keep) > 0.95 for name in ("copying", "reversal"))
