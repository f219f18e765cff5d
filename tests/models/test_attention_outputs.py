"""What transformers returns, from one call or from generate, is shown as it was computed."""

import pytest
import torch
from transformers import (
    BatchEncoding,
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    MarianConfig,
    MarianMTModel,
)

from course.models.attention_outputs import find_weights
from course.models.attention_pass import as_pass
from course.widgets.bertviz import head_view

IDS = torch.arange(6)[None] + 5
TOKENS = list("abcdef")
SIZES = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}


class Words:
    """A tokenizer as far as it is needed: id 7 is "w7"."""

    def convert_ids_to_tokens(self, ids):
        return [f"w{id}" if id < 50 else None for id in ids]


@pytest.fixture(scope="module")
def bert():
    return BertModel(BertConfig(**SIZES, intermediate_size=16, attn_implementation="eager")).eval()


@pytest.fixture(scope="module")
def gpt():
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32}
    special = {"bos_token_id": 0, "eos_token_id": 1, "initializer_range": 0.5}
    return GPT2LMHeadModel(GPT2Config(**sizes, **special, attn_implementation="eager")).eval()


@pytest.fixture(scope="module")
def marian():
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "init_std": 0.5}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    widths = {"encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "max_position_embeddings": 64}
    special = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0, "forced_eos_token_id": None}
    config = MarianConfig(**sizes, **heads, **widths, **special, attn_implementation="eager")
    return MarianMTModel(config).eval()


WRITE = {"output_attentions": True, "return_dict_in_generate": True, "do_sample": False}

# ---- one call ----------------------------------------------------------------------------------


def test_what_tutorials_pass_is_shown_or_says_how_to_load(bert):
    sdpa = BertModel(BertConfig(**SIZES, intermediate_size=16, attn_implementation="sdpa")).eval()
    output, fused = bert(IDS, output_attentions=True), sdpa(IDS, output_attentions=True)
    expected = torch.stack(output.attentions)[:, 0]
    whole = bert(IDS, output_attentions=True, return_dict=False)
    for given in (output, output.attentions, dict(output), whole):
        assert torch.equal(find_weights(given).weights, expected)
    for empty in (fused, fused.attentions, output[-1] if not output[-1] else (), None):
        with pytest.raises(ValueError, match='attn_implementation="eager"'):
            as_pass(empty, TOKENS)
        with pytest.raises(ValueError, match='attn_implementation="eager"'):
            head_view(empty, TOKENS, html_action="return")


def test_torchs_own_layer_is_told_apart():
    x = torch.randn(1, 6, 8)
    with pytest.raises(ValueError, match=r"second part, \[1\].*average_attn_weights=False"):
        as_pass(torch.nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x), TOKENS)


def test_ids_are_looked_up_and_what_a_tokenizer_returned_has_its_padding(bert):
    batch = bert(IDS.repeat(2, 1), output_attentions=True)
    encoding = BatchEncoding(
        {"input_ids": IDS.repeat(2, 1), "attention_mask": torch.tensor([[1] * 6, [1] * 4 + [0] * 2])}
    )
    p = as_pass(batch, encoding, tokenizer=Words(), sequence=1)
    assert p.tokens == [f"w{i}" for i in range(5, 11)] and list(p.real) == [True] * 4 + [False] * 2
    assert as_pass(batch, IDS, tokenizer=Words(), sequence=0).tokens == p.tokens
    with pytest.raises(ValueError, match=r"batch of 2\. Say which"):
        as_pass(batch, encoding, tokenizer=Words())
    with pytest.raises(TypeError, match=r"tokens=tokenizer\(text\)"):
        as_pass(bert(IDS, output_attentions=True), Words())
    with pytest.raises(ValueError, match="no token with the id 50: it is that of another model"):
        as_pass(batch, torch.full((1, 6), 50), tokenizer=Words(), sequence=0)


# ---- generate ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{}, {"use_cache": False}, {"cache_implementation": "static"}, {"num_beams": 3}]
)
def test_the_steps_of_a_decoder_are_one_causal_pass(gpt, settings):
    written = gpt.generate(IDS, max_new_tokens=5, min_new_tokens=5, pad_token_id=0, **WRITE, **settings)
    p = as_pass(written, Words())
    read = written.sequences[:, :-1]
    expected = torch.stack(gpt(read, output_attentions=True).attentions)[:, 0]
    torch.testing.assert_close(p.weights, expected, rtol=1e-4, atol=1e-5)
    assert p.tokens == [f"w{id}" for id in read[0].tolist()]
    assert (
        as_pass(written, [str(id) for id in written.sequences[0].tolist()]).weights.shape == p.weights.shape
    )


@pytest.mark.parametrize("beams", [1, 3])
def test_the_steps_of_a_translator_are_one_pass_for_each_part(marian, beams):
    written = marian.generate(IDS, max_new_tokens=5, min_new_tokens=5, num_beams=beams, **WRITE)
    read = written.sequences[:, :-1]
    again = marian(IDS, decoder_input_ids=read, output_attentions=True)
    for part, keys in (("decoder", None), ("cross", TOKENS)):
        p = as_pass(written, Words(), keys, part=part)
        expected = torch.stack(again[f"{part}_attentions"])[:, 0]
        torch.testing.assert_close(p.weights, expected, rtol=1e-4, atol=1e-5)
        assert p.tokens == [f"w{id}" for id in read[0].tolist()]
    assert as_pass(written, TOKENS, part="encoder").weights.shape == (2, 2, 6, 6)


def test_of_a_batch_that_generate_wrote_one_sequence_is_taken(gpt):
    ids = torch.cat([IDS, IDS.flip(1)])
    written = gpt.generate(ids, max_new_tokens=3, min_new_tokens=3, pad_token_id=0, **WRITE)
    with pytest.raises(ValueError, match="steps of generate: a batch of 2"):
        as_pass(written, Words())
    read = written.sequences[1:, :-1]
    expected = torch.stack(gpt(read, output_attentions=True).attentions)[:, 0]
    torch.testing.assert_close(as_pass(written, Words(), sequence=1).weights, expected, rtol=1e-4, atol=1e-5)
