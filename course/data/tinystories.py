"""TinyStories: short stories in the words of a four-year-old, by GPT-3.5 and GPT-4 (Eldan and Li 2023).

The start of the data set, in lower case, under the CDLA-Sharing-1.0 licence.
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from course.data.download import read_text

HELD_OUT = 250
SHORTEST = 100  # characters; what is shorter is a torn piece of a story
_BETWEEN = re.compile(r"(?<!\n)\n(?!\n)")  # a single newline: those inside a story come in twos


class Corpus(NamedTuple):
    """Texts to train on, and texts to validate with."""

    train: list[str]
    validation: list[str]


def stories() -> Corpus:
    """Whole stories, 250 of them held out.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return split(parse(read_text("tinystories_sample")))


def parse(text: str) -> list[str]:
    """The stories, each once; without the one in ten whose quotation marks were garbled on the way."""
    found = (story.strip() for story in _BETWEEN.split(text))
    return list(dict.fromkeys(story for story in found if story.isascii() and len(story) >= SHORTEST))


def split(stories: Iterable[str], held_out: int = HELD_OUT) -> Corpus:
    """Hold out those with the smallest SHA-256: which they are depends on their words alone."""
    ranked = sorted(stories, key=lambda story: sha256(story.encode()).digest())
    return Corpus(ranked[held_out:], ranked[:held_out])
