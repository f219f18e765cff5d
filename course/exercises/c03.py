"""The exercises of notebook 03, self-attention."""

import math

import torch
import torch.nn.functional as F

from course.attention import (
    cosine_score,
    masked_softmax,
    scaled_dot_product_attention,
    scaled_dot_score,
    soft_lookup,
    softmax_jacobian,
)
from course.exercises.contract import Case, backward
from course.exercises.inputs import all_dropped, randn, rows, some_true, with_fixed_weights
from course.exercises.variants import checked, said
from course.heads import MultiHeadAttention, merge_heads, split_heads
from course.masks import causal_mask
from course.workbook.record import define


def three_and_five(*batch: int) -> tuple[torch.Tensor, ...]:
    """Three queries and five keys of six features, five values of seven."""
    return randn(*batch, 3, 6), randn(*batch, 5, 6, seed=1), randn(*batch, 5, 7, seed=2)


case = Case(three_and_five)


def finite(f) -> dict[str, bool]:
    """Whether scores of some hundreds are still told apart, and not infinite."""
    query, key, value = three_and_five()
    output, weights = f(250 * query, key, value)
    return {"every number is finite": bool(output.isfinite().all() and weights.isfinite().all())}


# ---- 3.1 the soft dictionary -------------------------------------------------------------------


def a_tie(*_) -> tuple[torch.Tensor, ...]:
    """Keys 1 and 3 are equal, and the best for two of the queries; the last key is nobody's best."""
    query = torch.tensor([[4.0, 1.0, 3.0], [5.0, 0.0, 1.0], [0.0, 1.0, 5.0]])
    key = torch.tensor([[1.0, 3.0, 0.0], [4.0, 1.0, 3.0], [0.0, 1.0, 5.0], [4.0, 1.0, 3.0], [3.0, 3.0, 1.0]])
    return query, key, randn(5, 7, seed=2)


e = define(
    "3.1",
    soft_lookup,
    "The soft dictionary",
    minutes=8,
    difficulty=1,
    parts=[
        case.part("temperature 1"),
        case.part("temperature 0.3: closer to a look-up", temperature=0.3),
        case.part("temperature 3: closer to an average", temperature=3.0),
        case.part("temperature 0: the ordinary look-up", 2, temperature=0.0),
        said(
            (
                "temperature 0, where two keys are the best",
                1,
                lambda f: {"the weights": f(*a_tie(), temperature=0.0)[1]},
            ),
            "at temperature 0, where two keys match equally well, all the weight belongs to the first of them",
        ),
        said(("scores of some hundreds", 1, finite), "for scores of some hundreds there is NaN or infinity"),
        case.batched(2, temperature=0.7),
        case.batched(2, 3, temperature=0.7),
        case.kind(torch.float64, temperature=0.7),
        case.gradients(temperature=0.7),
        case.refuses("a negative temperature", temperature=-1.0),
        case.refuses("queries and keys that differ in width", change=lambda q, k, v: (q[:, :4], k, v)),
        case.refuses("fewer values than keys", change=lambda q, k, v: (q, k, v[:4])),
    ],
    hints=[
        "Three steps: how similar is each query to each key (a dot product), turn each row of scores into weights that sum to"
        " one, mix the values with them. Where could a temperature go so that a small one makes the largest score win?",
        "Divide the scores by the temperature before the softmax. For temperature 0 you cannot divide: there the weights are"
        " 1 for the best key and 0 for the others. And a temperature below 0 would prefer the worst match: raise a ValueError.",
        "`scores = query @ key.mT`; if `temperature == 0`, the weights are"
        " `torch.nn.functional.one_hot(scores.argmax(-1), scores.shape[-1]).to(scores.dtype)`; else `(scores / temperature).softmax(-1)`."
        " Return `weights @ value, weights`. Before all that, `if temperature < 0: raise ValueError(…)`.",
    ],
)


def one_hot(scores, axis=-1):
    return F.one_hot(scores.argmax(axis), scores.shape[-1]).to(scores.dtype)


def lookup_variant(divide=lambda s, t: s / t, soft=lambda s: s.softmax(-1), hard=one_hot, score=lambda q, k: q @ k.mT,
                   give=lambda output, weights: (output, weights)):  # fmt: skip
    def wrong(query, key, value, temperature=1.0):
        scores = score(query, key)
        weights = hard(scores) if temperature == 0 and hard else soft(divide(scores, temperature))
        return give(weights @ value, weights)

    return checked(soft_lookup, wrong)


def exp_over_sum(scores, axis=-1):
    return scores.exp() / scores.exp().sum(axis, keepdim=True)


def everywhere_the_best(scores):
    best = F.one_hot(scores.flatten(-2).argmax(-1), scores.shape[-1] * scores.shape[-2])
    return best.unflatten(-1, scores.shape[-2:]).to(scores.dtype)


for name, says, flags in [
    ("multiplied", "The scores are multiplied by the temperature; a high temperature should flatten the weights. Look at which side of the softmax's fraction it stands.",
     {"divide": lambda s, t: s * t}),
    ("ignored", "The temperature makes no difference, but for 0: the weights are those of temperature 1. Where should it enter, before the softmax?",
     {"divide": lambda s, t: s}),
    ("ignored-altogether", "The temperature makes no difference, not even 0: the weights are those of temperature 1 throughout. It enters before the softmax, and 0 is a case of its own.",
     {"divide": lambda s, t: s, "hard": None}),
    ("no-hard", "Temperature 0 divides the scores by zero. It is the ordinary look-up, a case of its own: all the weight on the best key.",
     {"hard": None}),
    ("swapped", "The weights are returned first; the order is (output, weights).", {"give": lambda o, w: (w, o)}),
    ("output-only", "Only the output is returned; the weights are asked for too, as the second of a pair.", {"give": lambda o, w: o}),
    ("also-by-root", "The scores are divided by √d_k as well. That scale belongs to the Transformer's attention, further on; here the temperature alone divides.",
     {"score": scaled_dot_score}),
    ("cosine", "Queries and keys are first made of length one: that is the cosine. The similarity here is the plain dot product.",
     {"score": cosine_score}),
    ("over-queries", "The softmax runs over the queries, so the columns sum to one. Each query has one weight for every key, and those should sum to one.",
     {"soft": lambda s: s.softmax(-2)}),
    ("after-softmax", "The temperature divides the weights, after the softmax, and they no longer sum to one; it belongs on the scores, before it.",
     {"divide": lambda s, t: (s, t), "soft": lambda st: st[0].softmax(-1) / st[1]}),
    ("overflow", "exp(score) is taken as it is, and exp of some hundreds is infinite, so inf / inf gives NaN. Take the largest score off first: the weights stay the same.",
     {"soft": exp_over_sum}),
    ("all-ties", "At temperature 0 every key that ties for best gets weight 1, so the row sums to more than one; only the first of them should.",
     {"hard": lambda s: (s == s.amax(-1, keepdim=True)).to(s.dtype)}),
    ("ties-share", "At temperature 0, keys that tie for best share the weight, as for a very small temperature; the look-up takes the first of them whole.",
     {"hard": lambda s: (s / 1e-6).softmax(-1)}),
    ("last-tie", "At temperature 0, of keys that tie for best the last one is taken; it should be the first.",
     {"hard": lambda s: one_hot(s.flip(-1)).flip(-1)}),
    ("one-best-of-all", "At temperature 0 the largest score of the whole table is taken, so only one query gets an answer; each query has a best key of its own.",
     {"hard": everywhere_the_best}),
    ("best-per-key", "At temperature 0 the best query of each key is looked for; it is each query that asks for its best key.",
     {"hard": lambda s: F.one_hot(s.argmax(-2), s.shape[-2]).mT.to(s.dtype)}),
    ("detached", "The numbers are right, but the weights are cut off from the graph (detach, .data, no_grad, …): no gradient reaches queries and keys, and nothing could be learned.",
     {"give": lambda o, w: (o, w), "soft": lambda s: s.detach().softmax(-1)}),
]:  # fmt: skip
    e.mistake(name, says)(lookup_variant(**flags))


@e.mistake(
    "negative-accepted",
    "A negative temperature is not refused: it turns the scores round and prefers the worst match. It should raise a ValueError.",
)
def _(query, key, value, temperature=1.0):
    if temperature == 0:
        return soft_lookup(query, key, value, 0.0)
    weights = (query @ key.mT / temperature).softmax(-1)
    return weights @ value, weights


# ---- 3.2 the scaled dot product ----------------------------------------------------------------

scores_case = Case(lambda *batch: three_and_five(*batch)[:2])

e = define(
    "3.2",
    scaled_dot_score,
    "Scaled dot-product scores",
    minutes=5,
    difficulty=1,
    parts=[
        scores_case.part("three queries, five keys"),
        scores_case.part("six queries, six keys, six features", change=lambda q, k: (randn(6, 6), randn(6, 6, seed=1))),
        scores_case.part("ten features", change=lambda q, k: (randn(3, 10), randn(5, 10, seed=1))),
        scores_case.batched(2),
        scores_case.batched(2, 3),
        scores_case.kind(torch.float64),
        scores_case.gradients(),
        scores_case.keeps_inputs(),
        scores_case.refuses("a key of width 1 for queries of width 6", change=lambda q, k: (q, k[:, :1])),
    ],
    hints=[
        "You want one number for each pair of a query and a key: a table with a row for each query. Which matrix product of a"
        " `[query, d_k]` and a `[key, d_k]` tensor gives `[query, key]`?",
        "`query @ key.mT` (`.mT` swaps the last two dimensions and leaves batch and heads alone). Then scale. By how much? A sum of"
        " d_k products of unit-variance numbers has variance d_k.",
        "Divide by `math.sqrt(query.shape[-1])`: the size of one query or key vector, not the number of tokens.",
    ],
)  # fmt: skip


def score_variant(scale):
    return checked(scaled_dot_score, lambda query, key: query @ key.mT * scale(query, key))


for name, says, scale in [
    ("no-scale", "The scores are not divided by √d_k, so their variance grows with the width and the softmax saturates.", lambda q, k: 1.0),
    ("by-d-k", "The scores are divided by d_k in all, not by its square root. The standard deviation of q·k is √d_k.",
     lambda q, k: 1 / q.shape[-1]),
    ("by-n", "The scores are divided by the square root of the number of keys, not of d_k. The sum in q·k runs over the features of a vector.",
     lambda q, k: k.shape[-2] ** -0.5),
    ("by-queries", "The scores are divided by the square root of the number of queries, not of d_k. The sum in q·k runs over the features of a vector.",
     lambda q, k: q.shape[-2] ** -0.5),
    ("by-axis-0", "The scores are divided by the square root of query's first axis, `len(query)`: that is the number of queries or of sentences. d_k is the last axis.",
     lambda q, k: q.shape[0] ** -0.5),
    ("by-axis-1", "The scores are divided by the square root of query's axis 1, which is d_k only where there is no batch axis. Count from the end.",
     lambda q, k: q.shape[1] ** -0.5),
    ("by-half", "The scores are divided by d_k / 2, not by √d_k. (In Python `d_k ** 1 / 2` is `(d_k ** 1) / 2`.)", lambda q, k: 2 / q.shape[-1]),
    ("rounded-root", "√d_k is cut down to a whole number before it divides; the root of 6 is 2.449….", lambda q, k: 1 / math.isqrt(q.shape[-1])),
    ("fourth-root", "The scores are divided by the fourth root of d_k, that is, once too little: only one of the two, query or key, has its share of the scale.",
     lambda q, k: q.shape[-1] ** -0.25),
    ("times", "The scores are multiplied by √d_k; divide, to bring their variance back to one.", lambda q, k: q.shape[-1] ** 0.5),
    ("by-square", "The scores are divided by d_k squared, not by its square root.", lambda q, k: q.shape[-1] ** -2),
]:  # fmt: skip
    e.mistake(name, says)(score_variant(scale))

for name, says, wrong in [
    ("transposed", "The table is turned round: its rows are the keys. Row i should hold the scores of query i.",
     lambda query, key: key @ query.mT / math.sqrt(query.shape[-1])),
    ("softmax", "These are weights already, each row sums to one; the scores come before the softmax.",
     lambda query, key: scaled_dot_score(query, key).softmax(-1)),
    ("cosine", "Queries and keys are normalised to length one: that is the cosine. Their lengths carry meaning here, and √d_k alone divides.",
     cosine_score),
    ("root-of-scores", "The root is taken of the score itself, and that of a negative score is NaN; it is d_k whose root is taken.",
     lambda query, key: (query @ key.mT).sqrt() / query.shape[-1] ** 0),
    ("float32", "The result is float32 whatever came in; float64 queries and keys should give float64 scores.",
     lambda query, key: scaled_dot_score(query.float(), key.float())),
]:  # fmt: skip
    e.mistake(name, says)(checked(scaled_dot_score, wrong))


@e.mistake(
    "query-changed",
    "The scores are right, but the caller's query is scaled in place and no longer what it was.",
)
def _(query, key):
    scores = scaled_dot_score(query, key)
    query.data /= math.sqrt(query.shape[-1])
    return scores


# ---- 3.3 scaled dot-product attention ----------------------------------------------------------


def seen(*batch: int) -> torch.Tensor:
    return some_true(*batch, 3, 5, seed=8)


def nowhere(f) -> dict[str, torch.Tensor]:
    """What the second of three queries gets when it may attend nowhere."""
    output, weights = f(*three_and_five(), some_true(3, 5, empty=(1,), seed=8))
    return {"its weights": weights[..., 1, :], "its output": output[..., 1, :]}


e = define(
    "3.3",
    scaled_dot_product_attention,
    "Scaled dot-product attention",
    minutes=15,
    difficulty=2,
    parts=[
        case.part("without a mask", 2),
        case.part("with a mask", 2, mask=seen()),
        case.part("with a scale of your own", scale=0.3),
        case.part("with both", scale=0.3, mask=seen()),
        case.batched(2),
        ("two axes in front, a mask for each sentence", 1,
         lambda f: f(*three_and_five(2, 3), mask=some_true(2, 1, 1, 5, seed=3))),
        said(
            ("a query that may attend nowhere", 1, nowhere),
            "a query that may attend nowhere should get weights of zero and an output of zeros",
        ),
        said(
            ("a scale of 0", 1, lambda f: {"the weights": f(*three_and_five(), scale=0.0)[1]}),
            "with scale=0.0 every score is 0 and the weights are even; only None means 1 / √d_k",
        ),
        said(("scores of some hundreds", 1, finite), "for scores of some hundreds there is NaN or infinity"),
        case.kind(torch.float64),
        case.gradients(mask=seen()),
        case.refuses("a mask of 0 and 1", mask=seen().long()),
        case.refuses("a mask for four keys where there are five", mask=seen()[:, :4]),
        case.refuses("a mask with more axes than the scores", mask=seen(2)),
        case.refuses("queries and keys that differ in width", change=lambda q, k, v: (q[:, :4], k, v)),
        case.refuses("fewer values than keys", change=lambda q, k, v: (q, k, v[:4])),
    ],
    hints=[
        "Say equation (1) of the paper in words: score every query against every key, scale, softmax over the keys, mix the"
        " values. Four steps, four short lines; exercise 3.2 was the first two.",
        "A forbidden pair must get weight exactly 0 while its row still sums to one. So the mask acts on the scores, before the"
        " softmax: which score becomes 0 under exp? One row is special: where a query may attend nowhere, a softmax over −∞ alone"
        " is 0/0 = NaN. Fill with the lowest finite number instead, and set the weights of forbidden pairs to 0 afterwards.",
        "`scores = query @ key.mT * (scale if scale is not None else query.shape[-1] ** -0.5)`; with a mask,"
        " `scores.masked_fill_(~mask, torch.finfo(scores.dtype).min)` (in place, so that a mask that does not fit is refused);"
        " `weights = scores.softmax(-1)`, and with a mask `weights = weights.masked_fill(~mask, 0.0)`; return `weights @ value, weights`.",
    ],
)  # fmt: skip


def attention_variant(scale=lambda q, k, v, s: q.shape[-1] ** -0.5 if s is None else s, soft=masked_softmax,
                      give=lambda output, weights, scores: (output, weights)):  # fmt: skip
    """``soft(scores, mask)`` makes the weights; ``scale(q, k, v, given)`` is the factor on the scores."""

    def wrong(query, key, value, mask=None, scale=None, factor=scale):
        scores = query @ key.mT * factor(query, key, value, scale)
        weights = soft(scores, mask)
        return give(weights @ value, weights, scores)

    return checked(scaled_dot_product_attention, wrong)


def with_mask(change):
    """A softmax that differs only where there is a mask."""
    return lambda scores, mask: scores.softmax(-1) if mask is None else change(scores, mask)


def after(scores, mask):
    return scores.softmax(-1) * mask


def no_scale(q, k, v, s):
    return 1.0 if s is None else s


def unless_given(scale):
    return lambda q, k, v, s: scale(q, k, v) if s is None else s


for name, says, flags in [
    ("no-scale", "Where no scale is given, the scores are not divided by √d_k, so the softmax saturates as vectors grow wider.", {"scale": no_scale}),
    ("by-d-k", "The scores are divided by d_k, not by its square root.", {"scale": unless_given(lambda q, k, v: 1 / q.shape[-1])}),
    ("by-n", "The scores are divided by the square root of the number of keys, not of d_k.",
     {"scale": unless_given(lambda q, k, v: k.shape[-2] ** -0.5)}),
    ("by-d-v", "The scores are divided by the square root of the values' width; it is that of queries and keys, d_k, that their sum runs over.",
     {"scale": unless_given(lambda q, k, v: v.shape[-1] ** -0.5)}),
    ("times", "The scores are multiplied by √d_k; divide, to bring their variance back to one.",
     {"scale": unless_given(lambda q, k, v: q.shape[-1] ** 0.5)}),
    ("scale-ignored", "The scale that the caller gives is not used: 1 / √d_k always is.", {"scale": lambda q, k, v, s: q.shape[-1] ** -0.5}),
    ("scale-divides", "The scores are divided by the scale that is given; the docstring calls it the factor on the scores.",
     {"scale": lambda q, k, v, s: q.shape[-1] ** -0.5 if s is None else (1 / s if s else torch.inf)}),
    ("scale-on-top", "A scale that is given comes on top of 1 / √d_k; it should take its place.",
     {"scale": lambda q, k, v, s: q.shape[-1] ** -0.5 * (1.0 if s is None else s)}),
    ("zero-is-none", "A scale of 0 is taken for none: `scale or …` cannot tell 0.0 from None. Ask whether it `is None`.",
     {"scale": lambda q, k, v, s: s or q.shape[-1] ** -0.5}),
    ("over-queries", "The softmax runs over the queries, so columns sum to one; each query's weights over the keys should.",
     {"soft": lambda s, m: masked_softmax(s.mT, None if m is None else m.expand(s.shape).mT).mT}),
    ("mask-after", "The mask is applied after the softmax, so rows no longer sum to one. It has to act on the scores.", {"soft": with_mask(after)}),
    ("mask-as-zero", "Forbidden scores are set to 0, not to −∞: exp(0) = 1, so those keys still get weight.",
     {"soft": with_mask(lambda s, m: (s * m).softmax(-1))}),
    ("mask-added", "The mask is added as a number, 1 where allowed and 0 where not: that moves scores by one and strikes nothing out.",
     {"soft": with_mask(lambda s, m: (s + m).softmax(-1))}),
    ("mask-inverted", "The mask is used the wrong way round: True means may attend.", {"soft": with_mask(lambda s, m: masked_softmax(s, ~m))}),
    ("mask-ignored", "The mask makes no difference to the weights; it is not used.", {"soft": lambda s, m: s.softmax(-1)}),
    ("nan", "A query that may attend nowhere gets NaN: all its scores are −∞ and the softmax divides 0 by 0. It should get zeros.",
     {"soft": with_mask(lambda s, m: s.masked_fill(~m, -torch.inf).softmax(-1))}),
    ("uniform", "A query that may attend nowhere gets equal weights on all the keys it must not see: a large negative number in place of −∞ cancels in a row of its own. It should get zeros.",
     {"soft": with_mask(lambda s, m: s.masked_fill(~m, -1e9).softmax(-1))}),
    ("overflow", "exp(score) is taken as it is, and exp of some hundreds is infinite, so inf / inf gives NaN. Take the largest score off first: the weights stay the same.",
     {"soft": lambda s, m: torch.nan_to_num(s.exp() * (1 if m is None else m) / (s.exp() * (1 if m is None else m)).sum(-1, keepdim=True), 0.0)
      if m is not None else exp_over_sum(s)}),
    ("returns-scores", "The second thing returned is the scores; it should be the weights, after the softmax.", {"give": lambda o, w, s: (o, s)}),
    ("swapped", "The weights are returned first; the order is (output, weights).", {"give": lambda o, w, s: (w, o)}),
    ("output-only", "Only the output is returned; the weights are asked for too, as the second of a pair.", {"give": lambda o, w, s: o}),
    ("weights-unmasked", "The weights that are returned are those without the mask, although the output was made with it: the two do not belong together.",
     {"give": lambda o, w, s: (o, s.softmax(-1))}),
    ("nan-in-weights", "The output of a query that may attend nowhere is zeros, but its weights, which are returned too, are still NaN.",
     {"soft": with_mask(lambda s, m: s.masked_fill(~m, -torch.inf).softmax(-1)), "give": lambda o, w, s: (o.nan_to_num(0.0), w)}),
    ("no-scale-mask-after", "Two mistakes: the scores are not divided by √d_k, and the mask is applied after the softmax.",
     {"scale": no_scale, "soft": with_mask(after)}),
    ("no-scale-inverted", "Two mistakes: the scores are not divided by √d_k, and the mask is used the wrong way round (True means may attend).",
     {"scale": no_scale, "soft": with_mask(lambda s, m: masked_softmax(s, ~m))}),
]:  # fmt: skip
    e.mistake(name, says)(attention_variant(**flags))


# ---- 3.4 the softmax's gradient ----------------------------------------------------------------

jacobian_case = Case(lambda *batch: (rows(*batch, 5),))


def gradient_at_the_scores(f) -> dict[str, torch.Tensor | None]:
    """At the scores, not at the weights: what a formula gives where rows do not sum to one is left open."""
    scores = randn(3, 5).requires_grad_()
    backward(f(scores.softmax(-1)))
    return {"the gradient at the scores": scores.grad}


e = define(
    "3.4",
    softmax_jacobian,
    "The gradient of softmax",
    minutes=10,
    difficulty=2,
    parts=[
        jacobian_case.part("one row of weights"),
        jacobian_case.part("a saturated row: almost no gradient left", change=lambda p: (torch.tensor([50.0, 0.0, -50.0]).softmax(-1),)),
        jacobian_case.batched(3),
        jacobian_case.batched(2, 3),
        jacobian_case.part("five rows of five weights", change=lambda p: (rows(5, 5, seed=4),)),
        jacobian_case.kind(torch.float64),
        ("the gradient at the scores that the weights come from", 1, gradient_at_the_scores),
    ],
    hints=[
        "Write softmax as pᵢ = exp(sᵢ) / Σ exp(sⱼ). How does pᵢ move when sᵢ itself moves? And when another sⱼ moves?",
        "On the diagonal ∂pᵢ/∂sᵢ = pᵢ(1 − pᵢ); off it ∂pᵢ/∂sⱼ = −pᵢpⱼ. Both are one formula: pᵢ(δᵢⱼ − pⱼ).",
        "`torch.diag_embed(weights)` puts each row on the diagonal of a matrix; `weights.unsqueeze(-1) * weights.unsqueeze(-2)` is"
        " every product pᵢpⱼ. Subtract the second from the first.",
    ],
)  # fmt: skip

diag = torch.diag_embed


def outer(p):
    return p.unsqueeze(-1) * p.unsqueeze(-2)


def across(p):
    """p_j in every row."""
    return p.unsqueeze(-2).expand(*p.shape, p.shape[-1])


for name, says, wrong in [
    ("diagonal-only", "Only the diagonal p(1 − p) is there, with zeros beside it; moving one score moves every weight. What is ∂pᵢ/∂sⱼ for another j?",
     lambda p: diag(p * (1 - p))),
    ("vector", "The vector p(1 − p) is returned, how each weight moves with its own score; a matrix is asked for, how each moves with every score.",
     lambda p: p * (1 - p)),
    ("sign", "The sign is turned round: raising a score raises its own weight, so the diagonal is positive.", lambda p: -softmax_jacobian(p)),
    ("no-outer", "This is diag(p) alone: the part −p pᵀ, by which weights compete, is missing.", diag),
    ("no-diagonal", "This is −p pᵀ alone: the part diag(p), by which a score raises its own weight, is missing.", lambda p: -outer(p)),
    ("plus", "The outer product is added; weights compete, so it is subtracted.", lambda p: diag(p) + outer(p)),
    ("no-delta", "pᵢ stands in every place of row i; it belongs on the diagonal alone (δᵢⱼ is 1 only where i = j).",
     lambda p: across(p).mT - outer(p)),
    ("no-second", "The outer product lacks its second factor: pᵢ is subtracted in row i, where pᵢpⱼ should be.", lambda p: diag(p) - across(p).mT),
    ("no-first", "This is δᵢⱼ − pⱼ: the factor pᵢ in front of the bracket is missing.", lambda p: diag(torch.ones_like(p)) - across(p)),
    ("squares-in-rows", "In row i, pᵢ² is subtracted everywhere: the second factor has the row's index, where it should have the column's.",
     lambda p: diag(p) - across(p * p).mT),
    ("squares-in-columns", "In column j, pⱼ² is subtracted everywhere: the first factor has the column's index, where it should have the row's.",
     lambda p: diag(p) - across(p * p)),
    ("sum-of-squares", "One number, Σ p², is subtracted everywhere: a product p · p of two vectors is a single number. p pᵀ is the table of all products pᵢpⱼ.",
     lambda p: diag(p) - (p * p).sum(-1)[..., None, None]),
    ("softmax-again", "The weights are put through a softmax once more; they are its result already.", lambda p: softmax_jacobian(p.softmax(-1))),
    ("detached", "The numbers are right, but they are cut off from the graph (detach, .data, .tolist(), …): no gradient reaches the weights.",
     lambda p: softmax_jacobian(p.detach())),
]:  # fmt: skip
    e.mistake(name, says)(wrong)


# ---- 3.5 splitting heads -----------------------------------------------------------------------

split_case = Case(lambda *batch: (randn(*batch, 6, 12), 3))

e = define(
    "3.5",
    split_heads,
    "Splitting into heads",
    minutes=8,
    difficulty=2,
    parts=[
        split_case.part("six tokens of twelve features, three heads, no axis in front"),
        split_case.batched(2),
        split_case.batched(2, 4),
        split_case.part("one sentence of one token", change=lambda x, n: (x[None, :1], n)),
        split_case.part("one head: only a new axis", change=lambda x, n: (x[None], 1)),
        split_case.part("as many heads as features", change=lambda x, n: (x[None, :, :5], 5)),
        split_case.kind(torch.float64),
        split_case.gradients(),
        split_case.refuses("twelve features in five heads", change=lambda x, n: (x[None], 5)),
    ],
    hints=[
        "Head h owns a slice of every token's vector: features h·d_head to (h+1)·d_head. First cut the last dimension, without"
        " moving anything; then bring the heads in front of the sequence.",
        "Cut: `[batch, sequence, d_model]` → `[batch, sequence, heads, d_head]`. That step only renames places in memory. Moving the"
        " heads forward does need a transpose: a second reshape would mix tokens. There may be no batch axis, or two: count axes"
        " from the end.",
        "`x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)`: it works for any number of axes in front, and refuses a width that"
        " cannot be divided.",
    ],
)  # fmt: skip

for name, says, wrong in [
    ("reshaped", "Heads are made by a reshape alone, which puts pieces of different tokens into one head: cut the last dimension, then transpose.",
     lambda x, h: x.reshape(*x.shape[:-2], h, x.shape[-2], x.shape[-1] // h)),
    ("no-transpose", "The heads still stand behind the sequence, [sequence, heads, d_head]: these two axes need to be swapped.",
     lambda x, h: x.unflatten(-1, (h, -1))),
    ("interleaved", "The features are dealt out in turn (0, 3, 6, … to the first of three heads); a head owns a slice of neighbours.",
     lambda x, h: x.unflatten(-1, (-1, h)).movedim(-1, -3)),
    ("swapped-in-head", "Each head is turned on its side, [heads, d_head, sequence]; the order is [heads, sequence, d_head].",
     lambda x, h: x.unflatten(-1, (h, -1)).movedim(-3, -1)),
    ("heads-last", "The heads ended up as the last axis; the order is [heads, sequence, d_head].", lambda x, h: x.unflatten(-1, (h, -1)).mT),
    ("sequence-cut", "The sequence is cut into pieces, so that a head sees some of the tokens whole; every head sees all tokens and a slice of their features.",
     lambda x, h: x.unflatten(-2, (h, -1))),
    ("width-of-head", "n_heads is taken for the width of a head; it is their number, and the width is d_model / n_heads.",
     lambda x, h: x.unflatten(-1, (-1, h)).transpose(-3, -2)),
    ("reversed", "The heads come in reverse order: head 0 should hold the first features.", lambda x, h: split_heads(x, h).flip(-3)),
    ("whole-vectors", "Every head is given the whole vectors; each should get its own slice of d_model / n_heads features.",
     lambda x, h: x.unsqueeze(-3).expand(*x.shape[:-2], h, *x.shape[-2:])),
    ("heads-first", "The heads stand in front of the batch; they come behind it, just before the sequence.",
     lambda x, h: split_heads(x, h).movedim(-3, 0)),
    ("list", "The pieces are returned as a list; one tensor is asked for, with the heads as an axis.", lambda x, h: list(split_heads(x, h).unbind(-3))),
    ("overlapping", "The slice of head h begins at feature h, so slices overlap; it begins at h · d_head.",
     lambda x, h: x.unfold(-1, x.shape[-1] // h, 1)[..., :h, :].transpose(-3, -2)),
    ("one-batch-axis", "Axes are counted from the front, which is right with exactly one axis for the batch; the signature's *batch may be none or several. Count from the end.",
     lambda x, h: x.unflatten(-1, (h, -1)).transpose(1, 2)),
]:  # fmt: skip
    e.mistake(name, says)(checked(split_heads, wrong))


@e.mistake(
    "not-refused",
    "Where the features cannot be divided among the heads, something is returned all the same; that should raise a ValueError.",
)
def _(x, n_heads):
    d_head = x.shape[-1] // n_heads
    return split_heads(x[..., : n_heads * d_head], n_heads)


# ---- 3.6 multi-head attention ------------------------------------------------------------------

D_MODEL, HEADS = 15, 3


def same_weights(cls):
    return with_fixed_weights(cls, MultiHeadAttention, D_MODEL, HEADS, spread=0.3)


def token_vectors(*batch: int) -> tuple[torch.Tensor, ...]:
    """Queries, keys and values of three sequences."""
    x = [randn(*batch, n, D_MODEL, seed=s) for s, n in enumerate((4, 6, 6))]
    return tuple(x)


self_case = Case(lambda *batch: token_vectors(*batch)[:1], same_weights)
cross_case = Case(token_vectors, same_weights)


def largest(x: torch.Tensor) -> float:
    return x.abs().max().item()


def for_each_sentence(cls) -> dict[str, float]:
    block, given, mask = same_weights(cls), token_vectors(3), some_true(3, 4, 6)
    without, with_axis = block(*given, mask=mask)[0], block(*given, mask=mask[:, None])[0]
    return {"the largest difference between the two": largest(without - with_axis)}


def for_nobody(cls) -> dict[str, torch.Tensor]:
    _, weights = same_weights(cls)(*token_vectors(2), mask=some_true(4, 6, empty=(1,)))
    return {"its weights": weights[..., 1, :]}


def without_weights(cls) -> dict:
    block, mask = same_weights(cls), some_true(4, 6)
    found = block(*token_vectors(2), mask=mask, need_weights=False)
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        return {"what comes out": "not a pair"}
    change = largest(found[0] - block(*token_vectors(2), mask=mask)[0])
    return {
        "what comes out": "a pair",
        "None beside the output": found[1] is None,
        "the output's largest change": change,
    }


def all_weights_dropped(cls) -> dict[str, float]:
    """With no weight left, every query's output is the same: the last map's bias."""
    output, weights = all_dropped(same_weights(cls))(*token_vectors(2))
    return {
        "the largest weight returned": largest(weights),
        "the largest difference between two queries' outputs": largest(output - output[:, :1]),
    }


def in_evaluation(cls) -> dict[str, float]:
    block = same_weights(cls)
    before = block(*token_vectors(2))[0]
    block.dropout.p = 1.0
    return {"the largest change": largest(block(*token_vectors(2))[0] - before)}


e = define(
    "3.6",
    MultiHeadAttention,
    "Multi-head attention",
    minutes=18,
    difficulty=3,
    blank=("forward",),
    parts=[
        self_case.batched(2, points=2),
        ("cross-attention: keys and values from another sequence, as long as the first", 1,
         lambda cls: same_weights(cls)(token_vectors(2)[0], randn(2, 4, D_MODEL, seed=5))),
        cross_case.batched(2),
        self_case.part("a sentence alone, no axis in front", mask=causal_mask(4)),
        self_case.part("a sentence alone, a mask for each head", mask=some_true(3, 4, 4)),
        cross_case.batched(2, 2),
        ("with a mask [query, key]", 1, lambda cls: same_weights(cls)(*token_vectors(2), mask=some_true(4, 6))),
        said(
            ("a mask for each sentence, [batch, query, key], three sentences and three heads", 1, for_each_sentence),
            "a mask [batch, query, key] should do what the same mask does with an axis of length 1 for the heads",
        ),
        ("a mask for each head, [batch, heads, query, key]", 1,
         lambda cls: same_weights(cls)(*token_vectors(2), mask=some_true(2, 3, 4, 6))),
        said(("a query that may attend nowhere", 1, for_nobody), "a query that may attend nowhere should get weights of zero"),
        said(
            ("with need_weights=False", 1, without_weights),
            "with need_weights=False a pair should come out, the same output and None",
        ),
        said(
            ("in training, with a dropout of p = 1", 1, all_weights_dropped),
            "in training with a dropout of p = 1 no weight should be left, neither in what mixes the values nor in what is returned",
        ),
        said(("in evaluation, with a dropout of p = 1", 1, in_evaluation), "something is dropped outside training"),
        cross_case.gradients(),
        cross_case.kind(torch.float64),
        cross_case.refuses("a mask of 0 and 1", mask=some_true(4, 6).long()),
        cross_case.refuses("a mask for five keys where there are six", mask=some_true(4, 5)),
        cross_case.refuses("fewer values than keys", change=lambda q, k, v: (q, k, v[..., :5, :])),
        cross_case.refuses("queries of another width", change=lambda q, k, v: (q[..., :12], k, v)),
    ],
    hints=[
        "Figure 2 (right) of the paper, bottom to top: three linear maps, attention in every head at once, concatenate, one more"
        " linear map. You have all the pieces: `split_heads`, `scaled_dot_product_attention`, `merge_heads`.",
        "Project first, split then: `split_heads(self.q_proj(query), self.n_heads)`. When `key` is missing it is the query; when"
        " `value` is missing it is the key. A mask with as many axes as the query lacks the axis of the heads:"
        " `mask.unsqueeze(-3)`. `self.dropout` goes over the weights, and what it leaves is what mixes the values.",
        "`_, weights = scaled_dot_product_attention(q, k, v, mask)`, then `weights = self.dropout(weights)` and `weights @ v`:"
        " `[batch, heads, query, d_head]`. `self.out_proj(merge_heads(…))` brings it back to `[batch, query, d_model]`. Return it"
        " with the weights, or with None when `need_weights` is False.",
    ],
)  # fmt: skip


def reshaped(x, n_heads):
    return x.reshape(*x.shape[:-2], n_heads, x.shape[-2], x.shape[-1] // n_heads)


def soft(scores, mask):
    return masked_softmax(scores, mask)


def with_heads(mask, query):
    return mask.unsqueeze(-3) if mask is not None and mask.dim() == query.dim() > 2 else mask


def mha_variant(split=split_heads, merge=merge_heads, scale=lambda d_model, d_head: d_head**-0.5, project_out=True, value_of="value",
                cross=True, soft=soft, average=False, order="qkv", heads=with_heads, drop=lambda block, w: (block.dropout(w),) * 2,
                give=lambda output, weights, need: (output, weights if need else None)):  # fmt: skip
    """``drop(block, weights)`` gives the weights that are used and those that are returned."""

    class Wrong(MultiHeadAttention):
        def forward(self, query, key=None, value=None, mask=None, need_weights=True):
            MultiHeadAttention.forward(self, query, key, value, mask)  # refuses what is refused
            key = query if key is None or not cross else key
            value = {"value": key if value is None or not cross else value, "key": key,
                     "query": query if value is None else value}[value_of]  # fmt: skip
            maps = {"q": self.q_proj, "k": self.k_proj, "v": self.v_proj}
            q, k, v = (
                split(maps[name](x), self.n_heads) for name, x in zip(order, (query, key, value), strict=True)
            )
            scores = q @ k.mT * scale(query.shape[-1], q.shape[-1])
            used, told = drop(self, soft(scores, heads(mask, query)))
            output = used @ v
            output = torch.cat([output.mean(-3)] * self.n_heads, -1) if average else merge(output)
            return give(self.out_proj(output) if project_out else output, told, need_weights)

    return Wrong


def always_dropped(block, weights):
    dropped = F.dropout(weights, block.dropout.p)
    return dropped, dropped


for name, says, flags in [
    ("reshape", "The projections are split into heads by a reshape alone, which mixes tokens: cut the last dimension, then transpose.",
     {"split": reshaped}),
    ("merge-reshape", "The heads are put back together without swapping heads and sequence first, so tokens are mixed.",
     {"merge": lambda x: x.reshape(*x.shape[:-3], x.shape[-2], -1)}),
    ("scale-d-model", "The scores are divided by √d_model; each head's vectors have only d_head = d_model / n_heads entries.",
     {"scale": lambda d_model, d_head: d_model**-0.5}),
    ("no-scale", "The scores are not divided by √d_head.", {"scale": lambda d_model, d_head: 1.0}),
    ("by-heads", "The scores are divided by √n_heads; it is the width of a head's vectors, d_head, whose root divides.",
     {"scale": lambda d_model, d_head: (d_model // d_head) ** -0.5}),
    ("no-output", "The last linear map (self.out_proj) is missing: without it the heads never mix.", {"project_out": False}),
    ("key-as-value", "The values are made from the keys' input although a value was given.", {"value_of": "key"}),
    ("value-is-query", "Where no value is given, the query takes its place; it should be the key: what is asked is what answers.", {"value_of": "query"}),
    ("self-only", "Keys and values are always made from the query's input, so this cannot do cross-attention.", {"cross": False}),
    ("mask-ignored", "The mask makes no difference to the weights; it is not passed on.", {"soft": lambda s, m: s.softmax(-1)}),
    ("mask-inverted", "The mask is used the wrong way round: True means may attend.", {"soft": lambda s, m: masked_softmax(s, None if m is None else ~m)}),
    ("mask-after", "The mask is applied after the softmax, so rows no longer sum to one.", {"soft": lambda s, m: s.softmax(-1) * (1 if m is None else m)}),
    ("mask-on-heads", "A mask [batch, query, key] is used as it is, so its first axis meets that of the heads: each head is given another sentence's mask. It needs an axis of length 1 for the heads.",
     {"heads": lambda mask, query: mask}),
    ("nan", "A query that may attend nowhere gets NaN: all its scores are −∞ and the softmax divides 0 by 0. Notebook 04 comes back to it; its weights should be zeros.",
     {"soft": lambda s, m: s.softmax(-1) if m is None else s.masked_fill(~m, -torch.inf).softmax(-1)}),
    ("over-queries", "The softmax runs over the queries; each query's weights over the keys should sum to one.",
     {"soft": lambda s, m: masked_softmax(s.mT, None if m is None else m.mT).mT}),
    ("over-heads", "The softmax runs over the heads, so that they compete; each head has its own softmax, over the keys.",
     {"soft": lambda s, m: (s if m is None else s.masked_fill(~m, -1e30)).softmax(-3)}),
    ("averaged", "The heads are averaged; they should stand side by side (concatenated), each with its own slice.", {"average": True}),
    ("swapped-qk", "The query's and the key's maps are swapped.", {"order": "kqv"}),
    ("q-map-for-keys", "The keys are made with the queries' map, self.q_proj; they have one of their own, self.k_proj.", {"order": "qqv"}),
    ("v-map-of-keys", "The values are made with the keys' map, self.k_proj; they have one of their own, self.v_proj.", {"order": "qkk"}),
    ("no-dropout", "The weights do not pass through self.dropout, so nothing is dropped in training.", {"drop": lambda block, w: (w, w)}),
    ("told-undropped", "The values are mixed with the weights after dropout, but the weights returned are those before it; return those that were used.",
     {"drop": lambda block, w: (block.dropout(w), w)}),
    ("used-undropped", "The weights returned have passed through the dropout, but the values are mixed with those before it, so that it does nothing.",
     {"drop": lambda block, w: (w, block.dropout(w))}),
    ("always-dropped", "Dropout acts outside training too; self.dropout, the module, knows when not to (F.dropout has to be told: training=self.training).",
     {"drop": always_dropped}),
    ("always-weights", "need_weights is not looked at: with False, None should stand in the place of the weights.", {"give": lambda o, w, need: (o, w)}),
    ("output-alone", "With need_weights=False the output comes alone; the pair should stay a pair, with None in the place of the weights.",
     {"give": lambda o, w, need: (o, w) if need else o}),
    ("mean-weights", "The weights are averaged over the heads; those of every head are asked for, [batch, heads, query, key].",
     {"give": lambda o, w, need: (o, w.mean(-3) if need else None)}),
]:  # fmt: skip
    e.mistake(name, says)(mha_variant(**flags))


@e.mistake("one-head", "Attention runs once over the whole vectors: they are never split into heads.")
class OneHead(MultiHeadAttention):
    def forward(self, query, key=None, value=None, mask=None, need_weights=True):
        MultiHeadAttention.forward(self, query, key, value, mask)
        key = query if key is None else key
        value = key if value is None else value
        scores = scaled_dot_score(self.q_proj(query), self.k_proj(key))
        weights = self.dropout(masked_softmax(scores, mask))
        return self.out_proj(weights @ self.v_proj(value)), weights if need_weights else None


@e.mistake(
    "mask-lost",
    "Without the weights (need_weights=False) the mask is forgotten: the output should be the same either way.",
)
class MaskLost(MultiHeadAttention):
    def forward(self, query, key=None, value=None, mask=None, need_weights=True):
        return MultiHeadAttention.forward(
            self, query, key, value, mask if need_weights else None, need_weights
        )
