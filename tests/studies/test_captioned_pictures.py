"""Scores of pictures: a square too many counts where it should; the baseline finds what is nearest."""

import torch

from course.data.shapes import thing
from course.studies.captioned_pictures import (
    NearestCaption,
    by_place,
    looks_at_its_part,
    parts_of,
    picture_scores,
    things_right,
)


def test_the_tokens_of_a_place_are_its_three_by_three():
    tokens = torch.arange(81)
    places = by_place(tokens)
    assert places[0].tolist() == [0, 1, 2, 9, 10, 11, 18, 19, 20]
    assert places[5].tolist() == [33, 34, 35, 42, 43, 44, 51, 52, 53]
    assert torch.equal(by_place(tokens.expand(2, 81))[1], places)


def test_one_wrong_token_spoils_a_picture_and_its_thing_alone():
    wanted, scenes = torch.arange(81).repeat(2, 1), torch.zeros(2, 9, dtype=torch.long)
    scenes[:, 0], scenes[:, 4] = 3, 7
    drawn = wanted.clone()
    drawn[1, 10] = 99
    assert things_right(drawn, wanted, scenes).tolist() == [True, True, False, True]
    found = picture_scores(drawn, wanted, scenes)
    assert (found["exact"], found["things"]) == (0.5, 0.75)
    assert found["tokens"] == round(161 / 162, 4) and found["tokens on things"] == round(35 / 36, 4)
    assert found["low"] < 0.5 < found["high"] and found["pictures"] == 2
    drawn[1, 10], drawn[0, 80] = 10, 5  # on the ground, where there is no thing
    found = picture_scores(drawn, wanted, scenes)
    assert (found["exact"], found["things"], found["tokens on things"]) == (0.5, 1.0, 1.0)


def test_the_baseline_gives_the_picture_of_the_most_similar_caption():
    captions = ["a red star top left", "a blue ring in the middle", "a red ring top left and a blue star"]
    pictures = torch.arange(3)[:, None].expand(3, 81)
    nearest = NearestCaption(captions, pictures)
    assert nearest(captions)[:, 0].tolist() == [0, 1, 2]
    asked = ["a blue ring, middle", "a black star top left", "in the middle"]
    assert nearest.nearest(asked).tolist() == [1, 0, 1]


def test_attention_on_a_things_own_part_of_the_caption():
    words = ["a", "red", "star", ",", "and", "a", "blue", "ring", "left"]
    assert parts_of(words) == [[0, 1, 2, 3, 4], [5, 6, 7, 8]] and parts_of([]) == []
    scene = torch.zeros(9, dtype=torch.long)
    scene[0], scene[3] = thing("star", "red"), thing("ring", "blue")
    to_words = torch.zeros(2, 3, 81, 9)
    star = by_place(torch.arange(81))[0]
    to_words[0, :, star, 2], to_words[0, :, star, 3] = 0.5, 0.25  # layer 1: on "star", and on the comma
    to_words[1, 0, star, 6] = 0.6  # layer 2, one head of three: on "blue"
    found = looks_at_its_part(to_words, words, scene)
    torch.testing.assert_close(found, torch.tensor([[[0.5, 0.25, 0.0], [0.0, 0.0, 0.2]]]))
    twice = [*words, ",", "a", "red", "star", ",", "a"]
    assert len(looks_at_its_part(torch.zeros(2, 3, 81, 15), twice, scene)) == 1, "the ring alone"
