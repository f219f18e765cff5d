"""The exercises of notebook 03, self-attention."""

import math

import torch

from course import attention
from course.attention import scaled_dot_product_attention, scaled_dot_score, soft_lookup, softmax_jacobian
from course.exercises.inputs import randn, rows, with_fixed_weights
from course.heads import MultiHeadAttention, merge_heads, split_heads
from course.workbook.record import define

# ---- 3.1 the soft dictionary -------------------------------------------------------------------

e = define(
    "3.1",
    soft_lookup,
    "The soft dictionary",
    minutes=8,
    difficulty=1,
    parts=[
        ("temperature 1", 1, lambda f: f(randn(2, 4), randn(5, 4, seed=1), randn(5, 3, seed=2))),
        (
            "temperature 0.25: closer to a look-up",
            1,
            lambda f: f(randn(2, 4), randn(5, 4, seed=1), randn(5, 3, seed=2), 0.25),
        ),
        (
            "temperature 4: closer to an average",
            1,
            lambda f: f(randn(2, 4), randn(5, 4, seed=1), randn(5, 3, seed=2), 4.0),
        ),
        (
            "temperature 0: the argmax look-up",
            1,
            lambda f: f(randn(2, 4), randn(5, 4, seed=1), randn(5, 3, seed=2), 0.0),
        ),
    ],
    hints=[
        "Three steps: how similar is each query to each key (a dot product), turn each row of scores into weights that sum to"
        " one, mix the values with them. Where could a temperature go so that a small one makes the largest score win?",
        "Divide the scores by the temperature before the softmax. For temperature 0 you cannot divide: there the weights are"
        " 1 for the best key and 0 for the others.",
        "`scores = query @ key.mT`; if `temperature == 0`, the weights are"
        " `torch.nn.functional.one_hot(scores.argmax(-1), scores.shape[-1]).to(scores.dtype)`; else `(scores / temperature).softmax(-1)`."
        " Return `weights @ value, weights`.",
    ],
)


def lookup_variant(divide=lambda s, t: s / t, axis=-1, hard=True, swap=False):
    def wrong(query, key, value, temperature=1.0):
        scores = query @ key.mT
        if temperature == 0 and hard:
            weights = torch.nn.functional.one_hot(scores.argmax(axis), scores.shape[-1]).to(scores.dtype)
        else:
            weights = divide(scores, temperature).softmax(axis)
        return (weights, weights @ value) if swap else (weights @ value, weights)

    return wrong


e.mistake(
    "multiplied",
    "The scores are multiplied by the temperature: a high temperature should flatten, so divide.",
)(lookup_variant(divide=lambda s, t: s * t))
e.mistake("ignored", "The temperature is not used.")(lookup_variant(divide=lambda s, t: s))
e.mistake("no-hard", "Temperature 0 is the argmax look-up, but here the scores are divided by zero.")(
    lookup_variant(hard=False)
)
e.mistake("swapped", "The weights are returned first; the order is (output, weights).")(
    lookup_variant(swap=True)
)


@e.mistake(
    "after-softmax",
    "The temperature divides the weights, after the softmax; it belongs on the scores, before it.",
)
def _(query, key, value, temperature=1.0):
    scores = query @ key.mT
    if temperature == 0:
        return lookup_variant()(query, key, value, 0)
    weights = scores.softmax(-1) / temperature
    return weights @ value, weights


@e.mistake(
    "over-queries", "The softmax runs over the queries; each query's weights over the keys should sum to one."
)
def _(query, key, value, temperature=1.0):
    scores = query @ key.mT
    weights = (scores / temperature).softmax(-2) if temperature else lookup_variant()(query, key, value, 0)[1]
    return weights @ value, weights


# ---- 3.2 the scaled dot product ----------------------------------------------------------------

e = define(
    "3.2",
    scaled_dot_score,
    "Scaled dot-product scores",
    minutes=5,
    difficulty=1,
    parts=[
        ("three queries, three keys", 1, lambda f: f(randn(3, 4), randn(3, 4, seed=1))),
        ("three queries, five keys", 1, lambda f: f(randn(3, 8), randn(5, 8, seed=1))),
        ("batch and heads in front", 1, lambda f: f(randn(2, 3, 4, 6), randn(2, 3, 5, 6, seed=1))),
    ],
    hints=[
        "You want one number for each pair of a query and a key: a table with a row for each query. Which matrix product of a"
        " `[query, d_k]` and a `[key, d_k]` tensor gives `[query, key]`?",
        "`query @ key.mT` (`.mT` swaps the last two dimensions and leaves batch and heads alone). Then scale. By how much? A sum of"
        " d_k products of unit-variance numbers has variance d_k.",
        "Divide by `math.sqrt(query.shape[-1])`: the size of one query or key vector, not the number of tokens.",
    ],
)


def score_variant(scale):
    return lambda query, key: query @ key.mT * scale(query, key)


for name, says, scale in [
    ("no-scale", "The scores are not divided by √d_k.", lambda q, k: 1.0),
    ("by-d-k", "The scores are divided by d_k, not by its square root.", lambda q, k: 1 / q.shape[-1]),
    (
        "by-n",
        "The scores are divided by the square root of the number of keys, not of d_k.",
        lambda q, k: k.shape[-2] ** -0.5,
    ),
    (
        "times",
        "The scores are multiplied by √d_k; divide, to bring their variance back to one.",
        lambda q, k: q.shape[-1] ** 0.5,
    ),
    (
        "by-square",
        "The scores are divided by d_k squared, not by its square root.",
        lambda q, k: q.shape[-1] ** -2,
    ),
]:
    e.mistake(name, says)(score_variant(scale))


@e.mistake(
    "transposed", "The table is turned round: row i should hold the scores of query i, so query @ key.mT."
)
def _(query, key):
    return key @ query.mT / math.sqrt(query.shape[-1])


@e.mistake("softmax", "These are weights already: the scores come before the softmax.")
def _(query, key):
    return scaled_dot_score(query, key).softmax(-1)


@e.mistake(
    "cosine",
    "Queries and keys are normalised to length one: that is the cosine, and their lengths carry meaning.",
)
def _(query, key):
    return attention.cosine_score(query, key)


# ---- 3.3 scaled dot-product attention ----------------------------------------------------------


def mask34() -> torch.Tensor:
    return torch.tensor(
        [[True, True, False, True, False], [True, False, True, True, True], [False, True, True, False, True]]
    )


def gradient_of_query(f) -> torch.Tensor:
    query = randn(3, 4).requires_grad_()
    f(query.clone(), randn(5, 4, seed=1), randn(5, 2, seed=2))[0].square().sum().backward()
    return query.grad


e = define(
    "3.3",
    scaled_dot_product_attention,
    "Scaled dot-product attention",
    minutes=12,
    difficulty=2,
    parts=[
        ("without a mask", 2, lambda f: f(randn(3, 4), randn(5, 4, seed=1), randn(5, 2, seed=2))),
        (
            "batch and heads in front",
            1,
            lambda f: f(randn(2, 3, 4, 6), randn(2, 3, 4, 6, seed=1), randn(2, 3, 4, 6, seed=2)),
        ),
        (
            "with a scale of your own",
            1,
            lambda f: f(randn(3, 4), randn(5, 4, seed=1), randn(5, 2, seed=2), scale=0.1),
        ),
        ("with a mask", 2, lambda f: f(randn(3, 4), randn(5, 4, seed=1), randn(5, 2, seed=2), mask34())),
        ("the gradient that reaches the query", 1, gradient_of_query),
    ],
    hints=[
        "Say equation (1) of the paper in words: score every query against every key, scale, softmax over the keys, mix the"
        " values. Four steps, four short lines; exercise 3.2 was the first two.",
        "A forbidden pair must get weight exactly 0 while its row still sums to one. So the mask acts on the scores, before the"
        " softmax: which score becomes 0 under exp?",
        "`scores = query @ key.mT * (scale if scale is not None else query.shape[-1] ** -0.5)`;"
        " with a mask `scores = scores.masked_fill(~mask, -torch.inf)`; `weights = scores.softmax(-1)`;"
        " return `weights @ value, weights`.",
    ],
)


def attention_variant(
    scale=lambda q, k: q.shape[-1] ** -0.5, axis=-1, masking="before", ignore_scale=False, value_first=False
):
    def wrong(query, key, value, mask=None, scale_=None, **given):
        chosen = given.get("scale", scale_)
        scores = query @ key.mT * (scale(query, key) if chosen is None or ignore_scale else chosen)
        if mask is not None and masking in ("before", "inverted"):
            scores = scores.masked_fill(mask if masking == "inverted" else ~mask, -torch.inf)
        if mask is not None and masking == "as zero":
            scores = scores.masked_fill(~mask, 0)
        weights = scores.softmax(axis)
        if mask is not None and masking == "after":
            weights = weights.masked_fill(~mask, 0)
        return weights @ value, scores if value_first else weights

    return wrong


for name, says, flags in [
    ("no-scale", "The scores are not divided by √d_k.", {"scale": lambda q, k: 1.0}),
    (
        "by-d-k",
        "The scores are divided by d_k, not by its square root.",
        {"scale": lambda q, k: 1 / q.shape[-1]},
    ),
    (
        "by-n",
        "The scores are divided by the square root of the number of keys, not of d_k.",
        {"scale": lambda q, k: k.shape[-2] ** -0.5},
    ),
    (
        "over-queries",
        "The softmax runs over the queries; each query's weights over the keys should sum to one.",
        {"axis": -2},
    ),
    (
        "mask-after",
        "The mask is applied after the softmax, so rows no longer sum to one.",
        {"masking": "after"},
    ),
    (
        "mask-as-zero",
        "Forbidden scores are set to 0, not to −∞: exp(0) = 1, so they still get weight.",
        {"masking": "as zero"},
    ),
    (
        "mask-inverted",
        "The mask is used the wrong way round: True means may attend.",
        {"masking": "inverted"},
    ),
    ("mask-ignored", "The mask is not used.", {"masking": "none"}),
    ("scale-ignored", "The scale that the caller gives is not used.", {"ignore_scale": True}),
    (
        "returns-scores",
        "The scores are returned where the weights should be (after the softmax).",
        {"value_first": True},
    ),
    (
        "no-scale-mask-after",
        "Two mistakes: the scores are not divided by √d_k, and the mask is applied after the softmax.",
        {"scale": lambda q, k: 1.0, "masking": "after"},
    ),
    (
        "no-scale-inverted",
        "Two mistakes: the scores are not divided by √d_k, and the mask is used the wrong way round (True means may attend).",
        {"scale": lambda q, k: 1.0, "masking": "inverted"},
    ),
]:
    e.mistake(name, says)(attention_variant(**flags))


# ---- 3.4 the softmax's gradient ----------------------------------------------------------------

e = define(
    "3.4",
    softmax_jacobian,
    "The gradient of softmax",
    minutes=10,
    difficulty=2,
    parts=[
        ("one row of weights", 1, lambda f: f(torch.tensor([0.7, 0.2, 0.1]))),
        (
            "a saturated row: almost no gradient left",
            1,
            lambda f: f(torch.tensor([50.0, 0.0, -50.0]).softmax(-1)),
        ),
        ("many rows at once", 1, lambda f: f(rows(2, 3, 5))),
    ],
    hints=[
        "Write softmax as pᵢ = exp(sᵢ) / Σ exp(sⱼ). How does pᵢ move when sᵢ itself moves? And when another sⱼ moves?",
        "On the diagonal ∂pᵢ/∂sᵢ = pᵢ(1 − pᵢ); off it ∂pᵢ/∂sⱼ = −pᵢpⱼ. Both are one formula: pᵢ(δᵢⱼ − pⱼ).",
        "`torch.diag_embed(weights)` puts each row on the diagonal of a matrix; `weights.unsqueeze(-1) * weights.unsqueeze(-2)` is"
        " every product pᵢpⱼ. Subtract the second from the first.",
    ],
)


@e.mistake(
    "diagonal-only",
    "Only the diagonal p(1 − p) is there; moving one score moves every weight: ∂pᵢ/∂sⱼ = −pᵢpⱼ.",
)
def _(weights):
    return torch.diag_embed(weights * (1 - weights))


@e.mistake(
    "sign", "The sign is turned round: raising a score raises its own weight, so the diagonal is positive."
)
def _(weights):
    return -softmax_jacobian(weights)


@e.mistake("no-outer", "diag(p) alone: the part −p pᵀ, by which weights compete, is missing.")
def _(weights):
    return torch.diag_embed(weights)


@e.mistake("plus", "The outer product is added; weights compete, so it is subtracted: diag(p) − p pᵀ.")
def _(weights):
    return torch.diag_embed(weights) + weights.unsqueeze(-1) * weights.unsqueeze(-2)


@e.mistake(
    "squared-diagonal",
    "The off-diagonal terms are missing their second factor: −pᵢpⱼ, a product of two weights.",
)
def _(weights):
    return torch.diag_embed(weights) - weights.unsqueeze(-1).expand(*weights.shape, weights.shape[-1])


# ---- 3.5 splitting heads -----------------------------------------------------------------------

e = define(
    "3.5",
    split_heads,
    "Splitting into heads",
    minutes=8,
    difficulty=2,
    parts=[
        ("one sentence, two heads", 1, lambda f: f(torch.arange(24.0).reshape(1, 3, 8), 2)),
        ("a batch, three heads", 1, lambda f: f(randn(2, 5, 12), 3)),
        ("one head: only a new dimension", 1, lambda f: f(randn(2, 4, 6), 1)),
    ],
    hints=[
        "Head h owns a slice of every token's vector: features h·d_head to (h+1)·d_head. First cut the last dimension, without"
        " moving anything; then bring the heads in front of the sequence.",
        "Cut: `[batch, sequence, d_model]` → `[batch, sequence, heads, d_head]`. That step only renames places in memory. Moving the"
        " heads forward does need a transpose: a second reshape would mix tokens.",
        "`x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)`",
    ],
)


@e.mistake(
    "reshaped",
    "Heads are made by a reshape alone, which puts pieces of different tokens into one head: cut the last dimension, then transpose.",
)
def _(x, n_heads):
    return x.reshape(*x.shape[:-2], n_heads, x.shape[-2], x.shape[-1] // n_heads)


@e.mistake(
    "no-transpose",
    "The heads still stand behind the sequence: [batch, sequence, heads, d_head] needs its two middle dimensions swapped.",
)
def _(x, n_heads):
    return x.unflatten(-1, (n_heads, -1))


@e.mistake(
    "interleaved",
    "The features are dealt out in turn (0, 2, 4 to one head); a head owns a slice of neighbours.",
)
def _(x, n_heads):
    return x.unflatten(-1, (-1, n_heads)).permute(*range(x.ndim - 2), x.ndim, x.ndim - 2, x.ndim - 1)


@e.mistake(
    "sequence-cut",
    "The sequence was cut into heads; every head sees all tokens and a slice of their features.",
)
def _(x, n_heads):
    return x.transpose(-2, -1).unflatten(-2, (n_heads, -1))


@e.mistake(
    "heads-last", "The heads ended up as the last dimension; the order is [batch, heads, sequence, d_head]."
)
def _(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(-2, -1)


# ---- 3.6 multi-head attention ------------------------------------------------------------------


def same_weights(cls, d_model: int = 8, n_heads: int = 2):
    return with_fixed_weights(cls, MultiHeadAttention, d_model, n_heads, spread=0.3)


def gradients(cls) -> dict:
    module = same_weights(cls)
    module(randn(2, 3, 8))[0].square().sum().backward()
    return {name: p.grad for name, p in module.named_parameters()}


e = define(
    "3.6",
    MultiHeadAttention,
    "Multi-head attention",
    minutes=15,
    difficulty=3,
    blank=("forward",),
    parts=[
        ("self-attention", 2, lambda cls: same_weights(cls)(randn(2, 5, 8))),
        (
            "cross-attention: keys and values from another sequence",
            1,
            lambda cls: same_weights(cls)(randn(2, 3, 8), randn(2, 5, 8, seed=1)),
        ),
        (
            "keys and values that differ",
            1,
            lambda cls: same_weights(cls)(randn(2, 3, 8), randn(2, 5, 8, seed=1), randn(2, 5, 8, seed=2)),
        ),
        (
            "with a mask",
            1,
            lambda cls: same_weights(cls, 8, 4)(
                randn(2, 3, 8), mask=torch.ones(3, 3, dtype=torch.bool).tril()
            ),
        ),
        ("every gradient", 1, gradients),
    ],
    hints=[
        "Figure 2 (right) of the paper, bottom to top: three linear maps, attention in every head at once, concatenate, one more"
        " linear map. You have all the pieces: `split_heads`, `scaled_dot_product_attention`, `merge_heads`.",
        "Project first, split then: `split_heads(self.q_proj(query), self.n_heads)`. When `key` is missing it is the query; when"
        " `value` is missing it is the key.",
        "After attention you hold `[batch, heads, query, d_head]`: `self.out_proj(merge_heads(output))` brings it back to"
        " `[batch, query, d_model]`. Return it with the weights.",
    ],
)


def reshaped(x, n_heads):
    return x.reshape(*x.shape[:-2], n_heads, x.shape[-2], x.shape[-1] // n_heads)


def mha_variant(split=split_heads, merge=merge_heads, scale=None, project_out=True, value_of="value", cross=True, use_mask=True,
                average=False, order="qkv"):  # fmt: skip
    class Wrong(MultiHeadAttention):
        def forward(self, query, key=None, value=None, mask=None, need_weights=True):
            if key is None or not cross:
                key = query
            value = key if value is None or value_of == "key" else value
            maps = {"q": self.q_proj, "k": self.k_proj, "v": self.v_proj}
            q, k, v = (
                split(maps[name](x), self.n_heads) for name, x in zip(order, (query, key, value), strict=True)
            )
            s = None if scale is None else scale(query.shape[-1], q.shape[-1])
            output, weights = scaled_dot_product_attention(q, k, v, mask if use_mask else None, scale=s)
            output = output.mean(-3).repeat(1, 1, self.n_heads) if average else merge(output)
            return (self.out_proj(output) if project_out else output), weights

    return Wrong


for name, says, flags in [
    ("reshape", "The projections are split into heads by a reshape alone, which mixes tokens: cut the last dimension, then transpose.",
     {"split": reshaped}),
    ("merge-reshape", "The heads are put back together without swapping heads and sequence first, so tokens are mixed.",
     {"merge": lambda x: x.reshape(*x.shape[:-3], x.shape[-2], -1)}),
    ("scale-d-model", "The scores are divided by √d_model; each head's vectors have only d_head = d_model / n_heads entries.",
     {"scale": lambda d_model, d_head: d_model**-0.5}),
    ("no-scale", "The scores are not divided by √d_head.", {"scale": lambda d_model, d_head: 1.0}),
    ("no-output", "The last linear map (out_proj) is missing: without it the heads never mix.", {"project_out": False}),
    ("key-as-value", "The values are made from the keys' input although a value was given.", {"value_of": "key"}),
    ("self-only", "Keys and values are always made from the query's input, so this cannot do cross-attention.", {"cross": False}),
    ("mask-ignored", "The mask is not passed on.", {"use_mask": False}),
    ("averaged", "The heads are averaged; they should stand side by side (concatenated), each with its own slice.", {"average": True}),
    ("swapped-qk", "The query's and the key's maps are swapped.", {"order": "kqv"}),
]:  # fmt: skip
    e.mistake(name, says)(mha_variant(**flags))


@e.mistake("one-head", "Attention runs once over the whole vectors: they are never split into heads.")
class OneHead(MultiHeadAttention):
    def forward(self, query, key=None, value=None, mask=None, need_weights=True):
        key = query if key is None else key
        value = key if value is None else value
        output, weights = scaled_dot_product_attention(
            self.q_proj(query), self.k_proj(key), self.v_proj(value), mask
        )
        return self.out_proj(output), weights
