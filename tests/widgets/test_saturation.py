"""Saturation of the softmax: the curves are measured, and show what the lecture says."""

from math import log, sqrt

import pytest
import torch

from course.attention import scaled_dot_product_attention, softmax_jacobian
from course.widgets import Saturation
from course.widgets.saturation import band, fixed_scores, saturation_curves

DKS = [1, 4, 64, 1024]


@pytest.fixture(scope="module")
def curves():
    return saturation_curves(DKS, n_keys=8, n_samples=512, seed=0)


def test_the_products_spread_by_the_root_of_d_k(curves):
    for d_k, spread in zip(DKS, curves["spread"], strict=True):
        assert spread == pytest.approx(sqrt(d_k), rel=0.1)  # 512 queries leave a few per cent of chance


def test_without_the_scale_entropy_and_gradient_fall_and_with_it_they_stay(curves):
    for quantity in ("entropy", "gradient"):
        without, scaled = (curves[name][quantity]["middle"] for name in ("without", "with"))
        assert without == sorted(without, reverse=True) or quantity == "gradient"
        assert without[-1] < 0.4 * without[0] and min(scaled[1:]) > 0.85 * max(scaled[1:])
        assert without[0] == scaled[0]  # d_k = 1: dividing by 1
    assert all(low <= log(8) for low in curves["with"]["entropy"]["high"])


def test_the_weights_shown_sharpen_with_d_k_and_stay_with_the_scale(curves):
    """The same scores for every d_k, √d_k times as large without the scale."""
    without, scaled = (torch.tensor(curves[name]["weights"]) for name in ("without", "with"))
    assert (scaled == scaled[0]).all() and torch.equal(without[0], scaled[0])  # d_k = 1: dividing by 1
    assert (without.max(dim=-1).values.diff() > 0).all() and (without.argmax(-1) == scaled[0].argmax()).all()
    scores = fixed_scores(8, seed=0)
    assert scores.mean().abs() < 1e-6 and scores.std(correction=0).item() == pytest.approx(1)
    torch.testing.assert_close(without[DKS.index(64)], (8 * scores).softmax(-1))


def test_the_gradient_is_the_norm_of_the_jacobian():
    generator = torch.Generator().manual_seed(3)
    query, key = torch.randn(1, 1, 16, generator=generator), torch.randn(1, 5, 16, generator=generator)
    found = saturation_curves([16], n_keys=5, n_samples=1, seed=3)
    for name, factor in (("without", 4.0), ("with", 1.0)):
        _, weights = scaled_dot_product_attention(query * factor, key, key)
        norm = softmax_jacobian(weights[0, 0]).norm()
        assert found[name]["gradient"]["middle"][0] == pytest.approx(norm.item(), abs=1e-6)


def test_a_band_holds_the_middle_four_fifths():
    assert band(torch.arange(11.0)) == pytest.approx({"middle": 5, "low": 1, "high": 9})


def test_the_words_follow_the_slider():
    widget = Saturation(n_samples=32)
    assert "At d_k = 64 " in widget.describe() and "√d_k = 8.0" in widget.describe()
    widget.d_k = 4
    assert "At d_k = 4 " in widget.describe()


@pytest.mark.parametrize("dks, n_keys", [([4], 8), ([4, 2], 8), ([0, 2], 8), ([1, 2], 1)])
def test_what_does_not_fit_is_said(dks, n_keys):
    with pytest.raises(ValueError, match=r"d_k_values are two or more|at least 2 keys"):
        Saturation(dks, n_keys)


def test_the_slider_stops_only_where_something_was_measured():
    with pytest.raises(ValueError, match=r"d_k is one of \[1, 4\]; got 3"):
        Saturation([1, 4], n_samples=8).d_k = 3
