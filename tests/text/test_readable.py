"""Tokens of every tokenizer are shown as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.text.readable import readable, sound
from course.text.tokenizers import Tokenizer


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (["The", "Ġcat", "Ċ", "Ġsat"], ["The", " cat", "\n", " sat"]),
        (
            ["<|endoftext|>", "Ġä½", "ł", "å¥½"],
            ["<|endoftext|>", "<20><E4><BD>", "<A0>", "好"],
        ),
        (["▁The", "▁c", "at", "</s>"], [" The", " c", "at", "</s>"]),
        (["[CLS]", "play", "##ing", "[SEP]"], ["[CLS]", "play", "##ing", "[SEP]"]),
        (["Ġorġ", "u", "Marija"], ["Ġorġ", "u", "Marija"]),
        (["Ġ", "我"], ["Ġ", "我"]),
        ([b"caf", b"\xc3", b"\xa9"], ["caf", "<C3>", "<A9>"]),
        ([], []),
    ],
)
def test_a_token_is_shown_as_it_is_read(tokens, shown):
    assert readable(tokens) == shown


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_the_pieces_of_a_byte_level_vocabulary_come_out_whatever_the_text(text):
    stored = [TOKENIZER._backend.id_to_token(id) for id in TOKENIZER.encode(f"a {text}")]
    if "Ġ" in "".join(stored):
        assert "".join(readable(stored)).startswith("a")
        assert readable(stored) == TOKENIZER.pieces(TOKENIZER.encode(f"a {text}"))


TOKENIZER = Tokenizer.train(["hello world, the world says hello " * 5], 300)


def test_half_a_surrogate_pair_becomes_a_replacement_character():
    assert sound("a\ud83db🙂") == "a\ufffdb🙂"
