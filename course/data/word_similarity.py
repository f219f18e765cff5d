"""How alike two words are to people: WordSim-353, SimLex-999, MEN. To score with, never shipped."""

from __future__ import annotations

from typing import NamedTuple

from course.data.download import read_text

LISTS = {
    "WordSim-353": "EN-WS-353-ALL.txt",
    "SimLex-999": "EN-SIMLEX-999.txt",
    "MEN": "EN-MEN-TR-3k.txt",
}


class Judged(NamedTuple):
    """Two words, in lower case, and how alike people found them; every list has a scale of its own."""

    first: str
    second: str
    score: float


def judgements(name: str) -> list[Judged]:
    """The pairs of one of ``LISTS``: how *related* they are, but in SimLex how *similar* (coffee is no cup).

    Raises:
        ValueError: if there is no list of that name; DownloadError: as ``course.data.path``.
    """
    if name not in LISTS:
        raise ValueError(f"a list is one of {', '.join(LISTS)}; got {name!r}")
    return parse(read_text("word_similarity", LISTS[name]))


def parse(text: str) -> list[Judged]:
    """Two words and a number a line."""
    rows = (line.lower().split() for line in text.splitlines() if line.strip())
    return [Judged(first, second, float(score)) for first, second, score in rows]
