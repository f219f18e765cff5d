"""Temperature, top-k and top-p equal transformers', keep what they should, and refuse what makes no sense."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from course.text.sampling import keep_top_k, keep_top_p, next_token_probabilities, sample, with_temperature

LOGITS = torch.randn(16, 50, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("temperature", [0.1, 0.7, 1.0, 3.0])
def test_temperature_equals_transformers(temperature):
    assert torch.equal(
        with_temperature(LOGITS, temperature), TemperatureLogitsWarper(temperature)(None, LOGITS)
    )


@pytest.mark.parametrize("k", [1, 5, 50, 60])
def test_top_k_equals_transformers(k):
    assert torch.equal(keep_top_k(LOGITS, k), TopKLogitsWarper(k)(None, LOGITS))


@pytest.mark.parametrize("p", [0.05, 0.5, 0.9, 0.99])
def test_top_p_equals_transformers(p):
    assert torch.equal(keep_top_p(LOGITS, p), TopPLogitsWarper(p)(None, LOGITS))


def test_top_k_keeps_ties_and_top_p_the_token_that_crosses():
    logits = torch.tensor([0.1, 0.4, 0.3, 0.2]).log()
    assert (keep_top_k(torch.tensor([1.0, 3.0, 2.0, 2.0]), 2) > -math.inf).tolist() == [
        False,
        True,
        True,
        True,
    ]
    assert (keep_top_p(logits, 0.6) > -math.inf).tolist() == [False, True, True, False]
    assert (keep_top_p(logits, 0.3) > -math.inf).tolist() == [False, True, False, False]


settings_of_sampling = st.tuples(
    st.sampled_from([0.0, 0.1, 1.0, 5.0]), st.none() | st.integers(1, 15), st.none() | st.floats(0.01, 1)
)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: keep_top_k(x, 3),
        lambda x: keep_top_p(x, 0.4),
        lambda x: next_token_probabilities(x, 0.7, 3, 0.9),
    ],
)
def test_what_is_given_stays_as_it_is(change):
    logits = torch.randn(4, 9, generator=torch.Generator().manual_seed(0))
    before = logits.clone()
    change(logits)
    assert logits.equal(before)


@given(st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=12), settings_of_sampling)
def test_what_is_drawn_from_are_probabilities_with_the_likeliest_among_them(values, settings):
    logits, temperature = torch.tensor(values), settings[0]
    probability = next_token_probabilities(logits, *settings)
    assert probability.sum().item() == pytest.approx(1, abs=1e-5)
    before = (logits / (temperature or 1)).softmax(-1)  # logits that differ by 1e-34 are equally likely
    assert probability[before == before.max()].max() == probability.max() > 0


def test_draws_follow_the_probabilities_and_the_generator():
    logits = torch.tensor([0.5, 0.3, 0.2]).log()
    rows = logits.expand(20_000, -1)
    draws, again = (sample(rows, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(draws, again)
    share = draws.bincount(minlength=3) / len(draws)
    torch.testing.assert_close(share, logits.exp(), rtol=0, atol=0.02)  # 5 standard deviations
    assert sample(logits, temperature=0).item() == 0
    assert set(sample(rows, top_k=2).tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"temperature": -0.1}, "temperature is 0 .* got -0.1"),
        ({"temperature": math.nan}, "temperature .* got nan"),
        ({"temperature": "hot"}, "temperature .* got 'hot'"),
        ({"top_k": 0}, "top-k .* got 0"),
        ({"top_k": 2.5}, "top-k .* got 2.5"),
        ({"top_p": 0.0}, "top-p .* got 0.0"),
        ({"top_p": 1.1}, "top-p .* got 1.1"),
    ],
)
def test_settings_out_of_range_are_refused(setting, said):
    for function in (sample, next_token_probabilities):
        with pytest.raises(ValueError, match=said):
            function(LOGITS, **setting)


def test_logits_are_not_divided_by_zero():
    with pytest.raises(ValueError, match="above 0; got 0"):
        with_temperature(LOGITS, 0)


@pytest.mark.parametrize("logits", [30.0 * (torch.arange(50257) == 7), 3 * torch.randn(50257)])
def test_top_p_of_one_keeps_everything(logits):
    assert torch.equal(keep_top_p(logits, 1.0), logits)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", [1e-320, 1e-40, 1e-20, 1e-5, 1e-4])
def test_a_tiny_temperature_is_greedy(temperature, kind):
    logits = torch.tensor([[10.0, 9.0, -200.0, -torch.inf], [-9.0, 300.0, 0.0, 0.0]], dtype=kind)
    p = next_token_probabilities(logits, temperature)
    assert torch.equal(p, torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0]], dtype=kind))
    assert sample(logits, temperature).tolist() == [0, 1]


def test_numbers_may_be_numpys():
    numpys, python = (np.float32(0.5), np.int64(3), np.float64(0.75)), (0.5, 3, 0.75)
    assert torch.equal(next_token_probabilities(LOGITS, *numpys), next_token_probabilities(LOGITS, *python))
