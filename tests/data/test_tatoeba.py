"""The split of Tatoeba keeps every tested sentence out of training."""

import random
from statistics import correlation

import pytest

from course.data import multi30k, read_text, tatoeba
from course.data.tatoeba import Pair, parse, split
from course.text.plain import bare_words


def sentences(n: int) -> list[Pair]:
    return [Pair(f"Voici la phrase numéro {i}.", f"Here is sentence {i}.") for i in range(n)]


def sides(pairs, side: str) -> set[str]:
    return {bare_words(getattr(pair, side)) for pair in pairs}


def test_lines_become_plainly_typed_pairs():
    text = "Wait!\tAttends\u202f!\nWho is it?\tQui est-ce\u00a0?\tCC-BY\r\nIt\u2019s me.\tC\u2019est moi.\n"
    expected = [
        Pair("Attends !", "Wait!"),
        Pair("Qui est-ce ?", "Who is it?"),
        Pair("C'est moi.", "It's me."),
    ]
    assert parse(text) == expected


def test_sizes_and_that_a_pair_goes_to_one_side_only():
    corpus = split(sentences(100), held_out=10)
    assert (len(corpus.train), len(corpus.validation), len(corpus.test)) == (80, 10, 10)
    assert sorted([*corpus.train, *corpus.validation, *corpus.test]) == sorted(sentences(100))


def test_the_split_depends_on_neither_order_nor_chance():
    pairs = sentences(100)
    corpus = split(pairs, held_out=10)
    random.Random(0).shuffle(pairs)
    shuffled = split(pairs, held_out=10)
    assert shuffled.test == corpus.test and shuffled.validation == corpus.validation
    assert set(shuffled.train) == set(corpus.train)


def test_translations_of_a_held_out_sentence_are_not_trained_on():
    twice = [Pair(pair.french.replace("Voici", "Voilà"), pair.english) for pair in sentences(100)]
    corpus = split([*sentences(100), *twice], held_out=10)
    assert len(corpus.test) == 10 and len(corpus.train) == 160
    assert sides(corpus.train, "english").isdisjoint(sides(corpus.test, "english"))


def test_a_held_out_sentence_differing_in_case_or_punctuation_is_not_trained_on():
    held = split(sentences(100), held_out=10).test[0]
    shouted = [
        Pair("Autre chose.", held.english.upper() + "!!"),
        Pair(held.french.upper(), "Something else."),
    ]
    assert set(shouted).isdisjoint(split([*sentences(100), *shouted], held_out=10).train)


def test_the_published_test_is_not_trained_on():
    published = [
        Pair("VOICI la phrase numéro 5 !", "Over here: five."),
        Pair("La sept.", "here is sentence 7"),
    ]
    corpus = split(sentences(100), published, held_out=1)
    assert corpus.laser == published
    for number in (5, 7):
        assert sentences(100)[number] not in corpus.train


def test_the_real_sentences(real_data):
    text = read_text("tatoeba_fra_eng")
    assert text.count("\n") == 142_787
    corpus = tatoeba.french_english()
    assert [len(part) for part in corpus] == [138_569, 1_000, 1_000, 1_000]
    tests = [corpus.test, corpus.validation, corpus.laser]
    for side in ("english", "french"):
        assert sides(corpus.train, side).isdisjoint(set.union(*(sides(part, side) for part in tests)))
    assert sides(corpus.test, "english").isdisjoint(sides(corpus.validation, "english"))
    assert not set("\u00a0\u202f\u2009\u200b\u00ad\u2019") & set("".join(map("".join, corpus.train)))
    assert len(set(corpus.train)) == len(corpus.train)


def test_the_captions_of_multi30k_stand_in_the_same_order(real_data):
    english, german = (multi30k.captions("test2016", language) for language in ("en", "de"))
    lengths = [[len(caption) for caption in captions] for captions in (english, german)]
    assert len(english) == len(german) == 1_000 and min(map(min, lengths)) > 5
    assert correlation(*lengths) > 0.7  # 0.85; lines of different images would have about 0


def test_an_unknown_split_of_multi30k_is_refused():
    with pytest.raises(ValueError, match="'test2016'"):
        multi30k.captions("test", "en")
