"""Disentangled attention equals transformers', of both versions, and depends on relative positions alone."""

import math

import pytest
import torch
from equality import TOLERANCE, leaves
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import DebertaConfig, DebertaV2Config
from transformers.models.deberta.modeling_deberta import DisentangledSelfAttention as FirstAttention
from transformers.models.deberta.modeling_deberta import build_relative_position as first_positions
from transformers.models.deberta_v2.modeling_deberta_v2 import DisentangledSelfAttention as SecondAttention
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from course.heads import record_attention
from course.masks import padding_mask
from course.models.bert import BertConfig
from course.models.deberta import (
    Deberta,
    DebertaForMaskedLM,
    DisentangledAttention,
    disentangled_score,
    relative_buckets,
    relative_distances,
)

D, HEADS, N, SPAN = 16, 4, 7, 4  # longer than the table reaches
LENGTHS = [7, 4]
SIZES = BertConfig(30, 32, 4, 64, 2, max_length=64, dropout=0.0, attention_dropout=0.0)
COMMON = {
    "hidden_size": D,
    "num_attention_heads": HEADS,
    "relative_attention": True,
    "max_relative_positions": SPAN,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
every_kind = pytest.mark.parametrize("kinds", [("c2p", "p2c"), ("c2p",), ("p2c",), ()], ids=str)
every_mask = pytest.mark.parametrize("padded", [False, True], ids=["no mask", "padding"])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def assert_close(ours, theirs, what: str) -> None:
    tolerance = TOLERANCE[torch.float32]
    torch.testing.assert_close(
        ours, theirs, rtol=tolerance, atol=tolerance, msg=lambda text: f"{what}: {text}"
    )


def randomised(module: nn.Module) -> nn.Module:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) / math.sqrt(D))
    return module


def ours_without_output(relative: nn.Embedding, **settings) -> DisentangledAttention:
    """With the identity for a last map: transformers' attention is without one."""
    attention = DisentangledAttention(D, HEADS, relative, **settings)
    with torch.no_grad():
        attention.out_proj.weight.copy_(torch.eye(D))
        attention.out_proj.bias.zero_()
    return attention


def compare(ours, theirs, run_theirs, table, padded: bool, pairs: dict) -> None:
    """Outputs, weights, and the gradients of input, table and every pair of parameters."""
    mask = padding_mask(LENGTHS, N) if padded else None
    whole = torch.ones(2, 1, N, N, dtype=torch.bool) if mask is None else mask.unsqueeze(1).expand(2, 1, N, N)
    mine, its = leaves(*[torch.randn(2, N, D)] * 2)
    output, weights = ours(mine, mask=mask)
    expected, expected_weights = run_theirs(its, whole)
    assert_close(weights, expected_weights, "weights")
    assert_close(output, expected, "output")
    direction = torch.randn_like(output)
    output.backward(direction)
    expected.backward(direction)
    assert_close(mine.grad, its.grad, "gradient of the input")
    if ours.kinds:
        assert_close(ours.relative.weight.grad, table.grad, "gradient of the table")
    for mine, its in pairs.items():
        got, wanted = (dict(m.named_parameters())[n].grad for m, n in ((ours, mine), (theirs, its)))
        assert_close(got, wanted, f"gradient of {mine}")


NAMES = {"query_proj": "q_proj", "key_proj": "k_proj", "value_proj": "v_proj"}
OWN = {"c2p": ("pos_key_proj", "relative_k_proj"), "p2c": ("pos_query_proj", "relative_q_proj")}


@every_mask
@every_kind
@pytest.mark.parametrize("share", [False, True], ids=["own maps", "shared maps"])
@pytest.mark.parametrize("buckets", [False, True], ids=["each distance", "buckets"])
def test_the_attention_of_version_2_and_3(kinds, share, buckets, padded):
    furthest = 6 if buckets else None
    changes = {"position_buckets": SPAN, "max_relative_positions": 6} if buckets else {}
    config = DebertaV2Config(**COMMON | changes, pos_att_type=list(kinds), share_att_key=share)
    theirs = randomised(SecondAttention(config))
    relative = nn.Embedding(2 * SPAN, D)
    ours = ours_without_output(relative, kinds=kinds, furthest=furthest, share=share)
    names = dict(NAMES) | ({} if share else {theirs: mine for k in kinds for theirs, mine in [OWN[k]]})
    state = {f"{names[n.split('.')[0]]}.{n.split('.')[1]}": p for n, p in theirs.state_dict().items()}
    ours.load_state_dict(state, strict=False)
    table = relative.weight.detach().clone().requires_grad_()

    def run(x, mask):
        return theirs(x, mask, output_attentions=True, rel_embeddings=table)

    pairs = {f"{mine}.weight": f"{its}.weight" for its, mine in names.items()}
    compare(ours, theirs, run, table, padded, pairs)


@every_mask
@every_kind
def test_the_attention_of_version_1(kinds, padded):
    """Its three maps are one, cut by heads; keys have no bias."""
    theirs = randomised(FirstAttention(DebertaConfig(**COMMON, pos_att_type=list(kinds))))
    relative = nn.Embedding(2 * SPAN, D)
    ours = ours_without_output(relative, kinds=kinds)
    q, k, v = theirs.in_proj.weight.view(HEADS, 3, D // HEADS, D).transpose(0, 1).reshape(3, D, D)
    with torch.no_grad():
        for linear, weight, bias in [
            (ours.q_proj, q, theirs.q_bias),
            (ours.k_proj, k, torch.zeros(D)),
            (ours.v_proj, v, theirs.v_bias),
        ]:
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
        if "c2p" in kinds:
            ours.relative_k_proj.weight.copy_(theirs.pos_proj.weight)
            ours.relative_k_proj.bias.zero_()
        if "p2c" in kinds:
            ours.relative_q_proj.load_state_dict(theirs.pos_q_proj.state_dict())
    table = relative.weight.detach().clone().requires_grad_()
    positions = first_positions(torch.empty(1, N, D), torch.empty(1, N, D))

    def run(x, mask):
        return theirs(x, mask, output_attentions=True, relative_pos=positions, rel_embeddings=table)

    pairs = {"q_proj.bias": "q_bias", "v_proj.bias": "v_bias"}
    pairs |= {"relative_k_proj.weight": "pos_proj.weight"} if "c2p" in kinds else {}
    pairs |= {"relative_q_proj.weight": "pos_q_proj.weight"} if "p2c" in kinds else {}
    compare(ours, theirs, run, table, padded, pairs)


# ---- distances -----------------------------------------------------------------------------------


def test_distances_are_those_of_equation_3():
    assert relative_distances(5, 2).tolist() == [
        [2, 1, 0, 0, 0],
        [3, 2, 1, 0, 0],
        [3, 3, 2, 1, 0],
        [3, 3, 3, 2, 1],
        [3, 3, 3, 3, 2],
    ]


@given(st.integers(1, 40), st.integers(2, 20), st.integers(1, 100))
@settings(deadline=None)
def test_buckets_are_transformers(n, span, more):
    furthest = span + more
    places = torch.arange(n)
    theirs = make_log_bucket_position(places.unsqueeze(-1) - places, span, furthest).long()
    ours = relative_buckets(n, span, furthest)
    assert torch.equal(ours, (theirs + span).clamp(0, 2 * span - 1))


@pytest.mark.parametrize("span, furthest", [(1, 8), (8, 8)])
def test_buckets_that_cannot_be_are_refused(span, furthest):
    with pytest.raises(ValueError, match=f"got span {span}, furthest {furthest}"):
        relative_buckets(4, span, furthest)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="c2p, p2c; got p2p"):
        DisentangledAttention(D, HEADS, nn.Embedding(8, D), kinds=("p2p",))


def test_the_score_by_loops():
    query, key = torch.randn(2, 5, 3)
    relative_key, relative_query, distances = torch.randn(4, 3), torch.randn(4, 3), relative_distances(5, 2)
    scores = disentangled_score(query, key, distances, relative_key, relative_query)
    for i in range(5):
        for j in range(5):
            row = distances[i, j]
            parts = query[i] @ key[j] + query[i] @ relative_key[row] + key[j] @ relative_query[row]
            assert scores[i, j].item() == pytest.approx(parts.item() / 3, abs=1e-5)  # √(3 · 3)


# ---- the model -----------------------------------------------------------------------------------


def states(model, ids):
    with torch.no_grad():
        return model.eval()(ids)


def test_only_relative_positions_matter():
    """A text behind any number of tokens that nobody may look at gives the same states."""
    model = randomised(Deberta(SIZES, pooler=False, span=8))
    text, shift = torch.randint(1, 30, (1, 9)), 5
    later = torch.cat([torch.full((1, shift), 3), text], dim=1)
    mask = torch.zeros(1, 1, 9 + shift, dtype=torch.bool)
    mask[..., shift:] = True
    with torch.no_grad():
        moved = model.eval()(later, mask=mask)[:, shift:]
    torch.testing.assert_close(moved, states(model, text), rtol=1e-5, atol=1e-5)


def test_order_matters_and_without_position_scores_it_does_not():
    ids = torch.tensor([[5, 6, 7, 8]])
    for kinds, expected in ((("c2p", "p2c"), False), ((), True)):
        model = randomised(Deberta(SIZES, pooler=False, kinds=kinds))
        gap = (states(model, ids).flip(1) - states(model, ids.flip(1))).abs().max().item()
        assert (gap < 1e-5) is expected, kinds


def test_one_table_serves_all_blocks_and_learns():
    model = DebertaForMaskedLM(SIZES, span=4)
    assert {id(block.self_attention.relative) for block in model.bert.layers} == {id(model.bert.relative)}
    assert not any("positions" in name for name, _ in model.named_parameters())
    ids = torch.randint(1, 30, (2, 6))
    model.loss(ids, ids).backward()
    assert model.bert.relative.weight.grad.abs().sum() > 0


def test_its_attention_can_be_recorded():
    model = Deberta(SIZES, pooler=False)
    with record_attention(model) as weights:
        model(torch.randint(1, 30, (2, 6)))
    assert len(weights) == 2
    for w in weights.values():
        torch.testing.assert_close(w.sum(-1), torch.ones(2, 4, 6))
