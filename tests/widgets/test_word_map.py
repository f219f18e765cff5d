"""The map of words: neighbours are those of all dimensions; the keyboard's way is the same everywhere."""

import pytest
import torch

from course.text.vectors import WordVectors
from course.widgets import WordMap

NAMES = [f"w{i}" for i in range(40)]


def made() -> WordMap:
    generator = torch.Generator().manual_seed(0)
    vectors, places = torch.randn(40, 6, generator=generator), torch.randn(40, 2, generator=generator)
    return WordMap(WordVectors(NAMES, vectors), places, "w5")


def test_neighbours_are_those_of_all_dimensions():
    widget = made()
    assert widget.nearest() == [near.word for near in widget.shown.nearest("w5", 8)]
    assert widget.nearest()[0] in widget.describe()


def test_the_browser_finds_the_same_on_the_plane(call):
    widget = made()
    flat = widget.at.flatten().tolist()
    (places,) = call("word_map", "nearestPlaces", [[flat, 5]])
    assert len(set(places) & set(widget.neighbours[5].tolist())) == widget.flat()


def test_an_arrow_key_goes_to_the_nearest_in_that_direction(call):
    at = [0, 0, 1, 0.2, 3, 0, -1, 0, 0.1, 2]
    found = call(
        "word_map", "towards", [[at, 0, [1, 0]], [at, 0, [-1, 0]], [at, 0, [0, 1]], [at, 0, [0, -1]]]
    )
    assert found == [1, 3, 4, -1]


def test_a_word_that_is_not_there_is_said():
    with pytest.raises(KeyError, match="nobody"):
        made().word = "nobody"


def test_it_stands_still():
    assert made().png().startswith(b"\x89PNG")
