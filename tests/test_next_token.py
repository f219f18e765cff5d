"""What is predicted from what, what it costs, and how surprising a token is."""

import math

import pytest
import torch
import torch.nn.functional as F
from equality import assert_same, assert_same_function
from hypothesis import given
from hypothesis import strategies as st

from course.masking import IGNORED
from course.models.gpt import GPT, GPTConfig
from course.next_token import inputs_and_targets, last_token, next_token_loss, perplexity, surprise

PAD = 9
texts = st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=6), min_size=1, max_size=4)


@given(texts)
def test_each_target_is_the_token_after_its_input(texts):
    n = max(map(len, texts))
    ids = torch.tensor([text + [PAD] * (n - len(text)) for text in texts])
    inputs, targets = inputs_and_targets(ids, PAD)
    assert inputs.shape == targets.shape == (len(texts), n - 1)
    for text, read, wanted in zip(texts, inputs.tolist(), targets.tolist(), strict=True):
        assert read[: len(text)] == text[: n - 1]
        assert wanted == text[1:] + [IGNORED] * (n - len(text))


def test_the_loss_equals_torchs_in_value_and_gradient():
    logits, targets = torch.randn(3, 5, 7), torch.randint(7, (3, 5))
    targets[0, 2:] = IGNORED
    assert_same_function(
        lambda x: next_token_loss(x, targets),
        lambda x: F.cross_entropy(x.flatten(0, -2), targets.flatten(), ignore_index=IGNORED),
        logits,
    )


def test_padding_changes_no_loss():
    torch.manual_seed(0)
    model = GPT(GPTConfig(10, 16, 2, 1, max_length=12, dropout=0.0))
    text = torch.tensor([[3, 1, 4, 1, 5]])
    padded = F.pad(text, (0, 4), value=PAD)
    short, long = (inputs_and_targets(ids, PAD) for ids in (text, padded))
    assert_same(next_token_loss(model(long[0]), long[1]), next_token_loss(model(short[0]), short[1]))
    assert_same(next_token_loss(model(long[0]), long[1]), model.loss(*long))


def test_the_mean_surprise_in_nats_is_the_loss():
    logits, ids = torch.randn(4, 6, 7), torch.randint(7, (4, 6))
    assert_same(surprise(logits, ids).mean() * math.log(2), next_token_loss(logits, ids))


@given(st.integers(1, 64))
def test_an_even_choice_among_n_has_log2_n_bits_and_perplexity_n(n):
    assert surprise(torch.zeros(n), torch.tensor(0)).item() == pytest.approx(math.log2(n), abs=1e-6)
    loss = next_token_loss(torch.zeros(1, n), torch.tensor([n - 1])).item()
    assert perplexity(loss) == pytest.approx(n, rel=1e-5)


def test_the_last_real_token_is_taken():
    states = torch.arange(24.0).reshape(3, 4, 2)
    assert last_token(states, torch.tensor([4, 1, 2])).tolist() == [[6, 7], [8, 9], [18, 19]]
