"""The toy model: any text, the same vector for the same word, settings that do what they say."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.masks import causal_mask, window_mask
from course.models.toy_attention import ToyAttention, split_words, word_vector


@pytest.mark.parametrize(
    "text, tokens",
    [
        ("The animal didn't cross.", ["The", "animal", "didn't", "cross", "."]),
        ("我喜欢 tea", ["我", "喜", "欢", "tea"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("👩\u200d🚀 hi", ["👩\u200d🚀", "hi"]),
        ("<script>", ["<", "script", ">"]),
        ("'quote'", ["'", "quote", "'"]),
        (" \n ", []),
    ],
)
def test_words_of_many_scripts(text, tokens):
    assert split_words(text) == tokens


@given(st.text())
def test_splitting_loses_nothing_but_spaces(text):
    assert "".join(split_words(text)) == "".join(text.split())


def test_a_word_has_one_vector_of_unit_variance():
    assert torch.equal(word_vector("Tea", 16), word_vector("tea", 16))
    assert not torch.equal(word_vector("tea", 16), word_vector("coffee", 16))
    # The variance of 4096 standard normal numbers has a standard deviation of √(2/4096) = 0.022.
    assert abs(word_vector("tea", 4096).var() - 1) < 5 * 0.022


def test_without_positions_the_same_word_attends_alike():
    seen = ToyAttention(positions=False)("like tea like")
    assert torch.allclose(seen.weights[..., 0, :], seen.weights[..., 2, :])
    assert not torch.allclose(*(ToyAttention()("like tea like").weights[..., i, :] for i in (0, 2)))


@pytest.mark.parametrize("name, mask", [("causal", causal_mask(5)), ("window", window_mask(5, 2))])
def test_a_mask_forbids_what_it_says(name, mask):
    seen = ToyAttention()("one two three four five", mask=name)
    assert torch.equal(seen.weights != 0, mask.expand_as(seen.weights))
    assert torch.equal(seen.mask[0, 0], mask)


def test_temperature_flattens_and_the_scale_given_reproduces_the_weights():
    model = ToyAttention()
    cold, hot = (model("one two three", temperature=t) for t in (0.2, 1e6))
    assert torch.allclose(hot.weights, torch.full_like(hot.weights, 1 / 3), atol=1e-4)
    again = (cold.query @ cold.key.mT * cold.scale).softmax(-1)
    assert torch.allclose(again, cold.weights, atol=1e-5)


def test_ablating_a_head_changes_only_the_layers_above():
    model = ToyAttention()
    whole, cut = model("one two three"), model("one two three", ablate={(0, 1)})
    assert torch.equal(whole.weights[0], cut.weights[0])
    assert not torch.allclose(whole.weights[1], cut.weights[1])


def test_random_numbers_of_the_reader_stay_as_they_were():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    ToyAttention()("one two")
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "text, says", [("  ", "type at least one word"), ("a " * 129, "up to 128 .* has 129")]
)
def test_a_text_that_it_cannot_read_is_refused_in_words(text, says):
    with pytest.raises(ValueError, match=says):
        ToyAttention()(text)
