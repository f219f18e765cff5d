"""Sentences of our own that ask at the end what was said at the start: "I grew up in France ... I speak".

Each sentence of a kind has as many words as any other, so that texts of one size are of one length. CC0.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache

LANGUAGES = {
    "France": "French",
    "Japan": "Japanese",
    "Italy": "Italian",
    "Poland": "Polish",
    "Turkey": "Turkish",
    "Greece": "Greek",
    "Finland": "Finnish",
    "Sweden": "Swedish",
    "Hungary": "Hungarian",
    "Portugal": "Portuguese",
    "Germany": "German",
    "China": "Chinese",
    "Korea": "Korean",
    "Norway": "Norwegian",
    "Thailand": "Thai",
    "Denmark": "Danish",
}
PEOPLE = ("I", "Anna", "Ben", "Chen", "Dora", "Emil", "Fatma", "George", "Hana", "Ivan", "Julia", "Karim")
CLUES = (
    "{person} grew up in {country} .",
    "{person} was born in {country} .",
    "{person} went home to {country} .",
)
FILLERS = (
    "The weather was fine that day .",
    "The train to work was late .",
    "Breakfast was bread and some cheese .",
    "A dog barked behind the house .",
    "The shop on the corner closed .",
    "It rained for most of June .",
    "The old radio played a song .",
    "Somebody had painted the door green .",
    "The tea went cold very quickly .",
    "A letter lay on the table .",
    "The bus was full of children .",
    "The film was long and slow .",
    "Nobody could find the red umbrella .",
    "The garden needed water every evening .",
    "Two cats slept on the roof .",
    "The soup needed a little salt .",
    "The neighbours once drove to {country} .",
    "A parcel arrived late from {country} .",
    "The radio said something about {country} .",
    "A painting of {country} hung there .",
)
"""The last four name a country that has nothing to do with the question."""


def text(people: int, fillers: int, draw: random.Random) -> tuple[list[str], str, int]:
    """The words up to the gap, the word that belongs there, and how many words back the country was named.

    First a sentence for each of so many people, then so many sentences about other things, then the question,
    which is about one of the people.

    Raises:
        ValueError: if there are not 1 to 12 people, or fewer than 0 other sentences.
    """
    if not 1 <= people <= len(PEOPLE) or fillers < 0:
        raise ValueError(f"1 to {len(PEOPLE)} people, 0 or more other sentences; got {people} and {fillers}")
    countries = list(LANGUAGES)
    who = draw.sample(PEOPLE, people)
    where = [draw.choice(countries) for _ in who]
    clues = [draw.choice(CLUES).format(person=p, country=c) for p, c in zip(who, where, strict=True)]
    others = [draw.choice(FILLERS).format(country=draw.choice(countries)) for _ in range(fillers)]
    asked = draw.randrange(people)
    words = " ".join([*clues, *others, question(who[asked])]).split()
    before = len(" ".join(clues[:asked]).split()) + clues[asked].split().index(where[asked])
    return words, LANGUAGES[where[asked]], len(words) - before


def question(person: str) -> str:
    """What stands before the gap: "So Anna speaks fluent"."""
    return f"So {person} {'speak' if person == 'I' else 'speaks'} fluent"


def vocabulary() -> list[str]:
    """Every word that a text can hold, in the order of code points."""
    templates = [*CLUES, *FILLERS, *map(question, PEOPLE)]
    words = {word for template in templates for word in template.split() if "{" not in word}
    return sorted(words | set(PEOPLE) | set(LANGUAGES))


def encode(words: Sequence[str]) -> list[int]:
    """The number of each word in ``vocabulary``.

    Raises:
        ValueError: if a word is not in it.
    """
    ids = _ids()
    unknown = [word for word in words if word not in ids]
    if unknown:
        raise ValueError(f"not among the {len(ids)} words of these texts: {', '.join(unknown)}")
    return [ids[word] for word in words]


@cache
def _ids() -> dict[str, int]:
    return {word: id for id, word in enumerate(vocabulary())}
