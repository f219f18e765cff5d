"""Our own sentences of a treaty's register: enough of them, agreeing, and without the lecture's."""

import pytest

from course.data import treaties
from course.data.treaties import sentences

LECTURE = "L'accord sur la zone économique européenne a été signé en août 1992."


def test_they_differ_and_are_the_same_every_time():
    pairs = sentences(500)
    assert len({pair.french for pair in pairs}) == 500
    assert pairs == sentences(500) and pairs != sentences(500, seed=1)


def test_more_than_there_are_is_refused():
    with pytest.raises(ValueError, match="n must lie between 0 and 3776; got 4000"):
        sentences(4000)


def test_the_grammar_cannot_write_the_sentence_of_the_lecture():
    every = {pair.french for pair in treaties._events()}
    assert not [french for french in every if LECTURE.lower().startswith(french[:53].lower())]
    assert "l'accord sur le climat a été signé à Rome" in every


def test_sentences_are_written_as_people_write_them():
    for french, english in sentences(300):
        assert french[0].isupper() and english[0].isupper()
        assert french.endswith(".") and english.endswith(".") and "  " not in french + english
        feminine = french.startswith(("La convention", "La loi", "La déclaration"))
        if " été " in french and " sur " in french:
            assert french.split(" été ")[1].split()[0].strip(".").endswith("ée" if feminine else "é")
