"""Names in posts and comments of the internet, hard to know because they were new: WNUT-17 (CC BY 4.0).

Derczynski and others, 2017. Six kinds: person, location, group, corporation, product, creative-work. People
wrote as they write there, so not everything is fit to be shown: ``presentable`` says what is.
"""

import codecs
import re
from collections.abc import Iterable
from typing import NamedTuple

from course.data.download import read_text
from course.data.examples import Tagged

KINDS = ("corporation", "creative-work", "group", "location", "person", "product")
TAGS = ("O", *(f"{place}-{kind}" for kind in KINDS for place in "BI"))
# In rot13, so that this file can be shown: how coarse words begin, and some that are coarse as a whole.
_STEMS = """
shpx fuvg ovgpu nffubyr ohyyfu qvpx cbea qnza tbqqnz penc juber fyhg avtt snt frk anxrq jgs yzsnb fgsh encr
encvfg phag chffl pbpx ergneq onfgneq cvff wrex obbo zbgures ahqr ubr fhvpvq xvyy
"""
_WHOLE = "nff uryy gvgf ns zs yznb ubrf bzst"
_COARSE = re.compile(
    rf"\b(?:{'|'.join(codecs.decode(_STEMS, 'rot13').split())}"
    rf"|(?:{'|'.join(codecs.decode(_WHOLE, 'rot13').split())})\b)",
    re.IGNORECASE,
)


class Corpus(NamedTuple):
    """Sentences to train on, to choose settings by, and to test with."""

    train: list[Tagged]
    validation: list[Tagged]
    test: list[Tagged]


def names() -> Corpus:
    """The data set as published: 3,394, 1,009 and 1,287 posts.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    files = ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated")
    return Corpus(*(parse(read_text("wnut17_ner", file)) for file in files))


def parse(text: str) -> list[Tagged]:
    """Lines of a word, a tab and its tag; a blank line ends a sentence.

    Raises:
        ValueError: if a line holds something else, or a tag that WNUT-17 does not have.
    """
    sentences, rows = [], []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            rows.append(_row(line, number))
        elif rows:
            sentences.append(Tagged(*zip(*rows, strict=True)))
            rows = []
    return sentences


def presentable(sentences: Iterable[Tagged]) -> list[Tagged]:
    """Those without coarse words and without addresses: to be shown, while all are trained and tested on."""
    return [x for x in sentences if not _COARSE.search(" ".join(x.words)) and "http" not in "".join(x.words)]


def _row(line: str, number: int) -> tuple[str, str]:
    word, _, tag = line.rstrip("\r").partition("\t")
    if tag not in TAGS:
        raise ValueError(f"line {number} should be a word, a tab and one of {', '.join(TAGS)}; got {line!r}")
    return word, tag
