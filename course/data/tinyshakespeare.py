"""Forty thousand lines of Shakespeare's plays: the usual text for a model of characters (Karpathy 2015)."""

from typing import NamedTuple

from course.data.download import read_text
from course.text.characters import Characters


class Corpus(NamedTuple):
    """A text to train on, the text that follows it to validate with, and the characters of both."""

    train: str
    validation: str
    characters: Characters


def plays() -> Corpus:
    """The plays: 1,115,394 characters, 65 different ones, split as nanoGPT does.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return split(read_text("tinyshakespeare"))


def split(text: str) -> Corpus:
    """The first nine tenths to train on, the last to validate with."""
    cut = int(0.9 * len(text))
    return Corpus(text[:cut], text[cut:], Characters(text))
