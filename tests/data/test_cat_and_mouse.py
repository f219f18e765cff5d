"""Tom, Jerry and their friends: links that fit their words, and the lecture's sentence kept back."""

import pytest

from course.data import cat_and_mouse
from course.data.cat_and_mouse import ANIMALS, HOW_OFTEN, KINDS, NAMES, PLACES, TIMES, VERBS

DICTIONARY = {**NAMES, **ANIMALS, **KINDS, **PLACES, **TIMES, **HOW_OFTEN, **VERBS}
SOME = cat_and_mouse.sentences(400)


def test_every_link_joins_a_word_and_its_meaning():
    for one in SOME:
        english, chinese = one.english.split(), one.chinese.split()
        for e, c in one.links:
            word = english[e]
            known = {DICTIONARY.get(w) for w in (word, word.removesuffix("s"), word.removesuffix("es"))}
            assert chinese[c] in known or (word, chinese[c]) in {("in", "在"), ("in", "里")}
        assert {c for _, c in one.links} == set(range(len(chinese))), "every Chinese word has a source"


def test_they_differ_and_the_lectures_three_words_are_never_together():
    assert len({s.english for s in SOME}) == 400 and cat_and_mouse.sentences(400) == SOME
    for one in cat_and_mouse.sentences(3000, seed=4):
        assert not (one.english.startswith(("Tom chase", "Tom often chase")) and " Jerry" in one.english)
    assert cat_and_mouse.lecture_sentence().chinese == "汤姆 追逐 杰瑞"


def test_chinese_puts_time_and_place_before_the_verb():
    timed = next(s for s in SOME if s.english.endswith("today") and "in the" in s.english)
    words = timed.chinese.split()
    verb = next(w for w in words if w in VERBS.values())
    assert words.index("今天") < words.index("在") < words.index(verb)


def test_too_many_are_refused():
    with pytest.raises(ValueError, match="got n=1000000"):
        cat_and_mouse.sentences(1_000_000)
