"""The position explorer: course.positions' numbers, and curves that show who sees distance alone."""

import math
import re

import pytest
import torch

from course.positions import alibi_bias, shift_matrix, sinusoidal_positions
from course.widgets import PositionExplorer
from course.widgets.position_explorer import (
    SCHEMES,
    WORDS,
    curve_gap,
    position_scores,
    rotation_blocks,
)

N, D = 20, 8


def floats(packed: bytes, *shape: int) -> torch.Tensor:
    return torch.frombuffer(bytearray(packed), dtype=torch.float32).reshape(shape)


@pytest.fixture(scope="module")
def data():
    """What the browser's functions take."""
    w = PositionExplorer(N, D)
    return {
        "table": floats(w.table, -1).tolist(),
        "rotations": floats(w.rotations, -1).tolist(),
        "n": N,
        "dModel": D,
    }


def test_what_travels_is_the_table_the_rotations_and_the_scores():
    widget = PositionExplorer(N, D)
    assert torch.equal(floats(widget.table, N, D), sinusoidal_positions(N, D))
    assert torch.equal(floats(widget.rotations, 2 * N - 1, D // 2, 2, 2), rotation_blocks(N, D))
    scores = torch.cat(list(position_scores(N, D).values()))
    assert torch.equal(floats(widget.scores, *scores.shape), scores)
    assert [1 / slope for slope in widget.slopes] == [4, 16, 64, 256]


@pytest.mark.parametrize("k", [1 - N, -1, 0, 5, N - 1])
def test_the_blocks_are_the_whole_of_the_shift_matrix(k):
    assert torch.equal(torch.block_diag(*rotation_blocks(N, D)[k + N - 1]), shift_matrix(k, D))


def test_distance_alone_counts_for_all_but_learned_positions():
    scores = position_scores(N, D)
    for scheme in ("sinusoidal", "rotary", "alibi"):
        assert curve_gap(scores[scheme], 3, 12) < 1e-4, scheme
    assert curve_gap(scores["learned"], 3, 12) > 1


def test_the_scores_are_those_of_the_schemes():
    scores, table = position_scores(N, D), sinusoidal_positions(N, D)
    assert tuple(scores) == SCHEMES
    torch.testing.assert_close(scores["sinusoidal"][0], table @ table.T)
    assert torch.equal(scores["alibi"], alibi_bias(4, N))
    assert (
        scores["rotary"][0].diagonal() >= scores["rotary"][0]
    ).all()  # q = k: highest where nothing is turned


def test_the_random_start_is_the_same_each_time_and_leaves_the_learners_seed_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second = position_scores(N, D), position_scores(N, D)
    assert torch.equal(first["learned"], second["learned"]) and torch.equal(first["rotary"], second["rotary"])
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("pos, dim", [(0, 0), (7, 6), (19, 1), (13, 3)])
def test_the_formula_is_true(pos, dim):
    widget = PositionExplorer(N, D)
    widget.pos, widget.dim = pos, dim
    left, first, angle, value = widget.formula().replace("−", "-").split(" = ")
    names = {"sin": math.sin, "cos": math.cos}
    assert left == f"PE({pos}, {dim})"
    assert eval(first.replace("^", "**"), names) == pytest.approx(float(value), abs=0.000501)
    assert eval(angle, names) == pytest.approx(float(value), abs=0.0011)
    assert float(value) == pytest.approx(sinusoidal_positions(N, D)[pos, dim].item(), abs=0.000501)


def test_the_browser_tells_the_same_formula_and_error(call, data):
    chosen = [(0, 0, 0), (7, 6, 5), (19, 1, -19), (13, 3, 2)]
    found = call("position_explorer", "numbers", [[data, *one] for one in chosen])
    for (pos, dim, k), said in zip(chosen, found, strict=True):
        widget = PositionExplorer(N, D)
        widget.pos, widget.dim = pos, dim
        widget.k = k
        assert WORDS["formula"].format(**said) == widget.formula()
        assert float(said["error"].replace("−", "-")) == pytest.approx(widget.shift_error, abs=1e-6)
        assert widget.shift_error < 1e-5
        assert numbers(said["turned"]) == pytest.approx(numbers(said["there"]), abs=0.0011)


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+\.\d+", text.replace("−", "-"))]


def test_the_browser_measures_the_same_gap(call):
    scores = position_scores(N, D)
    cases = [[[head.flatten().tolist() for head in heads], N, 3, 12] for heads in scores.values()]
    gaps = call("position_explorer", "curveGap", cases)
    assert gaps == pytest.approx([curve_gap(heads, 3, 12) for heads in scores.values()], abs=1e-6)


def test_moving_to_the_edge_brings_k_back_into_the_table():
    widget = PositionExplorer(N, D)
    widget.pos = N - 2
    assert widget.k == 1
    widget.k = -4
    widget.pos = 3
    assert widget.k == -3


def test_the_words_say_which_curves_agree():
    words = PositionExplorer(N, D).describe()
    assert words.count("distance alone counts") == 3
    assert re.search(r"Learned \(untrained\): The two curves differ by up to \d", words)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: PositionExplorer(1), "2 to 256 positions; got n = 1"),
        (lambda: PositionExplorer(N, 7), "even and positive; got 7"),
        (lambda: setattr(PositionExplorer(N, D), "pos", N), "pos is 0 to 19; got 20"),
        (lambda: setattr(PositionExplorer(N, D), "dim", -1), "dim is 0 to 7; got -1"),
        (lambda: setattr(PositionExplorer(N, D), "k", 13), "got pos = 7, k = 13"),
    ],
)
def test_what_does_not_fit_is_said(make, says):
    with pytest.raises(ValueError, match=says):
        make()
