"""The sentences that the course aligned by hand are its own: no translator was trained on them."""

from course.data.aligned_sentences import aligned_sentences
from course.text.plain import bare_words
from course.training.recipes import translator


def test_no_sentence_aligned_by_hand_was_trained_on(real_data):
    sides = zip(*translator.corpus().train, strict=True)
    french, english = ({bare_words(sentence) for sentence in side} for side in sides)
    assert french.isdisjoint(bare_words(pair.french) for pair in aligned_sentences())
    assert english.isdisjoint(bare_words(pair.english) for pair in aligned_sentences())
