"""A simple relation of a wrong tensor to the right one is told; nothing where there is none."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.exercises.inputs import randn, rows, some_true
from course.workbook.relations import CATALOGUE, relation, shape_relation
from course.workbook.sandbox import Call

TABLE = torch.tensor([[1.1, -2.3, 3.7], [4.9, 5.3, -6.1], [7.7, 8.9, 10.3]])
WIDE = randn(4, 5)
MASK = some_true(4, 6)
SIZES = Call(sizes={"query": (3, 7)}, tensors={"query": WIDE * 3})
NAN = float("nan")


def with_nan(x, *at):
    x = x.clone()
    x[at] = NAN
    return x


@pytest.mark.parametrize(
    "expected, got, sentence",
    [
        (TABLE, with_nan(TABLE, 1), "row 1 of yours is NaN, and right elsewhere."),
        (TABLE, with_nan(TABLE, 1, 2), "1 of 9 entries of yours is NaN, at [1, 2], and right elsewhere."),
        (TABLE, TABLE * NAN, "all of yours is NaN."),
        (TABLE.masked_fill(TABLE < 0, -torch.inf), TABLE.masked_fill(TABLE < 0, -9.0),
         "at 2 of 9 places yours should be -inf and is a finite number, the first at [0, 1]: -9."),
        (TABLE, TABLE.mT, "yours is the expected one transposed."),
        (WIDE, 3 * WIDE, "what you return is query, as it was given."),
        (WIDE, torch.zeros(4, 5), "every entry of yours is 0."),
        (rows(3, 5), rows(3, 5) / 5, "each row should sum to one; row [0] sums to 0.2."),
        (rows(3, 5), randn(3, 5).softmax(0), "each row should sum to one; row [0] sums to 1.697"
         " (along axis 0 yours do)."),
        (TABLE, -TABLE, "every entry of yours is minus the expected one."),
        (TABLE, 2 * TABLE, "every entry of yours is twice the expected one."),
        (TABLE, TABLE / 7**0.5, 
         "every entry of yours is the expected one divided by √7; 7 is query.shape[-1]."),
        (TABLE, TABLE - 3, "every entry of yours is the expected one plus -3."),
        (TABLE.log_softmax(-1), TABLE, "each row of yours is the expected one plus a number of its own."),
        (TABLE, 1 - TABLE, "yours is one minus the expected one."),
        (TABLE.softmax(-1), TABLE, "each row should sum to one; row [0] sums to 2.5."),
        (TABLE, TABLE.abs(), "yours is the expected one without its sign."),
        (WIDE, WIDE.roll(1, 0), "yours is the expected one moved by 1 along axis 0, round the end."),
        (WIDE, WIDE.flip(1), "yours is the expected one reversed along the last axis."),
        (WIDE, WIDE[[2, 0, 3, 1]], "yours holds the right slices along axis 0 in another order."),
        (TABLE > 0, TABLE <= 0, "yours is the opposite everywhere."),
        (TABLE > 0, TABLE > -3, "yours is True at 1 of 9 places that should be False, the first at [0, 1];"
         " no True is missing."),
        (torch.tensor([[5, -100, 7, -100]]), torch.tensor([[5, 0, 7, 0]]),
         "wherever yours differs it is 0 and should be -100, first at [0, 1]."),
        (WIDE, WIDE * torch.tensor([[0.7], [1.3], [3.3], [1.9]]),
         "the entries of each row have the right proportions, but not the right size."),
        (WIDE, torch.cat([WIDE[:3], randn(1, 5, seed=1)]),
         "yours differs at the last place along axis 0 only: at [3, 0] yours is"
         f" {randn(1, 5, seed=1)[0, 0]:.4g}, expected {WIDE[3, 0]:.4g}."),
    ],
)  # fmt: skip
def test_a_simple_relation_is_told(expected, got, sentence):
    assert relation(expected, got, SIZES) == sentence


@pytest.mark.parametrize(
    "expected, got",
    [
        (WIDE, randn(4, 5, seed=1)),
        (WIDE.flatten(), 0.7464 * WIDE.flatten()),  # no constant that anybody knows
        (torch.tensor([0.3]), torch.tensor([0.6])),  # one number is no evidence
        (torch.tensor([0.0, 0.3]), torch.tensor([0.0, 0.6])),  # nor is one beside zeros
    ],
)
def test_where_there_is_none_nothing_is_told(expected, got):
    assert relation(expected, got, SIZES) == ""


@given(st.integers(0, 10_000), st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_two_random_tensors_have_no_relation_but_of_place(seed, shape):
    e, g = randn(*shape, seed=seed), randn(*shape, seed=seed + 20_000)
    says = relation(e, g)
    assert says == "" or e.numel() < 4 or "only" in says, says


@pytest.mark.parametrize("look", CATALOGUE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("kind", [torch.float16, torch.float64, torch.int64, torch.bool])
def test_every_kind_can_be_looked_at(look, kind):
    e, g = (x if kind != torch.bool else x > 0 for x in (3 * randn(3, 3), 3 * randn(3, 3, seed=1)))
    e, g = e.to(kind), g.to(kind)
    assert isinstance(look(e, g, Call()), str)


@pytest.mark.parametrize(
    "expected, got, sentence",
    [
        (WIDE, WIDE.mT, " Yours is the expected one with its axes 0 and 1 exchanged."),
        (WIDE, WIDE.flatten(), " The numbers and their order are right."),
        (WIDE, WIDE.mean(0), " Yours is the mean of the expected one over axis 0."),
        (WIDE.sum(1), WIDE, " The sum of yours over axis 1 is the expected one."),
        (WIDE, randn(3, 3), ""),
    ],
)
def test_another_shape_may_hold_the_right_numbers(expected, got, sentence):
    assert shape_relation(expected, got) == sentence
