"""Real sentences whose grammar people marked: the English treebanks EWT and PUD of Universal Dependencies.

EWT's test part (the web: reviews, answers, mail, newsgroups, weblogs; CC BY-SA 4.0), PUD (news and Wikipedia,
CC BY-SA 3.0). Kept are sentences of 5 to 40 words that are words and marks alone: "don't", which a treebank
cuts into *do* and *n't*, and "4.5" are left out with their sentences, for what a tokenizer makes of them has
no word of its own.
"""

import re
from collections.abc import Iterator

from course.data.download import read_text
from course.data.parsed_sentences import Parsed, Relation

FILES = {"ud_english_ewt": "en_ewt-ud-test.conllu", "ud_english_pud": "en_pud-ud-test.conllu"}
RELATIONS = {"det": "determiner", "amod": "adjective", "nsubj": "subject", "obj": "object"}
"""Of Universal Dependencies' relations those that are asked about, as ``parsed_sentences`` calls them."""
SHORTEST, LONGEST = 5, 40
_PLAIN = re.compile(r"[a-z]+|[.,!?;:]")


def sentences() -> list[Parsed]:
    """The sentences of both, EWT's first.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return [sentence for name, file in FILES.items() for sentence in parse(read_text(name, file))]


def parse(text: str) -> list[Parsed]:
    """The plain sentences of a file in CoNLL-U."""
    found = []
    for block in text.strip().split("\n\n"):
        rows = list(_rows(block))
        words = tuple(row[1].lower() for row in rows)
        if SHORTEST <= len(words) <= LONGEST and all(map(_PLAIN.fullmatch, words)):
            relations = [
                Relation(RELATIONS[row[7]], number, int(row[6]) - 1)
                for number, row in enumerate(rows)
                if row[7] in RELATIONS
            ]
            found.append(Parsed(words, tuple(relations), tuple(row[3] for row in rows)))
    return found


def _rows(block: str) -> Iterator[list[str]]:
    """The words of a sentence: number, form, ..., part of speech (3), ..., head (6), relation (7)."""
    for line in block.split("\n"):
        row = line.split("\t")
        if row[
            0
        ].isdigit():  # not a comment, nor a word of several ("1-2"), nor one that is not there ("1.1")
            yield row
