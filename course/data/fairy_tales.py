"""A million words in which kings have queens: TinyStories, the Brothers Grimm, Jacobs's English Fairy Tales.

Every text is a list of sentences, every sentence a list of words in lower case, without punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from course.data.download import read_text

_WORD = re.compile(r"[a-z]+(?:'(?:t|re|ll|ve|d|m)\b)?")
_END = re.compile(r"[.!?;:]+|\n\s*\n")
_FOOTER = "*** END OF THIS PROJECT GUTENBERG EBOOK"
_FIRST_OF_JACOBS, _NOTES_OF_JACOBS = "TOM TIT TOT", "NOTES AND REFERENCES"


def sentences() -> list[list[str]]:
    """All three, one after another.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return [sentence for text in texts() for sentence in split(text)]


def texts() -> list[str]:
    """All of TinyStories's sample, with its garbled apostrophes mended, Grimm's tales, Jacobs's tales."""
    stories = read_text("tinystories_sample").replace("â€™", "'")
    return [stories, read_text("tales_grimm"), tales_of_jacobs()]


def tales_of_jacobs() -> str:
    """From the first tale to the notes: without the preface, the contents and the end of the e-book."""
    text = read_text("tales_jacobs").partition(_FOOTER)[0]
    start = text.index(_FIRST_OF_JACOBS, text.index(_FIRST_OF_JACOBS) + 1)  # behind the contents
    return text[start : text.rindex(_NOTES_OF_JACOBS)]


def split(text: str) -> list[list[str]]:
    """Sentences of two words or more; an apostrophe stays where a verb was shortened, "don't", "we'll"."""
    plain = text.lower().replace("’", "'")
    found = (_WORD.findall(sentence) for sentence in _END.split(plain))
    return [words for words in found if len(words) > 1]


def count_words(sentences: Iterable[list[str]]) -> int:
    """How many words there are, repetitions included."""
    return sum(map(len, sentences))
