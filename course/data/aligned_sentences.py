"""Sentences of the course's own with their translations, and which word means which, aligned by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

Links = frozenset[tuple[int, int]]


_SENTENCES = Path(__file__).with_name("aligned_sentences.json")


@dataclass(frozen=True)
class AlignedPair:
    """A sentence, its translation, and links between their words, made by a person.

    ``sure`` links say that two words mean the same, ``possible`` ones that one may say so; every sure link is
    a possible one too.

    Source: Och and Ney 2003, §6.
    """

    french: str
    english: str
    sure: Links
    possible: Links


def aligned_sentences() -> list[AlignedPair]:
    """Thirty pairs that were written, and aligned by hand, for this course; no model was trained on them."""
    rows = json.loads(_SENTENCES.read_text(encoding="utf-8"))["sentences"]
    links = [(_links(row["sure"]), _links(row["possible"])) for row in rows]
    return [
        AlignedPair(row["french"], row["english"], sure, sure | possible)
        for row, (sure, possible) in zip(rows, links, strict=True)
    ]


def _links(text: str) -> Links:
    """Links written as "0-0 1-2"."""
    return frozenset(tuple(map(int, link.split("-"))) for link in text.split())
