"""GPT with rotary positions: only distances count, the cache changes nothing, files come back the same."""

import pytest
import torch

from course.models.gpt import GPT, GPTConfig
from course.models.interventions import intervene
from course.models.rotary_gpt import RotaryGPT, RotaryProjection
from course.positions import rotary

CONFIG = GPTConfig(11, d_model=16, n_heads=2, n_layers=2, max_length=20, dropout=0.0)


@pytest.fixture
def gpt() -> RotaryGPT:
    torch.manual_seed(0)
    gpt = RotaryGPT(CONFIG).eval()
    for parameter in gpt.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return gpt


def test_a_projection_turns_each_head_by_its_position():
    torch.manual_seed(0)
    projection = RotaryProjection(16, 2)
    x = torch.randn(3, 5, 16)
    flat = torch.nn.functional.linear(x, projection.weight, projection.bias)
    for head in range(2):
        part = slice(8 * head, 8 * head + 8)
        torch.testing.assert_close(projection(x)[..., part], rotary(flat[..., part], torch.arange(5)))


def test_only_distances_count(gpt):
    """All positions moved on by the same distance, the logits stay: no place is special."""
    ids = torch.randint(11, (2, 9), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        here = gpt(ids)
        with gpt._positions_from(7):
            there = gpt(ids)
    torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(here, gpt(ids.flip(1)).flip(1), atol=1e-2)


def test_order_counts_all_the_same(gpt):
    ids = torch.tensor([[1, 2, 3, 4], [2, 1, 3, 4]])
    with torch.no_grad():
        one, other = gpt(ids)[:, -1]
    assert not torch.allclose(one, other, atol=1e-2)


def test_the_cache_changes_nothing(gpt):
    for seed in range(8):
        settings = {"max_new_tokens": 12, "temperature": 2.0, "seed": seed}
        with_cache = gpt.generate([1, 2, 3], **settings)
        assert with_cache == gpt.generate([1, 2, 3], **settings, cache=False)
    caches, ids = gpt.caches(), torch.randint(11, (1, 9), generator=torch.Generator().manual_seed(0))
    gpt.step(ids[:, :4], caches)
    with torch.no_grad():
        torch.testing.assert_close(gpt.step(ids[:, 4:], caches), gpt(ids)[:, -1], rtol=1e-4, atol=1e-4)


def test_interventions_reach_it(gpt):
    ids, layers = torch.tensor([[1, 2, 3]]), [block.self_attention for block in gpt.blocks]
    with torch.no_grad():
        before = gpt(ids)
        with intervene(layers, ablate=[(0, 1)]):
            assert not torch.allclose(gpt(ids), before)
        assert torch.equal(gpt(ids), before)


def test_what_is_saved_is_found_again_and_is_no_gpt2(gpt, tmp_path):
    gpt.save(tmp_path)
    again = RotaryGPT.from_pretrained(tmp_path)
    ids = torch.tensor([[1, 2, 3]])
    assert again.config == CONFIG and not again.training
    assert torch.equal(again(ids), gpt(ids))
    with pytest.raises(ValueError):
        GPT.from_pretrained(tmp_path)
    GPT(CONFIG).save(tmp_path / "gpt2")
    with pytest.raises(ValueError, match="no GPT with rotary positions, but 'gpt2'"):
        RotaryGPT.from_pretrained(tmp_path / "gpt2")


def test_a_text_too_long_is_refused(gpt):
    with pytest.raises(ValueError, match="at most 20 tokens; got 21"):
        gpt(torch.zeros(1, 21, dtype=torch.long))
