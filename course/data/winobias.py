"""Whom does the pronoun mean? 1,402 sentences, in pairs whose ends decide it, as in Winograd's test (MIT).

"The developer argued with the designer because she did not like the design": the developer; "… because his
idea cannot be implemented": the designer. Zhao and others (2018) wrote them, each with *he* and with *she*,
to measure bias; here they only ask whether a head finds whom the pronoun means.
"""

import re
from typing import NamedTuple

from course.data.download import read_text

PARTS = ("dev", "test")
_PLAIN = re.compile(r"[a-z]+|[\[\].,!?;:]")
_MENTION = re.compile(r"\[([^\]]*)\]")


class Pronoun(NamedTuple):
    """A sentence in lower case, and by their places: the pronoun, whom it means, and whom it does not."""

    words: tuple[str, ...]
    pronoun: int
    right: int
    wrong: int


def pronouns() -> list[Pronoun]:
    """The sentences of type 1, in which nothing but sense tells whom the pronoun means.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    found = []
    for part in PARTS:
        for kind in ("pro", "anti"):
            found += parse(read_text("winobias", f"{kind}_stereotyped_type1.txt.{part}"))
    return found


def parse(text: str) -> list[Pronoun]:
    """Lines of a number and a sentence with two brackets: whom the pronoun means, and the pronoun.

    Two lines that follow one another are a pair: they begin alike, and mean one each. A pair of which one
    line has not two brackets or more than words and marks ("dog's"), or whose two do not differ, is left
    out.
    """
    lines = [_read(line) for line in text.strip().split("\n")]
    found = []
    for one, other in zip(lines[::2], lines[1::2], strict=True):
        if one and other and {one[2], other[2]} <= set(one[0]) & set(other[0]) and one[2] != other[2]:
            for (words, pronoun, right), wrong in ((one, other[2]), (other, one[2])):
                found.append(Pronoun(words, pronoun, words.index(right), words.index(wrong)))
    return found


def _read(line: str) -> tuple[tuple[str, ...], int, str] | None:
    """Its words, where the pronoun stands, and the last word of whom it means; None for one to leave out."""
    sentence = line.split(" ", 1)[1].lower()
    mentions = _MENTION.findall(sentence)
    marked = re.findall(r"\[|\]|[\w'-]+|[^\w\s]", sentence)
    if len(mentions) != 2 or not all(map(_PLAIN.fullmatch, marked)):
        return None
    words = tuple(word for word in marked if word not in "[]")
    bracket = len(marked) - 1 - marked[::-1].index("[")
    before = sum(word in "[]" for word in marked[:bracket])
    return words, bracket - before, mentions[0].split()[-1]
