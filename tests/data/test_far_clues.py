"""Texts with a clue far back: one length a size, and the clue where it is said to be."""

import random

import pytest

from course.data import far_clues


@pytest.mark.parametrize("people, fillers", [(1, 0), (1, 5), (4, 0), (12, 3)])
def test_the_country_stands_where_it_is_said_to(people, fillers):
    draw, lengths = random.Random(0), set()
    for _ in range(50):
        words, language, back = far_clues.text(people, fillers, draw)
        country = words[-back]
        assert far_clues.LANGUAGES[country] == language
        assert (
            words[-3] == words[len(words) - back - 4]
        )  # the person asked about is the one who was named with it
        lengths.add(len(words))
    assert lengths == {6 * people + 7 * fillers + 4}


def test_every_person_and_every_country_is_asked_about():
    draw = random.Random(1)
    texts = [far_clues.text(3, 1, draw) for _ in range(600)]
    assert {language for _, language, _ in texts} == set(far_clues.LANGUAGES.values())
    assert {words[-3] for words, _, _ in texts} == set(far_clues.PEOPLE)
    assert {back for _, _, back in texts} == {13, 19, 25}


def test_words_have_numbers_and_strangers_have_none():
    words = far_clues.vocabulary()
    assert far_clues.encode(words) == list(range(len(words))) and not any("{" in word for word in words)
    assert not set(far_clues.LANGUAGES.values()) & set(words)  # an answer is never read
    with pytest.raises(ValueError, match=r"not among .* Spain"):
        far_clues.encode(["I", "Spain"])


@pytest.mark.parametrize("size", [(0, 1), (13, 1), (1, -1)])
def test_sizes_that_do_not_exist_are_refused(size):
    with pytest.raises(ValueError, match="1 to 12 people"):
        far_clues.text(*size, random.Random(0))
