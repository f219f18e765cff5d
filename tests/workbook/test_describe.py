"""What is said of a difference: the input, what came out, what should have, and a property that shows."""

import pytest
import torch

from course.workbook.chance import Share
from course.workbook.compare import differences
from course.workbook.describe import kind, reordered, scalars, values
from course.workbook.sandbox import Call, remembered

F32 = "the result should be a float32 tensor; yours is "
LONG = [-100, 7, -100, -100, 5, 3, -100, -100, 9, 11, -100, 12, -100, 17, 18, -100, 21, 22, 23, 24]


@pytest.mark.parametrize(
    "expected, got, sentence, sort",
    [
        (torch.ones(3), None, F32 + "nothing (None; is a return missing?).", "property"),
        (torch.ones(3), [1.0], F32 + "a list of 1.", "property"),
        (torch.ones(3), torch.ones(3).double(), F32 + "a float64 tensor, with the right values.", "property"),
        (torch.ones(3), torch.ones(3, device="meta"), 
         "the result should be on the CPU; yours is on meta.", "property"),
        (torch.eye(3), torch.eye(3).to_sparse(),
         "the result should be an ordinary (dense) tensor.", "property"),
        ({"the gradient of a": torch.ones(2)}, {"the gradient of a": None},
         "the gradient of a is missing (None).", "property"),
        ([1, 2], [1, 2, 3],
         "the result should be a list of 2; yours has 3 (yours [1, 2, 3], expected [1, 2]).", "property"),
        ({"of those, [MASK]": Share(80, 100, 0.8)}, {"of those, [MASK]": Share(10, 100, 0.8)},
         "of those, [MASK] should be about 0.8; yours is 0.1 (10 of 100).", "property"),
        (1.5, 2.25, "the result should be 1.5; yours is 2.25.", "place"),
        ({3, 4}, {4, 5},
         "in the result, [3] is missing and [5] should not be there.", "property"),
        (LONG, [0 if x == -100 else x for x in LONG],
         "the result: wherever yours differs it is 0 and should be -100, first at [0].", "property"),
        (["a", "b"], ["b", "a"], "the result holds the right items in another order: yours ['b', 'a'],"
         " expected ['a', 'b'].", "property"),
    ],
)  # fmt: skip
def test_a_difference_is_told(expected, got, sentence, sort):
    said = values(list(differences(expected, got)), Call())
    assert (said.says, said.sort) == (sentence, sort)


def test_a_small_input_is_told_with_what_came_out():
    call = remembered(lambda scores: None, (torch.tensor([200.0, 0.0, 0.0]),), {})
    expected, got = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([float("nan"), 0.0, 0.0])
    said = values(list(differences(expected, got)), call)
    assert said.says == (
        "for scores [200, 0, 0], the result should be [1, 0, 0]; yours is [nan, 0, 0]."
        " 1 of 3 entries of yours is NaN, at [0], and right elsewhere."
    )


def test_results_in_another_order_are_told():
    a, b = torch.ones(2), torch.zeros(3)
    assert (
        reordered((a, b), (b, a)) == "your 2 results are right, but in another order: the second, the first."
    )
    assert reordered((a, b), (a, a)) == "" and reordered([1, 2], [2, 1]) == ""


@pytest.mark.parametrize("f, says", [
    (lambda x: -x, "yours is minus what it should be"),
    (lambda x: x**2, "yours is the square of the expected one"),
    (lambda x: 100 * x, "yours is 100 times what it should be"), (lambda x: x + 3, "plus 3"),
    (lambda x: x**3, ""),
])  # fmt: skip
def test_what_numbers_of_several_parts_have_in_common(f, says):
    pairs = [(x, f(x)) for x in (0.3, 1.7, 4.9)]
    assert says in scalars(pairs) and bool(says) == bool(scalars(pairs))
    assert scalars(pairs[:2]) == "", "two are no evidence"


@pytest.mark.parametrize(
    "x, says",
    [
        (None, "nothing (None; is a return missing?)"),
        ((1, 2), "a tuple of 2"),
        ([1], "a list of 1"),
        (1, "an int"),
        (torch.ones(1).numpy(), "a numpy array"),
    ],
)
def test_kinds_in_a_learners_words(x, says):
    assert kind(x) == says
