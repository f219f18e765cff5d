"""The soft dictionary: in Python and in the browser the same look-up."""

import pytest
import torch

from course.attention import soft_lookup
from course.widgets import SoftDictionary

KEYS = torch.tensor([[2.0, 0.5], [1.5, 1.5], [-1.0, 1.0]])
VALUES = torch.tensor([[10.0], [20.0], [30.0]])
CASES = [
    (query, temperature)
    for query in ([1.0, 1.5], [0.0, 0.0], [-3.0, 2.0])
    for temperature in (0, 0.05, 1, 10)
]


def test_it_looks_up_what_soft_lookup_gives():
    for query, temperature in CASES:
        output, weights = SoftDictionary(KEYS, VALUES, query, temperature=temperature).look_up()
        expected, expected_weights = soft_lookup(torch.tensor([query]), KEYS, VALUES, temperature)
        torch.testing.assert_close(output, expected[0])
        torch.testing.assert_close(weights, expected_weights[0])


def test_the_browser_looks_up_the_same(call):
    found = call("dictionary", "lookUp", [[q, KEYS.tolist(), VALUES.tolist(), t] for q, t in CASES])
    for (query, temperature), seen in zip(CASES, found, strict=True):
        output, weights = SoftDictionary(KEYS, VALUES, query, temperature=temperature).look_up()
        assert seen["output"] == pytest.approx(output.tolist(), rel=1e-5)
        assert seen["weights"] == pytest.approx(weights.tolist(), abs=1e-6)


def test_what_the_learner_moves_can_be_read_and_set():
    widget = SoftDictionary(KEYS, [10, 20, 30], labels=["apple", "pear", "plum"])
    assert widget.query == [2.0, 0.5]  # the first key, unless told otherwise
    widget.temperature, widget.query = 0, [-1.0, 1.0]
    assert "plum 1.00" in widget.describe() and "output 30" in widget.describe()


@pytest.mark.parametrize(
    "arguments, says",
    [
        (([[1, 2, 3]], [1]), r"shape \[n, 2\]; got shape \[1, 3\]"),
        (([[1, 2]], [1, 2]), r"1 keys, but values of shape \[2\]"),
        (([[1, 2]], [1], None, ["a", "b"]), "1 keys, but 2 labels"),
    ],
)
def test_what_does_not_fit_is_said(arguments, says):
    with pytest.raises(ValueError, match=says):
        SoftDictionary(*arguments)
