"""Digits: what ships is the held-out part of the file, the two parts share nothing, moving is moving."""

import pytest
import torch

from course.data import digits


def test_what_ships_is_the_held_out_part_and_nothing_of_it_is_trained_on():
    held, trained, every = digits.held_out(), digits.trained(), digits.mnist()
    assert (len(held.labels), len(trained.labels), len(every.labels)) == (2000, 8000, 10_000)
    chosen = torch.cat([torch.arange(span.start, span.stop) for span in digits.HELD_OUT])
    assert torch.equal(held.images, every.images[chosen]) and torch.equal(held.labels, every.labels[chosen])
    rows = {image.numpy().tobytes() for image in held.images}
    assert len(rows) == 2000 and not rows & {image.numpy().tobytes() for image in trained.images}


def test_pictures_are_ink_on_a_ground_of_0():
    for part in (digits.held_out(), digits.small("train"), digits.small("test")):
        assert part.images.min() == 0 and part.images.max() == 1 and part.images.mean() < 0.4
        assert part.labels.unique().tolist() == list(range(10))
    assert digits.small("train").images.shape == (1400, 1, 8, 8) and len(digits.small("test").labels) == 397
    with pytest.raises(ValueError, match="'train' or 'test'; got 'all'"):
        digits.small("all")


def test_some_digits_alone():
    some = digits.held_out().of(3, 8)
    assert set(some.labels.tolist()) == {3, 8} and len(some.images) == len(some.labels)


def test_shifting_moves_a_picture_and_no_more():
    images = torch.zeros(50, 1, 7, 9)
    images[:, 0, 3, 4] = 1
    moved = digits.shifted(images, 2, torch.Generator().manual_seed(0))
    assert moved.shape == images.shape and torch.equal(moved.sum((1, 2, 3)), torch.ones(50))
    places = moved[:, 0].nonzero()[:, 1:]
    assert (places - torch.tensor([3, 4])).abs().max() == 2 and len(places.unique(dim=0)) > 15
    whole = torch.rand(3, 2, 4, 4)
    same = digits.shifted(whole, 0, torch.Generator().manual_seed(0))
    assert torch.equal(same, whole)


def test_it_is_credited():
    said = (digits.FOLDER / "README.md").read_text(encoding="utf-8")
    for words in ("CC BY-SA 3.0", "LeCun", "Cortes", "Alpaydin", "espeak-ng", "UniProt", "CC BY 4.0", "MIT"):
        assert words in said
