"""Completion: the steps are the model's own greedy text, their numbers its own probabilities."""

import pytest
import torch

from course.in_context.completion import complete, prompt_limit
from course.models.gpt import GPT, GPTConfig
from course.models.language_model import LanguageModel
from course.text.characters import Characters

LETTERS = "0123456789+=\n"


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    torch.manual_seed(0)
    vocabulary = Characters(LETTERS)
    config = GPTConfig(vocab_size=len(vocabulary), d_model=16, n_heads=2, n_layers=2, max_length=40)
    gpt = GPT(config)
    with torch.no_grad():  # fresh weights are so small that every token would be the same
        gpt.embedding.weight.mul_(30)
    return LanguageModel(gpt, vocabulary)


def test_the_answer_is_what_greedy_generation_writes(model):
    for prompt in ("1+2=", "33=", "\n9"):
        steps = complete(model, prompt, longest=12)
        assert "".join(s.token for s in steps) == model.write(prompt, len(steps), temperature=0)


def test_the_probabilities_are_those_of_one_pass_over_the_whole_text(model):
    prompt = "12+34="
    steps = complete(model, prompt, longest=8)
    text = prompt + "".join(s.token for s in steps)
    p = model.logits(text).softmax(-1)[len(prompt) - 1 : -1]  # [step, vocab]
    for step, row in zip(steps, p, strict=True):
        best = row.topk(5)
        expected = list(zip(model.vocabulary.decode(best.indices), best.values.tolist(), strict=True))
        assert [token for token, _ in step.alternatives] == [token for token, _ in expected]
        for (_, a), (_, b) in zip(step.alternatives, expected, strict=True):
            assert a == pytest.approx(b, abs=1e-5)
        assert (step.token, step.probability) == step.alternatives[0]


def test_it_ends_at_the_stop_or_at_the_longest(model):
    whole = complete(model, "1+1=", stop="never", longest=9)
    assert len(whole) == 9
    third = whole[2].token
    first = next(i for i, step in enumerate(whole) if step.token == third)
    assert complete(model, "1+1=", stop=third, longest=9) == whole[: first + 1]


@pytest.mark.parametrize(
    "prompt, says", [("", "at least one"), ("1" * 17, "17 tokens; at most 16"), ("x", "'x'")]
)
def test_a_prompt_that_it_cannot_read_is_said(model, prompt, says):
    assert prompt_limit(model) == 16
    with pytest.raises(ValueError, match=says):
        complete(model, prompt)
