"""What BERT reads, step by step, of stories and single sentences."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Generator, Tensor

from course.data.everyday import Texts
from course.masking import IGNORED, SPLIT
from course.studies.bert_pretraining import (
    Batch,
    Ids,
    Rows,
    encode,
    hidden,
    one_earlier,
    pair_rows,
    pairs_of,
    single_rows,
)
from course.text.wordpiece import WordPiece
from course.training.batches import TokenBuckets

SHORTEST = 24
"""Tokens of the shortest rows of pairs."""
TURNS = 3
"""Every third batch is of single sentences, the others of pairs."""


class Encoded(NamedTuple):
    """``course.data.everyday.Texts`` as tokens."""

    stories: list[list[Ids]]
    sentences: list[Ids]

    @property
    def tokens(self) -> int:
        """How many there are, without special ones."""
        return sum(map(len, self.sentences)) + sum(len(ids) for story in self.stories for ids in story)


class PretrainingBatches:
    """Batches for ``BertForPreTraining.loss``; a step's is a function of the step and the seed alone.

    Two are of pairs, whose rows are up to ``longest`` tokens long, another number for each batch; the third
    is of single sentences of like length.

    Args:
        objective: "masked", or "causal" for a model that predicts the next token.
        longest: tokens in the longest row.
        tokens: about as many in a batch, padding included.
        rate, split: of masking; see ``course.masking.mask_tokens``.
    """

    def __init__(
        self,
        texts: Encoded,
        tokenizer: WordPiece,
        objective: str,
        longest: int,
        tokens: int,
        rate: float = 0.15,
        split: tuple[float, float, float] = SPLIT,
        seed: int = 0,
    ):
        self.texts, self.tokenizer, self.objective = texts, tokenizer, objective
        self.longest, self.tokens, self.rate, self.split, self.seed = longest, tokens, rate, split, seed
        self.sentences = [sentence[: longest - 2] for sentence in texts.sentences]
        self.buckets = TokenBuckets([len(sentence) + 2 for sentence in self.sentences], tokens, seed)

    def __call__(self, step: int) -> Batch:
        """Inputs, labels, next-sentence labels and segments of this step."""
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + step)
        turn, place = divmod(step, TURNS)
        rows = self._singles(turn) if place == TURNS - 1 else self._pairs(step, generator)
        return self._asked(rows, generator)

    def _singles(self, turn: int) -> Rows:
        return single_rows([self.sentences[i] for i in self.buckets(turn)], self.tokenizer)

    def _pairs(self, step: int, generator: Generator) -> Rows:
        random = np.random.default_rng([self.seed, step])
        longest = int(random.integers(min(SHORTEST, self.longest), self.longest + 1))
        wanted, chosen, found = max(2, self.tokens // longest), [], 0
        for number in random.permutation(len(self.texts.stories)):
            chosen.append(self.texts.stories[number])
            found += sum(map(len, chosen[-1])) // (longest // 2)  # a guess: it has about so many pairs
            if len(chosen) > 1 and found >= 2 * wanted:
                break
        pairs = pairs_of(chosen, longest, generator)
        return pair_rows([pairs[i] for i in random.permutation(len(pairs))[:wanted]], self.tokenizer)

    def _asked(self, rows: Rows, generator: Generator) -> Batch:
        if self.objective == "masked":
            inputs, labels = self._hidden(rows.ids, generator)
            while (labels == IGNORED).all():  # chance may choose none of a few tokens: there would be no loss
                inputs, labels = self._hidden(rows.ids, generator)
        else:
            inputs, asked = rows.ids, rows.ids.masked_fill(rows.ids == self.tokenizer.pad_id, IGNORED)
            labels = one_earlier(asked)
        return inputs, labels, rows.next_labels, rows.segments

    def _hidden(
        self, ids: Int[Tensor, "batch n"], generator: Generator
    ) -> tuple[Int[Tensor, "batch n"], Int[Tensor, "batch n"]]:
        return hidden(ids, self.tokenizer, self.rate, self.split, generator)


def encoded(tokenizer: WordPiece, texts: Texts) -> Encoded:
    """The texts as tokens."""
    flat = encode(tokenizer, [sentence for story in texts.stories for sentence in story])
    ends = np.cumsum([len(story) for story in texts.stories]).tolist()
    stories = [flat[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return Encoded(stories, encode(tokenizer, texts.sentences))
