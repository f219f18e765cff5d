"""Each part changes one thing; the pieces are what their papers say; all have about as many parameters."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from course.models.present_block import PARTS, GroupedHeads, PresentGPT, SwiGLU, has, rms_norm


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("part", PARTS)
def test_a_later_token_changes_nothing_before_it(part):
    torch.manual_seed(0)
    model, ids = PresentGPT(11, part, 32, 2), torch.randint(11, (2, 9))
    other = ids.clone()
    other[:, 5:] = (other[:, 5:] + 1) % 11
    with torch.no_grad():
        assert torch.equal(model(ids)[:, :5], model(other)[:, :5])
        assert not torch.allclose(model(ids)[:, 5:], model(other)[:, 5:])


def test_all_have_as_many_parameters_to_two_per_cent():
    sizes = [parameters(PresentGPT(65, part)) for part in PARTS]
    assert max(sizes) / min(sizes) < 1.02


def test_the_norm_is_torchs_and_centres_nothing():
    x, weight = torch.randn(3, 8), torch.rand(8)
    torch.testing.assert_close(rms_norm(x, weight), F.rms_norm(x, (8,), weight, 1e-5), atol=1e-6, rtol=0)
    assert rms_norm(x + 5, torch.ones(8)).mean() > 0.9


def test_a_closed_gate_lets_nothing_through():
    network = SwiGLU(8, 12)
    torch.nn.init.zeros_(network.gate.weight)
    assert torch.equal(network(torch.randn(3, 8)), torch.zeros(3, 8))


def test_turned_heads_know_distances_alone():
    torch.manual_seed(1)
    heads, x = GroupedHeads(16, 4, 2, turned=True), torch.randn(1, 6, 16)
    mask = torch.zeros(6, 6, dtype=torch.bool)
    mask[3, 2:4] = mask[5, 4:6] = True  # each looks at itself and at the one before
    x[:, 4:] = x[:, 2:4]  # the same two vectors, two places on
    mask[[0, 1, 2, 4], [0, 1, 2, 4]] = True
    found = heads(x, mask)
    torch.testing.assert_close(found[:, 3], found[:, 5], atol=1e-6, rtol=0)


def test_one_change_a_part():
    for before, after in pairwise(PARTS):
        changed = [name for name in PARTS if has(after, name) and not has(before, name)]
        assert changed == [after]
    with pytest.raises(ValueError, match=r"one of 2017, pre-norm.*got 'ALiBi'"):
        PresentGPT(5, "ALiBi")


def test_the_first_is_the_paper_s_block():
    """torch's encoder layer, masked, with the weights copied."""
    torch.manual_seed(2)
    model, x = PresentGPT(7, "2017", 16, 1), torch.randn(2, 5, 16)
    block, layer = model.blocks[0], torch.nn.TransformerEncoderLayer(16, 4, 64, 0.0, batch_first=True)
    own = block.attention
    layer.self_attn.in_proj_weight.data = torch.cat([own.query.weight, own.key.weight, own.value.weight])
    layer.self_attn.in_proj_bias.data = torch.cat([own.query.bias, own.key.bias, own.value.bias])
    layer.self_attn.out_proj.load_state_dict(own.out.state_dict())
    for name in ("linear1", "linear2"):
        getattr(layer, name).load_state_dict(getattr(block.feed_forward, name).state_dict())
    mask = torch.ones(5, 5, dtype=torch.bool).tril()
    torch.testing.assert_close(block(x, mask), layer(x, ~mask), atol=1e-5, rtol=0)
