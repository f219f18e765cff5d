"""Text as the course's models read and compare it."""

import re
import unicodedata

_SPACES = re.compile(r"[\u00a0\u2009\u202f]")  # no-break, thin and narrow no-break: French punctuation's
_INVISIBLE = re.compile("[\u00ad\u200b]")  # soft hyphen, zero-width space
_WORD = re.compile(r"\w+")


def plain_text(text: str) -> str:
    """The same text typed plainly: ordinary spaces, straight apostrophes, composed accents, nothing unseen.

    A model that learned from one way of typing "L'été !" then reads every other way of typing it.
    """
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return _SPACES.sub(" ", text).replace("\u2019", "'").strip()


def bare_words(text: str) -> str:
    """The words alone, in lower case: what two sentences share that differ in case or punctuation."""
    return " ".join(_WORD.findall(plain_text(text).casefold()))
