"""A vocabulary of characters loses nothing, refuses what it does not know, and survives saving."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.text.characters import Characters


@given(st.text(min_size=1))
def test_a_text_comes_back(text):
    characters = Characters(text)
    ids = characters.encode(text)
    assert characters.decode(ids) == text
    assert characters.pieces(ids) == list(text)
    assert set(ids) == set(range(len(characters)))


def test_ids_are_in_the_order_of_code_points_and_survive_saving(tmp_path):
    characters = Characters("b\na中a")
    characters.save(tmp_path / "characters.json")
    loaded = Characters.load(tmp_path / "characters.json")
    assert loaded.characters == characters.characters == ["\n", "a", "b", "中"]
    assert loaded.encode("ba") == [2, 1]


def test_what_it_does_not_know_is_named():
    with pytest.raises(ValueError, match="not in this vocabulary: 'xy'"):
        Characters("abc").encode("yaxy")
    with pytest.raises(ValueError, match="at least one"):
        Characters("")
