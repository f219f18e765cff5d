"""The mask builder: the browser's mask, its weights and its Python are those of course.masks."""

from itertools import product

import pytest
import torch

from course import masks
from course.attention import masked_softmax
from course.widgets import MaskBuilder

N = 5
FLIPS = ([], [[0, 4]], [[2, 0], [2, 1], [2, 2], [4, 3]])
SETTINGS = [
    {"causal": causal, "padding": padding, "window": window, "prefix": prefix, "flips": flips}
    for causal, padding, window, prefix, flips in product(
        (True, False), (None, 0, 3, N), (None, 0, 2, N - 1), (None, 0, 2, N), FLIPS
    )
]


def widget_with(setting) -> MaskBuilder:
    rules = {name: value for name, value in setting.items() if name != "flips"}
    widget = MaskBuilder([f"t{i}" for i in range(N)], **rules)
    widget.flips = setting["flips"]
    return widget


@pytest.fixture(scope="module")
def cases():
    return [[N, {k: v for k, v in s.items() if k != "flips"}, s["flips"]] for s in SETTINGS]


@pytest.fixture(scope="module")
def expected():
    return [widget_with(setting).mask for setting in SETTINGS]


def test_the_browser_builds_the_same_mask(call, cases, expected):
    for setting, seen, mask in zip(SETTINGS, call("mask_builder", "buildMask", cases), expected, strict=True):
        assert torch.equal(torch.tensor(seen), mask), setting


def test_the_python_shown_builds_the_mask_shown(call, cases, expected):
    for source, mask in zip(call("mask_builder", "expression", cases), expected, strict=True):
        names = {"torch": torch} | vars(masks)
        exec(source, names)
        assert torch.equal(names["mask"].expand(1, N, N)[0], mask), source  # padding alone: one row for all


def test_the_browser_leaves_the_same_weights(call, expected):
    scores = torch.randn(N, N, generator=torch.Generator().manual_seed(1))
    cases = [[scores.tolist(), mask.tolist()] for mask in expected]
    for seen, mask in zip(call("mask_builder", "maskedWeights", cases), expected, strict=True):
        weights = torch.tensor(seen, dtype=torch.float32)
        torch.testing.assert_close(weights, masked_softmax(scores, mask), atol=1e-6, rtol=1e-6)


def test_rules_without_a_tick_forbid_nothing():
    assert MaskBuilder(["a", "b"], causal=False).mask.all()


def test_the_weights_are_those_of_the_mask():
    widget = MaskBuilder(["a", "b", "c"], torch.zeros(3, 3), padding=2)
    assert widget.weights.tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]]
    widget.flips = [[0, 0]]  # the first query is left with no key
    assert widget.weights[0].tolist() == [0, 0, 0]
    assert "a may attend to nothing" in widget.describe()


@pytest.mark.parametrize(
    "scores, says",
    [
        (torch.zeros(2, 3), r"shape \[2, 2\], got \[2, 3\]"),
        (torch.full((2, 2), -torch.inf), "finite"),
    ],
)
def test_what_does_not_fit_is_said(scores, says):
    with pytest.raises(ValueError, match=says):
        MaskBuilder(["a", "b"], scores)
