"""Two senses of a word, told apart by no annotator but by the French beside it: *know*, savoir or connaître.

Tatoeba's pairs (CC BY 2.0) whose English has the word once and whose French has one of the two words and not
the other. A third of the English sentences is for testing.
"""

import re
from hashlib import sha256
from typing import NamedTuple

from course.data import tatoeba
from course.data.examples import Labelled

SENSES = {
    "know": {"savoir": r"\b(sai[st]|sav\w+|saur\w+|sach\w+|su|sut)\b", "connaître": r"\bconn[aiîu]\w*"},
    "time": {"fois": r"\bfois\b", "temps": r"\b(long)?temps\b"},
    "like": {"aimer": r"\b(aim\w+|pla[iî]t|plaisent)\b", "comme": r"\bcomme\b"},
}
"""For each English word its senses, each named by a French word, and that word's forms."""
WORD = "know"
LABELS = tuple(SENSES[WORD])


class Corpus(NamedTuple):
    """Sentences to learn from and to test with, each English sentence once."""

    train: list[Labelled]
    test: list[Labelled]


def of(word: str) -> Corpus:
    """The sentences with a word of ``SENSES`` once, and the French word that stands for it.

    Raises:
        ValueError: for another word.
        DownloadError: as ``course.data.path``.
    """
    if word not in SENSES:
        raise ValueError(f"senses are told for {', '.join(SENSES)}; got {word!r}")
    return split([pair for part in tatoeba.french_english()[:3] for pair in part], word)


def know() -> Corpus:
    """``of("know")``."""
    return of(WORD)


def split(pairs: list[tatoeba.Pair], word: str = WORD) -> Corpus:
    """Label by the French word; sentences that are translated by both are left out."""
    english = re.compile(rf"\b{word}\b", re.IGNORECASE)
    senses = {name: re.compile(forms, re.IGNORECASE) for name, forms in SENSES[word].items()}
    found: dict[str, set[str]] = {}
    for pair in pairs:
        if len(english.findall(pair.english)) == 1:
            said = {name for name, forms in senses.items() if forms.search(pair.french)}
            found.setdefault(pair.english, set()).update(said)
    labelled = [Labelled(text, *said) for text, said in found.items() if len(said) == 1]
    return Corpus([x for x in labelled if not held_out(x.text)], [x for x in labelled if held_out(x.text)])


def held_out(text: str) -> bool:
    """Whether an English sentence is for testing: its SHA-256 decides."""
    return sha256(text.encode()).digest()[0] % 3 == 0
