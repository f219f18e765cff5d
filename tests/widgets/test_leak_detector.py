"""The leak detector: it names a look-ahead, only a look-ahead, and the browser names the same."""

import pytest
import torch

from course.attention import scaled_dot_product_attention
from course.masks import causal_mask
from course.studies.probes import influence, leaks
from course.widgets import LeakDetector

N = 6
TOKENS = ["the", "cat", "sat", "on", "the", "mat"]
X = torch.randn(N, 4, generator=torch.Generator().manual_seed(0))


def unmasked(x):
    return scaled_dot_product_attention(x, x, x)[0]


def causal(x):
    return scaled_dot_product_attention(x, x, x, mask=causal_mask(len(x)))[0]


def one_too_far(x):
    """A causal mask that is off by one."""
    return scaled_dot_product_attention(x, x, x, mask=torch.ones(N, N).tril(1).bool())[0]


@pytest.fixture(scope="module")
def detector():
    runs = {"unmasked": unmasked, "causal": causal, "off by one": one_too_far}
    return LeakDetector(TOKENS, {name: influence(run, X) for name, run in runs.items()})


def test_it_names_the_leaks_and_no_others(detector):
    first, second, third = detector.describe().splitlines()
    assert first.startswith("unmasked: 15 leaks: output 0 saw token 1")
    assert second == "causal: no output sees a later token."
    assert (
        third == "off by one: 5 leaks: " + ", ".join(f"output {i} saw token {i + 1}" for i in range(5)) + "."
    )


def test_the_browser_judges_the_same(call, detector):
    cases = [[matrix, detector.tolerance] for matrix in detector.influences.values()]
    for states, moved in zip(call("leak_detector", "judge", cases), detector.matrices.values(), strict=True):
        assert [[state == "leak" for state in row] for row in states] == leaks(moved).tolist()


def test_one_matrix_needs_no_name():
    assert LeakDetector(TOKENS, influence(causal, X)).describe() == "model: no output sees a later token."


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"causal: 2 tokens need influences of shape \[2, 2\], got \[3, 3\]"):
        LeakDetector(["a", "b"], {"causal": torch.eye(3)})
