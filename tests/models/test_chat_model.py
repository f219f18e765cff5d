"""A GPT that takes turns, on a small random one: what it reads, and how a reply ends."""

import pytest
import torch

from course.models.chat import MARKS, ChatModel, marks_of
from course.models.gpt import GPT, GPTConfig
from course.text.chat import Turn
from course.text.tokenizers import Tokenizer

TURNS = [
    Turn("user", "a table for two in oakland"),
    Turn("assistant", "at what time?"),
    Turn("user", "at 7 pm"),
]


@pytest.fixture(scope="module")
def model() -> ChatModel:
    tokenizer = Tokenizer.train([turn.text for turn in TURNS] * 3, 300, lower_case=True, marks=MARKS)
    torch.manual_seed(0)
    return ChatModel(GPT(GPTConfig(len(tokenizer), 16, 2, 1, max_length=64, dropout=0.0)), tokenizer)


def test_marks_are_tokens_that_no_text_holds(model):
    assert model.marks == (3, 4, 2)
    ids = model.tokenizer.encode("<user> <assistant> <eos>")
    assert not {2, 3, 4} & set(ids) and model.tokenizer.decode(ids) == "<user> <assistant> <eos>"
    assert model.tokenizer.pieces([3, 4]) == list(MARKS)
    with pytest.raises(ValueError, match="no special token '<robot>'"):
        model.tokenizer.mark("<robot>")
    with pytest.raises(ValueError, match="no special token '<user>'"):
        marks_of(Tokenizer.train(["a"], 259))


def test_only_the_newest_turns_are_read(model):
    whole, one = model.prompt(TURNS, longest=10), model.prompt(TURNS, keep=1, longest=10)
    assert whole[-len(one) :] == one and len(one) < len(whole)
    assert model.read(TURNS, longest=10) == 3 and model.read(TURNS, keep=2, longest=10) == 2
    assert model.read(TURNS * 6, longest=10) < 18
    assert list(model.spoken(whole)) == TURNS


def test_a_reply_ends_with_the_mark_or_says_that_it_did_not(model):
    ids = model.prompt(TURNS, longest=10)
    reply = model.finish(ids, 10)
    assert len(reply.ids) <= 10 and reply.ended == (reply.ids[-1] == model.marks.end)
    assert len(model.finish(ids, 10, stop=False).ids) == 10


def test_it_is_saved_and_read_again(model, tmp_path):
    model.gpt.save(tmp_path)
    model.tokenizer.save(tmp_path / "tokenizer.json")
    again = ChatModel.from_pretrained(tmp_path)
    assert again.marks == model.marks and again.reply(TURNS, longest=10) == model.reply(TURNS, longest=10)
