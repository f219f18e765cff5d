"""Sentences from film reviews, half of them kind: the sentence polarity data set of Pang and Lee (2005).

5,331 positive and 5,331 negative ones, in lower case, under CC BY 4.0. Most sentences of SST-2 come from it:
do not train on the one and test on the other.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from course.data.download import read_text
from course.data.examples import Labelled

LABELS = ("negative", "positive")
FOLDS = 10


class Corpus(NamedTuple):
    """Sentences to train on, to choose settings by, and to test with."""

    train: list[Labelled]
    validation: list[Labelled]
    test: list[Labelled]


def sentences() -> list[Labelled]:
    """All 10,662 sentences, the positive ones first; each is there once.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    kinds = {"positive": "rt-polarity.pos", "negative": "rt-polarity.neg"}
    return [x for label, file in kinds.items() for x in parse(read_text("rt_polarity", file), label)]


def parse(text: str, label: str) -> list[Labelled]:
    """A sentence a line; some end with a space."""
    return [Labelled(line.strip(), label) for line in text.split("\n") if line.strip()]


def folds(sentences: Sequence[Labelled], n: int = FOLDS) -> list[list[Labelled]]:
    """Parts with the same share of each label; which a sentence is in depends on its words alone.

    The sentences of a label are ranked by SHA-256 and dealt out in turn.

    Raises:
        ValueError: unless there are two folds or more.
    """
    if n < 2:
        raise ValueError(f"cross-validation needs 2 folds or more; got {n}")
    parts: list[list[Labelled]] = [[] for _ in range(n)]
    for label in LABELS:
        ranked = sorted(
            (x for x in sentences if x.label == label), key=lambda x: sha256(x.text.encode()).digest()
        )
        for rank, sentence in enumerate(ranked):
            parts[rank % n].append(sentence)
    return parts


def reviews() -> Corpus:
    """The split of this course: the first fold tests, the second validates, the other eight train.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    test, validation, *rest = folds(sentences())
    return Corpus([x for fold in rest for x in fold], validation, test)
