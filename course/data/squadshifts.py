"""Questions about three kinds of text, in SQuAD's form: SQuADShifts (Miller et al. 2020), CC BY 4.0.

27,626 questions about Wikipedia, Amazon reviews and Reddit. A third of Wikipedia's paragraphs, with their
questions, are for testing; nothing reads them before.
"""

from hashlib import sha256
from typing import NamedTuple

from course.data import squad
from course.data.download import read_text
from course.data.examples import Question

PARTS = ("new_wiki", "amazon_reviews", "reddit")


class Paragraphs(NamedTuple):
    """Those to learn from and those to test with, each once."""

    train: list[str]
    test: list[str]


def questions() -> squad.Corpus:
    """All questions about Amazon's, Reddit's and two thirds of Wikipedia's paragraphs; the rest to test with.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    found = [question for part in PARTS for question in _asked(part)]
    held = set(paragraphs("new_wiki").test)
    return squad.Corpus([q for q in found if q.context not in held], [q for q in found if q.context in held])


def paragraphs(part: str) -> Paragraphs:
    """The paragraphs of a part; those held out of "new_wiki" depend on their words alone (their SHA-256)."""
    texts = list(dict.fromkeys(question.context for question in _asked(part)))
    if part != "new_wiki":
        return Paragraphs(texts, [])
    held = {text for text in texts if sha256(text.encode()).digest()[0] % 3 == 0}
    return Paragraphs([text for text in texts if text not in held], sorted(held))


def _asked(part: str) -> list[Question]:
    return squad.parse(read_text("squadshifts", f"{part}_v1.0.json"))
