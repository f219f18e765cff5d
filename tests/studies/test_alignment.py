"""Alignments: words and their tokens, links from attention, the error rate, what was aligned by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.data.aligned_sentences import AlignedPair, aligned_sentences
from course.models.transformer import TransformerConfig
from course.models.translator import Translator
from course.studies.alignment import (
    alignment_error_rate,
    best_links,
    by_words,
    diagonal,
    diagonal_error_rate,
    head_error_rates,
    word_attention,
    word_of_tokens,
    words,
)
from course.text.tokenizers import Tokenizer

PAIRS = aligned_sentences()


@pytest.fixture(scope="module")
def model() -> Translator:
    """A small model with random weights; its tokenizer cuts most words into several tokens."""
    torch.manual_seed(0)
    texts = [text for pair in PAIRS for text in (pair.french, pair.english)]
    tokenizer = Tokenizer.train(texts, vocab_size=330)
    config = TransformerConfig(len(tokenizer), 16, 2, 24, n_encoder_layers=1, n_decoder_layers=3)
    return Translator(config, tokenizer).eval()


# -- words --


def test_what_is_cut_short_is_a_word_and_an_apostrophe_inside_one_is_not():
    assert words("L’eau qu'il boit, aujourd'hui…") == [
        "L'",
        "eau",
        "qu'",
        "il",
        "boit",
        ",",
        "aujourd'hui",
        "…",
    ]
    assert words("I don't know my sister's dog: it's six o'clock!?")[1:5] == [
        "don't",
        "know",
        "my",
        "sister's",
    ]
    assert words("Où as-tu vu 1992 ?") == ["Où", "as-tu", "vu", "1992", "?"]


@pytest.mark.parametrize("pair", PAIRS[:10], ids=lambda pair: pair.french)
def test_the_tokens_of_a_word_spell_it(model, pair):
    for text in (pair.french, pair.english):
        ids, index = model.tokenizer.encode(text), word_of_tokens(model, text)
        of_word = [[id for id, i in zip(ids, index, strict=True) if i == n] for n in range(max(index) + 1)]
        assert [model.tokenizer.decode(ids).strip() for ids in of_word] == words(text)


def test_a_character_of_several_tokens_belongs_to_one_word(model):
    assert word_of_tokens(model, "猫 猫") == [0, 0, 0, 1, 1, 1, 1]  # the space begins the second word


def test_a_text_without_words_is_refused(model):
    with pytest.raises(ValueError, match="no word"):
        word_of_tokens(model, " ")


# -- links from attention --


def test_weights_of_tokens_are_summed_over_source_words_and_averaged_over_target_words():
    weights = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.5, 0.1, 0.2, 0.2], [0.0, 0.0, 0.0, 1.0]])
    merged = by_words(weights, rows=[0, 0], columns=[0, 1, 1])
    assert torch.allclose(merged, torch.tensor([[0.3, 0.4]]))


@pytest.mark.parametrize("when, offset", [("written", 0), ("read", 1)])
def test_the_attention_of_words_is_that_of_their_tokens(model, when, offset):
    pair = PAIRS[0]
    weights = model.attend(pair.french, pair.english).weights
    rows, columns = word_of_tokens(model, pair.english), word_of_tokens(model, pair.french)
    found = word_attention(model, pair.french, pair.english, when)
    assert found.shape == (3, 2, len(words(pair.english)), len(words(pair.french)))
    token = [i for i, word in enumerate(rows) if word == 2]
    of_word = weights[1, 0, [i + offset for i in token]][
        :, [i for i, word in enumerate(columns) if word == 3]
    ]
    assert found[1, 0, 2, 3].item() == pytest.approx(of_word.sum(-1).mean().item(), abs=1e-6)
    to_eos = weights[:, :, offset : len(rows) + offset, -1]
    assert torch.allclose(
        by_words(to_eos[..., None], rows, [0])[..., 0] + found.sum(-1), torch.ones(1), atol=1e-5
    )


def test_an_unknown_moment_is_refused(model):
    with pytest.raises(ValueError, match='"written" or "read"'):
        word_attention(model, "a", "b", when="later")


def test_each_target_word_is_linked_to_what_it_looks_at_most():
    assert best_links(torch.tensor([[0.2, 0.7], [0.6, 0.1], [0.3, 0.4]])) == {(1, 0), (0, 1), (1, 2)}


@given(st.integers(1, 30), st.integers(1, 30))
def test_the_diagonal_runs_from_the_first_words_to_the_last(source, target):
    links = sorted(diagonal(source, target), key=lambda link: link[1])
    places = [place for place, _ in links]
    assert [t for _, t in links] == list(range(target))
    assert places == sorted(places) and places[0] >= 0 and places[-1] < source
    if source == target:
        assert places == list(range(source))


# -- judging --


def pair(sure: set, possible: set = frozenset()) -> AlignedPair:
    return AlignedPair("", "", frozenset(sure), frozenset(sure) | frozenset(possible))


def test_the_error_rate_is_och_and_neys():
    gold = [pair({(0, 0), (1, 1)}, {(2, 1)}), pair({(0, 0)})]
    assert alignment_error_rate([{(0, 0), (1, 1)}, {(0, 0)}], gold) == 0
    assert alignment_error_rate([{(0, 0), (1, 1), (2, 1)}, {(0, 0)}], gold) == 0, (
        "a possible link costs nothing"
    )
    assert alignment_error_rate([{(1, 0)}, {(1, 0)}], gold) == 1
    found = [{(0, 0), (2, 1)}, {(1, 0)}]  # of 3 links 1 is sure and 2 are possible; of 3 sure ones 1 is found
    assert alignment_error_rate(found, gold) == pytest.approx(1 - (1 + 2) / (3 + 3))
    with pytest.raises(ValueError, match="got 1 for 2 pairs"):
        alignment_error_rate(found[:1], gold)


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_without_possible_links_it_is_one_minus_f1(found):
    sure = {(i, i) for i in range(5)}
    hits = len(found & sure)
    precision, recall = hits / len(found), hits / len(sure)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0
    assert alignment_error_rate([found], [pair(sure)]) == pytest.approx(1 - f1)


@pytest.mark.parametrize("when", ["written", "read"])
def test_the_error_rates_of_heads_are_those_of_their_links(model, when):
    some = PAIRS[:4]
    rates, of_mean = head_error_rates(model, some, when)
    assert rates.shape == (3, 2) and rates.min() >= 0 and rates.max() <= 1 and 0 <= of_mean <= 1
    weights = [word_attention(model, p.french, p.english, when) for p in some]
    links = [best_links(w[2, 1]) for w in weights]
    assert rates[2, 1].item() == pytest.approx(alignment_error_rate(links, some))


# -- the sentences aligned by hand --


def test_thirty_sentences_are_aligned_by_links_between_their_words():
    assert len(PAIRS) == 30 == len({p.french for p in PAIRS})
    for p in PAIRS:
        assert all(s < len(words(p.french)) and t < len(words(p.english)) for s, t in p.possible), p
        assert p.sure <= p.possible
        linked = {t for _, t in p.possible}
        assert linked == set(range(len(words(p.english)))), f"an English word without a link: {p}"


def test_the_same_sign_and_the_same_number_are_linked():
    for p in PAIRS:
        french, english = words(p.french), words(p.english)
        signs = [
            (s, t) for s, f in enumerate(french) for t, e in enumerate(english) if f == e and not f.isalpha()
        ]
        assert signs and set(signs) <= p.sure


def test_the_diagonal_is_right_for_some_sentences_and_wrong_for_those_that_cross():
    assert 0.2 < diagonal_error_rate(PAIRS) < 0.6
    straight = next(p for p in PAIRS if p.french.startswith("Cette vieille maison"))
    assert diagonal_error_rate([straight]) == 0
