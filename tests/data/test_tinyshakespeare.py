"""Shakespeare's plays are split as nanoGPT splits them."""

from course.data import read_text, tinyshakespeare
from course.data.tinyshakespeare import split


def test_the_last_tenth_is_held_out():
    corpus = split("abcdefghijklmnopqrstu")
    assert (corpus.train, corpus.validation) == ("abcdefghijklmnopqr", "stu")
    assert len(corpus.characters) == 21


def test_the_real_plays(real_data):
    corpus = tinyshakespeare.plays()
    assert (len(corpus.train), len(corpus.validation), len(corpus.characters)) == (1_003_854, 111_540, 65)
    assert corpus.train + corpus.validation == read_text("tinyshakespeare")
