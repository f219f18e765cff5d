"""A GPT with its vocabulary: what it writes, what it looks at, and which vocabulary it finds."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from course.heads import record_attention
from course.models.gpt import GPT, GPTConfig
from course.models.language_model import HubVocabulary, LanguageModel, find_vocabulary
from course.text.characters import Characters
from course.text.tokenizers import Tokenizer
from course.widgets import explore, explore_model

TEXT = "to be or not to be 猫"
CHARACTERS = Characters("abcdefghijklmnopqrstuvwxyz 猫\n")
SUBWORDS = Tokenizer.train([TEXT] * 3, 270)


def language_model(vocabulary=CHARACTERS) -> LanguageModel:
    """A random model whose attention is far from even."""
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(len(vocabulary), d_model=16, n_heads=2, n_layers=3, max_length=40, dropout=0.5))
    with torch.no_grad():
        for parameter in gpt.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return LanguageModel(gpt, vocabulary)


# -- what it looks at --


def test_the_attention_is_that_with_which_the_text_was_read():
    model = language_model()
    seen = model(TEXT)
    with record_attention(model.gpt) as weights:
        model.gpt(torch.tensor([CHARACTERS.encode(TEXT)]))
    torch.testing.assert_close(seen.weights, torch.cat(list(weights.values())), rtol=1e-5, atol=1e-6)
    scores = seen.query @ seen.key.mT / 8**0.5  # 8 = d_model / n_heads
    expected = scores.masked_fill(~seen.mask, -torch.inf).softmax(-1)
    torch.testing.assert_close(seen.weights, expected, rtol=1e-5, atol=1e-6)
    assert list(seen.tokens) == list(TEXT) and not seen.weights.triu(1).any()
    assert not seen.weights.requires_grad


def test_the_explorer_takes_the_model_and_a_text():
    explorer = explore(language_model(), "to be")
    assert explorer.chosen()[0].weights.shape == (3, 2, 5, 5)


def test_the_live_explorer_runs_it_as_the_reader_types():
    live = explore_model(language_model(), "to be")
    live.text = "to be or"
    seen = live.chosen()[0]
    assert list(seen.tokens) == list("to be or")
    live.temperature = 1e6
    even = torch.ones(8, 8).tril() / torch.arange(1, 9)[:, None]
    torch.testing.assert_close(live.chosen()[0].weights, even.expand(3, 2, 8, 8), rtol=1e-3, atol=1e-4)
    live.temperature = 1.0
    live.ablated = [(0, 1)]
    changed = live.chosen()[0]
    assert torch.equal(changed.weights[0], seen.weights[0])  # its output is silenced, not its weights
    assert (changed.weights[1] != seen.weights[1]).any()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one character"),
        ("a" * 41, "up to 40 tokens .* has 41"),
        ("A!", "not in this vocabulary"),
    ],
)
def test_a_text_it_cannot_read_keeps_the_picture_and_says_why(text, said):
    live = explore_model(language_model(), "to be")
    live.text = text
    assert list(live.chosen()[0].tokens) == list("to be")
    with pytest.raises(ValueError, match=said):
        live.model(text)
    assert live.problem


# -- text in, text out --


def test_logits_are_those_of_the_gpt():
    model = language_model()
    expected = model.gpt(torch.tensor([CHARACTERS.encode(TEXT)]))[0]
    torch.testing.assert_close(model.logits(TEXT), expected.detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("vocabulary", [CHARACTERS, SUBWORDS], ids=["characters", "subwords"])
def test_it_writes_what_the_gpt_writes_at_once_and_piece_by_piece(vocabulary):
    model = language_model(vocabulary)
    ids = model.gpt.generate(vocabulary.encode("to be"), 30, seed=3)
    text = model.write("to be", 30, seed=3)
    assert text == vocabulary.decode(ids)
    pieces = "".join(model.stream("to be", 30, seed=3))
    assert text.startswith(pieces) and set(text[len(pieces) :]) <= {"\ufffd"}


def test_it_does_not_drop_anything_out():
    model = language_model()
    assert torch.equal(model.logits(TEXT), model.logits(TEXT)) and not model.gpt.training


# -- vocabularies --


@pytest.mark.parametrize("vocabulary", [CHARACTERS, SUBWORDS], ids=["characters", "subwords"])
def test_it_finds_the_vocabulary_that_lies_beside_the_weights(tmp_path, vocabulary):
    model = language_model(vocabulary)
    model.gpt.save(tmp_path)
    vocabulary.save(tmp_path / ("characters.json" if vocabulary is CHARACTERS else "tokenizer.json"))
    loaded = LanguageModel.from_pretrained(tmp_path)
    assert type(loaded.vocabulary) is type(vocabulary)
    assert torch.equal(loaded.logits(TEXT), model.logits(TEXT))


def test_a_checkpoint_without_a_vocabulary_is_said(tmp_path):
    language_model().gpt.save(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"neither characters\.json nor tokenizer\.json"):
        find_vocabulary(tmp_path)


@pytest.fixture(scope="module")
def hub_folder(tmp_path_factory):
    """A byte-level tokenizer as transformers saves GPT-2's."""
    folder = tmp_path_factory.mktemp("hub")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Backend(models.BPE(vocab={character: id for id, character in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(False), decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>").save_pretrained(folder)
    gpt = GPT(GPTConfig(257, d_model=16, n_heads=2, n_layers=1, max_length=40))
    gpt.save(folder)
    return folder


def test_a_folder_that_transformers_wrote_has_its_own_tokenizer(hub_folder):
    vocabulary = find_vocabulary(hub_folder)
    assert isinstance(vocabulary, HubVocabulary)
    assert vocabulary.pieces(vocabulary.encode("a !")) == ["a", " ", "!"]


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_the_hubs_vocabulary_loses_nothing(hub_folder, text):
    vocabulary = HubVocabulary(hub_folder)
    assert vocabulary.decode(vocabulary.encode(text)) == text


@pytest.mark.parametrize("seed", range(12))
def test_a_stream_holds_nothing_back_that_was_written(seed):
    torch.manual_seed(seed)  # untrained, it ends in half a character as often as not
    tokenizer = Tokenizer.train(["hello world"] * 5, 300)
    model = LanguageModel(GPT(GPTConfig(len(tokenizer), 16, 2, 1, max_length=32)), tokenizer)
    settings = {"max_new_tokens": 12, "temperature": 2.0, "seed": seed}
    assert "".join(model.stream("h", **settings)) == model.write("h", **settings)
