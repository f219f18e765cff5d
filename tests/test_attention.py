"""Attention equals torch's in every value and gradient, and has the properties that it should have."""

import math

import pytest
import torch
import torch.nn.functional as F
from equality import (
    BATCH,
    HEADS,
    N,
    assert_same,
    assert_same_function,
    assert_same_module,
    blocked_for_torch,
    every_batch,
    every_dtype,
    every_mask,
    for_batch,
    leaves,
    randomise,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course.attention import (
    additive_score,
    attention_entropy,
    cosine_score,
    dot_score,
    fused_attention,
    general_score,
    masked_softmax,
    scaled_dot_product_attention,
    scaled_dot_score,
    scaled_dot_weights,
    soft_lookup,
    softmax_attention,
    softmax_jacobian,
    weighted_sum,
)
from course.heads import (
    LoopedMultiHeadAttention,
    MultiHeadAttention,
    merge_heads,
    record_attention,
    split_heads,
)
from course.masks import causal_mask, padding_mask

WIDTH = 16

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def with_heads(mask):
    """A mask for ``[batch, heads, query, key]``: one pattern a sentence gets an axis for the heads."""
    return mask.unsqueeze(1) if mask is not None and mask.dim() == 3 else mask


def blind_first(mask):
    """The same mask, under which the first query may attend nowhere."""
    return None if mask is None else mask & (torch.arange(N)[:, None] > 0)


# Scores


@every_dtype
def test_each_score_is_its_formula_pair_by_pair(dtype):
    query, key = torch.randn(2, 3, 4, dtype=dtype), torch.randn(2, 5, 4, dtype=dtype)
    weight, w_query, w_key = (torch.randn(*shape, dtype=dtype) for shape in [(4, 4), (6, 4), (6, 4)])
    v = torch.randn(6, dtype=dtype)
    formulas = {
        dot_score(query, key): lambda q, k: q @ k,
        scaled_dot_score(query, key): lambda q, k: q @ k / 2,
        general_score(query, key, weight): lambda q, k: q @ weight @ k,
        additive_score(query, key, w_query, w_key, v): lambda q, k: v @ torch.tanh(w_query @ q + w_key @ k),
        cosine_score(query, key): lambda q, k: q @ k / (q.norm() * k.norm()),
    }
    for scores, formula in formulas.items():
        pairs = [
            [[formula(q, k) for k in keys] for q in queries] for queries, keys in zip(query, key, strict=True)
        ]
        assert_same(scores, torch.tensor(pairs, dtype=dtype))


def test_general_and_additive_scores_take_keys_of_another_width():
    query, key = torch.randn(3, 4), torch.randn(5, 7)
    assert general_score(query, key, torch.randn(4, 7)).shape == (3, 5)
    assert additive_score(query, key, torch.randn(6, 4), torch.randn(6, 7), torch.randn(6)).shape == (3, 5)


def test_cosine_with_a_zero_vector_is_zero():
    assert cosine_score(torch.zeros(1, 4), torch.randn(3, 4)).eq(0).all()


# Softmax


@st.composite
def scores_and_mask(draw):
    """Scores of any size up to hundreds, and a mask in which some rows may be empty."""
    shape = [*draw(st.lists(st.integers(1, 3), max_size=2)), draw(st.integers(1, 5)), draw(st.integers(1, 7))]
    torch.manual_seed(draw(seeds))
    scores = draw(st.sampled_from([0.1, 1.0, 300.0])) * torch.randn(shape)
    mask_shape = [draw(st.sampled_from([1, size])) for size in shape]
    return scores, torch.rand(mask_shape) < draw(st.sampled_from([0.2, 0.5, 0.9]))


@settings(deadline=None)
@given(scores_and_mask())
def test_rows_sum_to_one_or_to_zero_where_nothing_may_be_attended(case):
    scores, mask = case
    weights = masked_softmax(scores, mask)
    somewhere = mask.expand(scores.shape).any(dim=-1)
    assert_same(weights.sum(dim=-1), somewhere.to(scores.dtype))
    assert weights[~mask.expand(scores.shape)].eq(0).all()
    assert weights.ge(0).all()


@settings(deadline=None)
@given(scores_and_mask())
def test_masked_softmax_is_the_softmax_of_what_may_be_attended(case):
    scores, mask = case
    weights = masked_softmax(scores, mask)
    for row, allowed, result in zip(
        scores.flatten(0, -2),
        mask.expand(scores.shape).flatten(0, -2),
        weights.flatten(0, -2),
        strict=True,
    ):
        assert_same(result[allowed], row[allowed].softmax(dim=0))


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@settings(deadline=None)
@given(scores_and_mask())
def test_an_empty_row_has_a_zero_gradient_and_none_is_nan(case):
    scores, mask = case
    scores.requires_grad_()
    with torch.autograd.detect_anomaly(check_nan=True):
        (masked_softmax(scores, mask) * torch.randn_like(scores)).sum().backward()
    assert scores.grad.isfinite().all()
    assert scores.grad[~mask.expand(scores.shape)].eq(0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_masked_softmax_keeps_the_type(dtype):
    weights = masked_softmax(torch.randn(3, 3).to(dtype), causal_mask(3))
    assert weights.dtype == dtype
    assert weights[0].tolist() == [1.0, 0.0, 0.0]


@settings(deadline=None)
@given(seed=seeds, n=st.integers(1, 8))
def test_softmax_jacobian_is_what_autograd_finds(seed, n):
    torch.manual_seed(seed)
    scores = torch.randn(n, dtype=torch.float64)
    found = torch.autograd.functional.jacobian(lambda s: s.softmax(dim=-1), scores)
    assert_same(softmax_jacobian(scores.softmax(dim=-1)), found)


def test_softmax_jacobian_of_many_rows_is_that_of_each():
    weights = torch.randn(2, 3, 5).softmax(dim=-1)
    assert torch.equal(softmax_jacobian(weights)[1, 2], softmax_jacobian(weights[1, 2]))


def test_entropy_runs_from_zero_to_the_logarithm_of_the_number_of_keys():
    weights = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0]])
    assert_same(attention_entropy(weights), torch.tensor([0.0, math.log(4), math.log(2)]))


# Attention


@every_dtype
@every_batch
@every_mask
@pytest.mark.parametrize("scale", [None, 0.3])
def test_scaled_dot_product_attention_equals_torchs(dtype, batch, mask, scale):
    mask, batch = for_batch(with_heads(mask()), batch), (*batch, HEADS)
    query = torch.randn(*batch, N, 8, dtype=dtype)
    key, value = torch.randn(*batch, N, 8, dtype=dtype), torch.randn(*batch, N, 5, dtype=dtype)
    assert_same_function(
        lambda q, k, v: scaled_dot_product_attention(q, k, v, mask, scale)[0],
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask, scale=scale),
        *(query, key, value),
    )


@every_mask
def test_weights_with_the_mask_added_in_place_are_those_of_the_two_steps(mask):
    mask = blind_first(with_heads(mask()))
    assert_same_function(
        lambda q, k: scaled_dot_weights(q, k, mask),
        lambda q, k: masked_softmax(scaled_dot_score(q, k), mask),
        *torch.randn(2, BATCH, HEADS, N, 8, dtype=torch.float64),
    )


@every_mask
@pytest.mark.parametrize("change", [lambda mask: mask, blind_first], ids=["as it is", "first blind"])
def test_fused_attention_equals_the_readable_one(mask, change):
    mask = change(with_heads(mask()))
    query, key, value = torch.randn(3, BATCH, HEADS, N, 8, dtype=torch.float64)
    assert_same_function(
        lambda q, k, v: fused_attention(q, k, v, mask),
        lambda q, k, v: scaled_dot_product_attention(q, k, v, mask)[0],
        *(query, key, value),
    )


@every_mask
def test_fused_attention_trains_in_bfloat16(mask):
    """Within bfloat16's eight bits of the float32 result, in value and gradient."""
    mask, inputs = with_heads(mask()), torch.randn(3, BATCH, HEADS, N, 8)
    results = []
    for dtype in (torch.float32, torch.bfloat16):
        q, k, v = (x.to(dtype).requires_grad_() for x in inputs)
        output = fused_attention(q, k, v, mask)
        output.square().sum().backward()
        results.append([output, q.grad, k.grad, v.grad])
    for exact, coarse in zip(*results, strict=True):
        assert coarse.dtype == torch.bfloat16
        assert (coarse.float() - exact).norm() <= 2**-6 * exact.norm()


def test_output_is_the_sum_of_the_values_times_the_weights():
    query, key, value = torch.randn(3, 5, 8)
    output, weights = scaled_dot_product_attention(query, key, value)
    assert_same(output, torch.stack([sum(w * v for w, v in zip(row, value, strict=True)) for row in weights]))
    again, weights_again = softmax_attention(scaled_dot_score(query, key), value)
    assert_same(again, output)
    assert_same(weights_again, weights)
    assert_same(weighted_sum(weights, value), output)


def test_thinking_machines_come_out_as_in_the_lecture():
    query = torch.zeros(1, 64)
    query[0, 0] = 8.0
    key = torch.zeros(2, 64)
    key[:, 0] = torch.tensor([14.0, 12.0])
    assert dot_score(query, key).tolist() == [[112.0, 96.0]]
    assert scaled_dot_score(query, key).tolist() == [[14.0, 12.0]]
    _, weights = scaled_dot_product_attention(query, key, torch.eye(2))
    assert [round(weight, 2) for weight in weights[0].tolist()] == [0.88, 0.12]


def test_soft_lookup_goes_from_the_mean_to_the_best_match():
    query, key, value = torch.randn(3, 4, 8, dtype=torch.float64)
    exact, one_hot = soft_lookup(query, key, value, temperature=0)
    assert torch.equal(exact, value[dot_score(query, key).argmax(dim=-1)])
    assert torch.equal(
        one_hot.sort(dim=-1).values, torch.tensor([[0.0, 0.0, 0.0, 1.0]] * 4, dtype=torch.float64)
    )
    assert_same(soft_lookup(query, key, value, temperature=1e-4)[0], exact)
    assert_same(soft_lookup(query, key, value, temperature=1e12)[0], value.mean(dim=0).expand(4, 8))
    assert_same(soft_lookup(query, key, value)[1], dot_score(query, key).softmax(dim=-1))


# Heads


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)], ids=str)
def test_split_heads_gives_each_head_its_slice_and_merge_heads_undoes_it(batch):
    x = torch.randn(*batch, 5, 12)
    heads = split_heads(x, 3)
    assert heads.shape == (*batch, 3, 5, 4)
    for head in range(3):
        assert torch.equal(heads[..., head, :, :], x[..., 4 * head : 4 * head + 4])
    assert torch.equal(merge_heads(heads), x)


def pair(dtype, bias=True, dropout=0.0):
    theirs = nn.MultiheadAttention(WIDTH, HEADS, bias=bias, dropout=dropout, batch_first=True, dtype=dtype)
    return MultiHeadAttention(WIDTH, HEADS, bias, dropout).to(dtype), randomise(theirs)


@every_dtype
@every_batch
@every_mask
@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
def test_self_attention_equals_torchs(dtype, batch, mask, need_weights):
    mask = for_batch(mask(), batch)
    ours, theirs = pair(dtype)
    blocked = blocked_for_torch(mask, batch, HEADS, N, N)

    def run_ours(x):
        output, weights = ours(x, mask=mask, need_weights=need_weights)
        return (output, weights) if need_weights else output

    def run_theirs(x):
        output, weights = theirs(x, x, x, attn_mask=blocked, average_attn_weights=False)
        return (output, weights) if need_weights else output

    assert_same_module(ours, theirs, run_ours, run_theirs, torch.randn(*batch, N, WIDTH, dtype=dtype))


@every_dtype
@every_batch
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
def test_cross_attention_equals_torchs(dtype, batch, bias, need_weights):
    ours, theirs = pair(dtype, bias)
    mask = padding_mask([3, 5] if batch else [3], 5)
    blocked = blocked_for_torch(mask, batch, HEADS, N, 5)

    def run_ours(query, key, value):
        return ours(query, key, value, mask=mask, need_weights=need_weights)[0]

    def run_theirs(query, key, value):
        return theirs(query, key, value, attn_mask=blocked, need_weights=need_weights)[0]

    query = torch.randn(*batch, N, WIDTH, dtype=dtype)
    key, value = torch.randn(2, *batch, 5, WIDTH, dtype=dtype)
    assert_same_module(ours, theirs, run_ours, run_theirs, query, key, value)


def test_padding_is_torchs_key_padding_mask():
    ours, theirs = pair(torch.float64)
    ours.load_state_dict(theirs.state_dict())
    x, mask = torch.randn(3, N, WIDTH, dtype=torch.float64), padding_mask([2, N, 4], N)
    expected, _ = theirs(x, x, x, key_padding_mask=~mask.squeeze(1))
    assert_same(ours(x, mask=mask)[0], expected)


def test_the_key_is_the_query_and_the_value_the_key_unless_given():
    mha, x, memory = MultiHeadAttention(WIDTH, HEADS), torch.randn(2, N, WIDTH), torch.randn(2, 3, WIDTH)
    assert torch.equal(mha(x)[0], mha(x, x, x)[0])
    assert torch.equal(mha(x, memory)[0], mha(x, memory, memory)[0])


def test_dropout_falls_on_the_weights_as_in_torch():
    ours, theirs = pair(torch.float32, dropout=0.4)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(BATCH, N, WIDTH)
    torch.manual_seed(1)
    output, weights = ours(x)
    torch.manual_seed(1)
    expected, expected_weights = theirs(x, x, x, average_attn_weights=False)
    assert_same(weights, expected_weights)
    assert_same(output, expected)
    assert not torch.equal(ours(x, need_weights=False)[0], ours(x, need_weights=False)[0])
    ours.eval()
    assert torch.equal(ours(x, need_weights=False)[0], ours(x, need_weights=False)[0])


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_state_dicts_go_to_torch_and_back(bias):
    ours, theirs = pair(torch.float32, bias)
    theirs.load_state_dict(ours.torch_state_dict())
    back = MultiHeadAttention(WIDTH, HEADS, bias)
    back.load_state_dict(theirs.state_dict())
    for name, tensor in ours.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor)


@every_mask
@every_batch
def test_the_loop_over_heads_equals_the_batched_product(mask, batch):
    mask = for_batch(mask(), batch)
    looped = LoopedMultiHeadAttention(WIDTH, HEADS).double()
    batched = MultiHeadAttention(WIDTH, HEADS).double()
    batched.load_state_dict(looped.state_dict())
    x = torch.randn(*batch, N, WIDTH, dtype=torch.float64)
    assert_same_function(lambda x: looped(x, mask=mask), lambda x: batched(x, mask=mask), x)
    assert looped(x, mask=mask, need_weights=False)[1] is None


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("kind", [MultiHeadAttention, LoopedMultiHeadAttention])
@pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
def test_a_sentence_of_padding_gives_zeros_and_no_nan(kind, need_weights):
    mha = kind(WIDTH, HEADS)
    (x,) = leaves(torch.randn(2, N, WIDTH))
    with torch.autograd.detect_anomaly(check_nan=True):
        output, weights = mha(x, mask=padding_mask([N, 0], N), need_weights=need_weights)
        output.square().sum().backward()
    assert_same(output[1], mha.out_proj.bias.expand(N, WIDTH))
    assert weights is None or weights[1].eq(0).all()
    assert x.grad.isfinite().all()
    assert x.grad[0].ne(0).any()
    assert x.grad[1].eq(0).all()


@settings(deadline=None)
@given(seed=seeds, n=st.integers(1, 9), fused=st.booleans())
def test_without_positions_attention_is_permutation_equivariant(seed, n, fused):
    torch.manual_seed(seed)
    mha, x, order = MultiHeadAttention(WIDTH, HEADS), torch.randn(2, n, WIDTH), torch.randperm(n)
    assert_same(mha(x[:, order], need_weights=not fused)[0], mha(x, need_weights=not fused)[0][:, order])


@settings(deadline=None)
@given(data=st.data(), seed=seeds, n=st.integers(2, 9), fused=st.booleans())
def test_under_a_causal_mask_the_future_changes_nothing(data, seed, n, fused):
    changed = data.draw(st.integers(1, n - 1))
    torch.manual_seed(seed)
    mha, x = MultiHeadAttention(WIDTH, HEADS), torch.randn(1, n, WIDTH)
    other = x.clone()
    other[:, changed:] += 100.0
    before, after = (mha(x, mask=causal_mask(n), need_weights=not fused)[0] for x in (x, other))
    assert_same(after[:, :changed], before[:, :changed])
    assert not torch.allclose(after[:, changed:], before[:, changed:])


def test_attention_is_recorded_by_name_and_only_while_asked():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = LoopedMultiHeadAttention(WIDTH, HEADS)
            self.layers = nn.ModuleList([MultiHeadAttention(WIDTH, HEADS)])

        def forward(self, x):
            return self.layers[0](self.first(x, x, x, None, False)[0], need_weights=False)

    model, x = Model(), torch.randn(BATCH, N, WIDTH)
    with record_attention(model) as weights:
        output, _ = model(x)
    assert list(weights) == ["first", "layers.0"]
    assert_same(weights["first"], model.first(x)[1])
    assert_same(weights["layers.0"].sum(dim=-1), torch.ones(BATCH, HEADS, N))
    again, nothing = model(x)
    assert nothing is None
    assert_same(output, again)


# What is refused

x = torch.randn(2, 3, 8)


@pytest.mark.parametrize(
    ("call", "error", "seen"),
    [
        (lambda: MultiHeadAttention(10, 4), ValueError, "d_model = 10, n_heads = 4"),
        (lambda: MultiHeadAttention(8, 0), ValueError, "n_heads = 0"),
        (lambda: split_heads(x, 3), ValueError, "d_model = 8, n_heads = 3"),
        (lambda: dot_score(x, x[..., :5]), ValueError, "8 and 5"),
        (lambda: general_score(x, x, torch.randn(8, 7)), ValueError, r"\[8, 8\]; got \[8, 7\]"),
        (
            lambda: additive_score(x, x, torch.randn(4, 8), torch.randn(5, 8), torch.randn(4)),
            ValueError,
            r"\[\[4, 8\], \[4, 8\]\]; got \[\[4, 8\], \[5, 8\]\]",
        ),
        (lambda: scaled_dot_product_attention(x, x, x[:, :2]), ValueError, "3 keys and 2 values"),
        (lambda: scaled_dot_product_attention(x, x, x, torch.ones(3, 3)), TypeError, "torch.float32"),
        (lambda: scaled_dot_product_attention(x, x, x, causal_mask(4)), ValueError, r"\[4, 4\].*\[2, 3, 3\]"),
        (lambda: masked_softmax(x[0], causal_mask(3)[None]), ValueError, r"\[1, 3, 3\].*\[3, 8\]"),
        (lambda: soft_lookup(x, x, x, temperature=-1), ValueError, "got -1"),
        (lambda: MultiHeadAttention(8, 2)(x, mask=[[True]]), TypeError, "list"),
        (lambda: MultiHeadAttention(8, 2)(x, mask=torch.zeros(3, 3)), TypeError, "torch.float32"),
        (lambda: MultiHeadAttention(8, 2)(x, mask=causal_mask(4)), ValueError, r"\[4, 4\].*\[2, 2, 3, 3\]"),
        (lambda: MultiHeadAttention(8, 2)(x, mask=padding_mask([1] * 5, 3)), ValueError, r"\[5, 1, 1, 3\]"),
        (
            lambda: MultiHeadAttention(8, 2)(x, x, x[:, :2]),
            ValueError,
            r"key \[2, 3, 8\] and value \[2, 2, 8\]",
        ),
        (lambda: MultiHeadAttention(8, 2)(x, x[:1]), ValueError, r"query \[2, 3, 8\] and key \[1, 3, 8\]"),
        (lambda: MultiHeadAttention(8, 2)(x[..., :6]), ValueError, r"d_model = 8\]; got \[2, 3, 6\]"),
        (lambda: MultiHeadAttention(8, 2)(x[0, 0]), ValueError, r"got \[8\]"),
    ],
)
def test_bad_input_is_refused_with_what_was_seen(call, error, seen):
    with pytest.raises(error, match=seen):
        call()
