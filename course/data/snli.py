"""Pairs for inference that people wrote about pictures: parts of SNLI (Bowman et al. 2015).

Its development part, 9,842 pairs, to learn from, and its test part, 9,824, CC BY-SA 4.0. The training part,
half a million, is not read here.
"""

from typing import NamedTuple

from course.data.download import read_text
from course.data.examples import Pair

LABELS = ("entailment", "neutral", "contradiction")


class Corpus(NamedTuple):
    """Pairs to learn from, and pairs to test with."""

    train: list[Pair]
    test: list[Pair]


def pairs() -> Corpus:
    """Both parts, in their order.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return Corpus(*(parse(*_columns(part)) for part in ("dev", "test")))


def _columns(part: str) -> tuple[str, ...]:
    return tuple(read_text("snli_dev_test", f"{column}.{part}") for column in ("s1", "s2", "labels"))


def parse(premises: str, hypotheses: str, labels: str) -> list[Pair]:
    """A pair for each line.

    Raises:
        ValueError: if the three have not as many lines, or a label is another.
    """
    columns = [text.strip().split("\n") for text in (premises, hypotheses, labels)]
    found = [Pair(*(cell.strip() for cell in row)) for row in zip(*columns, strict=True)]
    strange = {pair.label for pair in found} - set(LABELS)
    if strange:
        raise ValueError(f"labels are {', '.join(LABELS)}; got {', '.join(sorted(strange))}")
    return found
