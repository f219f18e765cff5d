"""Which text follows? Held-out pairs, from easy to hard: of another document, of the same, exchanged."""

from collections.abc import Sequence

import numpy as np
import torch

from course.models.bert_heads import BertForPreTraining
from course.next_sentence import IS_NEXT, NOT_NEXT, SentencePair
from course.studies.bert_pretraining import Ids, pair_rows
from course.text.wordpiece import WordPiece
from course.training.recipes.mixed_rows import SHORT, Chunks, Text, chunks

PAIRS = 500
"""So many that follow, and as many of each kind that do not."""
ROWS = 32
"""So many at once."""


def told(model: BertForPreTraining, tokenizer: WordPiece, text: Text) -> dict[str, float]:
    """Which share of pairs a model tells, nothing being hidden; half of them follow one another.

    Returns:
        By what stands in the place of what follows. The pairs that do follow are the same throughout.

    Source: next-sentence prediction, Devlin et al. 2019, §3.1; the two exchanged, Lan et al. 2020 (ALBERT),
    §3.1; lecture rows L1.6.i, L3.3.c.
    """
    true, *false = hard_pairs(text, PAIRS)
    known = said_next(model, tokenizer, true)
    found = {}
    for kind, made in zip(KINDS, false, strict=True):
        said = said_next(model, tokenizer, made)
        found[kind] = (sum(known) / len(known) + 1 - sum(said) / len(said)) / 2
    return found


KINDS = ("another document's", "another's of the register", "another part's", "the two exchanged")


def hard_pairs(text: Text, count: int, seed: int = 0) -> list[list[SentencePair[Ids]]]:
    """Pairs that follow one another, and for each of ``KINDS`` as many whose second, or order, is another.

    All are cut out of documents of three chunks or more.
    """
    random, cut = np.random.default_rng(seed), chunks(text, SHORT - 3)
    cut = cut.where(cut.behind - cut.first > 1)
    register = text.register[cut.document]
    long = np.bincount(cut.document)[cut.document] >= 3
    made: list[list[SentencePair[Ids]]] = [[] for _ in range(1 + len(KINDS))]
    for number in random.permutation(np.flatnonzero(long))[:count]:
        first, second = _halves(text, cut, number, random)
        other = cut.document != cut.document[number]
        apart = np.abs(np.arange(len(cut.first)) - number) > 1
        places = (other, other & (register == register[number]), ~other & apart)
        seconds = [_halves(text, cut, random.choice(np.flatnonzero(place)), random)[1] for place in places]
        made[0].append(SentencePair(first, second, IS_NEXT))
        for kind, strange in zip(made[1:], seconds, strict=False):
            kind.append(SentencePair(first, strange[: SHORT - 3 - len(first)], NOT_NEXT))
        made[-1].append(SentencePair(second, first, NOT_NEXT))
    return made


@torch.no_grad()
def said_next(
    model: BertForPreTraining, tokenizer: WordPiece, pairs: Sequence[SentencePair[Ids]]
) -> list[bool]:
    """Of which of the pairs a model says that the second follows."""
    said, device = [], model.bert.tokens.weight.device
    for start in range(0, len(pairs), ROWS):
        rows = pair_rows(pairs[start : start + ROWS], tokenizer)
        ids, segments = rows.ids.to(device), rows.segments.to(device)
        said += (model.next_head(model.read(ids, segments)[1]).argmax(-1) == IS_NEXT).tolist()
    return said


def _halves(text: Text, cut: Chunks, number: int, random: np.random.Generator) -> tuple[Ids, Ids]:
    first, behind = cut.first[number], cut.behind[number]
    middle = random.integers(first + 1, behind)
    return text.between(first, middle), text.between(middle, behind)
