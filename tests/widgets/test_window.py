"""The window: what it shows is local-p's, in Python and in the browser alike."""

import pytest
import torch

from course.models.luong import local_p_weights
from course.widgets import Window

WORDS = ["the", "old", "cat", "that", "sleeps", "on", "the", "mat"]
SCORES = [0.3, -1.0, 2.0, 0.1, 1.2, 0.0, -0.4, 0.9]


def test_its_weights_are_local_ps():
    widget = Window(WORDS, SCORES, place=3.3, half_width=2.5)
    found = widget.weights()
    want = local_p_weights(torch.tensor([SCORES]), torch.tensor([3.3]), 2.5)[0]
    assert torch.allclose(found["weights"], want) and found["softmax"].sum().item() == pytest.approx(1)
    assert f"sum to {want.sum():.2f}" in widget.describe() and "5 of 8 words" in widget.describe()


def test_the_browser_computes_the_same(call):
    cases = [[SCORES, p, d] for p in (0.0, 2.5, 3.35, 7.0) for d in (0.5, 1.0, 2.5, 6.0)]
    for (_, p, d), found in zip(cases, call("window", "localP", cases), strict=True):
        ours = Window(WORDS, SCORES, place=p, half_width=d).weights()
        for name in ("softmax", "weights", "again"):
            assert found[name] == pytest.approx(ours[name].tolist(), abs=1e-5)


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="got 2 and 3"):
        Window(["a", "b"], [1, 2, 3])
    with pytest.raises(ValueError, match=r"from 0 to 7; got 7\.5"):
        Window(WORDS, SCORES).place = 7.5


def test_it_stands_still():
    assert Window(WORDS, SCORES).png().startswith(b"\x89PNG")
