"""The bottleneck shows what was measured: means and ranges over the seeds."""

import pytest

from course.widgets import Bottleneck

MEASURED = {
    "lengths": [2, 3],
    "sizes": [4, 8],
    "right": {
        "fixed": {
            "4": [[[1.0, 0.5], [0.9, 0.6, 0.0]], [[1.0, 0.7], [0.7, 0.4, 0.1]]],
            "8": [[[1, 1], [1, 1, 1]]] * 2,
        },
        "asking": {size: [[[1, 1], [1, 1, 0.97]]] * 2 for size in ("4", "8")},
    },
}


def test_seeds_become_means_and_ranges():
    widget = Bottleneck(MEASURED, length=3, size=4)
    at = widget.curve("fixed")[1]
    assert at["places"] == pytest.approx([0.8, 0.5, 0.05]) and at["right"] == pytest.approx(0.45)
    assert (at["low"], at["high"]) == (0.4, 0.5)
    assert "4 numbers, 3 letters: 45 % are written right (seeds from 40 to 50 %)" in widget.describe()
    assert "the first 80 %, the last 5 %" in widget.describe()
    widget.asking = True
    assert widget.describe().startswith("Asking again") and widget.png().startswith(b"\x89PNG")


def test_only_what_was_measured_can_be_chosen():
    with pytest.raises(ValueError, match=r"length is one of \[2, 3\]; got 12"):
        Bottleneck(MEASURED)
    with pytest.raises(ValueError, match=r"size is one of \[4, 8\]; got 5"):
        Bottleneck(MEASURED, length=2).size = 5
    with pytest.raises(ValueError, match="fixed and asking; got"):
        Bottleneck({"right": {}})


def test_the_shipped_measurements_say_what_the_notebook_says():
    widget = Bottleneck()
    longest = widget.measured["lengths"][-1]
    small, large = (
        widget.measured["right"]["fixed"][str(c)][-1]
        for c in (widget.measured["sizes"][0], widget.measured["sizes"][-1])
    )
    assert small["high"] < large["low"] and len(large["places"]) == longest
