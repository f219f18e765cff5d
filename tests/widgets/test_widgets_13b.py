"""The era, the budget and the chat box: the browser says what Python says."""

import pytest
import torch

from course.data.era import EVENTS
from course.models.chat import MARKS, ChatModel
from course.models.gpt import GPT, GPTConfig
from course.text.chat import Turn
from course.text.tokenizers import Tokenizer
from course.widgets import Budget, ChatBox, Era
from course.widgets.budget import KINDS, amount, duration
from course.widgets.era import number

NUMBERS = [
    40.0,
    881.6,
    999_999.0,
    1e6,
    340e6,
    999.6e6,
    1.5e9,
    174.6e9,
    0.99951e12,
    1.8e12,
    9.96e13,
    3.14e23,
    2.1e25,
]


def test_numbers_are_written_alike(call):
    assert call("sizes", "number", [[x] for x in NUMBERS]) == [number(x) for x in NUMBERS]
    assert number(3.14e23) == "3.1 · 10²³" and number(174.6e9) == "175 billion" and number(1e6) == "1 million"


# ---- the era ------------------------------------------------------------------------------------


def test_the_browser_says_the_same_of_every_model_and_event(call):
    era = Era()
    said = call("era", "ofModel", [[row, era.words] for row in era.models[::25]])
    for row, sentence in zip(era.models[::25], said, strict=True):
        era.chosen = row[0]
        if [other[0] for other in era.models].count(row[0]) == 1:
            assert era.describe() == sentence
    said = call("era", "ofEvent", [[row, era.words] for row in era.events])
    for event, sentence in zip(EVENTS, said, strict=True):
        era.chosen = event.name
        assert era.describe() == sentence
    assert "LLM ⊂ DL ⊂ ML ⊂ AI" in sentence


def test_the_era_holds_every_model_with_a_number_and_refuses_what_is_not_there():
    era = Era("AlexNet", quantity="compute")
    assert len(era.models) == 743 and len(era.events) == len(EVENTS)
    assert "60 million parameters, 4.7 · 10¹⁷ operations" in era.describe()
    with pytest.raises(Exception, match="Nothing here is called “HAL 9000”"):
        era.chosen = "HAL 9000"
    assert era.png().startswith(b"\x89PNG")


def test_arrow_keys_walk_along_the_dates(call):
    order = [4, 2, 7]
    steps = [[order, 2, 1], [order, 2, -1], [order, 7, 1], [order, 4, -1]]
    assert call("era", "beside", steps) == [7, 4, 7, 4]
    assert call("era", "nearestYear", [[[2000, 2010, 2020], 2014], [[2000, 2010, 2020], 1990]]) == [1, 0]


# ---- the budget ---------------------------------------------------------------------------------


def cases() -> list[Budget]:
    sizes = [
        {},
        {"layers": 96, "width": 12288, "length": 2048, "vocabulary": 50257, "tokens": 3e11, "batch": 512},
        {"layers": 1, "width": 64, "length": 64, "vocabulary": 65, "tokens": 1e5, "half": True},
    ]
    return [Budget(rate, watts, **s) for s in sizes for rate, watts in ((2e10, 30.0), (3.7e14, 700.0))]


def state(budget: Budget) -> dict:
    names = ("layers", "width", "length", "vocabulary", "batch", "tokens", "half", "rate", "watts")
    return {name: getattr(budget, name) for name in names}


def test_the_browser_works_out_the_same_bill(call):
    widgets = cases()
    bills = call("budget", "bill", [[state(w)] for w in widgets])
    for widget, found in zip(widgets, bills, strict=True):
        ours = widget.bill
        assert found["parameters"] == ours.parameters and found["peak"] == ours.memory.peak
        assert found["flops"] == pytest.approx(ours.flops) and found["seconds"] == pytest.approx(ours.seconds)
        assert [found["memory"][kind] for kind in KINDS] == list(ours.memory)
    assert call("budget", "says", [[state(w), w.words] for w in widgets]) == [w.describe() for w in widgets]


def test_amounts_are_written_alike(call):
    sizes = [12.0, 999.0, 7_607_424.0, 35.5e6, 999.6e6, 2.8e9, 4.5e12, 2e15]
    assert call("budget", "bytes", [[x] for x in sizes]) == [amount(x) for x in sizes]
    hours = [1e-6, 0.0321, 0.1, 5.0, 12345.0, 3e9]
    assert call("budget", "energy", [[x] for x in hours]) == [amount(x, "kWh") for x in hours]
    seconds = [0.02, 45.6, 300.0, 8000.0, 3e5, 8e7, 1e15]
    names = Budget(1e9).words["units"]
    assert call("budget", "duration", [[x, names] for x in seconds]) == [duration(x) for x in seconds]


def test_the_budget_stands_still_and_knows_runs():
    widget = Budget(2e10)
    assert {"gpt-stories", "GPT-3", "Chinchilla"} <= {run[0] for run in widget.known}
    assert widget.png().startswith(b"\x89PNG")


# ---- a conversation -----------------------------------------------------------------------------

TURNS = [Turn("user", "a table in oakland"), Turn("assistant", "at what time?"), Turn("user", "at 7 pm")]


@pytest.fixture(scope="module")
def chat() -> ChatModel:
    tokenizer = Tokenizer.train([turn.text for turn in TURNS] * 3, 300, lower_case=True, marks=MARKS)
    torch.manual_seed(0)
    return ChatModel(GPT(GPTConfig(len(tokenizer), 16, 2, 1, max_length=400, dropout=0.0)), tokenizer)


def test_a_turn_is_answered_and_a_history_is_cut(chat, call):
    box = ChatBox(chat, TURNS)
    assert [role for role, _ in box.turns] == ["user", "assistant", "user", "assistant"]
    box.said = [1, "hello"]
    assert len(box.turns) == 6 and box.turns[-2] == ["user", "hello"] and not box.problem
    box.keep = 2
    assert box.read[0] <= 2
    heads = call("chat_box", "head", [[len(box.turns), box.read, box.room, box.words]])
    assert heads[0] == box.describe().splitlines()[0]
    assert call("chat_box", "isRead", [[4, 2]]) == [[False, False, True, True]]


def test_what_is_too_long_is_said_and_nothing_is_lost(chat):
    box = ChatBox(chat, TURNS)
    before = box.turns
    box.said = [1, "z" * 400]
    assert "make it shorter" in box.problem and box.turns == before
    box.said = [2, ""]
    assert box.turns == [] and box.describe() == box.words["empty"] and not box.problem
    with pytest.raises(ValueError, match="type something"):
        box.say(" ")
    assert box.png().startswith(b"\x89PNG")
