"""Sentences of parliament: French first, counted from 0, sure links among the possible ones."""

from course.data import hansards


def test_links_are_turned_and_counted_from_nought():
    pair = hansards._pair("hear , hear !   ||| bravo !  ", "1p1 4-2")
    assert (pair.french, pair.english) == ("bravo !", "hear , hear !")
    assert pair.sure == {(1, 3)} and pair.possible == {(0, 0), (1, 3)}


def test_the_real_file_has_447_pairs(real_data):
    pairs = hansards.aligned_pairs()
    assert len(pairs) == 447
    for pair in pairs:
        assert pair.sure <= pair.possible
        assert all(f < len(pair.french.split()) and e < len(pair.english.split()) for f, e in pair.possible)
