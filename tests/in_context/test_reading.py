"""Reading a prompt: the writing undone, and the answers that the tasks themselves would give."""

import numpy as np
import pytest

from course.in_context.prompts import ENDS, SEPARATORS, Format, write_prompt
from course.in_context.reading import read_prompt, right_answer
from course.in_context.tasks import TASKS, Example

FORMATS = [Format(separator, end) for separator in SEPARATORS for end in ENDS]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("held_out", [True, False])
def test_the_right_answers_are_those_that_the_task_draws(task, held_out):
    examples = TASKS[task].draw(np.random.default_rng(0), 50, held_out)
    for k, (question, answer) in enumerate(examples):
        found = right_answer(task, question, examples[:k])
        new = question not in [example.question for example in examples[:k]]
        assert found == (None if task == "lookup" and new else answer)


@pytest.mark.parametrize(
    "prompt, says", [("just text", "ends 't text'"), ("1=2=3;4=", "has 2"), ("", "ends ''")]
)
def test_what_is_no_prompt_is_said(prompt, says):
    with pytest.raises(ValueError, match=says):
        read_prompt(prompt)


def test_the_reading_undoes_the_writing():
    shots = [Example("a", "b"), Example("1+1", "2")]
    for format in FORMATS:
        for n in range(3):
            assert read_prompt(write_prompt(shots[:n], "c", format)) in [
                (shots[:n], "c", format),
                (shots[:n], "c", Format(format.separator)),  # without shots nothing tells how they end
            ]


@pytest.mark.parametrize(
    "task, question, answer",
    [
        ("addition", "17+5", "22"),
        ("addition", "cat", None),
        ("addition", "1+2+3", None),
        ("spelling", "bottel", "bottle"),
        ("spelling", "qqq", None),
        ("translation", "chat", "cat"),
        ("reversal", "abc", "cba"),
        ("lookup", "x", None),
    ],
)
def test_the_right_answer(task, question, answer):
    assert right_answer(task, question) == answer


def test_a_lookups_answer_is_the_latest_in_the_prompt():
    assert right_answer("lookup", "x", [Example("x", "a"), Example("y", "b"), Example("x", "c")]) == "c"
