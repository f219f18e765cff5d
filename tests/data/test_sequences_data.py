"""Sounds, spoken digits, proteins, films and series: what is said of them, and that parts are kept apart."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.data import moving_shapes, prices, protein_families, spoken_digits
from course.data.sound import log_mel, mel, mel_filters

# ---- sound ---------------------------------------------------------------------------------------


def test_filters_are_triangles_side_by_side():
    filters = mel_filters(20, 2049, 16_000)
    assert filters.shape == (20, 2049) and filters.min() == 0 and filters.max() <= 1
    peaks = filters.argmax(1)
    assert (peaks.diff() > 0).all()
    inside = filters[:, peaks[0] : peaks[-1] + 1].sum(0)
    assert torch.allclose(inside, torch.ones_like(inside), atol=1e-5), "each bin is shared out in full"


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 3000.0])
def test_a_tone_is_loudest_in_the_band_of_its_pitch(hertz):
    rate = 16_000
    tone = torch.sin(2 * math.pi * hertz * torch.arange(rate) / rate)
    frames = log_mel(tone, rate)
    assert frames.shape == (51, 24)
    edge = torch.linspace(*mel(torch.tensor([80.0, rate / 2])).tolist(), 26)
    expected = (mel(torch.tensor(hertz)) - edge[1:-1]).abs().argmin()
    assert frames[25].argmax() == expected
    assert torch.allclose(log_mel(10 * tone, rate)[25].max() - frames[25].max(), torch.tensor(2.0), atol=1e-3)


# ---- spoken digits -------------------------------------------------------------------------------


def test_voices_held_out_share_neither_accent_nor_kind_with_the_others():
    for one, other in zip(spoken_digits.TRAINED, spoken_digits.HELD_OUT, strict=True):
        assert not set(one) & set(other)
    heard, held = spoken_digits.spoken("train"), spoken_digits.spoken("held out")
    assert (len(set(heard.voices)), len(set(held.voices))) == (48, 10) and not set(heard.voices) & set(
        held.voices
    )
    assert heard.labels.bincount().tolist() == [96] * 10 and held.labels.bincount().tolist() == [20] * 10
    assert heard.frames.shape == (960, 40, 24) and heard.frames.mean().abs() < 1e-4
    assert 0.3 < heard.frames.std() < 2
    with pytest.raises(ValueError, match="'train' or 'held out'; got 'test'"):
        spoken_digits.spoken("test")


# ---- proteins ------------------------------------------------------------------------------------


def test_no_chain_is_in_both_parts_and_letters_are_the_twenty():
    parts = {part: protein_families.chains(part) for part in ("train", "held out")}
    assert not {c for _, c in parts["train"]} & {c for _, c in parts["held out"]}
    assert all(set(chain) <= set(protein_families.LETTERS) for of in parts.values() for _, chain in of)
    for of in parts.values():
        assert len({family for family, _ in of}) == 3 and len(of) > 100


def test_a_fragment_is_a_piece_of_a_chain_of_its_family():
    cut = protein_families.fragments("held out", 50, length=30, seed=4)
    by_family = {f: [c for family, c in protein_families.chains("held out") if family == f] for f in range(3)}
    for letters, family in zip(cut.letters.tolist(), cut.labels.tolist(), strict=True):
        piece = "".join(protein_families.LETTERS[i] for i in letters)
        assert len(piece) == 30 and any(piece in chain for chain in by_family[family])
    assert torch.equal(cut.one_hot().argmax(-1), cut.letters) and (cut.counts().sum(-1) == 30).all()
    again = protein_families.fragments("held out", 50, length=30, seed=4)
    assert torch.equal(again.letters, cut.letters) and torch.equal(again.labels, cut.labels)


def test_identity_counts_columns_where_both_have_a_letter():
    assert protein_families.identity("ACD-E", "AC-FE") == 1.0
    assert protein_families.identity("ACDE", "AGDG") == 0.5
    assert protein_families.identity("--", "AC") == 0.0


# ---- films ---------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000))
def test_a_shape_goes_its_way_at_its_speed_and_comes_in_on_the_other_side(seed):
    films, ways = moving_shapes.draw(8, seed, noise=0.0)
    for film, way in zip(films[:, :, 0], ways.tolist(), strict=True):
        axis, sign = divmod(way, 2)[0], 1 if way % 2 else -1
        steps = [k for k in (1, 2) if torch.equal(film[0].roll(sign * k, axis), film[1])]
        assert steps, "one of the two speeds"
        assert any(
            all(torch.equal(film[t].roll(sign * k, axis), film[t + 1]) for t in range(len(film) - 1))
            for k in steps
        )


def test_one_frame_says_nothing_about_the_way():
    """The mean frame of each way is the same, to six standard errors, and so are their spreads."""
    films, ways = moving_shapes.draw(8_000, seed=3)
    first = films[:, 2, 0]
    mean, spread = first.mean(0), first.std(0)
    for way in range(4):
        own = first[ways == way]
        assert ((own.mean(0) - mean).abs() < 6 * spread / len(own) ** 0.5).all()


def test_shuffled_frames_are_the_same_frames():
    films, _ = moving_shapes.draw(40, seed=1)
    mixed = moving_shapes.shuffled(films, torch.Generator().manual_seed(0))
    assert torch.allclose(mixed.sum(1), films.sum(1), atol=1e-5) and not torch.equal(mixed, films)


# ---- series --------------------------------------------------------------------------------------


def test_the_week_comes_again_but_for_wave_and_noise():
    series = prices.seasonal(7 * 13 * 40, seed=2)
    again = series[prices.YEAR :] - series[: -prices.YEAR]  # a whole number of weeks: wave and week are gone
    assert again.std().item() == pytest.approx(prices.NOISE * 2**0.5, rel=0.05)


def test_a_walks_steps_are_even_and_do_not_know_of_one_another():
    steps = prices.random_walk(20_000, seed=1).diff()
    assert steps.std().item() == pytest.approx(1, rel=0.03)
    assert abs((steps[1:] * steps[:-1]).mean().item()) < 6 / 20_000**0.5
