"""Attention: scores, softmax, weighted sum; then many heads of it.

Read from the top: first what a score may be, then how scores become weights and weights an output, then
the module. Every function works on any number of leading batch axes (``*batch``), heads among them, or
on none.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from course.masks import check_mask, is_known_true, is_traced, to_additive

# --------------------------------------------------------------------------------------------------
# Scores: how well does a query match a key?
# --------------------------------------------------------------------------------------------------


def dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    """The inner product q · k of every query with every key.

    Raises:
        ValueError: if queries and keys differ in width.

    Source: "dot" in Luong et al. 2015, §3.1; the first MatMul of Vaswani et al. 2017, figure 2; lecture
    row L2.7.b.
    """
    _check_same_width(query, key)
    return query @ key.mT


def scaled_dot_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    """The inner product divided by the square root of the width: q · k / √d_k.

    For q and k with independent entries of mean 0 and variance 1 the inner product has variance d_k;
    after the division it has variance 1, so that the softmax does not saturate. What is given is not changed.

    Raises:
        ValueError: if queries and keys differ in width.

    Source: Vaswani et al. 2017, equation 1 and footnote 4; lecture rows L2.5.a, L2.5.b.
    """
    # Dividing the query, not the score, touches d_k numbers a row where the score has one for every key.
    return dot_score(query / math.sqrt(query.shape[-1]), key)


def general_score(
    query: Float[Tensor, "*batch query d_q"],
    key: Float[Tensor, "*batch key d_k"],
    weight: Float[Tensor, "d_q d_k"],
) -> Float[Tensor, "*batch query key"]:
    """A learned bilinear form: qᵀ W k, which lets queries and keys differ in width.

    Raises:
        ValueError: if the weight is not of shape ``[d_q, d_k]``.

    Source: "general" in Luong et al. 2015, §3.1; lecture row L1.3.c.
    """
    _check_general_weight(query, key, weight)
    return query @ weight @ key.mT


def additive_score(
    query: Float[Tensor, "*batch query d_q"],
    key: Float[Tensor, "*batch key d_k"],
    w_query: Float[Tensor, "d_hidden d_q"],
    w_key: Float[Tensor, "d_hidden d_k"],
    v: Float[Tensor, "d_hidden"],
) -> Float[Tensor, "*batch query key"]:
    """A small network with one hidden layer: vᵀ tanh(W_q q + W_k k).

    Raises:
        ValueError: if the weights do not fit the queries, the keys or each other.

    Source: Bahdanau et al. 2015, appendix A.1.2; lecture row L1.7.b (F as an MLP).
    """
    _check_additive_weights(query, key, w_query, w_key, v)
    q = (query @ w_query.mT).unsqueeze(-2)  # [*batch, query, 1, d_hidden]
    k = (key @ w_key.mT).unsqueeze(-3)  # [*batch, 1, key, d_hidden]
    return torch.tanh(q + k) @ v


def cosine_score(
    query: Float[Tensor, "*batch query d_k"], key: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    """The cosine of the angle between query and key: q · k / (|q| |k|), in [-1, 1].

    Where either vector is zero, so is the score.

    Raises:
        ValueError: if queries and keys differ in width.

    Source: Graves et al. 2014 (Neural Turing Machine), equation 6; lecture row L1.7.b (F as a cosine).
    """
    return dot_score(F.normalize(query, dim=-1), F.normalize(key, dim=-1))


# --------------------------------------------------------------------------------------------------
# From scores to weights, from weights to the output
# --------------------------------------------------------------------------------------------------


def masked_softmax(
    scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "*#batch #query #key"] | None = None
) -> Float[Tensor, "*batch query key"]:
    """The softmax over the keys that each query may attend to; keys it may not attend to get weight 0.

    Each row sums to 1. A row that may attend nowhere is all zeros, and so is its gradient. What is given is
    not changed.

    Args:
        scores: any real numbers, hundreds and tens of thousands too.
        mask: True = may attend; broadcasts to the scores. None lets every query attend everywhere.

    Raises:
        TypeError: if the mask is not boolean.
        ValueError: if the mask does not broadcast to the scores.

    Source: "Mask (opt.)" and "SoftMax" in Vaswani et al. 2017, figure 2; lecture row L2.7.b.
    """
    if mask is None:
        return scores.softmax(dim=-1)
    check_mask(mask, scores.shape)
    # A row of -inf alone would come out as NaN: who may attend nowhere attends everywhere, then is zeroed.
    somewhere = mask.any(dim=-1, keepdim=True)
    weights = (scores + to_additive(mask | ~somewhere).to(scores.dtype)).softmax(dim=-1)
    return _zeroed(weights, somewhere)


def scaled_dot_weights(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
) -> Float[Tensor, "*batch query key"]:
    """The weights softmax(Q Kᵀ / √d_k): those of ``masked_softmax(scaled_dot_score(query, key), mask)``.

    Nobody else holds these scores, so the mask is added to them in place; that saves a tensor as large.

    Raises:
        TypeError, ValueError: as ``scaled_dot_score`` and ``masked_softmax``.

    Source: Vaswani et al. 2017, equation 1; lecture row L2.7.b.
    """
    scores = scaled_dot_score(query, key)
    if mask is None:
        return scores.softmax(dim=-1)
    check_mask(mask, scores.shape)
    somewhere = mask.any(dim=-1, keepdim=True)
    added = to_additive(mask | ~somewhere).to(scores.dtype)
    scores = scores + added if is_traced() else scores.add_(added)  # vmap: the mask may have more axes
    return _zeroed(scores.softmax(dim=-1), somewhere)


def weighted_sum(
    weights: Float[Tensor, "*batch query key"], value: Float[Tensor, "*batch key d_v"]
) -> Float[Tensor, "*batch query d_v"]:
    """For each query the sum of all values, each times its weight.

    Raises:
        ValueError: if there are not as many values as the weights have keys.

    Source: the second MatMul of Vaswani et al. 2017, figure 2; lecture rows L1.3.h, L2.7.b.
    """
    _check_one_value_a_key(weights, value)
    return weights @ value


def softmax_attention(
    scores: Float[Tensor, "*batch query key"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    """Attention for scores of any kind: masked softmax over the keys, then the weighted sum of the values.

    Returns:
        The output and the weights.

    Raises:
        TypeError, ValueError: as ``masked_softmax`` and ``weighted_sum``.

    Source: Luong et al. 2015, §3.1; lecture rows L1.3.c, L1.7.b.
    """
    weights = masked_softmax(scores, mask)
    return weighted_sum(weights, value), weights


def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    """Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V.

    Args:
        mask: boolean, a row for each query, a column for each key: True = the query may attend to the key,
            False = its weight is 0 and the others still sum to 1. It broadcasts to ``[*batch, query, key]``.
            A query that may attend nowhere gets zeros, for weights and output.
        scale: the factor on the scores; None means 1 / √d_k.

    Returns:
        The output and the weights.

    Raises:
        TypeError: if the mask is not boolean.
        ValueError: if queries and keys differ in width, keys and values in number, or the mask does not
            broadcast.

    Source: Vaswani et al. 2017, equation 1 and figure 2 (left); lecture rows L1.3.h, L2.5.a.
    """
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    return softmax_attention(dot_score(query * scale, key), value, mask)


def soft_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    temperature: float = 1.0,
) -> tuple[Float[Tensor, "*batch query d_v"], Float[Tensor, "*batch query key"]]:
    """A dictionary that can be differentiated: all values, each weighted by how well its key matches.

    The weights are the softmax of q · k / temperature. A high temperature mixes all values alike, a low
    one takes almost only the best match, and temperature 0 is the ordinary look-up: weight 1 on the
    (first) best key.

    Returns:
        The output and the weights.

    Raises:
        ValueError: if the temperature is negative, or the shapes do not fit.

    Source: Graves et al. 2014 (Neural Turing Machine), §3.3.1; lecture row L1.3.f.
    """
    _check_temperature(temperature)
    scores = dot_score(query, key)
    if temperature > 0:
        return softmax_attention(scores / temperature, value)
    weights = F.one_hot(scores.argmax(dim=-1), key.shape[-2]).to(scores.dtype)
    return weighted_sum(weights, value), weights


def softmax_jacobian(weights: Float[Tensor, "*batch key"]) -> Float[Tensor, "*batch key key"]:
    """How the weights move with the scores: ∂p_i / ∂s_j = p_i (δ_ij - p_j), in matrix form diag(p) - p pᵀ.

    It vanishes as the weights become one-hot: a saturated softmax has no gradient to give. Gradients flow
    through it to the weights.

    Args:
        weights: p = softmax(s), each row summing to 1.

    Source: Bridle 1990; lecture row L2.5.b.
    """
    return torch.diag_embed(weights) - weights.unsqueeze(-1) * weights.unsqueeze(-2)


def attention_entropy(weights: Float[Tensor, "*batch query key"]) -> Float[Tensor, "*batch query"]:
    """How spread out each query's attention is: -Σ_k p_k ln p_k, in nats, with 0 ln 0 = 0.

    0 when all the weight is on one key, ln(number of keys) when it is even.

    Source: Shannon 1948, §6; lecture row L2.5.b.
    """
    return torch.special.entr(weights).sum(dim=-1)


def fused_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "*batch query d_v"]:
    """The output of ``scaled_dot_product_attention`` by torch's fused kernel, which never stores the weights.

    In bfloat16 on a CPU, where that kernel is slow to train, by plain products.

    Args:
        dropout: probability with which a weight is dropped.

    Source: Dao et al. 2022 (FlashAttention).
    """
    if _is_trained_in_bfloat16_on_a_cpu(query):
        weights = scaled_dot_weights(query, key, mask)
        return weighted_sum(F.dropout(weights, dropout), value)
    if mask is None:
        return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
    # What kernels make of a row that may attend nowhere differs: it attends everywhere, then is zeroed.
    somewhere = mask.any(dim=-1, keepdim=True)
    output = F.scaled_dot_product_attention(query, key, value, mask | ~somewhere, dropout)
    return _zeroed(output, somewhere)


# --------------------------------------------------------------------------------------------------
# Many heads
# --------------------------------------------------------------------------------------------------


# --------------------------------------------------------------------------------------------------
# Checks
# --------------------------------------------------------------------------------------------------


def _zeroed(x: Float[Tensor, "*batch query n"], somewhere: Bool[Tensor, "*batch query 1"]) -> Tensor:
    """x, with zeros in the rows of queries that may attend nowhere."""
    return x if is_known_true(somewhere) else x.masked_fill(~somewhere, 0.0)


def _is_trained_in_bfloat16_on_a_cpu(query: Tensor) -> bool:
    """Where the fused kernel's way back takes 2 to 7 times as long as plain products, up to 512 tokens."""
    return query.dtype == torch.bfloat16 and query.device.type == "cpu" and query.requires_grad


def _check_same_width(query: Tensor, key: Tensor) -> None:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"queries and keys must have the same width; got {query.shape[-1]} and {key.shape[-1]} "
            f"(query {list(query.shape)}, key {list(key.shape)})"
        )


def _check_one_value_a_key(weights: Tensor, value: Tensor) -> None:
    if weights.shape[-1] != value.shape[-2]:
        raise ValueError(
            f"every key needs one value; got {weights.shape[-1]} keys and {value.shape[-2]} values "
            f"(weights {list(weights.shape)}, value {list(value.shape)})"
        )


def _check_general_weight(query: Tensor, key: Tensor, weight: Tensor) -> None:
    wanted = [query.shape[-1], key.shape[-1]]
    if list(weight.shape) != wanted:
        raise ValueError(f"the weight must have shape [d_q, d_k] = {wanted}; got {list(weight.shape)}")


def _check_additive_weights(query: Tensor, key: Tensor, w_query: Tensor, w_key: Tensor, v: Tensor) -> None:
    wanted = [[len(v), query.shape[-1]], [len(v), key.shape[-1]]]
    found = [list(w_query.shape), list(w_key.shape)]
    if found != wanted:
        raise ValueError(
            f"w_query and w_key must have shapes [d_hidden, d_q] and [d_hidden, d_k] = {wanted}; got {found}"
        )


def _check_temperature(temperature: float) -> None:
    if temperature < 0:
        raise ValueError(f"the temperature must be 0 or more; got {temperature}")
