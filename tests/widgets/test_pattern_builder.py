"""The pattern builder: its grid is BigBird's pattern, its ways the shortest, in the browser too."""

from itertools import pairwise

import pytest
import torch

from course.models.efficient.bigbird import bigbird_pattern
from course.studies.path_length import hops
from course.widgets import PatternBuilder
from course.widgets.pattern_builder import LARGEST, lots

SETTINGS = [
    {"n": 16, "width": 1, "n_global": 1, "r": 1},
    {"n": 9, "width": 2, "n_global": 0, "r": 0, "row": 8, "column": 0},
    {"n": 24, "width": 0, "n_global": 0, "r": 1, "draw": 3, "row": 20, "column": 7},
    {"n": 5, "width": 0, "n_global": 0, "r": 0, "row": 4, "column": 1},
    {"n": 4, "width": 6, "n_global": 3, "r": 3, "row": 2, "column": 2},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_grid_is_the_pattern(settings):
    widget = PatternBuilder(timed=False, **settings)
    n = settings["n"]
    kinds = widget.kinds()
    assert [[bool(k) for k in row] for row in kinds] == widget.pattern.tolist()
    bare = bigbird_pattern(n, settings["width"], settings["n_global"], torch.empty(n, 0, dtype=torch.int64))
    new = (widget.pattern & ~bare).sum(1)
    assert (new == torch.minimum((~bare).sum(1), torch.tensor(settings["r"]))).all()


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_way_is_a_shortest_one(settings):
    widget = PatternBuilder(timed=False, **settings)
    path, (row, column) = widget.way(), widget._ends()
    assert len(path) - 1 == hops(widget.pattern)[row, column]
    assert all(widget.pattern[i, j] for i, j in pairwise(path))


def test_the_browser_finds_the_same(call):
    made, told = [], []
    for settings in SETTINGS:
        widget = PatternBuilder(timed=False, **settings)
        cells = lots()[widget.draw].flatten().tolist()
        made.append([cells, LARGEST, widget.n, widget.width, widget.n_global, widget.r])
        told.append(widget)
    kinds = call("pattern_builder", "buildPattern", made)
    assert kinds == [widget.kinds() for widget in told]
    steps = call("pattern_builder", "hops", [[k] for k in kinds])
    assert steps == [hops(widget.pattern).tolist() for widget in told]
    sentences = call(
        "pattern_builder",
        "sentence",
        [[w.words, k, s, *w._ends()] for w, k, s in zip(told, kinds, steps, strict=True)],
    )
    assert sentences == [widget.describe() for widget in told]


def test_each_pattern_is_timed_where_there_is_a_kernel():
    widget = PatternBuilder(n=6)
    first = list(widget.measured)
    assert len(first) == 2 and min(first) > 0
    widget.width = 2
    assert widget.measured != first
    assert PatternBuilder(timed=False).measured == []


def test_it_stands_still():
    assert PatternBuilder(timed=False, n=8).png().startswith(b"\x89PNG")
