"""Whether two results are the same, and where they first differ."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course.workbook.chance import Share
from course.workbook.compare import difference

NAN, INF = float("nan"), float("inf")


@dataclass
class Point:
    x: float
    y: int


class Pair(NamedTuple):
    first: list
    label: int


@pytest.mark.parametrize(
    "expected, got",
    [
        (torch.tensor([1.0, NAN, -INF]), torch.tensor([1.00005, NAN, -INF])),
        (torch.tensor(2), torch.tensor(2)),
        (torch.ones(2), torch.ones(2, requires_grad=True)),
        (torch.ones(2, requires_grad=True), torch.ones(2)),
        (torch.ones(2), nn.Parameter(torch.ones(2))),
        (torch.ones(0, 3), torch.ones(0, 3)),
        ((torch.ones(2), torch.zeros(1)), [torch.ones(2), torch.zeros(1)]),
        ({"w": torch.ones(2), "b": 1.0}, {"b": 1.000001, "w": torch.ones(2)}),
        ((), ()),
        (0.0, 0),
        (0.25, np.float64(0.25)),
        (3, np.int64(3)),
        (Point(1.0, 2), Point(1.0000001, 2)),
        (Share(50, 100, 0.5), Share(61, 100, 0.5)),
        (torch.ones(2).half(), torch.ones(2).half() * 1.002),
        (0.5, 0.500001),
        (3, 3),
        (True, True),
        ("a", "a"),
        (None, None),
    ],
)
def test_equal_results_have_no_difference(expected, got):
    assert difference(expected, got) is None


@pytest.mark.parametrize(
    "expected, got, where, sort",
    [
        (torch.ones(2, 3), torch.ones(3, 2), "the result", "shape"),
        (torch.ones(2), torch.ones(2).long(), "the result", "kind"),
        (torch.ones(2), torch.ones(2).double(), "the result", "kind"),
        (torch.ones(2), np.ones(2), "the result", "kind"),
        (torch.ones(1), 1, "the result", "kind"),
        (torch.eye(2), torch.eye(2).to_sparse(), "the result", "kind"),
        (torch.eye(2), torch.eye(2, device="meta"), "the result", "kind"),
        (torch.tensor(1.0), torch.tensor(4.0), "the result", "value"),
        ((1.0, 2.0), 1.0, "the result", "kind"),
        ((1.0, 2.0), (1.0,), "the result", "length"),
        ((1.0, torch.ones(2)), (1.0, torch.ones(3)), "the result[1]", "shape"),
        (Pair([1], 0), Pair([1], 1), "the result's label", "value"),
        (Point(1.0, 2), Point(1.0, 3), "the result's y", "value"),
        (Point(1.0, 2), (1.0, 2), "the result", "kind"),
        ({"b": 1, "a": 1}, {"a": 1}, "the result", "keys"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "b", "value"),
        ({"of those": Share(50, 100, 0.5)}, {"of those": Share(90, 100, 0.5)}, "of those", "value"),
        ([1, 2, 3], [1, 3, 2], "the result", "value"),
        (1.0, NAN, "the result", "value"),
        (True, 1, "the result", "kind"),
        (1, True, "the result", "kind"),
        (1, 1.0, "the result", "kind"),
        (1.0, torch.tensor(1.0), "the result", "kind"),
        (torch.ones(2), None, "the result", "kind"),
    ],
)  # fmt: skip
def test_the_first_difference_is_found(expected, got, where, sort):
    found = difference(expected, got)
    assert (found.where, found.sort) == (where, sort)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=8), st.integers(0, 7))
def test_a_moved_entry_is_a_difference(values, at):
    expected, at = torch.tensor(values), at % len(values)
    got = expected.clone()
    got[at] += 1 + 0.01 * got[at].abs()
    assert difference(expected, expected.clone()) is None
    assert difference(expected, got).sort == "value"
