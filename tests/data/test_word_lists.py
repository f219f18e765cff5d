"""Tales, analogies and judgements are read as their files are; what is no tale is left out."""

import pytest

from course.data import analogies, fairy_tales, python_manual, word_similarity
from course.data.word_similarity import Judged


def test_questions_are_read_by_section():
    text = ": capital-common\nAthens Greece Oslo Norway\n: family\nboy girl king queen\nBoy Girl King Queen\n"
    assert analogies.parse(text, {"boy", "girl", "king", "queen"}) == {
        "family": [("boy", "girl", "king", "queen")]
    }
    assert list(analogies.parse(text)) == ["capital-common", "family"]


def test_judgements_are_two_words_and_a_number():
    assert word_similarity.parse("Tiger\tcat\t7.35\n\nlove sex 6.77\n")[0] == Judged("tiger", "cat", 7.35)
    with pytest.raises(ValueError, match="WordSim-353"):
        word_similarity.judgements("mine")


def test_a_text_becomes_sentences_of_words():
    found = fairy_tales.split('"Don\u2019t go!" said the king\'s son. Yes.\n\nHe went;\nshe stayed')
    assert found == [["don't", "go"], ["said", "the", "king", "s", "son"], ["he", "went"], ["she", "stayed"]]


def test_the_real_texts(real_data):
    sentences = fairy_tales.sentences()
    assert 900_000 < fairy_tales.count_words(sentences) < 1_000_000
    assert sentences[-1][-1] == "further" and not any("gutenberg" in s for s in sentences)
    assert len(analogies.questions(["boy", "girl", "king", "queen"])["family"]) == 2
    assert len(word_similarity.judgements("SimLex-999")) == 999


def test_pythons_manual_is_real_prose_on_every_disk():
    sentences = python_manual.sentences()
    assert len(python_manual.text()) > 300_000 and sum(map(len, sentences)) > 40_000
    assert all(len(words) > 1 for words in sentences) and any("tuple" in words for words in sentences)
