"""BERT's second objective: does this text follow that one, or was it drawn from elsewhere?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from torch import Generator

from course.masking import below

IS_NEXT, NOT_NEXT = 0, 1  # as in the authors' code and in transformers
Sentence = TypeVar("Sentence")


@dataclass(frozen=True)
class SentencePair(Generic[Sentence]):
    """Two sentences, and whether the second follows the first: ``label`` is IS_NEXT (0) or NOT_NEXT (1)."""

    first: Sentence
    second: Sentence
    label: int


def next_sentence_pairs(
    documents: Sequence[Sequence[Sentence]], *, generator: Generator | None = None
) -> list[SentencePair[Sentence]]:
    """For every sentence but the last of its document a pair, in order: with the next one, or a random one.

    A fair coin a pair decides which. The random sentence is drawn in two steps: another document, each being
    as likely, then one of its sentences, each being as likely. So it can never be the true one.

    Args:
        documents: the sentences of each in order, as texts or as ids.

    Raises:
        ValueError: if there are not two documents, one is empty, or none has two sentences.

    Source: Devlin et al. 2019, §3.1 (task 2); lecture rows L1.6.i, L3.3.c.
    """
    _check_documents(documents)
    pairs = []
    for number, document in enumerate(documents):
        for first, following in pairwise(document):
            other = documents[(number + 1 + below(len(documents) - 1, generator)) % len(documents)]
            strange = other[below(len(other), generator)]
            label = below(2, generator)
            pairs.append(SentencePair(first, strange if label == NOT_NEXT else following, label))
    return pairs


def _check_documents(documents: Sequence[Sequence]) -> None:
    lengths = [len(document) for document in documents]
    if len(lengths) < 2:
        raise ValueError(
            f"a random sentence comes from another document: give two or more; got {len(lengths)}"
        )
    if 0 in lengths:
        raise ValueError(f"every document needs a sentence; document {lengths.index(0)} has none")
    if max(lengths) < 2:
        raise ValueError(f"no document has two sentences, so nothing follows anything: {len(lengths)} of one")
