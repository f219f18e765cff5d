"""Attention from anywhere comes into one form, and what does not fit is named by its sizes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_translator import tiny_translator
from transformers import BertConfig, BertModel, MarianConfig, MarianMTModel

from course.heads import MultiHeadAttention
from course.masks import causal_mask
from course.models.attention_pass import AttentionPass, as_pass

TOKENS = ["one", "two", "three"]


def softmaxed(*shape: int) -> torch.Tensor:
    return torch.softmax(torch.randn(shape, generator=torch.Generator().manual_seed(0)), -1)


# ---- where attention comes from ----------------------------------------------------------------


@given(st.lists(st.integers(1, 4), min_size=2, max_size=4))
def test_missing_dimensions_are_one_layer_and_one_head(shape):
    w = softmaxed(*shape)
    p = as_pass(w, ["q"] * shape[-2], ["k"] * shape[-1])
    assert p.weights.shape == (*[1] * (4 - len(shape)), *shape)
    torch.testing.assert_close(p.weights.reshape(shape), w, rtol=0, atol=0)


@pytest.mark.parametrize("batch", [(), (1,)])
@pytest.mark.parametrize(
    "kind", [list, tuple, torch.stack, lambda layers: np.stack([x.numpy() for x in layers])]
)
def test_a_list_of_layers_and_one_tensor_are_the_same(kind, batch):
    layers = [softmaxed(*batch, 4, 3, 3) for _ in range(2)]
    p = as_pass(kind(layers), TOKENS)
    torch.testing.assert_close(p.weights, torch.stack(layers).reshape(2, 4, 3, 3), rtol=0, atol=0)


def test_gradients_stay_with_the_model():
    assert not as_pass(softmaxed(3, 3).requires_grad_(), TOKENS).weights.requires_grad


@pytest.fixture(scope="module")
def bert_output():
    config = BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8
    )
    model = BertModel._from_config(config, attn_implementation="eager").eval()
    return model(torch.tensor([[1, 2, 3]]), output_attentions=True)


@pytest.fixture(scope="module")
def marian_output():
    config = MarianConfig(
        vocab_size=20, d_model=8, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=8,
        decoder_layers=2, decoder_attention_heads=2, decoder_ffn_dim=8,
        pad_token_id=0, decoder_start_token_id=0, eos_token_id=1,
    )  # fmt: skip
    model = MarianMTModel._from_config(config, attn_implementation="eager").eval()
    return model(torch.tensor([[4, 5, 6]]), decoder_input_ids=torch.tensor([[0, 7]]), output_attentions=True)


def test_the_output_of_an_encoder(bert_output):
    p = as_pass(bert_output, TOKENS)
    assert p.weights.shape == (2, 2, 3, 3)
    assert torch.equal(p.weights[1], bert_output.attentions[1][0])


@pytest.mark.parametrize(
    ("part", "rows", "columns", "field"),
    [
        ("encoder", TOKENS, None, "encoder_attentions"),
        ("decoder", ["<s>", "un"], None, "decoder_attentions"),
        ("cross", ["<s>", "un"], TOKENS, "cross_attentions"),
    ],
)
def test_each_attention_of_a_translator(marian_output, part, rows, columns, field):
    p = as_pass(marian_output, rows, columns, part=part)
    assert torch.equal(p.weights[0], marian_output[field][0][0])
    assert (list(p.tokens), list(p.columns)) == (rows, columns or rows)


def test_a_translator_holds_several_kinds_and_one_must_be_chosen(marian_output):
    with pytest.raises(ValueError, match=r"part= one of \['cross', 'decoder', 'encoder'\]"):
        as_pass(marian_output, TOKENS)
    with pytest.raises(ValueError, match="part='self' is not in this output"):
        as_pass(marian_output, TOKENS, part="self")


@pytest.mark.parametrize("nothing", [None, (), (None, None)])
def test_an_output_without_attention_says_how_to_get_it(nothing):
    with pytest.raises(ValueError, match="output_attentions=True"):
        as_pass(SimpleNamespace(attentions=nothing), TOKENS)


def test_a_model_called_with_a_text():
    given = AttentionPass(TOKENS, softmaxed(1, 1, 3, 3))
    assert as_pass(lambda text: given if text == "one two three" else None, "one two three") is given


def test_a_translator_called_with_a_text():
    model, text = tiny_translator(), "Le chat"
    ours, its = as_pass(model, text), model.attend(text)
    assert (ours.tokens, ours.key_tokens) == (its.tokens, its.key_tokens)
    assert torch.equal(ours.weights, its.weights)


def test_a_module_that_reads_ids_is_told_apart_from_one_that_reads_text():
    with pytest.raises(TypeError, match=r"Linear reads token ids, not text\. .*LanguageModel"):
        as_pass(torch.nn.Linear(2, 2), "one two three")


def test_a_pass_goes_through_and_may_be_given_a_mask():
    given = AttentionPass(TOKENS, softmaxed(2, 2, 3, 3))
    assert as_pass(given) is given
    assert as_pass(given, mask=causal_mask(3)).mask.shape == (1, 1, 3, 3)


# ---- what does not fit -------------------------------------------------------------------------

CROSS = softmaxed(2, 2, 3, 4)
SELF = softmaxed(2, 2, 3, 3)


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda: as_pass(SELF, ["a", "b"]), ValueError, r"\(2, 2, 3, 3\), so 3 queries and 3 keys.*2 tokens"),
        (lambda: as_pass(CROSS, TOKENS), ValueError, r"3 key tokens\. For cross-attention give key_tokens"),
        (lambda: as_pass(CROSS, TOKENS, TOKENS), ValueError, r"4 keys.*3 key tokens$"),
        (lambda: as_pass(softmaxed(1, 5, 2, 3, 3), TOKENS), ValueError, r"batch of 5\. Say.*sequence=0 to 4"),
        (lambda: as_pass(softmaxed(3), TOKENS), ValueError, r"\(3,\).*\[layer, head, query, key\]"),
        (lambda: as_pass([softmaxed(1, 3, 3), softmaxed(2, 3, 3)], TOKENS), ValueError, r"\(1, 3, 3\), \(2"),
        (lambda: as_pass(torch.empty(0, 2, 3, 3), TOKENS), ValueError, r"\(0, 2, 3, 3\)"),
        (lambda: as_pass(torch.ones(0, 0), []), ValueError, "0 tokens"),
        (lambda: as_pass("attention", TOKENS), TypeError, "attention is no tensor.*str"),
        (lambda: as_pass(SELF), TypeError, "tokens is a list of strings.*None"),
        (lambda: as_pass(SELF, "one two three"), TypeError, "'one two three'"),
        (lambda: as_pass(SELF > 0, TOKENS), TypeError, "torch.bool"),
        (lambda: as_pass(SELF * 5, TOKENS), ValueError, "before the softmax"),
        (lambda: as_pass(SELF - 1, TOKENS), ValueError, "before the softmax"),
        (lambda: as_pass(SELF / 0, TOKENS), ValueError, "36 weights are not finite"),
        (lambda: as_pass(SELF, TOKENS, query=SELF), ValueError, "both or neither"),
        (
            lambda: as_pass(SELF, TOKENS, query=torch.ones(2, 2, 3, 8), key=torch.ones(2, 2, 3, 4)),
            ValueError,
            r"key \(2, 2, 3, 8\); got \(2, 2, 3, 8\) and \(2, 2, 3, 4\)",
        ),
        (lambda: as_pass(SELF, TOKENS, mask=torch.ones(3, 3)), TypeError, "may attend, not torch.float32"),
        (lambda: as_pass(SELF, TOKENS, mask=causal_mask(4)), ValueError, r"\(1, 1, 4, 4\) does not fit"),
        (lambda: as_pass(SELF, TOKENS, mask=causal_mask(3).expand(3, 2, 3, 3)), ValueError, r"\(3, 2, "),
        (lambda: AttentionPass(TOKENS, softmaxed(3, 3)), ValueError, r"\(3, 3\)"),
        (lambda: as_pass(None, TOKENS), ValueError, "output_attentions=True.*eager"),
        (lambda: as_pass((), TOKENS), ValueError, "output_attentions=True.*eager"),
        (lambda: as_pass(((), (None,)), TOKENS), ValueError, "output_attentions=True.*eager"),
        (lambda: as_pass(SELF, TOKENS, scale="x"), TypeError, "scale is a number.*'x'"),
        (lambda: as_pass(SELF, TOKENS, scale=float("nan")), ValueError, "scale is a finite number"),
        (lambda: as_pass(SELF, TOKENS, query=SELF / 0, key=SELF), ValueError, "query should hold finite"),
        (lambda: as_pass(SELF, TOKENS, query=SELF > 0, key=SELF), ValueError, "query.*torch.bool"),
        (lambda: as_pass(SELF.to("meta"), TOKENS), TypeError, "'meta'.*no values"),
        (lambda: as_pass(SELF, {"a", "b", "c"}), TypeError, "A set has no order"),
        (lambda: as_pass(SELF, torch.tensor([4, 5, 6])), TypeError, r"ids, \[4, 5, 6\].*tokenizer="),
        (lambda: as_pass(SELF, [4, 5, 6]), TypeError, "tokens are ids"),
        (lambda: as_pass(SELF, ["a", None, "c"]), TypeError, "got None among them"),
        (lambda: as_pass(softmaxed(8, 5), list("abcdefgh")), ValueError, "window of 5 neighbours"),
        (lambda: as_pass(SELF, TOKENS, attention_mask=[1, 1]), ValueError, r"\(2,\).*\[1, 3\]"),
        (lambda: as_pass(SELF, TOKENS, attention_mask=[1, 2, 0]), ValueError, "1 for a token and 0"),
        (lambda: as_pass(SELF, TOKENS, attention_mask=[0, 0, 0]), ValueError, "every token as padding"),
        (lambda: as_pass(SELF, TOKENS, sequence=2), ValueError, "sequence=2.*batch of 2"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(call, error, named):
    with pytest.raises(error, match=named):
        call()


def test_rounding_above_one_is_let_through():
    as_pass(torch.full((1, 1), 1.0 + 1e-6), ["a"])


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.bfloat16, torch.float16, torch.float64])
def test_every_floating_kind_is_read(kind):
    p = as_pass(torch.eye(3).to(kind), TOKENS)
    torch.testing.assert_close(p.weights[0, 0].float(), torch.eye(3), rtol=0, atol=0)


def test_a_sparse_tensor_is_read():
    assert torch.equal(as_pass(torch.eye(3).to_sparse(), TOKENS).weights[0, 0], torch.eye(3))


# ---- batches and padding -----------------------------------------------------------------------


def test_of_a_batch_one_sequence_is_asked_for_and_taken():
    layers = [softmaxed(3, 2, 3, 3), softmaxed(3, 2, 3, 3).flip(0)]
    with pytest.raises(ValueError, match=r"a batch of 3\. Say which sequence: sequence=0 to 2"):
        as_pass(layers, TOKENS)
    p = as_pass(layers, TOKENS, sequence=2)
    assert torch.equal(p.weights, torch.stack(layers)[:, 2])


def test_one_layer_of_a_batch_is_not_taken_for_layers():
    batch = softmaxed(3, 2, 3, 3)
    with pytest.raises(ValueError, match="a batch of 3"):
        as_pass(batch, [TOKENS] * 3)  # the tokens tell
    assert torch.equal(as_pass(batch, [TOKENS] * 3, sequence=1).weights, batch[1:2])
    assert torch.equal(as_pass(batch, TOKENS, sequence=1).weights, batch[1:2])
    asks = as_pass(batch, TOKENS)  # nothing tells: it is read as documented, and the reader is asked
    assert "Read as 3 layers of one sequence. If these are 3 sequences" in asks.note
    assert as_pass(list(batch), TOKENS).note == ""


def test_padding_is_known_from_a_mask_and_can_be_left_out():
    p = as_pass(
        SELF, TOKENS, attention_mask=torch.tensor([[1, 1, 0]]), mask=causal_mask(3), query=SELF, key=SELF
    )
    assert p.has_padding and list(p.real) == [True, True, False]
    bare = p.without_padding()
    assert bare.tokens == TOKENS[:2] and not bare.has_padding
    assert torch.equal(bare.weights, SELF[..., :2, :2])
    assert torch.equal(bare.mask, causal_mask(2)[None, None]) and bare.query.shape == (2, 2, 2, 3)


def test_padding_of_the_keys_is_their_own():
    p = as_pass(CROSS, TOKENS, list("wxyz"), key_attention_mask=[0, 1, 1, 1])
    bare = p.without_padding()
    assert (list(bare.tokens), list(bare.columns)) == (TOKENS, list("xyz"))
    assert torch.equal(bare.weights, CROSS[..., 1:])


def test_dropout_is_named_where_weights_are_those_of_a_training_model():
    attention = MultiHeadAttention(8, 2, dropout=0.5).train()
    torch.manual_seed(0)
    weights = attention(torch.randn(1, 6, 8), mask=causal_mask(6))[1]
    with pytest.raises(ValueError, match=r"dropout zeroes weights.*model\.eval\(\)"):
        as_pass(weights, list("abcdef"))
    tall = torch.nn.functional.dropout(softmaxed(1, 1, 40, 40), 0.1)
    assert tall.max() < 1 and "training mode? model.eval()" in as_pass(tall, ["t"] * 40).note
