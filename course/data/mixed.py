"""English of eleven registers for BERT, without the text that anything is tested with, and some held out."""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from course.data import (
    broad_twitter,
    registers,
    rt_polarity,
    senses,
    snli,
    squad,
    squadshifts,
    tatoeba,
    wnut17,
)
from course.data.download import read_text
from course.data.overlap import TestTexts
from course.data.registers import Document

HELD_OUT = 50
"""One document in so many is held out."""


class Corpus(NamedTuple):
    """Documents of sentences by register, to train on and held out; no document is in both."""

    train: dict[str, list[Document]]
    validation: dict[str, list[Document]]


def english() -> Corpus:
    """About 52 MB of text.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    tested, found = TestTexts(tested_with()), Corpus({}, {})
    for name, read in registers.READERS.items():
        found.train[name], found.validation[name] = split(tested.without(read()))
    return found


def split(documents: list[Document], held_out: int = HELD_OUT) -> tuple[list[Document], list[Document]]:
    """Hold out one document in ``held_out``, those with the smallest SHA-256: their words alone decide.

    A document that is there twice is kept once.
    """
    once = {sha256("\n".join(document).encode()).digest(): document for document in documents}
    ranked = [once[digest] for digest in sorted(once)]
    count = -(-len(ranked) // held_out)
    return ranked[count:], ranked[:count]


def tested_with() -> Iterator[str]:
    """The texts that the course tests with, labelled or not: none of them may be read before.

    Film reviews, questions and their paragraphs, pairs for inference, posts with names, sentences with
    *know*, Tatoeba's, and those that heads are scored on.
    """
    yield from (sentence.text for sentence in rt_polarity.sentences())
    for question in [*squad.xquad(), *squadshifts.questions().test]:
        yield from (question.question, question.context)
    for pair in (pair for part in snli.pairs() for pair in part):
        yield from (pair.premise, pair.hypothesis)
    for post in (post for part in (*wnut17.names(), *broad_twitter.names()[1:]) for post in part):
        yield " ".join(post.words)
    yield from (sentence.text for sentence in senses.know().test)
    pairs = tatoeba.french_english()
    yield from (pair.english for part in (pairs.validation, pairs.test, pairs.laser) for pair in part)
    for file in ("en_ewt-ud-dev.conllu", "en_ewt-ud-test.conllu"):
        lines = read_text("ud_english_ewt", file).split("\n")
        yield from (line.removeprefix("# text = ") for line in lines if line.startswith("# text = "))
