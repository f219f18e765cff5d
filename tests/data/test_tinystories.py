"""Stories are taken whole, each once, and those held out depend on their words alone."""

import random

from course.data.tinystories import SHORTEST, parse, split


def story(i: int) -> str:
    return f"once upon a time there was a cat named number {i}." + "\n\nthe cat sat." * 10


def test_a_single_newline_ends_a_story_and_an_empty_line_does_not():
    stories = [story(i) for i in range(5)]
    assert parse("\n".join(stories) + "\n") == stories


def test_torn_garbled_and_repeated_stories_are_left_out():
    garbled, torn = story(1).replace("cat sat", "cat said, â€œhi"), "the end." * 5
    assert len(torn) < SHORTEST
    assert parse("\n".join([story(0), garbled, torn, story(0), story(2)])) == [story(0), story(2)]


def test_the_split_depends_on_neither_order_nor_chance():
    stories = [story(i) for i in range(60)]
    corpus = split(stories, held_out=7)
    assert len(corpus.validation) == 7 and sorted([*corpus.train, *corpus.validation]) == sorted(stories)
    random.Random(0).shuffle(stories)
    assert split(stories, held_out=7) == corpus
