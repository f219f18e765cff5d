"""Everyday English for BERT: stories, cut into sentences, and sentences that stand alone.

The stories are TinyStories' (CDLA-Sharing-1.0), and what follows what can be learned from them. The
sentences are the English side of Tatoeba's French-English pairs (CC BY 2.0): people wrote them, about much
that stories for children leave out. Nothing here is among the texts that the course fine-tunes on.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from course.data import tatoeba, tinystories

Document = list[str]
"""The sentences of a text, in order."""

_AFTER_A_SENTENCE = re.compile(r"""(?<=[.!?])\s+|(?<=[.!?]["'])\s+""")


class Texts(NamedTuple):
    """Stories of two or more sentences each, and single sentences."""

    stories: list[Document]
    sentences: list[str]


class Corpus(NamedTuple):
    """Texts to train on, and texts held out; no story and no sentence is in both."""

    train: Texts
    validation: Texts


def english() -> Corpus:
    """About 4,600 stories and 96,000 sentences; held out, 250 stories and 1,000 sentences.

    What is held out is what the readers of TinyStories and Tatoeba hold out, and the sentences that Tatoeba's
    reader tests with are not here at all.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    stories, pairs = tinystories.stories(), tatoeba.french_english()
    return Corpus(
        Texts(documents(stories.train), once(pair.english for pair in pairs.train)),
        Texts(documents(stories.validation), once(pair.english for pair in pairs.validation)),
    )


def documents(stories: Iterable[str]) -> list[Document]:
    """Each story's sentences; without stories of one sentence, where nothing follows anything."""
    cut = (sentences(story) for story in stories)
    return [document for document in cut if len(document) > 1]


def sentences(text: str) -> Document:
    """Cut a text after each full stop, exclamation or question mark, and the quotation mark behind it."""
    return [" ".join(sentence.split()) for sentence in _AFTER_A_SENTENCE.split(text.strip()) if sentence]


def once(texts: Iterable[str]) -> list[str]:
    """Each text once, in the order of first sight."""
    return list(dict.fromkeys(texts))
