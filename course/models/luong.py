"""Attention before the Transformer, as functions: Bahdanau's, Luong's three scores, and his two windows."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course.attention import additive_score, dot_score, general_score, masked_softmax, softmax_attention


def bahdanau_attention(
    state: Float[Tensor, "*batch d_state"],
    states: Float[Tensor, "*batch source d_source"],
    w_state: Float[Tensor, "d_hidden d_state"],
    w_source: Float[Tensor, "d_hidden d_source"],
    v: Float[Tensor, "d_hidden"],
    mask: Bool[Tensor, "*#batch source"] | None = None,
) -> tuple[Float[Tensor, "*batch d_source"], Float[Tensor, "*batch source"]]:
    """The context c_i = Σ_j a_ij h_j for a decoder whose last state is s_{i-1}; and the weights a_ij.

    e_ij = vᵀ tanh(W s_{i-1} + U h_j); a_i is the softmax of e_i over the source.

    Args:
        state: s_{i-1}, the decoder's state *before* this step.
        states: h_1 … h_n, the encoder's.
        mask: True for source tokens, False for padding, which gets weight 0.

    Raises:
        TypeError, ValueError: if the mask is not boolean, or the shapes do not fit.

    Source: Bahdanau et al. 2015, §3.1 and appendix A.1.2; lecture rows L1.7.a, L1.7.b.
    """
    scores = additive_score(state.unsqueeze(-2), states, w_state, w_source, v)
    context, weights = softmax_attention(scores, states, None if mask is None else mask.unsqueeze(-2))
    return context.squeeze(-2), weights.squeeze(-2)


def luong_score(
    query: Float[Tensor, "*batch target d_q"],
    key: Float[Tensor, "*batch source d_k"],
    kind: str = "dot",
    weight: Float[Tensor, "..."] | None = None,
    v: Float[Tensor, "d_hidden"] | None = None,
) -> Float[Tensor, "*batch target source"]:
    """The score of each target state h_t with each source state h_s, of one of three kinds.

    "dot": h_tᵀ h_s. "general": h_tᵀ W h_s. "concat": vᵀ tanh(W [h_t; h_s]), the target's half of W first.

    Args:
        weight: W; ``[d_q, d_k]`` for "general", ``[d_hidden, d_q + d_k]`` for "concat".
        v: for "concat".

    Raises:
        ValueError: if there is no such kind, or the shapes do not fit.

    Source: Luong et al. 2015, §3.1 (equation 8 of the arXiv version); lecture row L1.3.c.
    """
    if kind == "dot":
        return dot_score(query, key)
    if kind == "general":
        return general_score(query, key, weight)
    if kind == "concat":
        d = query.shape[-1]
        return additive_score(query, key, weight[:, :d], weight[:, d:], v)
    raise ValueError(f'the kind of a score is "dot", "general" or "concat"; got {kind!r}')


def local_m_window(n_target: int, n_source: int, half_width: int) -> Bool[Tensor, "target source"]:
    """Which source words each target word may look at: those up to ``half_width`` places from its own.

    The window of target word t is [p - D, p + D], ends included, with p = t: the two sentences are taken to
    run side by side ("monotonic"). It is cut at the sentence's ends, and where the source has ended, p
    stays at its last word, so that no window is empty.

    Raises:
        ValueError: if ``half_width`` is negative, or there is nothing to look at.

    Source: Luong et al. 2015, §3.2 (local-m); the last clause is ours; lecture row L1.3.d.
    """
    _check_window(half_width, n_source)
    centre = torch.arange(n_target).clamp(max=n_source - 1)
    return (torch.arange(n_source) - centre[:, None]).abs() <= half_width


def local_p_weights(
    scores: Float[Tensor, "*batch target source"],
    centre: Float[Tensor, "*batch target"],
    half_width: float,
) -> Float[Tensor, "*batch target source"]:
    """Weights in a window about a predicted place p: softmax inside [p - D, p + D], times a Gaussian about p.

    a(s) = softmax(scores)(s) · exp(-(s - p)² / (2σ²)), with σ = D/2; outside the window 0. As in the paper
    it is not divided by its sum again, so that a row sums to less than 1.

    Args:
        scores: of every source word; those outside the window do not count.
        centre: p, a real number from 0 to the last source word's place.
        half_width: D.

    Raises:
        ValueError: if ``half_width`` is not positive, or there is nothing to look at.

    Source: Luong et al. 2015, §3.2 (local-p; equation 10 of the arXiv version); lecture row L1.3.d.
    """
    _check_window(half_width, scores.shape[-1], positive=True)
    distance = torch.arange(scores.shape[-1]) - centre.unsqueeze(-1)  # [*batch, target, source]
    gaussian = torch.exp(-(distance**2) / (2 * (half_width / 2) ** 2))
    return masked_softmax(scores, distance.abs() <= half_width) * gaussian


def predicted_place(
    state: Float[Tensor, "*batch d"],
    weight: Float[Tensor, "d_hidden d"],
    v: Float[Tensor, "d_hidden"],
    n_source: int,
) -> Float[Tensor, "*batch"]:
    """Where local-p puts its window: p = (n - 1) · sigmoid(vᵀ tanh(W h_t)), a place in the source.

    Source: Luong et al. 2015, §3.2 (equation 9; there with S, the source's length, and places counted from
    1); lecture row L1.3.d.
    """
    return (n_source - 1) * torch.sigmoid(torch.tanh(state @ weight.mT) @ v)


def _check_window(half_width: float, n_source: int, positive: bool = False) -> None:
    if half_width < 0 or (positive and half_width == 0):
        raise ValueError(
            f"a window's half-width D is {'more than' if positive else 'at least'} 0; got {half_width}"
        )
    if n_source < 1:
        raise ValueError("there is no source word to look at")
