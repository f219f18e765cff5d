"""Scenes: things where they are said to be, photographs kept apart, the same again from the same seed."""

import pytest
import torch

from course.data import scenes
from course.data.scenes import CELL, GRID, KINDS, SIDE, SPRITE, THINGS


def test_a_scene_holds_one_thing_of_each_kind_at_its_place():
    drawn = scenes.draw(20, seed=5)
    assert drawn.images.shape == (20, 3, SIDE, SIDE) and drawn.images.min() >= 0 and drawn.images.max() <= 1
    for kind in range(len(KINDS)):
        assert ((drawn.things[:, kind] // 6) == kind).all()
    covered = drawn.cover.sum((-1, -2)) * CELL**2  # points
    assert (covered > 100).all() and (covered <= SPRITE**2).all()
    assert len(THINGS) == 18 and drawn.cover.shape == (20, 3, GRID, GRID)


def test_things_do_not_lie_over_one_another():
    assert (scenes.draw(50, seed=1).cover.sum(1) <= 1 + 1e-5).all()


def test_cells_are_those_that_are_covered_enough():
    drawn = scenes.draw(3, seed=2)
    assert torch.equal(drawn.cells(0.5), (drawn.cover >= 0.5).flatten(-2))
    assert drawn.cells().any(-1).all()


def test_the_same_seed_gives_the_same_scenes_and_photographs_are_kept_apart():
    a, b, other = scenes.draw(4, seed=3), scenes.draw(4, seed=3), scenes.draw(4, "held out", seed=3)
    assert torch.equal(a.images, b.images) and not torch.equal(a.images, other.images)
    assert set(scenes.PHOTOS["train"]).isdisjoint(scenes.PHOTOS["held out"])
    with pytest.raises(ValueError, match="photos must be one of 'train', 'held out'; got 'all'"):
        scenes.draw(1, "all")


def test_the_art_is_credited():
    credits = (scenes.ART / "README.md").read_text(encoding="utf-8")
    assert all(
        word in credits for word in ("CC BY 4.0", "CC BY 2.0", "CC0", "NASA", "vultilion", "danielbuechele")
    )
