"""The walk: ends at scaled dot-product attention, and every sentence on the way tells the truth."""

import re

import pytest
import torch

from course.attention import scaled_dot_product_attention
from course.widgets import Walk
from course.widgets.walk import number

torch.manual_seed(0)
X, W_QUERY, W_KEY, W_VALUE = torch.randn(3, 4), torch.randn(4, 2), torch.randn(4, 2), torch.randn(4, 3)
GIVEN = {"x", "w_query", "w_key", "w_value"}
NUMBER = r"−?\d+(?:\.\d+)?(?:e[−+]\d+)?"


@pytest.fixture(scope="module")
def walk():
    return Walk(X, W_QUERY, W_KEY, W_VALUE, tokens=["I", "like", "茶"])


def numbers(text: str) -> list[float]:
    return [float(n.replace("−", "-")) for n in re.findall(NUMBER, text)]


def cells(walk, region):
    """The cells (matrix, row, column) that a region covers; None stands for all."""
    name, row, column = region
    matrix = torch.tensor(walk.matrices[name])
    rows, columns = matrix.shape[-2:]
    return {
        (name, r, c)
        for r in (range(rows) if row is None else [row])
        for c in (range(columns) if column is None else [column])
    }


def test_it_ends_at_attention(walk):
    output, weights = scaled_dot_product_attention(X @ W_QUERY, X @ W_KEY, X @ W_VALUE)
    torch.testing.assert_close(torch.tensor(walk.matrices["output"]), output)
    torch.testing.assert_close(torch.tensor(walk.matrices["weights"]), weights)


def test_it_goes_stage_by_stage_for_one_output_after_the_other(walk):
    stages = [(step["output"], step["stage"]) for step in walk.steps]
    one = ["score"] * 3 + ["scale", "softmax"] + ["weight"] * 3 + ["sum"]
    assert stages == [(None, "project")] * 9 + [(i, stage) for i in range(3) for stage in one]


def test_nothing_is_read_before_it_is_written_and_all_is_written(walk):
    ready = {cell for name in GIVEN for cell in cells(walk, (name, None, None))}
    for step in walk.steps:
        for region in step["reads"]:
            assert cells(walk, region) <= ready, step["says"]
        ready |= {cell for region in step["writes"] for cell in cells(walk, region)}
    assert ready == {cell for name in walk.matrices for cell in cells(walk, (name, None, None))}


def test_each_sentence_ends_with_the_numbers_it_writes(walk):
    for step in walk.steps:
        ((name, row, column),) = step["writes"]
        matrix = torch.tensor(walk.matrices[name])
        values = (matrix[step["output"]] if name == "weighted" else matrix)[row]
        written = values if column is None else values[[column]]
        said = step["says"].split(";")[0].rsplit("=" if "=" in step["says"] else "becomes", 1)[-1]
        said = said.rsplit("becomes", 1)[-1]
        assert numbers(said) == pytest.approx(written.tolist(), abs=0.00501), step["says"]


def test_the_products_in_a_sentence_add_up(walk):
    for step in walk.steps:
        if step["stage"] in ("project", "score"):
            sum_, result = re.search(
                rf"((?:{NUMBER}×{NUMBER}(?: \+ )?)+) = ({NUMBER})", step["says"]
            ).groups()
            products = [torch.tensor(numbers(term)).prod().item() for term in sum_.split(" + ")]
            assert sum(products) == pytest.approx(numbers(result)[0], abs=0.08), step[
                "says"
            ]  # rounded factors


def test_numbers_are_for_people():
    assert [number(x) for x in (4.0, -0.501, -0.001, 1 / 3)] == ["4", "−0.5", "0", "0.33"]


def test_the_words_tell_every_output(walk):
    for token in walk.tokens:
        assert f"Output of {token}:" in walk.describe()


@pytest.mark.parametrize(
    "change, says",
    [
        ({"x": torch.randn(7, 4)}, r"2 to 6 tokens .* got shape \[7, 4\]"),
        ({"w_key": torch.randn(3, 2)}, r"w_key maps the 4 numbers .* got \[3, 2\]"),
        ({"w_key": torch.randn(4, 3)}, r"w_query is \[4, 2\], w_key \[4, 3\]"),
        ({"tokens": ["one"]}, "3 rows, but 1 tokens"),
    ],
)
def test_what_does_not_fit_is_said(change, says):
    given = {"x": X, "w_query": W_QUERY, "w_key": W_KEY, "w_value": W_VALUE}
    with pytest.raises(ValueError, match=says):
        Walk(**given | change)
