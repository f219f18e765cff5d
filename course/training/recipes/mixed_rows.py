"""What a BERT reads of long documents: chunks of neighbouring sentences, cut in two, as the authors do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int

from course.masking import IGNORED, SPLIT
from course.next_sentence import IS_NEXT, NOT_NEXT, SentencePair
from course.studies.bert_pretraining import Batch, Ids, Rows, hidden, one_earlier, pair_rows, single_rows
from course.text.wordpiece import WordPiece
from course.training.batches import TokenBuckets

SHORT, LONG = 128, 256
"""Tokens of the longest row in most batches, and in some."""
CYCLE = (SHORT, SHORT, 0, SHORT, SHORT, LONG)
"""Which rows the batches are of, in turn; 0: of single sentences."""


class Text(NamedTuple):
    """Documents of sentences as one row of tokens.

    Args:
        tokens: of all sentences, one after the other, without special tokens.
        sentences: where each begins, and where the last ends.
        documents: the number of the first sentence of each, and how many sentences there are.
        register: the number of each document's register.
    """

    tokens: Int[np.ndarray, "tokens"]
    sentences: Int[np.ndarray, "sentences+1"]
    documents: Int[np.ndarray, "documents+1"]
    register: Int[np.ndarray, "documents"]

    def between(self, first: int, behind: int) -> Ids:
        """The tokens from one sentence up to another."""
        return self.tokens[self.sentences[first] : self.sentences[behind]].tolist()

    def save(self, path: Path) -> None:
        """Write it to a file that is whole or not there."""
        with path.with_suffix(".part").open("wb") as file:
            np.savez(file, **self._asdict())
        path.with_suffix(".part").replace(path)

    @classmethod
    def load(cls, path: Path) -> Text:
        """What ``save`` wrote."""
        with np.load(path) as stored:
            return cls(*(stored[name] for name in cls._fields))


def encoded(
    tokenizer: WordPiece, registers: Sequence[Sequence[Sequence[str]]], longest: int = (SHORT - 3) // 2
) -> Text:
    """Registers of documents as tokens; a sentence of more than ``longest`` tokens is cut into several."""
    tokens, lengths, counts, register = [], [], [], []
    for number, documents in enumerate(registers):
        for document in documents:
            pieces = [
                ids[i : i + longest] for ids in _ids(tokenizer, document) for i in range(0, len(ids), longest)
            ]
            tokens.append(np.fromiter((id for piece in pieces for id in piece), np.uint16))
            lengths += map(len, pieces)
            if pieces:
                counts.append(len(pieces))
                register.append(number)
    starts, documents = np.cumsum([0, *lengths]), np.cumsum([0, *counts])
    return Text(np.concatenate(tokens), starts, documents, np.array(register))


def _ids(tokenizer: WordPiece, document: Sequence[str]) -> list[Ids]:
    return [encoding.ids[1:-1] for encoding in tokenizer.encode_all(document)]


class Chunks(NamedTuple):
    """Neighbouring sentences of a document: the first, the one behind the last, and the document."""

    first: Int[np.ndarray, "chunks"]
    behind: Int[np.ndarray, "chunks"]
    document: Int[np.ndarray, "chunks"]

    def where(self, chosen: np.ndarray) -> Chunks:
        """Some of them."""
        return Chunks(*(column[chosen] for column in self))


def chunks(text: Text, room: int) -> Chunks:
    """Cut every document into chunks of as many whole sentences as ``room`` tokens hold."""
    found, starts = [], text.sentences.tolist()
    for number, (first, end) in enumerate(
        zip(text.documents[:-1].tolist(), text.documents[1:].tolist(), strict=True)
    ):
        for sentence in range(first, end):
            if starts[sentence + 1] - starts[first] > room:
                found.append((first, sentence, number))
                first = sentence
        found.append((first, end, number))
    return Chunks(*np.array(found).T)


class MixedBatches:
    """Batches for ``BertForPreTraining.loss``; a step's is a function of the step and the seed alone.

    Their rows are of up to ``SHORT`` tokens, of up to ``LONG``, or single sentences, in ``CYCLE``'s
    order. Each kind goes through the whole text, in another order every time.

    Args:
        objective: "masked", or "causal" for a model that predicts the next token.
        tokens: about as many in a batch, padding included.
        rate, split: of masking; see ``course.masking.mask_tokens``.
    """

    def __init__(
        self,
        text: Text,
        tokenizer: WordPiece,
        objective: str,
        tokens: int,
        rate: float = 0.15,
        split: tuple[float, float, float] = SPLIT,
        seed: int = 0,
    ):
        self.text, self.tokenizer, self.objective = text, tokenizer, objective
        self.tokens, self.rate, self.split, self.seed = tokens, rate, split, seed
        cut = {room: chunks(text, room - 3) for room in (SHORT, LONG)}
        several = {room: found.behind - found.first > 1 for room, found in cut.items()}
        self.pairs = {room: found.where(several[room]) for room, found in cut.items()}
        self.single = cut[SHORT].where(~several[SHORT])
        lengths = text.sentences[self.single.behind] - text.sentences[self.single.first]
        self.buckets = TokenBuckets((lengths + 2).tolist(), tokens, seed)

    def __call__(self, step: int) -> Batch:
        """Inputs, labels, next-sentence labels and segments of this step."""
        seed = 1_000_003 * self.seed + step
        return asked(self.rows(step), self.tokenizer, self.objective, self.rate, self.split, seed)

    def rows(self, step: int) -> Rows:
        """What is read in this step, with nothing hidden."""
        cycle, place = divmod(step, len(CYCLE))
        kind = CYCLE[place]
        turn = cycle * CYCLE.count(kind) + CYCLE[:place].count(kind)
        return self._pairs(kind, turn) if kind else self._singles(turn)

    def _singles(self, turn: int) -> Rows:
        chosen = self.single.where(self.buckets(turn))
        texts = [self.text.between(a, b) for a, b in zip(chosen.first, chosen.behind, strict=True)]
        return single_rows(texts, self.tokenizer)

    def _pairs(self, longest: int, turn: int) -> Rows:
        found, size = self.pairs[longest], self.tokens // longest
        epoch, place = divmod(turn, max(1, len(found.first) // size))
        order = np.random.default_rng([self.seed, longest, epoch]).permutation(len(found.first))
        random = np.random.default_rng([self.seed, longest, turn])
        chosen = found.where(order[place * size : (place + 1) * size])
        return pair_rows(pairs(self.text, chosen, found, longest, random), self.tokenizer)


def pairs(
    text: Text, chosen: Chunks, others: Chunks, longest: int, random: np.random.Generator
) -> list[SentencePair[Ids]]:
    """Each chunk cut in two between sentences; for half of them, what follows is out of another document.

    What is put in its place are whole sentences, up to the end of their document or until the row is full.

    Source: Devlin et al. 2019, §3.1 (task 2) and the authors' create_pretraining_data.py; lecture row L3.3.c.
    """
    made = []
    for first, behind, document in zip(*chosen, strict=True):
        cut = random.integers(first + 1, behind)
        a, label = text.between(first, cut), int(random.integers(2))
        if label == IS_NEXT:
            made.append(SentencePair(a, text.between(cut, behind), IS_NEXT))
        else:
            made.append(
                SentencePair(a, _strange(text, others, document, longest - 3 - len(a), random), NOT_NEXT)
            )
    return made


def _strange(text: Text, others: Chunks, document: int, room: int, random: np.random.Generator) -> Ids:
    while True:
        number = random.integers(len(others.first))
        if others.document[number] != document:
            break
    start = random.integers(others.first[number] + 1, others.behind[number])
    ends = text.sentences[start + 1 : text.documents[others.document[number] + 1] + 1] - text.sentences[start]
    whole = max(1, int(np.searchsorted(ends, room, side="right")))
    return text.between(start, start + whole)[:room]


def asked(rows: Rows, tokenizer: WordPiece, objective: str, rate: float, split: tuple, seed: int) -> Batch:
    """Rows with tokens hidden, or with the next token asked for everywhere."""
    generator = torch.Generator().manual_seed(seed)
    if objective == "causal":
        labels = one_earlier(
            rows.ids.masked_fill(torch.isin(rows.ids, torch.tensor(tokenizer.special_ids[:3])), IGNORED)
        )
        return rows.ids, labels, rows.next_labels, rows.segments
    inputs, labels = hidden(rows.ids, tokenizer, rate, split, generator)
    while (labels == IGNORED).all():  # chance may choose none of a few tokens: there would be no loss
        inputs, labels = hidden(rows.ids, tokenizer, rate, split, generator)
    return inputs, labels, rows.next_labels, rows.segments
