"""What a conversation needs, on a small random model: values said again, and histories cut."""

import math

import pytest
import torch

from course.data.intents import LABELS, OTHERS, SERVED
from course.models.chat import MARKS, ChatModel
from course.models.gpt import GPT, GPTConfig
from course.studies import conversation, routing
from course.text.chat import Turn
from course.text.tokenizers import Tokenizer

TURNS = [
    Turn("user", "A bus to Oakland at 11:30 pm, please."),
    Turn("assistant", "From which city?"),
    Turn("user", "From Fresno."),
    Turn("assistant", "A bus from Fresno to Oakland at 1:30 pm, or at 11:30 pm?"),
]


@pytest.fixture(scope="module")
def model() -> ChatModel:
    tokenizer = Tokenizer.train([turn.text for turn in TURNS] * 3, 330, lower_case=True, marks=MARKS)
    torch.manual_seed(0)
    return ChatModel(GPT(GPTConfig(len(tokenizer), 16, 2, 1, max_length=96, dropout=0.0)), tokenizer)


def test_values_that_are_said_again_know_how_long_ago():
    found = {case.value: case for case in conversation.held_values([TURNS])}
    assert {value: case.distance for value, case in found.items()} == {
        "fresno": 1,
        "oakland": 3,
        "11:30 pm": 3,
    }
    assert found["oakland"].before == "a bus from fresno to "
    cases = [found["fresno"], found["oakland"], found["11:30 pm"]]
    assert conversation.latest(cases) == [True, False, True]
    assert conversation.latest(cases, keep=1) == [True, False, False]


def test_one_time_is_not_inside_another():
    assert not conversation.said_in("1:30 pm", "at 11:30 pm") and conversation.said_in("1:30 pm", "1:30 pm.")


@pytest.mark.parametrize("keep", [None, 2, 0])
def test_going_on_is_what_the_model_would_write(model, keep):
    cases = list(conversation.held_values([TURNS]))
    told = conversation.goes_on(model, cases, keep)
    for case, hit in zip(cases, told, strict=True):
        ids, wanted = conversation._up_to_the_value(model, case, keep)
        assert hit == (model.gpt.generate(ids, len(wanted), temperature=0) == wanted)
        assert ids.count(model.marks.user) == (2 if keep is None else keep // 2)


def test_shares_by_distance():
    cases = list(conversation.held_values([TURNS]))
    shares = conversation.by_distance(cases, [case.distance < 2 for case in cases], ((1, 2), (3, 9)))
    assert [share.value for share in shares] == [1, 0]


def test_intervals():
    found = conversation.wilson(8, 10)
    assert (
        found.value == 0.8
        and found.low == pytest.approx(0.490, abs=1e-3)
        and found.high == pytest.approx(0.943, abs=1e-3)
    )
    assert math.isnan(conversation.wilson(0, 0).value)
    mean = conversation.resampled([1.0, 2.0, 3.0, 4.0] * 25)
    assert mean.value == 2.5 and mean.low < 2.5 < mean.high


def test_a_reply_is_weighed_four_ways(model):
    losses = conversation.reply_losses(model, [TURNS, TURNS])
    assert set(losses) == {"as in training", "without marks", "roles exchanged", "without history"}
    assert all(len(found) == 2 and min(found) > 0 for found in losses.values())
    told = conversation.mean_of(losses)
    difference = told["without history"].value - told["as in training"].value
    assert told["without history, more"].value == pytest.approx(difference)


# ---- the pipe -----------------------------------------------------------------------------------


def test_every_intent_that_is_served_has_an_opening_and_words():
    assert set(LABELS) == {*SERVED, *OTHERS} and not set(SERVED) & set(OTHERS)
    assert set(SERVED.values()) == set(routing.OPENINGS) == set(routing.WORDS)


def test_the_pipe_answers_by_the_intent(model):
    assert routing.pipe("tell me a joke", "tell_joke", model).reply == routing.SORRY
    routed = routing.pipe("i need a room", "book_hotel", model)
    assert [turn.role for turn in routed.before] == ["user", "assistant"] and isinstance(routed.reply, str)
    assert routing.is_right("tell_joke", routing.SORRY) and not routing.is_right("tell_joke", "a hotel")
    assert routing.is_right("book_hotel", "Which hotel?") and not routing.is_right(
        "book_hotel", "which song?"
    )
    requests = [("x", "book_hotel"), ("y", "tell_joke"), ("z", "book_hotel")]
    answers = {"x": "a hotel", "y": "a hotel", "z": "a song"}
    found = routing.shares(requests, lambda text, _: answers[text])
    assert found == {"served": (1, 2), "not served": (0, 1)}
