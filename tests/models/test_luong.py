"""Bahdanau's attention, Luong's scores and windows: against loops, the paper's formulas, and each other."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from course.models.luong import (
    bahdanau_attention,
    local_m_window,
    local_p_weights,
    luong_score,
    predicted_place,
)

G = torch.Generator().manual_seed(0)


def test_the_scores_are_the_papers_pair_by_pair():
    h_t, h_s = torch.randn(3, 4, generator=G), torch.randn(5, 6, generator=G)
    general, concat, v = torch.randn(4, 6), torch.randn(7, 10), torch.randn(7)
    same = torch.randn(5, 4)
    for i in range(3):
        for j in range(5):
            assert luong_score(h_t, same)[i, j].item() == pytest.approx((h_t[i] @ same[j]).item(), abs=1e-5)
            want = h_t[i] @ general @ h_s[j]
            assert luong_score(h_t, h_s, "general", general)[i, j].item() == pytest.approx(
                want.item(), abs=1e-5
            )
            want = v @ torch.tanh(concat @ torch.cat([h_t[i], h_s[j]]))
            assert luong_score(h_t, h_s, "concat", concat, v)[i, j].item() == pytest.approx(
                want.item(), abs=1e-5
            )
    with pytest.raises(ValueError, match='"dot", "general" or "concat"; got \'cosine\''):
        luong_score(h_t, h_s, "cosine")


def test_bahdanaus_context_is_a_weighted_sum_and_padding_has_no_part_in_it():
    state, states = torch.randn(2, 3, generator=G), torch.randn(2, 6, 5, generator=G)
    weights = torch.randn(4, 3), torch.randn(4, 5), torch.randn(4)
    mask = torch.tensor([[True] * 4 + [False] * 2, [True] * 6])
    context, a = bahdanau_attention(state, states, *weights, mask)
    assert (a[0, 4:] == 0).all() and torch.allclose(a.sum(-1), torch.ones(2))
    short, b = bahdanau_attention(state[0], states[0, :4], *weights)
    assert torch.allclose(short, context[0], atol=1e-6) and torch.allclose(b, a[0, :4], atol=1e-6)
    assert torch.allclose(context[1], a[1] @ states[1], atol=1e-6)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10))
def test_a_local_m_window_holds_the_neighbours_and_is_never_empty(m, n, d):
    window = local_m_window(m, n, d)
    assert window.shape == (m, n) and window.any(-1).all()
    for t in range(m):
        centre = min(t, n - 1)
        assert window[t].tolist() == [abs(s - centre) <= d for s in range(n)]


@settings(deadline=None)
@given(st.floats(0, 7), st.floats(0.5, 5))
def test_local_p_is_the_papers_formula(p, d):
    scores = torch.randn(1, 8, generator=torch.Generator().manual_seed(3))
    found = local_p_weights(scores, torch.tensor([p]), d)[0]
    assume(all(abs(abs(s - p) - d) > 1e-4 for s in range(8)))  # on the edge, rounding decides
    inside = [s for s in range(8) if abs(s - p) <= d]
    total = sum(scores[0, s].exp().item() for s in inside)
    for s in range(8):
        bell = torch.exp(torch.tensor(-((s - p) ** 2) / (2 * (d / 2) ** 2))).item()
        want = scores[0, s].exp().item() / total * bell if s in inside else 0.0
        assert found[s].item() == pytest.approx(want, abs=1e-5)
    assert found.sum() <= 1 + 1e-6


def test_the_place_learns_through_the_gaussian():
    place = torch.tensor([3.3], requires_grad=True)
    local_p_weights(torch.zeros(1, 8), place, 2.0)[0, 4].backward()
    assert place.grad.item() > 0  # word 4 gains when the place moves towards it


def test_a_predicted_place_lies_in_the_source():
    state = 50 * torch.randn(100, 6, generator=G)
    places = predicted_place(state, torch.randn(4, 6, generator=G), torch.randn(4, generator=G), 9)
    assert (places >= 0).all() and (places <= 8).all() and places.std() > 0.5


def test_a_window_of_no_width_is_refused():
    with pytest.raises(ValueError, match="at least 0; got -1"):
        local_m_window(3, 3, -1)
    with pytest.raises(ValueError, match="more than 0; got 0"):
        local_p_weights(torch.zeros(1, 3), torch.tensor([1.0]), 0)
    with pytest.raises(ValueError, match="no source word"):
        local_m_window(3, 0, 1)
