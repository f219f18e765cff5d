"""Held-out rows of every register, always the same: what a BERT that reads many registers is scored on."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Int

from course.masking import SPLIT
from course.studies.bert_pretraining import Batch, Rows, one_earlier, pair_rows, single_rows
from course.text.wordpiece import WordPiece
from course.training.recipes.mixed_rows import SHORT, Text, asked, chunks, pairs

RATE = 0.15
"""Of all tokens, so many are asked for, whatever the rate in training was."""
ROWS = 32
"""So many rows of like length at once."""


def held_out_batches(
    text: Text, tokenizer: WordPiece, objective: str, count: int
) -> list[list[tuple[Rows, Batch]]]:
    """For each register up to ``count`` rows of pairs and as many of single sentences, and their batches.

    The places asked for are the same for both objectives: the causal twin, too, is asked for the tokens that
    masking chose, with nothing hidden.
    """
    cut = chunks(text, SHORT - 3)
    several = cut.behind - cut.first > 1
    pool, register = cut.where(several), text.register[cut.document]
    found = []
    for number in np.unique(text.register):
        random = np.random.default_rng([0, number])
        paired = cut.where(_some((register == number) & several, count, random))
        single = cut.where(_some((register == number) & ~several, count, random))
        made = pairs(text, paired, pool, SHORT, random)
        texts = [text.between(a, b) for a, b in zip(single.first, single.behind, strict=True)]
        rows = [
            pair_rows(some, tokenizer)
            for some in _alike(made, lambda pair: len(pair.first) + len(pair.second))
        ]
        rows += [single_rows(some, tokenizer) for some in _alike(texts, len)]
        found.append([(row, _batch(row, tokenizer, objective, seed)) for seed, row in enumerate(rows)])
    return found


def _batch(rows: Rows, tokenizer: WordPiece, objective: str, seed: int) -> Batch:
    inputs, labels, *rest = asked(rows, tokenizer, "masked", RATE, SPLIT, seed)
    if objective == "causal":
        inputs, labels = rows.ids, one_earlier(labels)
    return inputs, labels, *rest


def _some(allowed: np.ndarray, count: int, random: np.random.Generator) -> Int[np.ndarray, "chosen"]:
    numbers = np.flatnonzero(allowed)
    return np.sort(random.permutation(numbers)[:count])


def _alike(items: Sequence, size: Callable[..., int]) -> list[list]:
    ordered = sorted(items, key=size)
    return [ordered[start : start + ROWS] for start in range(0, len(ordered), ROWS)]
