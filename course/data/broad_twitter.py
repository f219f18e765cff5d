"""Names in tweets of six years and several countries: the Broad Twitter Corpus (CC BY 4.0).

Derczynski and others, 2016.
Persons, locations, organisations; 6,338 tweets to learn from, nearly twice as many as WNUT-17 has. Not
everything is fit to be shown: ``course.data.wnut17.presentable`` says what is.
"""

import re

from course.data.download import read_text
from course.data.examples import Tagged
from course.data.wnut17 import Corpus

KINDS = ("LOC", "ORG", "PER")
TAGS = ("O", *(f"{place}-{kind}" for kind in KINDS for place in "BI"))

_BETWEEN = re.compile(r"\n[ \t]*\n")


def names() -> Corpus:
    """The data set as published.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return Corpus(
        *(parse(read_text("broad_twitter_ner", f"btc.{part}")) for part in ("train", "dev", "test"))
    )


def parse(text: str) -> list[Tagged]:
    """Words with their tags, one a line, and an empty line behind each tweet.

    Raises:
        ValueError: if a tag is another.
    """
    found = []
    for block in filter(str.strip, _BETWEEN.split(text)):
        words, tags = zip(*(line.split("\t") for line in block.strip("\n").split("\n")), strict=True)
        if strange := set(tags) - set(TAGS):
            raise ValueError(f"tags are {', '.join(TAGS)}; got {', '.join(sorted(strange))}")
        found.append(Tagged(words, tags))
    return found
