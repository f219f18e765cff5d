"""Interventions do what they say, in the layers named, and leave nothing behind."""

import pytest
import torch

from course.blocks import DecoderBlock
from course.heads import MultiHeadAttention, record_attention
from course.models.interventions import intervene


@pytest.fixture
def layers() -> list[MultiHeadAttention]:
    torch.manual_seed(0)
    return [MultiHeadAttention(8, 2) for _ in range(3)]


X = torch.linspace(-2, 2, 40).view(1, 5, 8).sin()


def test_scores_are_divided_by_the_temperature(layers):
    (layer, *_), logits = layers, lambda weights: weights.log() - weights.log().mean(-1, keepdim=True)
    _, plain = layer(X)
    with intervene(layers, temperature=3.0):
        _, heated = layer(X)
    torch.testing.assert_close(logits(heated) * 3.0, logits(plain), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("need_weights", [True, False])
def test_an_ablated_head_adds_nothing(layers, need_weights):
    with intervene(layers, ablate=[(1, 0)]):
        outputs = [layer(X, need_weights=need_weights)[0] for layer in layers]
    with torch.no_grad():
        layers[1].out_proj.weight[:, :4] = 0.0
    for output, layer in zip(outputs, layers, strict=True):
        torch.testing.assert_close(output, layer(X, need_weights=need_weights)[0], rtol=1e-5, atol=1e-6)


def test_decoding_with_a_cache_is_changed_alike():
    block = DecoderBlock(8, 2, 16).eval()
    x, memory = X[:, :1], X.flip(1)
    with intervene([block.cross_attention], 2.0, [(0, 1)]):
        changed = block(x, memory)
        torch.testing.assert_close(block.step(x, block.cache(memory)), changed)
    assert not torch.allclose(block(x, memory), changed)


def test_afterwards_all_is_as_before_also_after_an_error(layers):
    before = [layer(X)[0] for layer in layers]
    with pytest.raises(KeyError), intervene(layers, 5.0, [(0, 0), (2, 1)]), record_attention(layers[0]):
        raise KeyError
    assert all(torch.equal(layer(X)[0], output) for layer, output in zip(layers, before, strict=True))


@pytest.mark.parametrize("change", [{"temperature": 0.0}, {"ablate": [(3, 0)]}, {"ablate": [(0, 2)]}])
def test_what_cannot_be_is_refused(layers, change):
    with (
        pytest.raises(ValueError, match=r"positive; got 0\.0|no head \d in layer \d: 3 layers"),
        intervene(layers, **change),
    ):
        pass
