"""Little plays: made-up speeches in Shakespeare's letters, without end, of which the entropy is known.

Every speech names its speaker, greets, judges somebody, and takes its leave: warmly where the judgement was
kind, coldly where it was not. Which farewell fits can be known from the judgement alone, which lies
further back than a count of five characters reaches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from course.data.choices import One, chooser

SPEAKERS = ("ROMEO", "DUKE", "NURSE", "FOOL", "QUEEN", "KING", "GHOST", "EGEUS")
GREETINGS = ("Hark", "Peace", "Alas", "Come", "Soft", "Good day")
SUBJECTS = ("thou art", "he is", "she is")
JUDGEMENTS = {
    True: ("true friend", "gentle soul", "kind heart", "brave lamb", "noble mind", "merry sprite"),
    False: ("false knave", "cruel foe", "cold stone", "vile toad", "base liar", "proud rogue"),
}
FAREWELLS = {
    True: ("Bless thee", "Embrace me", "Stay", "Kiss me"),
    False: ("Away", "Begone", "Out", "No more"),
}
JUDGED = "{speaker}:\n{greeting}, {subject} a {judgement}, I say."
SPEECH = JUDGED + " {farewell}!\n\n"
CHOICES = (
    len(SPEAKERS) * len(GREETINGS) * len(SUBJECTS) * sum(map(len, JUDGEMENTS.values())) * len(FAREWELLS[True])
)
ENTROPY = math.log(CHOICES)
"""Nats a speech: there are so many, all equally probable. On average no model whatever can do with less."""


@dataclass(frozen=True)
class Speech:
    """A speech: the whole of it; its beginning up to and with the judgement; whether that is kind."""

    text: str
    judged: str
    kind: bool


def speeches(n: int, seed: int) -> list[Speech]:
    """So many speeches, each drawn anew from all that there are."""
    one = chooser(seed)
    return [_speech(one) for _ in range(n)]


def play(n: int, seed: int) -> str:
    """A text of n speeches: the least loss, on average, is ``n * ENTROPY / len(text)`` nats a character."""
    return "".join(speech.text for speech in speeches(n, seed))


def _speech(one: One) -> Speech:
    kind = one((True, False))
    chosen = {
        "speaker": one(SPEAKERS),
        "greeting": one(GREETINGS),
        "subject": one(SUBJECTS),
        "judgement": one(JUDGEMENTS[kind]),
        "farewell": one(FAREWELLS[kind]),
    }
    return Speech(SPEECH.format(**chosen), JUDGED.format(**chosen), kind)
