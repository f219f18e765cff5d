"""The mathematics and the models go through torch's export, compile (whole graph) and vmap, masks and all."""

import pytest
import torch
from torch import Tensor, nn

from course.attention import fused_attention, masked_softmax, scaled_dot_product_attention, scaled_dot_weights
from course.heads import MultiHeadAttention
from course.masks import causal_mask
from course.models.bert import Bert, BertConfig
from course.models.gpt import GPT, GPTConfig
from course.models.rotary_gpt import RotaryGPT
from course.models.transformer import Transformer, TransformerConfig

SIZES = GPTConfig(20, 8, 2, 2, max_length=8, dropout=0.1)
IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0]])
GAP = causal_mask(4)
GAP[2] = False  # a query that may attend nowhere


class Mathematics(nn.Module):
    def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        parts = scaled_dot_product_attention(q, k, v, mask)
        return *parts, fused_attention(q, k, v, mask), scaled_dot_weights(q, k, mask)


MODELS = {
    "mathematics": (Mathematics, lambda: (*torch.randn(3, 2, 4, 8), causal_mask(4))),
    "heads": (lambda: MultiHeadAttention(8, 2), lambda: (*torch.randn(3, 2, 4, 8), causal_mask(4))),
    "GPT": (lambda: GPT(SIZES), lambda: (IDS,)),
    "rotary GPT": (lambda: RotaryGPT(SIZES), lambda: (IDS,)),
    "BERT": (lambda: Bert(BertConfig(20, 8, 2, 16, 2, max_length=8)), lambda: (IDS,)),
    "Transformer": (
        lambda: Transformer(TransformerConfig(20, 8, 2, 16, 1, 1, max_length=8)),
        lambda: (IDS, IDS),
    ),
}


@pytest.fixture(autouse=True)
def fresh():
    torch.manual_seed(0)
    torch._dynamo.reset()


def outputs(model: nn.Module, inputs: tuple) -> list[Tensor]:
    found = model(*inputs)
    return list(found) if isinstance(found, tuple) else [found]


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_export_and_a_whole_graph_give_what_the_model_gives(name):
    make, inputs = MODELS[name]
    model, inputs = make().eval(), inputs()
    traced = [
        torch.export.export(model, inputs).module(),
        torch.compile(model, backend="eager", fullgraph=True),
    ]
    for other in traced:
        for found, wanted in zip(outputs(other, inputs), outputs(model, inputs), strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_what_was_exported_with_one_mask_is_right_for_another():
    inputs = torch.randn(3, 2, 4, 8)
    exported = torch.export.export(Mathematics(), (*inputs, causal_mask(4))).module()
    for found, wanted in zip(exported(*inputs, GAP), Mathematics()(*inputs, GAP), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)
        assert (found[:, 2] == 0).all()


def test_masks_are_mapped_over():
    q, k, v = torch.randn(3, 2, 4, 8)
    masks = torch.stack([causal_mask(4), GAP, torch.ones(4, 4, dtype=torch.bool)])
    mapped = torch.vmap(lambda mask: Mathematics()(q, k, v, mask))(masks)
    one_by_one = zip(*(Mathematics()(q, k, v, mask) for mask in masks), strict=True)
    for found, wanted in zip(mapped, one_by_one, strict=True):
        torch.testing.assert_close(found, torch.stack(wanted), rtol=1e-5, atol=1e-6)
    scores = torch.randn(3, 4, 4)
    torch.testing.assert_close(torch.vmap(masked_softmax)(scores, masks), masked_softmax(scores, masks))


def test_no_value_is_looked_at_where_looking_would_wait():
    """On a GPU a look at a value waits for the device; a meta tensor has none, and fails at the first."""
    with torch.device("meta"):
        q, k, v, mask = *(torch.empty(2, 4, 8) for _ in range(3)), torch.ones(4, 4, dtype=torch.bool)
        assert all(part.is_meta for part in Mathematics()(q, k, v, mask))
