"""Sentences of the course's own with their grammar: which word belongs to which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple


class Relation(NamedTuple):
    """A word and the one that it belongs to, by their places in a sentence, from 0; ``name`` says how."""

    name: str
    word: int
    head: int


class Parsed(NamedTuple):
    """The words of a sentence, in lower case, which belongs to which, and their parts of speech, if known."""

    words: tuple[str, ...]
    relations: tuple[Relation, ...]
    tags: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The sentence, a space between words."""
        return " ".join(self.words)


def parsed_sentences() -> list[Parsed]:
    """Sentences of our own (CC0) with their relations, written by hand: determiners and adjectives of a noun,
    subjects and objects of a verb, and what a pronoun stands for."""
    file = Path(__file__).with_name("parsed_sentences.json")
    rows = json.loads(file.read_text(encoding="utf-8"))["sentences"]
    return [
        Parsed(tuple(row["words"].split()), tuple(Relation(*one) for one in row["relations"])) for row in rows
    ]
