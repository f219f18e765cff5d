"""BigBird: full where the pattern is full, masked n² always, and transformers' own where that is BigBird."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BigBirdConfig, BigBirdModel
from transformers.models.big_bird.modeling_big_bird import BigBirdBlockSparseAttention

from course.attention import scaled_dot_product_attention
from course.masks import window_mask
from course.models.efficient.bigbird import (
    bigbird_blocks,
    bigbird_pattern,
    block_sparse_attention,
    draw_picks,
    token_mask,
)

NONE = torch.empty(9, 0, dtype=torch.int64)


def some(*shape, n=24, d=5, dtype=torch.float32):
    return [torch.randn(*shape, n, w, dtype=dtype) for w in (d, d, d + 2)]


def test_a_pattern_that_covers_all_is_full_attention():
    q, k, v = some(2, 3)
    full, _ = scaled_dot_product_attention(q, k, v)
    found = block_sparse_attention(q, k, v, torch.ones(6, 6, dtype=torch.bool))
    torch.testing.assert_close(found, full, rtol=1e-6, atol=1e-6)


@given(st.integers(1, 9), st.integers(0, 3), st.integers(0, 2), st.integers(0, 3), st.integers(0, 99))
def test_it_is_the_masked_n_squared(n_blocks, width, n_global, r, seed):
    blocks = bigbird_blocks(n_blocks, width, min(n_global, n_blocks), r, seed)
    q, k, v = some(2, n=3 * n_blocks, dtype=torch.float64)
    full, _ = scaled_dot_product_attention(q, k, v, token_mask(blocks, 3))
    torch.testing.assert_close(block_sparse_attention(q, k, v, blocks), full, rtol=1e-10, atol=1e-10)


def test_each_head_may_have_a_pattern_and_gradients_are_those_of_the_mask():
    blocks = torch.stack([bigbird_blocks(8, 1, 1, 2, seed) for seed in range(3)])
    given = [x.requires_grad_() for x in some(2, 3, dtype=torch.float64)]
    full, _ = scaled_dot_product_attention(*given, token_mask(blocks, 3))
    found = block_sparse_attention(*given, blocks)
    torch.testing.assert_close(found, full, rtol=1e-10, atol=1e-10)
    way = torch.randn_like(full)
    for ours, theirs in zip(
        torch.autograd.grad(found, given, way), torch.autograd.grad(full, given, way), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_windows_globals_and_picks_add_up():
    pattern = bigbird_pattern(9, 1, 2, NONE)
    assert pattern[:2].all() and pattern[:, :2].all()
    assert (pattern[2:, 2:] == window_mask(9, 1)[2:, 2:]).all()
    picks = draw_picks(9, 1, 2, 2, torch.Generator().manual_seed(0))
    more = bigbird_pattern(9, 1, 2, picks)
    new = more & ~pattern
    assert (new[2:].sum(1) == 2).all(), "no pick repeats the window, a global place or another pick"
    assert not (new == new.mT).all(), "picks run one way"


@given(st.integers(4, 30), st.integers(0, 99))
def test_any_two_places_are_two_hops_apart_at_most(n, seed):
    from course.studies.path_length import hops

    assert hops(bigbird_blocks(n, 1, 1, 1, seed)).max() <= 2


def test_what_cannot_be_is_refused():
    q, k, v = some()
    with pytest.raises(ValueError, match="24 tokens cannot be cut into 7 blocks"):
        block_sparse_attention(q, k, v, torch.ones(7, 7, dtype=torch.bool))
    with pytest.raises(ValueError, match="one block of keys or more"):
        block_sparse_attention(q, k, v, torch.zeros(6, 6, dtype=torch.bool))
    with pytest.raises(ValueError, match="got 9 rows"):
        bigbird_pattern(8, 1, 1, NONE)


# ---- beside transformers ------------------------------------------------------------------------

N, BLOCK, HEADS, R = 256, 16, 2, 2


def theirs(seed: int = 0) -> BigBirdBlockSparseAttention:
    config = BigBirdConfig(
        hidden_size=24,
        num_attention_heads=HEADS,
        block_size=BLOCK,
        num_random_blocks=R,
        max_position_embeddings=N,
        attention_probs_dropout_prob=0.0,
    )
    return BigBirdBlockSparseAttention(config, seed=seed)


def run(module: BigBirdBlockSparseAttention, x: torch.Tensor) -> torch.Tensor:
    mask = torch.ones(x.shape[:2])
    blocked, band, from_mask, to_mask = BigBirdModel.create_masks_for_block_sparse_attn(mask, BLOCK)
    return module(x, band, from_mask, to_mask, blocked, blocked)[0]


def heads_of(module: BigBirdBlockSparseAttention, x: torch.Tensor) -> list[torch.Tensor]:
    return [p(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for p in (module.query, module.key, module.value)]


def times_seen(module: BigBirdBlockSparseAttention) -> torch.Tensor:
    """How many times each block of queries is shown each block of keys: two may be one block twice."""
    n = N // BLOCK
    if module.training:
        np.random.seed(module.seed)
    plan = module._get_rand_attn_plan(N, BLOCK, R)
    picks = torch.tensor(
        np.stack(module._bigbird_block_rand_mask_with_head(N, N, BLOCK, BLOCK, HEADS, *plan))
    )
    seen = torch.zeros(HEADS, n, n)
    seen[:, [0, n - 1]] = 1.0
    inner = window_mask(n, 1)
    inner[:, [0, n - 1]] = True
    inner[1, 2], inner[n - 2, n - 3] = True, True
    seen[:, 1:-1] = inner[1:-1].float()
    for head, rows in enumerate(picks.tolist()):
        for row, columns in enumerate(rows, start=1):
            for column in columns:
                seen[head, row, column] += 1
    return seen


def counted(module: BigBirdBlockSparseAttention, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Attention in which a key seen twice counts twice."""
    q, k, v = heads_of(module, x)
    scores = q @ k.mT / q.shape[-1] ** 0.5 + token_mask(seen, BLOCK).log()
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(-2)


def test_in_training_it_is_transformers_bigbird():
    """Where none of their random blocks repeats another, which is so for this seed."""
    x = torch.randn(2, N, 24)
    for seed in range(40):
        module = theirs(seed).train()
        if (seen := times_seen(module)).max() == 1:
            break
    assert seen.max() == 1, "a seed without repeats"
    with torch.no_grad():
        found = block_sparse_attention(*heads_of(module, x), seen.bool()).transpose(1, 2).flatten(-2)
        torch.testing.assert_close(found, run(module, x), rtol=1e-5, atol=1e-6)


def test_in_evaluation_theirs_counts_the_first_block_again_and_again():
    """Its random blocks are all block 0 then: a BigBird without random blocks, its first one heavier."""
    x, module = 3 * torch.randn(1, N, 24), theirs().eval()
    seen = times_seen(module)
    assert (seen[:, 1:-1, 0] == 1 + R).all() and (seen[:, :, 1:] <= 1).all()
    with torch.no_grad():
        said = run(module, x)
        torch.testing.assert_close(counted(module, x, seen), said, rtol=1e-5, atol=1e-6)
        once = block_sparse_attention(*heads_of(module, x), seen.bool()).transpose(1, 2).flatten(-2)
    assert (once - said).abs().max() > 1e-3
