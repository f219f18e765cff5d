"""Labels: what could not be seen is shown, and which text needs a font of its own."""

import pytest

from course import fonts


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("the", "the"),
        (" ", "␣"),
        ("\n\t", "↵→"),
        ("", "∅"),
        ("a\x00b", "a\ufffdb"),
        ("\u202egnirts", "\ufffdgnirts"),
        ("internationalisation", "internationali"[:13] + "…"),
        ("$x$", "$x$"),
    ],
)
def test_a_label_shows_what_could_not_be_seen_and_cuts_what_is_long(token, shown):
    assert fonts.elide(token) == shown


@pytest.mark.parametrize(
    ("text", "needed"), [("我", True), ("あ", True), ("한", True), ("ж", False), ("🙂", False)]
)
def test_which_text_needs_such_a_font(text, needed):
    assert fonts.needs_cjk(text) is needed
