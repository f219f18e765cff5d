"""What the scores of written function bodies count, and what they are compared with."""

import math

import pytest
import torch

from course.data.standard_library import Function
from course.models.gpt import GPT, GPTConfig
from course.text.tokenizers import EOS, Tokenizer
from course.training.recipes.docstrings import body_loss, body_scores, most_similar, parses, score, write

GET = Function("def get(self, key):", "Return the value of a key.", "\n    return self.values[key]")
PUT = Function("def put(self, key, value):", "Set the value of a key.", "\n    self.values[key] = value")
SIZE = Function("def __len__(self):", "", "\n    return len(self.values)")


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer.train([function.text for function in (GET, PUT, SIZE)], 290)


def test_python_parses_and_other_text_does_not():
    assert parses(GET.text) and not parses(GET.text + ")") and not parses(GET.prompt + "\n  pass")


def test_shares_are_counted_over_the_whole_function():
    bodies = [GET.body, "\n    pass", ")"]
    assert body_scores([GET, PUT, SIZE], bodies) == {"parses": 2 / 3, "exact": 1 / 3}


def test_the_most_similar_function_is_found_by_words_within_names_too():
    similar = most_similar([GET, PUT, SIZE])
    assert similar(Function("def get_value(self, key):", "Return a value.", "")) == GET
    assert similar(Function("def set(self, key, value):", "Set a value.", "")) == PUT
    assert similar(Function("def len_of(self):", "", "")) == SIZE


def test_the_loss_is_that_of_the_bodys_tokens_alone(tokenizer):
    torch.manual_seed(0)
    model = GPT(GPTConfig(len(tokenizer), 16, 2, 1, max_length=120)).eval()
    total, tokens = 0.0, 0
    for function in (GET, PUT):
        prompt, body = tokenizer.encode(function.prompt), [*tokenizer.encode(function.body), EOS]
        log_p = model(torch.tensor([[EOS, *prompt, *body]]))[0].log_softmax(-1)
        total -= sum(log_p[len(prompt) + i, id].item() for i, id in enumerate(body))
        tokens += len(body)
    assert body_loss(model, tokenizer, [GET, PUT]) == pytest.approx(total / tokens, rel=1e-5)


def test_docstrings_are_compared_on_functions_that_fit_with_any_of_them(tokenizer):
    torch.manual_seed(0)
    wordy = PUT._replace(summary="7" * 100)  # with its body too long, and so is what is given its docstring
    room = len(tokenizer.encode(wordy.prompt)) + 2
    model = GPT(GPTConfig(len(tokenizer), 16, 2, 1, max_length=room)).eval()
    scores = score(model, tokenizer, [GET], [GET, wordy, SIZE, PUT])
    assert (scores["functions"], scores["fitting"]) == (4, 2)
    assert scores["body_loss"]["own"] == body_loss(model, tokenizer, [SIZE, PUT])
    assert scores["body_loss"]["none"] == body_loss(model, tokenizer, [SIZE, PUT._replace(summary="")])
    swapped = [SIZE._replace(summary=PUT.summary), PUT._replace(summary=GET.summary)]
    assert scores["body_loss"]["another"] == body_loss(model, tokenizer, swapped)


def test_a_model_that_knows_a_function_writes_its_body_and_stops(tokenizer):
    torch.manual_seed(0)
    model = GPT(GPTConfig(len(tokenizer), 32, 2, 1, max_length=120, dropout=0.0))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    ids = torch.tensor([[EOS, *tokenizer.encode(GET.text), EOS]])
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(ids[:, :-1], ids[:, 1:])
        loss.backward()
        optimizer.step()
    assert loss < 0.1 < math.log(len(tokenizer))
    assert write(model.eval(), tokenizer, GET.prompt) == GET.body
