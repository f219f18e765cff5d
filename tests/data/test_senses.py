"""The French beside a sentence says which sense its word has; nothing else does."""

import pytest

from course.data import senses
from course.data.tatoeba import Pair

PAIRS = [
    Pair("je sais nager.", "I know how to swim."),
    Pair("je le connais.", "I know him."),
    Pair("je le sais.", "I know."),
    Pair("je connais ça.", "I know."),
    Pair("tu sais que je sais.", "You know I know."),
    Pair("je comprends.", "I know what it is."),
    Pair("il savait.", "He knew."),
]


def test_the_label_is_the_french_word_and_what_is_unclear_is_left_out():
    found = [x for part in senses.split(PAIRS) for x in part]
    assert sorted(found) == [("I know him.", "connaître"), ("I know how to swim.", "savoir")]


def test_a_sentence_is_in_one_part_alone_and_always_in_the_same():
    pairs = [Pair(f"je sais {n}.", f"I know {n}.") for n in range(300)]
    corpus = senses.split(pairs)
    assert len(corpus.train) + len(corpus.test) == 300 and 60 < len(corpus.test) < 140
    assert all(senses.held_out(x.text) for x in corpus.test)
    assert senses.split(pairs[::-1]).test == corpus.test[::-1]


def test_forms_of_other_words_are_not_taken_for_it():
    found = senses.split([Pair("longtemps.", "A long time."), Pair("deux fois.", "The second time.")], "time")
    assert {x.label for part in found for x in part} == {"temps", "fois"}
    with pytest.raises(ValueError, match="know, time, like; got 'bank'"):
        senses.of("bank")


def test_the_real_sentences(real_data):
    corpus = senses.know()
    assert (len(corpus.train), len(corpus.test)) == (1566, 785)
    assert {x.text for x in corpus.train}.isdisjoint(x.text for x in corpus.test)
