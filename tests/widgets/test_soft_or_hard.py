"""Soft or hard: its numbers are the functions', and the browser's estimates are round the same gradient."""

import pytest
import torch

from course.models.glimpse import expected_gradient
from course.widgets import SoftOrHard

G = torch.Generator().manual_seed(0)
SCORES, REWARDS = 2 * torch.randn(16, generator=G), -torch.rand(16, generator=G) * 4
IMAGE = torch.rand(3, 8, 8, generator=G)


@pytest.fixture
def widget():
    return SoftOrHard(IMAGE, SCORES, REWARDS, temperature=2.0, looks=8)


def test_its_gradient_is_the_exact_one_and_its_clouds_lie_about_it(widget):
    found = widget.numbers()
    exact = expected_gradient(SCORES / 2, REWARDS)[widget.pair]
    assert torch.allclose(found["exact"], exact, atol=1e-6)
    for name in ("without", "with"):
        error = (found[name].mean(0) - exact).abs()
        assert (error < 6 * found[name].std(0) / len(found[name]) ** 0.5).all()
    assert found["with"].std() < found["without"].std()


def test_the_browser_has_the_same_gradient_and_clouds_of_the_same_size(call, widget):
    traits = {
        "scores": SCORES.tolist(),
        "rewards": REWARDS.tolist(),
        "pair": widget.pair,
        "temperature": 2.0,
        "looks": 8,
        "seed": 3,
    }
    shown, ours = call("soft_or_hard", "numbers", [[traits]])[0], widget.numbers()
    assert shown["exact"] == pytest.approx(ours["exact"].tolist(), abs=1e-5)
    assert shown["p"] == pytest.approx(ours["weights"].tolist(), abs=1e-6)
    for name in ("without", "with"):
        spread = torch.tensor(shown[name]).std(0)
        assert torch.allclose(spread, ours[name].std(0), rtol=0.35)  # 120 dots each


def test_the_words_follow_the_temperature(widget):
    before = widget.describe()
    widget.temperature = 0.1
    assert widget.describe() != before and "argmax" in before
    assert widget.png().startswith(b"\x89PNG")


def test_a_grid_is_square():
    with pytest.raises(ValueError, match="square grid; got 15 and 16"):
        SoftOrHard(IMAGE, SCORES[:15], REWARDS)
