"""Two senses of *know*, told apart by no annotator but by the French beside it: savoir or connaître.

Tatoeba's pairs whose English has *know* and whose French has one of the two verbs and not the other. A third
of the English sentences is for testing, and nothing that learns from Tatoeba's text for BERT reads them.
"""

import re
from hashlib import sha256
from typing import NamedTuple

from course.data import tatoeba
from course.data.examples import Labelled

LABELS = ("savoir", "connaître")
WORD = "know"
_VERBS = {
    "savoir": re.compile(r"\b(sai[st]|sav\w+|saur\w+|sach\w+|su|sut)\b", re.IGNORECASE),
    "connaître": re.compile(r"\bconn[aiîu]\w*", re.IGNORECASE),
}
_ENGLISH = re.compile(rf"\b{WORD}\b", re.IGNORECASE)


class Corpus(NamedTuple):
    """Sentences to learn from and to test with, each English sentence once."""

    train: list[Labelled]
    test: list[Labelled]


def know() -> Corpus:
    """The sentences with *know* once and the verb that stands for it.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return split([pair for part in tatoeba.french_english()[:3] for pair in part])


def split(pairs: list[tatoeba.Pair]) -> Corpus:
    """Label by the French verb; sentences that are translated by both are left out."""
    found: dict[str, set[str]] = {}
    for pair in pairs:
        if len(_ENGLISH.findall(pair.english)) == 1:
            verbs = {verb for verb, forms in _VERBS.items() if forms.search(pair.french)}
            found.setdefault(pair.english, set()).update(verbs)
    labelled = [Labelled(text, *verbs) for text, verbs in found.items() if len(verbs) == 1]
    return Corpus([x for x in labelled if not held_out(x.text)], [x for x in labelled if held_out(x.text)])


def held_out(text: str) -> bool:
    """Whether an English sentence is for testing: its SHA-256 decides."""
    return sha256(text.encode()).digest()[0] % 3 == 0
