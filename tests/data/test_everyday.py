"""Stories fall into their sentences, nothing is lost, and nothing held out is trained on."""

from hypothesis import given
from hypothesis import strategies as st

from course.data import everyday
from course.text.plain import bare_words

words = st.lists(st.sampled_from(["lily", "ran", "3.5", "mr", '"yes', "it's"]), min_size=1, max_size=5)
marks = st.sampled_from([".", "!", "?", '."', '!"', "?'", "..."])


@given(st.lists(st.tuples(words, marks), min_size=1, max_size=6), st.sampled_from([" ", "\n\n", "  "]))
def test_a_text_is_cut_after_each_mark_that_ends_a_sentence(parts, between):
    expected = [" ".join(found) + mark for found, mark in parts]
    assert everyday.sentences(between.join(expected)) == expected


def test_a_number_and_a_line_break_within_a_sentence_end_none():
    assert everyday.sentences("it cost 3.5\neuros. why? ") == ["it cost 3.5 euros.", "why?"]


def test_a_story_of_one_sentence_is_no_document():
    assert everyday.documents(["one two.", "one. two.", ""]) == [["one.", "two."]]


def test_the_real_corpus_keeps_apart_what_it_holds_out(real_data):
    train, validation = everyday.english()
    assert len(validation.stories) >= 240 and len(validation.sentences) == 1_000
    assert len(train.stories) > 4_500 and len(train.sentences) > 90_000
    trained = {bare_words(sentence) for sentence in train.sentences}
    assert trained.isdisjoint(bare_words(sentence) for sentence in validation.sentences)
    stories = {" ".join(story) for story in train.stories}
    assert stories.isdisjoint(" ".join(story) for story in validation.stories)
    assert all(len(story) > 1 and all(story) for story in train.stories)
