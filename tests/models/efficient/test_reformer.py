"""LSH attention: full where there is one chunk, transformers' own, and its recall that of chance."""

import math

import pytest
import torch
from transformers import ReformerConfig
from transformers.models.reformer.modeling_reformer import LSHSelfAttention

from course.models.efficient.reformer import (
    combine_rounds,
    draw_rotations,
    look_back,
    lsh_attention,
    lsh_buckets,
    same_chunk,
    shared_qk_attention,
)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("rounds", [1, 3])
def test_with_one_chunk_it_is_full_attention(causal, rounds):
    qk, v = torch.randn(2, 3, 16, 6), torch.randn(2, 3, 16, 5)
    found = lsh_attention(qk, v, draw_rotations(rounds, 6, 4), 16, causal)
    full = shared_qk_attention(qk, v, causal)
    torch.testing.assert_close(found, full, rtol=1e-6, atol=1e-6)
    assert full.isfinite().all()


def test_a_causal_one_sees_nothing_later():
    qk, v, rotations = torch.randn(32, 6), torch.randn(32, 5), draw_rotations(2, 6, 4)
    for later in range(8, 32, 8):
        moved = v.clone()
        moved[later:] += 100
        same = lsh_attention(qk, v, rotations, 8, True) == lsh_attention(qk, moved, rotations, 8, True)
        # A place whose chunks hold nothing earlier falls back on what it must not see: -10⁹ is not −∞.
        assert same[1:later].float().mean() > 0.5
    assert torch.equal(shared_qk_attention(qk, v, True)[0], v[0])


@pytest.mark.parametrize(
    ("rounds", "decoder", "pairs"), [(1, False, 0), (3, False, 0), (2, True, 0), (2, False, 2)]
)
def test_it_is_transformers_lsh_attention(rounds, decoder, pairs):
    config = ReformerConfig(
        hidden_size=24,
        num_attention_heads=2,
        attention_head_size=12,
        num_hashes=rounds,
        num_buckets=[8, 2 * pairs] if pairs else 8,
        lsh_attn_chunk_length=8,
        lsh_num_chunks_before=1,
        lsh_num_chunks_after=0,
        hash_seed=3,
        is_decoder=decoder,
        lsh_attention_probs_dropout_prob=0.0,
    )
    theirs, x = LSHSelfAttention(config).eval(), torch.randn(2, 64, 24)
    qk, v = (p(x).unflatten(-1, (2, 12)).transpose(1, 2) for p in (theirs.query_key, theirs.value))
    torch.manual_seed(3)
    rotations = torch.randn(2, 12, rounds, 4 + pairs).transpose(1, 2)  # as they draw them
    more = rotations[..., 4:] if pairs else None
    ours = lsh_attention(qk, v, rotations[..., :4], 8, decoder, more)
    with torch.no_grad():
        said = theirs(x).hidden_states
    # Where a place sees nothing but itself, scores are -10⁵, and their float32 logarithms are off by 0.008.
    close = {"rtol": 5e-3, "atol": 5e-3} if decoder else {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(ours.transpose(1, 2).flatten(-2), said, **close)


def test_buckets_follow_the_angle_and_no_length():
    x, rotations = torch.randn(4, 20, 6), draw_rotations(3, 6, 8)
    buckets = lsh_buckets(x, rotations)
    assert buckets.shape == (4, 3, 20) and set(buckets.flatten().tolist()) <= set(range(8))
    assert torch.equal(buckets, lsh_buckets(7.5 * x, rotations))
    assert torch.equal((buckets + 4) % 8, lsh_buckets(-x, rotations)), (
        "the opposite vector, the opposite bucket"
    )


def test_two_buckets_part_two_vectors_as_often_as_their_angle_says():
    """With one row of R, signs differ with probability angle / π (Goemans and Williamson)."""
    angle = 0.7
    x = torch.tensor([[1.0, 0.0], [math.cos(angle), math.sin(angle)]])
    a, b = lsh_buckets(x, draw_rotations(20_000, 2, 2, torch.Generator().manual_seed(0))).unbind(-1)
    p = angle / math.pi
    assert abs((a != b).float().mean().item() - p) < 5 * math.sqrt(p * (1 - p) / 20_000)


def test_rounds_find_what_one_misses_as_often_as_chance_says():
    """1 − (1 − p)ʳ for independent rounds, p the share that one finds."""
    x = torch.randn(64, 8)
    near = x[0] + 0.5 * torch.randn(8)
    x[1] = near
    rounds = draw_rotations(3 * 4000, 8, 8, torch.Generator().manual_seed(1))
    order = lsh_buckets(x, rounds).argsort(dim=-1, stable=True)
    found = _found(order)
    p = found.float().mean().item()
    three = found.view(4000, 3).any(1).float().mean().item()
    wanted = 1 - (1 - p) ** 3
    assert 0.05 < p < 0.95 and abs(three - wanted) < 5 * math.sqrt(wanted * (1 - wanted) / 4000) + 0.01


def _found(order: torch.Tensor) -> torch.Tensor:
    number = order.argsort(-1)[:, :2] // 8
    return (number[:, 1] == number[:, 0]) | (number[:, 1] == number[:, 0] - 1)


def test_same_chunk_is_what_attention_looks_at():
    order = torch.tensor([[2, 0, 3, 1]])
    seen = same_chunk(order, 2)[0]
    assert seen[2].tolist() == [True, False, True, False], "its own chunk; the first has none before it"
    assert seen[1].tolist() == [True, True, True, True]


def test_looking_back_is_a_ring():
    x = torch.arange(6.0).view(3, 2, 1)
    assert look_back(x)[..., 0].tolist() == [[4, 5, 0, 1], [0, 1, 2, 3], [2, 3, 4, 5]]


def test_rounds_that_saw_different_keys_make_one_softmax():
    scores, value = 30 * torch.randn(4, 10, dtype=torch.float64), torch.randn(10, 3, dtype=torch.float64)
    halves = [(scores[:, :6], value[:6]), (scores[:, 6:], value[6:])]
    outputs = torch.stack([s.softmax(-1) @ v for s, v in halves])
    log_sums = torch.stack([s.logsumexp(-1) for s, _ in halves])
    torch.testing.assert_close(combine_rounds(outputs, log_sums), scores.softmax(-1) @ value)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="10 tokens cannot be cut into chunks of 4"):
        lsh_attention(torch.randn(10, 4), torch.randn(10, 4), draw_rotations(1, 4, 2), 4)
    with pytest.raises(ValueError, match="in pairs"):
        draw_rotations(1, 4, 3)
    with pytest.raises(ValueError, match="width 4"):
        lsh_buckets(torch.randn(3, 4), draw_rotations(1, 5, 2))
