"""The Transformer with its vocabulary: text in, text out, what it looked at, and what it refuses."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.models.attention_pass import as_pass
from course.models.transformer import TransformerConfig
from course.models.translator import LiveTranslator, Translator
from course.text.decoding import greedy_search
from course.text.tokenizers import BOS, EOS, Tokenizer
from course.widgets import explore_model

TEXTS = [
    "Le chat dort sur la chaise.",
    "The cat sleeps on the chair.",
    "En août 1992 !",
    "In August 1992!",
] * 3
TOKENIZER = Tokenizer.train(TEXTS, vocab_size=300)
TINY = TransformerConfig(len(TOKENIZER), 16, 2, 24, n_encoder_layers=2, n_decoder_layers=3, max_length=40)

every_norm = pytest.mark.parametrize("norm", ["post", "pre"])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def translator(**changes) -> Translator:
    """A small model whose random weights are large enough for its sentences to differ."""
    model = Translator(dataclasses.replace(TINY, **changes), TOKENIZER).eval()
    with torch.no_grad():
        model.embedding.weight.mul_(3)
    return model


@every_norm
@pytest.mark.parametrize("beam", [1, 4])
def test_a_translation_with_the_cache_equals_one_without(norm, beam):
    model = translator(norm=norm)
    for text in TEXTS[:4]:
        one, other = (model.translate(text, beam, cache=cache) for cache in (True, False))
        assert one.ids == other.ids
        assert one.score == pytest.approx(other.score, abs=1e-5)


def test_a_beam_of_one_is_greedy_search():
    model = translator()
    source = torch.tensor([[*TOKENIZER.encode(TEXTS[0]), EOS]])
    (greedy,) = greedy_search(model.writer(source), 1, BOS, EOS, max_length=20)
    assert model.translate(TEXTS[0], beam=1, max_length=20).ids == greedy.ids


def test_many_sentences_are_translated_as_each_alone():
    model = translator()
    texts = [TEXTS[0], TEXTS[2], "Le chat", TEXTS[0][:9], "la chaise dort"]
    alone = [model.translate(text, max_length=len(TOKENIZER.encode(TEXTS[0])) + 51).text for text in texts]
    assert model.translate_all(texts, batch_size=2) == model.translate_all(texts) == alone


def test_a_translation_shows_what_each_token_looked_at():
    model = translator()
    translation = model.translate("Le chat dort.", max_length=6)
    attention = translation.attention
    assert translation.tokens == TOKENIZER.pieces(translation.ids)
    source = [*TOKENIZER.encode("Le chat dort."), EOS]
    assert translation.source_tokens == TOKENIZER.pieces(source)
    assert attention.weights.shape == (3, 2, len(translation.tokens), len(source))
    torch.testing.assert_close(attention.weights.sum(-1), torch.ones(3, 2, len(translation.tokens)))
    scores = attention.query @ attention.key.mT / (TINY.d_model / TINY.n_heads) ** 0.5
    torch.testing.assert_close(scores.softmax(-1), attention.weights, rtol=1e-5, atol=1e-6)
    assert not attention.weights.requires_grad


@pytest.mark.parametrize(
    ("part", "layers", "rows", "columns"),
    [
        ("cross", 3, ["The", " cat", "<eos>"], ["Le", " chat", "<eos>"]),
        ("encoder", 2, ["Le", " chat", "<eos>"], ["Le", " chat", "<eos>"]),
        ("decoder", 3, ["<bos>", "The", " cat"], ["<bos>", "The", " cat"]),
    ],
)
def test_the_attention_of_a_given_translation(part, layers, rows, columns):
    attention = translator().attend("Le chat", "The cat", part)
    assert (list(attention.tokens), list(attention.columns)) == (rows, columns)
    assert attention.weights.shape == (layers, 2, 3, 3)
    if part == "decoder":
        assert not attention.weights.triu(1).any()


def test_the_explorer_takes_the_model_and_a_text():
    attention = as_pass(translator().attend, "Le chat dort.")
    assert list(attention.columns)[-1] == "<eos>" and attention.weights.shape[:2] == (3, 2)


def test_the_live_explorer_runs_the_translator_as_the_reader_types():
    live = explore_model(LiveTranslator(translator()), "Le chat")
    assert list(live.chosen()[0].columns) == ["Le", " chat", "<eos>"]
    live.text = "Le chat dort."
    assert len(live.chosen()[0].columns) == len(TOKENIZER.encode(live.text)) + 1
    live.temperature = 1e6
    weights = live.chosen()[0].weights
    torch.testing.assert_close(weights, torch.full_like(weights, 1 / weights.shape[-1]))
    live.ablated = [(2, 1)]
    live.text = ""
    assert "nothing to translate" in live.problem


def test_translating_leaves_training_as_it_was():
    model = translator().train()
    assert model.translate(TEXTS[0]).ids == model.translate(TEXTS[0]).ids  # no dropout while translating
    assert model.training and all(module.training for module in model.modules())


# -- sources of every kind --


@pytest.mark.parametrize("text", ["", "   ", "\u00a0\u200b", []])
def test_nothing_to_translate_is_said(text):
    with pytest.raises(ValueError, match="nothing to translate"):
        translator().translate(text)


def test_a_source_too_long_is_refused_with_the_numbers():
    model = translator()
    assert model.translate("a" * 39, beam=1).ids
    said = f"begins with '{'a' * 30}' is too long: 41 tokens with <eos>, and this model reads at most 40"
    with pytest.raises(ValueError, match=said):
        model.translate("a" * 40)
    with pytest.raises(ValueError, match=said):
        model.translate_all(["Le chat", "a" * 40])


@settings(max_examples=20, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_any_characters_can_be_read(text):
    model = translator()
    try:
        assert isinstance(model.translate(text, beam=2, max_length=3).text, str)
    except ValueError as refusal:
        assert "nothing to translate" in str(refusal)


def test_a_text_is_read_as_if_typed_plainly():
    model = translator()
    assert model.translate("L\u2019été\u202f!").source_tokens == model.translate("L'été !").source_tokens


def test_what_is_neither_text_nor_ids_is_refused():
    model = translator()
    with pytest.raises(TypeError, match="a text or token ids; got NoneType"):
        model.translate(None)
    for words in (["Le", "chat"], [5.0], b"Le chat"):
        with pytest.raises(TypeError, match=f"a text or token ids; got {type(words).__name__}"):
            model.translate(words)
    with pytest.raises(ValueError, match="between 3 and 299; got 300"):
        model.translate([5, 300])
    with pytest.raises(ValueError, match="no tokenizer"):
        Translator(TINY).translate("Le chat")
    assert Translator(TINY).translate([5, 6], max_length=2).source_tokens == ["5", "6", "2"]
    with pytest.raises(ValueError, match="'encoder', 'decoder', 'cross'; got 'self'"):
        model.attend("Le chat", "The cat", part="self")


# -- files --


def test_saving_and_loading_change_nothing(tmp_path):
    model = translator(norm="pre")
    model.save(tmp_path / "model")
    loaded = Translator.from_pretrained(tmp_path / "model")
    assert loaded.config == model.config and not loaded.training
    assert loaded.translate(TEXTS[0]).text == model.translate(TEXTS[0]).text
    assert sorted(file.name for file in (tmp_path / "model").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]


def test_without_a_tokenizer_it_is_saved_and_loaded_as_well(tmp_path):
    Translator(TINY).save(tmp_path)
    assert Translator.from_pretrained(tmp_path).tokenizer is None
