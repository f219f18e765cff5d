"""Learning rates go up to their peak at the end of the warm-up, and down from there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.training.schedule import cosine, inverse_square_root, stable
from course.training.settings import OpenEnded, TrainingConfig, as_text


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


@given(st.integers(1, 50), st.integers(1, 50), st.integers(100, 200))
def test_the_stable_rate_rises_is_level_and_falls(warmup, cooldown, steps):
    shares = [stable(step, warmup, cooldown, steps) for step in range(1, steps + 1)]
    assert shares[warmup - 1 : steps - cooldown + 1] == [1.0] * (steps - cooldown + 2 - warmup)
    assert shares[:warmup] == sorted(shares[:warmup]) and shares[0] == pytest.approx(1 / warmup)
    assert shares[-1] == pytest.approx(1 / cooldown) and shares[-cooldown:] == sorted(
        shares[-cooldown:], reverse=True
    )


def test_until_the_cool_down_a_longer_run_is_the_same():
    one, longer = (OpenEnded(steps, 2.0, warmup=10, cooldown=20) for steps in (60, 100))
    level = [step for step in range(1, 101) if one.is_open(step)]
    assert level == list(range(1, 41)) and all(longer.is_open(step) for step in level)
    assert [one.lr(step) for step in level] == [longer.lr(step) for step in level]


@pytest.mark.parametrize(
    ("change", "step", "goes_on"),
    [
        ({}, 55, True),
        ({"save_every": 50}, 55, True),
        ({"steps": 100}, 40, True),
        ({"steps": 100}, 41, False),
        ({"steps": 59}, 40, False),
        ({"cooldown": 10}, 40, True),
        ({"cooldown": 10}, 41, False),
        ({"seed": 1}, 40, False),
        ({"peak_lr": 1.0}, 40, False),
    ],
)
def test_a_run_goes_on_as_another_only_where_that_one_would_have_been(change, step, goes_on):
    settings = {"steps": 60, "peak_lr": 2.0, "warmup": 10, "cooldown": 20}
    stored = as_text(OpenEnded(**settings))
    assert OpenEnded(**settings | change).goes_on(stored, step) == goes_on


def test_a_run_of_fixed_length_goes_on_as_itself_alone():
    stored = as_text(TrainingConfig(60, 2.0))
    assert TrainingConfig(60, 2.0, log_every=25).goes_on(stored, 10)
    assert not TrainingConfig(100, 2.0).goes_on(stored, 10)
    assert not OpenEnded(60, 2.0).goes_on(stored, 10)


@pytest.mark.parametrize("change", [{"cooldown": 0}, {"cooldown": 61}, {"average": 3, "average_every": 10}])
def test_a_cool_down_that_is_no_part_of_the_run_is_refused(change):
    with pytest.raises(ValueError, match="cool-down is a part of the run"):
        OpenEnded(**{"steps": 60, "peak_lr": 2.0, "cooldown": 20, "warmup": 5} | change)
