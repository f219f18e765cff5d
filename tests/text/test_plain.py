"""Plain typing and bare words."""

from hypothesis import given
from hypothesis import strategies as st

from course.text.plain import bare_words, plain_text


def test_spaces_apostrophes_and_accents_are_typed_plainly():
    assert (
        plain_text(" L\u2019e\u0301te\u0301\u202f! 10\u00a0000\u2009km co\u00adop\u200b ")
        == "L'été ! 10 000 km coop"
    )


@given(st.text())
def test_typing_plainly_once_is_enough(text):
    assert plain_text(plain_text(text)) == plain_text(text)


def test_case_and_punctuation_are_not_words():
    assert (
        bare_words("« Qu'est-ce que c'est ?! »")
        == bare_words("QU\u2019EST CE QUE C EST")
        == "qu est ce que c est"
    )
