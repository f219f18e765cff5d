"""record_attention sees torch's own layers and calls of its function, and says when nothing ran."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from course.heads import MultiHeadAttention, record_attention
from course.recording import fused_weights


@pytest.mark.parametrize("gradients", [True, False])
def test_torchs_own_encoder_is_seen_also_where_it_would_take_its_fast_path(gradients):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model, x = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval(), torch.randn(3, 5, 8)
    with torch.set_grad_enabled(gradients):
        plain = model(x)
        with record_attention(model) as weights:
            seen = model(x)
    torch.testing.assert_close(seen, plain, rtol=1e-5, atol=1e-6)
    assert list(weights) == ["layers.0.self_attn", "layers.1.self_attn"]
    own = MultiHeadAttention(8, 2)
    own.load_state_dict(model.layers[0].self_attn.state_dict())
    torch.testing.assert_close(weights["layers.0.self_attn"], own(x)[1], rtol=1e-5, atol=1e-6)
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize("asked", [{}, {"need_weights": False}, {"average_attn_weights": False}])
def test_a_caller_of_torchs_layer_gets_what_it_asked_for(asked):
    layer, x = nn.MultiheadAttention(8, 2, batch_first=True).eval(), torch.randn(3, 5, 8)
    output, weights = layer(x, x, x, **asked)
    with record_attention(layer) as recorded:
        again, as_asked = layer(x, x, x, **asked)
    torch.testing.assert_close(again, output, rtol=1e-5, atol=1e-6)
    assert recorded[""].shape == (3, 2, 5, 5)
    if weights is None:
        assert as_asked is None
    else:
        torch.testing.assert_close(as_asked, weights, rtol=1e-5, atol=1e-6)


def test_a_model_under_sdpa_is_seen_through_the_function_that_it_calls():
    sizes = {"vocab_size": 50, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32}
    model = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=0, eos_token_id=1)).eval()
    ids = torch.arange(6)[None]
    model.set_attn_implementation("sdpa")
    with torch.no_grad(), record_attention(model, functional=True) as weights:
        model(ids)
    model.set_attn_implementation("eager")
    expected = model(ids, output_attentions=True).attentions
    assert list(weights) == ["transformer.h.0.attn", "transformer.h.1.attn"]
    for seen, wanted in zip(weights.values(), expected, strict=True):
        torch.testing.assert_close(seen, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"is_causal": True},
        {"scale": 0.3},
        {"attn_mask": torch.tensor([[True, False, True, True]] * 3 + [[True] * 4])},
        {"attn_mask": torch.randn(4, 4, generator=torch.Generator().manual_seed(1))},
        {"enable_gqa": True},
    ],
)
def test_the_weights_are_those_of_the_kernel(settings):
    torch.manual_seed(0)
    heads = 2 if settings.get("enable_gqa") else 4
    query, key, value = torch.randn(2, 4, 4, 8), torch.randn(2, heads, 4, 8), torch.randn(2, heads, 4, 8)
    expected = F.scaled_dot_product_attention(query, key, value, **settings)
    per_query = value.repeat_interleave(4 // heads, 1)
    found = fused_weights(query, key, value, **settings) @ per_query
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_two_calls_in_one_module_are_two_entries():
    class Twice(nn.Module):
        def forward(self, x):
            y = F.scaled_dot_product_attention(x, x, x)
            return F.scaled_dot_product_attention(y, x, x)

    with record_attention(nn.Sequential(Twice()), functional=True) as weights:
        Twice()(torch.randn(1, 3, 4))
    assert list(weights) == ["", ":1"][:1]  # outside the model that is watched, calls have no name
    model = nn.Sequential(Twice())
    with record_attention(model, functional=True) as weights:
        model(torch.randn(1, 3, 4))
    assert list(weights) == ["0", "0:1"]


def test_that_nothing_ran_is_said():
    with (
        pytest.warns(UserWarning, match="none of the 1 attention layers ran"),
        record_attention(nn.Sequential(MultiHeadAttention(8, 2))),
    ):
        pass
    with (
        pytest.warns(UserWarning, match="Linear has no attention layer.*functional=True"),
        record_attention(nn.Linear(2, 2)),
    ):
        pass
