"""Induction: the test text, the scores by definition, ablation, and what the shipped model has to show."""

import pytest
import torch

from course.in_context.induction import (
    CHARACTERS,
    attention_pass,
    attention_weights,
    continues_earlier,
    copying_score,
    loss_without,
    prefix_matching_score,
    previous_token_score,
    repeated_tokens,
    token_losses,
)
from course.models.gpt import GPT, GPTConfig


@pytest.fixture
def gpt() -> GPT:
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(len(CHARACTERS), 16, 2, 2, max_length=24, dropout=0.0)).eval()
    for parameter in gpt.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return gpt


@pytest.mark.parametrize("period", [1, 5, 62])
def test_tokens_are_different_within_a_period_and_come_again(period):
    ids = repeated_tokens(8, period, 2 * period + 3, generator=torch.Generator().manual_seed(0))
    assert ids.shape == (8, 2 * period + 3)
    assert torch.equal(ids[:, period:], ids[:, :-period])
    assert all(len(set(row)) == period for row in ids[:, :period].tolist())


@pytest.mark.parametrize("period", [0, 63])
def test_a_period_that_cannot_be_is_refused(period):
    with pytest.raises(ValueError, match=f"62 different tokens, .* got {period}"):
        repeated_tokens(1, period, 10)


def test_what_continues_an_earlier_occurrence():
    ids = torch.randint(4, (5, 12), generator=torch.Generator().manual_seed(0))
    expected = torch.tensor(
        [
            [[0 < k <= q and row[k - 1] == row[q] and k - 1 < q for k in range(12)] for q in range(12)]
            for row in ids
        ]
    )
    assert torch.equal(continues_earlier(ids), expected)


def test_a_head_that_looks_where_it_should_scores_one_and_an_even_one_its_share():
    ids = repeated_tokens(3, 5, 10, generator=torch.Generator().manual_seed(0))
    perfect = torch.eye(10).roll(-4, dims=1).expand(3, 2, 10, 10)  # query i at key i - 4
    assert prefix_matching_score(perfect, ids).tolist() == [1.0, 1.0]
    even = torch.ones(10, 10).tril()
    even = (even / even.sum(-1, keepdim=True)).expand(3, 1, 10, 10)
    share = sum(1 / (i + 1) for i in range(5, 10)) / 5
    assert prefix_matching_score(even, ids).item() == pytest.approx(share, rel=1e-6)
    assert previous_token_score(torch.eye(10).roll(-1, dims=1)) == 1.0
    assert previous_token_score(torch.eye(10)) == 0.0


def test_the_copying_score_is_that_of_the_whole_matrix(gpt):
    attention, embedding = gpt.blocks[1].self_attention, gpt.embedding.weight
    value, out = attention.v_proj.weight[8:], attention.out_proj.weight[:, 8:]  # head 1
    eigenvalues = torch.linalg.eigvals(embedding @ out @ value @ embedding.T)
    expected = (eigenvalues.real.sum() / eigenvalues.abs().sum()).item()
    assert copying_score(gpt, 1, 1) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_head_that_hands_on_what_it_sees_copies(gpt, sign):
    attention = gpt.blocks[0].self_attention
    with torch.no_grad():
        attention.out_proj.weight.copy_(sign * attention.v_proj.weight.T)
    assert copying_score(gpt, 0, 0) == pytest.approx(sign, abs=1e-4)


def test_token_losses_have_the_models_loss_as_their_mean(gpt):
    ids = repeated_tokens(4, 7, 20, generator=torch.Generator().manual_seed(0))
    losses = token_losses(gpt, ids)
    assert losses.shape == (4, 19)
    assert losses.mean().item() == pytest.approx(gpt.loss(ids[:, :-1], ids[:, 1:]).item(), rel=1e-5)


def test_without_a_head_is_without_its_output_and_afterwards_all_is_as_before(gpt):
    ids = repeated_tokens(4, 7, 20, generator=torch.Generator().manual_seed(0))
    whole, without = token_losses(gpt, ids), loss_without(gpt, ids, [(1, 0)])
    assert torch.equal(token_losses(gpt, ids), whole) and not torch.allclose(whole, without)
    with torch.no_grad():
        gpt.blocks[1].self_attention.out_proj.weight[:, :8] = 0.0
    torch.testing.assert_close(token_losses(gpt, ids), without, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="no head 2 in layer 0"):
        loss_without(gpt, ids, [(0, 2)])


def test_attention_of_every_head_is_seen_and_causal(gpt):
    ids = torch.tensor([CHARACTERS.encode("abcab")])
    weights = attention_weights(gpt, ids)
    assert weights.shape == (1, 2, 2, 5, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 2, 2, 5))
    assert (weights.triu(1) == 0).all()
    seen = attention_pass(gpt, "abcab")
    assert list(seen.tokens) == list("abcab") and torch.equal(seen.weights, weights[0])
    with pytest.raises(ValueError, match="not in this vocabulary: '!'"):
        attention_pass(gpt, "a!")
