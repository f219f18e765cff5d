"""Registers are read as they should be, and nothing that the course tests with is among what BERT reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.data import mixed, registers, senses, squadshifts
from course.data.overlap import RUN, TestTexts
from course.data.tatoeba import Pair
from course.text.plain import bare_words

WORDS = st.lists(st.sampled_from(["a", "be", "see", "dog", "cat", "runs", "to", "the"]), max_size=20)
NINE = "it was a dark and stormy night outside"  # eight words


# -- overlap --


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=4))
def test_no_sentence_that_is_left_shares_a_run_or_is_a_test_text(tested, document):
    tested, document = ([" ".join(words) for words in part] for part in (tested, document))
    for left in TestTexts(tested).without([document]):
        for sentence in left:
            words = sentence.split()
            runs = {" ".join(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}
            assert not any(f" {run} " in f" {text} " for run in runs for text in tested)
            assert not 1 < len(words) < RUN or sentence not in tested
        assert left == [sentence for sentence in document if sentence in left]


def test_a_run_across_two_sentences_takes_both_and_a_shorter_one_none():
    document = ["Well.", "It was a dark", "AND stormy, night outside!", "So it was a dark and stormy night."]
    assert TestTexts([f"once {NINE} the house"]).touched(document) == {1, 2}
    assert TestTexts(["It was a dark and stormy day outside the house"]).touched(document) == set()


def test_a_short_test_text_is_looked_for_as_a_whole():
    texts = TestTexts(["I know.", "Yes"])
    assert texts.touched(["I know!", "I know him.", "Yes."]) == {0}  # of one word anybody may say anything


# -- held out --


def test_what_is_held_out_depends_on_the_words_alone():
    documents = [[f"{number}."] for number in range(200)]
    train, held_out = mixed.split(documents)
    assert len(held_out) == 4 and len(train) == 196
    assert mixed.split([*reversed(documents), ["7."]]) == (train, held_out)


# -- registers --


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Hugh met Dr. No. He ran!", ["Mr. Hugh met Dr. No.", "He ran!"]),
        ("“Stop!” she said. “Why?”", ['"Stop!" she said.', '"Why?"']),
        ("It cost 3.5 euros. (Not much.) So?", ["It cost 3.5 euros.", "(Not much.)", "So?"]),
        ("it—no, that… was it", ["it - no, that... was it"]),
    ],
)
def test_sentences_of_ordinary_prose(text, expected):
    assert registers.sentences(text) == expected


def test_in_any_case_a_small_letter_begins_a_sentence_too():
    assert registers.sentences("he ran. he fell.", any_case=True) == ["he ran.", "he fell."]
    assert registers.sentences("he ran. he fell.") == ["he ran. he fell."]


# -- senses --


def test_a_sentence_is_labelled_by_its_only_french_verb():
    pairs = [
        Pair("Je sais.", "I know."),
        Pair("Je le connais.", "I know him."),
        Pair("Je ne sais pas si je le connais.", "I do not know."),
        Pair("Vous savez nager.", "You can swim."),
        Pair("Tu sais.", "You know, I know."),
    ]
    train, test = senses.split(pairs)
    found = {x.text: x.label for x in [*train, *test]}
    assert found == {"I know.": "savoir", "I know him.": "connaître"}
    assert all(senses.held_out(x.text) for x in test) and not any(senses.held_out(x.text) for x in train)


# -- the real text --


def test_the_real_text_holds_no_text_that_the_course_tests_with(real_data):
    corpus = mixed.english()
    tested = TestTexts(mixed.tested_with())
    assert len(tested.runs) > 300_000
    for name in registers.READERS:
        train, held_out = corpus.train[name], corpus.validation[name]
        assert train and held_out
        for document in train[::20] + held_out:
            bare = [bare_words(sentence) for sentence in document]
            assert tested.short.isdisjoint(bare), name
            for words in map(str.split, bare):
                assert tested.runs.isdisjoint(zip(*(words[i:] for i in range(RUN)), strict=False)), name
        once = {"\n".join(document) for document in train}
        assert len(once) == len(train) and once.isdisjoint("\n".join(document) for document in held_out)


def test_the_real_questions_about_paragraphs_held_out_are_about_no_other(real_data):
    train, test = squadshifts.questions()
    assert len(train) + len(test) == 27_626 and 2_000 < len(test) < 3_500
    assert {q.context for q in train}.isdisjoint(q.context for q in test)


def test_the_real_senses(real_data):
    train, test = senses.know()
    assert len(train) > 1_500 and len(test) > 700
    assert sum(x.label == "connaître" for x in test) > 150
    assert {x.text for x in train}.isdisjoint(x.text for x in test)
