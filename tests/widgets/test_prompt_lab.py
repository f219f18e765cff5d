"""The prompt laboratory: what is shown is what the model says; the buttons edit as they say."""

import json

import pytest
import torch
from prompting import untrained

from course.in_context.completion import Step, complete
from course.in_context.few_shot import fingerprint
from course.in_context.prompts import CHARACTERS, ENDS, flip_answers, write_prompt
from course.in_context.reading import read_prompt, right_answer
from course.in_context.tasks import TASKS, Example
from course.models.language_model import LanguageModel
from course.widgets import PromptLab
from course.widgets.prompt_lab import FORMATS


@pytest.fixture(scope="module")
def model():
    return untrained()


@pytest.fixture
def lab(model):
    return PromptLab(model)


def shots_of(lab) -> list[Example]:
    return read_prompt(lab.prompt)[0]


@pytest.mark.parametrize("task", TASKS)
def test_each_task_starts_with_a_prompt_whose_shots_and_right_answer_are_true(lab, task):
    lab.act("task", task=task)
    shots, question, format = read_prompt(lab.prompt)
    assert len(shots) == 3 and format.separator == TASKS[task].separator and lab.task == task
    assert all(
        right_answer(task, shot.question, shots[:i]) in (shot.answer, None) for i, shot in enumerate(shots)
    )
    assert lab.reply["expected"] == right_answer(task, question, shots)
    assert lab.reply["prompt"] == lab.prompt and lab.reply["problem"] == ""


def test_the_answer_is_the_models(lab, model):
    for prompt in ("cat>", "a>b;c>", "12+3=15;5+5=", "noquestion"):
        lab.prompt = prompt
        steps = complete(LanguageModel(model.gpt, CHARACTERS), flip_answers(prompt), ENDS, longest=16)
        assert [step["token"] for step in lab.reply["steps"]] == [step.token for step in steps]
        assert lab.reply["steps"][0]["probability"] == pytest.approx(steps[0].probability)


def test_digits_are_turned_for_the_model_and_back_for_the_reader(lab, monkeypatch):
    seen = []

    def says_21(model, prompt, **_):
        seen.append(prompt)
        return [Step(token, 1.0, ((token, 1.0),)) for token in "21;"]

    monkeypatch.setattr("course.widgets.prompt_lab.complete", says_21)
    lab.prompt = "9+4=13;6+6="
    assert seen == ["9+4=31;6+6="]
    assert (lab.reply["written"], lab.reply["answer"], lab.reply["expected"]) == ("21", "12", "12")


def test_the_buttons_edit_the_prompt_as_they_say(lab):
    first = shots_of(lab)
    lab.act("shot", lab.prompt)
    assert shots_of(lab)[:-1] == first
    lab.act("fewer", lab.prompt)
    assert shots_of(lab) == first
    lab.act("shuffle", lab.prompt)
    assert sorted(shots_of(lab)) == sorted(first)
    lab.act("wrong", lab.prompt)
    wrong = shots_of(lab)
    assert sorted(s.question for s in wrong) == sorted(s.question for s in first)
    assert sorted(s.answer for s in wrong) == sorted(s.answer for s in first)
    assert not set(wrong) & set(first)
    question = read_prompt(lab.prompt)[1]
    lab.act("question", lab.prompt)
    assert shots_of(lab) == wrong and read_prompt(lab.prompt)[1] != question


def test_the_format_goes_round(lab):
    first, seen = lab.prompt, []
    for _ in FORMATS:
        lab.act("format", lab.prompt)
        shots, question, format = read_prompt(lab.prompt)
        seen.append(format)
        assert lab.prompt == write_prompt(shots, question, format) and lab.reply["problem"] == ""
    assert lab.prompt == first and set(seen) == set(FORMATS)


def test_a_button_goes_by_the_prompt_that_comes_with_it(lab):
    lab.act("fewer", "1+1=2;2+2=4;3+3=")
    assert lab.prompt == "1+1=2;3+3="


@pytest.mark.parametrize(
    "prompt, says", [("just text", "ends 't text'"), ("1=2=3;4=", "has 2"), ("", "ends ''")]
)
def test_a_button_that_cannot_says_why_and_the_prompt_stays(lab, prompt, says):
    before = lab.prompt
    lab.act("shuffle", prompt)
    assert says in lab.refused and lab.prompt == before
    lab.prompt = "fine>"
    assert lab.refused == ""


@pytest.mark.parametrize(
    "prompt, says", [("", "at least one"), ("猫>", "'猫'"), ("a" * 150, "150 tokens; at most 144")]
)
def test_a_prompt_that_the_model_cannot_read_is_said(lab, prompt, says):
    lab.prompt = prompt
    assert says in lab.reply["problem"] and lab.reply["steps"] == [] and says in lab.describe()


def test_the_fingerprint_is_taken_after_every_prompt(model):
    lab = PromptLab(model)
    before = fingerprint(model.gpt)
    assert lab.prints == {"before": before, "after": before, "count": 1}
    with torch.no_grad():
        model.gpt.norm.bias.add_(1)
    lab.prompt = "a>"
    assert lab.prints["count"] == 2 and lab.prints["after"] != before and "CHANGED" in lab.describe()
    with torch.no_grad():
        model.gpt.norm.bias.sub_(1)


def test_a_page_knows_that_it_has_no_kernel_and_the_widget_that_it_has(lab, tmp_path):
    page = lab.to_html(tmp_path / "lab.html").read_text(encoding="utf-8")
    payload = page.split('id="payload">')[1].split("</script>")[0]
    assert json.loads(payload)["state"]["live"] is False and lab.live is True


def test_a_lookup_is_only_asked_for_what_the_prompt_holds(lab):
    for _ in range(20):
        lab.act("task", task="lookup")
        assert lab.reply["expected"] is not None
        lab.act("question", lab.prompt)
        assert lab.reply["expected"] is not None


def test_what_a_button_changed_is_marked_and_another_prompt_is_not(lab):
    lab.act("task", task="addition")
    assert not any(changed for *_, changed in lab.reply["shots"])
    lab.act("wrong", lab.prompt)
    assert all(changed for *_, changed in lab.reply["shots"])
    lab.act("shot", lab.prompt)
    assert [changed for *_, changed in lab.reply["shots"]] == [False] * (len(lab.reply["shots"]) - 1) + [True]
    lab.act("task", task="copying")
    assert not any(changed for *_, changed in lab.reply["shots"])
