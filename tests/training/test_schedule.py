"""Learning rates go up to their peak at the end of the warm-up, and down from there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.training.schedule import cosine, inverse_square_root
from course.training.trainer import TrainingConfig


@given(st.integers(1, 50), st.integers(51, 200))
def test_both_rise_to_one_and_fall(warmup, steps):
    for shares in (
        [inverse_square_root(step, warmup) for step in range(1, steps + 1)],
        [cosine(step, warmup, steps) for step in range(1, steps + 1)],
    ):
        assert shares[warmup - 1] == max(shares) == 1
        assert shares[: warmup - 1] == sorted(shares[: warmup - 1])
        assert shares[warmup:] == sorted(shares[warmup:], reverse=True)
        assert all(0 < share <= 1 for share in shares)


def test_the_inverse_square_root_is_the_papers():
    d_model, warmup = 512, 4000
    peak = (d_model * warmup) ** -0.5
    for step in (1, 100, 4000, 4001, 100_000):
        paper = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
        assert peak * inverse_square_root(step, warmup) == pytest.approx(paper)


def test_the_cosine_is_half_way_down_half_way_through():
    assert cosine(step=15, warmup=10, steps=19) == pytest.approx(0.5)
    assert cosine(step=20, warmup=10, steps=19) == pytest.approx(0)


def test_a_config_chooses_between_them():
    settings = {"steps": 100, "peak_lr": 2.0, "warmup": 10}
    assert TrainingConfig(**settings).lr(40) == 1.0
    assert TrainingConfig(**settings, decay="cosine").lr(10) == 2.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": 0}, "steps must be 1 or more; got 0"),
        ({"warmup": 0}, "warmup must be 1 or more; got 0"),
        ({"log_every": 30, "save_every": 100}, "multiple of log_every = 30; got 100"),
        ({"decay": "linear"}, "'inverse_square_root' or 'cosine'; got 'linear'"),
    ],
)
def test_settings_out_of_range_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        TrainingConfig(**{"steps": 10, "peak_lr": 1.0, **change})
