"""Scenes of shapes: what is drawn is what is asked for, what is said is true, and what is new is new."""

import numpy as np
import pytest
import torch

from course.data import shapes
from course.data.shapes import COLOURS, GROUND, KINDS, PLACES, THINGS, caption, draw, held_out, random_scenes


def test_there_are_enough_of_everything_and_no_two_things_look_alike():
    assert len(KINDS) >= 6 and len(COLOURS) >= 6 and len(PLACES) == 9
    flat = torch.from_numpy(shapes.tiles()).flatten(1)
    assert torch.cdist(flat, flat).fill_diagonal_(9).min() > 0.5 and len(flat) == THINGS + 1


def test_a_thing_is_drawn_at_its_place_in_its_colour_and_nowhere_else():
    for number, place in ((1, 0), (17, 4), (48, 8), (30, 5)):
        scene = torch.zeros(9, dtype=torch.long)
        scene[place] = number
        picture = draw(scene)
        row, column = (12 * x for x in divmod(place, 3))
        tile = picture[:, row : row + 12, column : column + 12]
        kind, colour = shapes.kind_and_colour(number)
        assert shapes.thing(kind, colour) == number
        middle = tile[:, 1, 6] if kind == "ring" else tile[:, 6, 6]
        assert middle.tolist() == pytest.approx(COLOURS[colour], abs=0.02)
        rest = picture.clone()
        rest[:, row : row + 12, column : column + 12] = torch.tensor(GROUND)[:, None, None]
        assert torch.equal(rest, draw(torch.zeros(9, dtype=torch.long)))


def test_a_batch_is_drawn_as_each_scene_is():
    scenes = torch.from_numpy(random_scenes(6)).unflatten(0, (2, 3))
    assert torch.equal(draw(scenes)[1, 2], draw(scenes[1, 2]))


@pytest.mark.parametrize(
    "scene", [torch.zeros(8, dtype=torch.long), torch.full((9,), 49), torch.full((9,), -1)]
)
def test_what_is_no_scene_is_refused(scene):
    with pytest.raises(ValueError, match="9 numbers from 0 to 48"):
        draw(scene)


def test_what_is_kept_back_is_never_drawn_for_training_and_all_there_is_for_the_test():
    kept = held_out()
    assert kept[1:].sum(0).tolist() == [5] * 9 and kept.sum(1).max() == 1 and not kept[0].any()
    places = np.arange(9)
    for new in (False, True):
        scenes = random_scenes(2000, new, seed=3)
        assert set((scenes > 0).sum(1)) == {2, 3}
        assert (kept[scenes, places] == new)[scenes > 0].all()
    seen = np.zeros_like(kept)
    for scene in random_scenes(20_000, seed=1):
        seen[scene, places] = True
    assert (seen[1:] == ~kept[1:]).all(), "everything else is seen"


def test_every_word_of_a_caption_is_in_the_vocabulary_and_says_what_is_there():
    random, words = np.random.default_rng(0), set(shapes.vocabulary())
    longest = 0
    for scene in random_scenes(3000, seed=2):
        text = caption(scene, random)
        said = shapes.split_words(text)
        longest = max(longest, len(said))
        assert set(said) <= words
        for place in np.flatnonzero(scene):
            kind, colour = shapes.kind_and_colour(scene[place])
            assert kind in said and colour in said
    assert longest <= 32


def test_a_vague_caption_leaves_a_colour_or_a_place_out():
    scene = np.zeros(9, dtype=int)
    scene[0] = shapes.thing("star", "red")
    texts = {caption(scene, np.random.default_rng(i), vague=1.0) for i in range(40)}
    assert "a red star" in texts and any("red" not in text for text in texts)


def test_words_are_read_however_they_are_typed():
    assert shapes.split_words("A red  Circle; top left. And...a Star!") == [
        "a",
        "red",
        "circle",
        ",",
        "top",
        "left",
        ",",
        "and",
        ",",
        "a",
        "star",
    ]
    assert shapes.split_words("a star,") == ["a", "star"] and shapes.split_words(" ,. ") == []
    with pytest.raises(ValueError, match="'pink' is none of red"):
        shapes.thing("star", "pink")
