"""What each part of a Transformer is said to have made is what it made."""

import dataclasses

import pytest
import torch

from course.blocks import LayerNorm
from course.models.transformer import Transformer, TransformerConfig
from course.studies.anatomy import anatomy
from course.text.tokenizers import BOS, EOS

CONFIG = TransformerConfig(50, 16, 2, 24, n_encoder_layers=2, n_decoder_layers=3, max_length=20)
SOURCE, TARGET = torch.tensor([7, 8, 9, 10, EOS]), torch.tensor([BOS, 20, 21])

every_norm = pytest.mark.parametrize("norm", ["post", "pre"])


def run(norm: str = "post") -> tuple[Transformer, dict]:
    torch.manual_seed(0)
    model = Transformer(dataclasses.replace(CONFIG, norm=norm))
    return model, {part.name: part for part in anatomy(model, SOURCE, TARGET)}


def same(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@every_norm
def test_the_parts_are_those_of_the_model(norm):
    model, parts = run(norm)
    kinds = [part.kind for part in parts.values()]
    assert kinds.count("encoder_block") == 2 and kinds.count("decoder_block") == 3
    assert kinds.count("cross_attention") == kinds.count("masked_self_attention") == 3
    assert kinds.count("norm") == kinds.count("add") == 2 * 2 + 3 * 3
    assert kinds.count("last_norm") == (2 if norm == "pre" else 0)
    own = [p for p in parts.values() if not p.shared and not p.kind.endswith("block")]
    assert sum(part.parameters for part in own) == sum(p.numel() for p in model.parameters())
    assert parts["decoder.layers.2.add3"].layer == 2 and parts["decoder.embedding"].layer is None


@every_norm
def test_each_parts_values_come_from_those_before_it(norm):
    model, parts = run(norm)
    model.eval()
    x = {name: part.output for name, part in parts.items()}
    for stack, sublayers in (("encoder", 2), ("decoder", 3)):
        same(x[f"{stack}.embedding"] * 4 + x[f"{stack}.positions"], x[f"{stack}.embedded"])  # √16
        before = x[f"{stack}.embedded"]
        for number in range(len(getattr(model, stack).layers)):
            name = f"{stack}.layers.{number}"
            for i in range(1, sublayers + 1):
                sublayer = "feed_forward" if i == sublayers else ("self_attention", "cross_attention")[i - 1]
                same(before + x[f"{name}.{sublayer}"], x[f"{name}.add{i}"])
                normed = x[f"{name}.add{i}"] if norm == "post" else before
                same(model.get_submodule(f"{name}.norm{i}")(normed), x[f"{name}.norm{i}"])
                before = x[f"{name}.add{i}"] if norm == "pre" else x[f"{name}.norm{i}"]
            same(before, x[name])
    same(x["probabilities"], model(SOURCE[None], TARGET[None])[0].softmax(-1))
    same(x["logits"].log_softmax(-1), x["probabilities"].log())


def test_shapes_have_names_and_attention_has_weights():
    _, parts = run()
    cross = parts["decoder.layers.1.cross_attention"]
    assert cross.inputs == ({"target": 3, "d_model": 16}, {"source": 5, "d_model": 16})
    assert cross.shape == {"target": 3, "d_model": 16}
    assert parts["decoder.layers.0"].inputs == cross.inputs and len(parts["encoder.layers.0"].inputs) == 1
    assert cross.weights.shape == (2, 3, 5)
    same(cross.weights.sum(-1), torch.ones(2, 3))
    masked = parts["decoder.layers.0.self_attention"]
    assert masked.kind == "masked_self_attention" and (masked.weights.triu(1) == 0).all()
    assert parts["logits"].shape == {"target": 3, "vocabulary": 50}


def test_the_model_is_left_as_it_was():
    model, _ = run()
    assert model.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert sum(isinstance(module, LayerNorm) for module in model.modules()) == 13
