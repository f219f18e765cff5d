"""What BERT reads in pre-training, made from documents of token ids; and what it has learned, measured.

Sentences are put together into segments, segments into pairs, pairs into rows: [CLS] A [SEP] B [SEP].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Generator, Tensor
from torch.nn.utils.rnn import pad_sequence

from course.masking import IGNORED, SPLIT, mask_tokens
from course.models.bert_heads import BertForPreTraining
from course.next_sentence import SentencePair, next_sentence_pairs
from course.text.ngrams import NGram
from course.text.wordpiece import WordPiece

Ids = list[int]
"""The tokens of a text, without special ones."""


class Rows(NamedTuple):
    """Inputs of a BERT: tokens, to which of the two texts each belongs, and whether the second follows.

    ``next_labels`` are IS_NEXT, NOT_NEXT, or -100 for a row that is no pair.
    """

    ids: Int[Tensor, "batch n"]
    segments: Int[Tensor, "batch n"]
    next_labels: Int[Tensor, "batch"]


# --------------------------------------------------------------------------------------------------
# Inputs
# --------------------------------------------------------------------------------------------------


def encode(tokenizer: WordPiece, texts: Sequence[str]) -> list[Ids]:
    """Each text's tokens, without [CLS] and [SEP]."""
    return [encoded.ids[1:-1] for encoded in tokenizer.encode_all(texts)]


def segments_of(sentences: Iterable[Ids], longest: int) -> list[Ids]:
    """Put neighbouring sentences together while they have at most ``longest`` tokens; cut what has more.

    The "sentences" of next-sentence prediction are such segments: "an arbitrary span of contiguous text".

    Raises:
        ValueError: if ``longest`` is less than 1.

    Source: Devlin et al. 2019, §3 (Input/Output Representations) and appendix A.2.
    """
    if longest < 1:
        raise ValueError(f"a segment needs room for a token, longest >= 1; got {longest}")
    segments: list[Ids] = []
    for sentence in sentences:
        if segments and len(segments[-1]) + len(sentence) <= longest:
            segments[-1] = segments[-1] + sentence
        else:
            segments.append(sentence[:longest])
    return segments


def pair_rows(pairs: Sequence[SentencePair[Ids]], tokenizer: WordPiece) -> Rows:
    """A row for each pair, in order: [CLS] first [SEP] second [SEP], then padding up to the longest.

    The ids of the special tokens are ``tokenizer.cls_id``, ``sep_id`` and ``pad_id``. [CLS] and the first
    [SEP] belong to the first text, segment 0; the last [SEP] to the second, segment 1. Padding has segment 0,
    and ``next_labels`` are the pairs' own labels. The pairs stay as they are.

    Source: Devlin et al. 2019, figure 2; lecture rows L1.6.i, L3.3.c.
    """
    firsts = [[tokenizer.cls_id, *pair.first, tokenizer.sep_id] for pair in pairs]
    seconds = [[*pair.second, tokenizer.sep_id] for pair in pairs]
    segments = [[0] * len(a) + [1] * len(b) for a, b in zip(firsts, seconds, strict=True)]
    ids = [a + b for a, b in zip(firsts, seconds, strict=True)]
    labels = torch.tensor([pair.label for pair in pairs])
    return Rows(padded(ids, tokenizer.pad_id), padded(segments, 0), labels)


def single_rows(texts: Sequence[Ids], tokenizer: WordPiece) -> Rows:
    """A row for each text: [CLS] text [SEP], then padding."""
    ids = padded([[tokenizer.cls_id, *text, tokenizer.sep_id] for text in texts], tokenizer.pad_id)
    return Rows(ids, torch.zeros_like(ids), torch.full((len(ids),), IGNORED))


def pairs_of(
    documents: Sequence[Sequence[Ids]], longest: int, generator: Generator | None = None
) -> list[SentencePair[Ids]]:
    """Next-sentence pairs of segments, so long that a row of two has at most ``longest`` tokens.

    Raises:
        ValueError: if ``longest`` leaves no room, or as ``next_sentence_pairs``.
    """
    cut = [segments_of(document, (longest - 3) // 2) for document in documents]
    return next_sentence_pairs(cut, generator=generator)


def hidden(
    ids: Int[Tensor, "batch n"],
    tokenizer: WordPiece,
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "batch n"], Int[Tensor, "batch n"]]:
    """``mask_tokens`` for rows: special tokens are neither hidden nor drawn."""
    special_ids = tokenizer.special_ids
    return mask_tokens(
        ids,
        mask_id=tokenizer.mask_id,
        vocab_size=len(tokenizer),
        special_mask=torch.isin(ids, torch.tensor(special_ids)),
        rate=rate,
        split=split,
        special_ids=special_ids,
        generator=generator,
    )


def one_earlier(labels: Int[Tensor, "batch n"]) -> Int[Tensor, "batch n"]:
    """The labels for a model that predicts the next token: each where the token before it stands."""
    return F.pad(labels[:, 1:], (0, 1), value=IGNORED)


# --------------------------------------------------------------------------------------------------
# Scores
# --------------------------------------------------------------------------------------------------

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Inputs, labels, next-sentence labels, segments: what ``BertForPreTraining.loss`` takes."""


@torch.no_grad()
def scores(model: BertForPreTraining, batches: Iterable[Batch]) -> dict[str, float]:
    """How well a model restores tokens and tells pairs.

    Returns:
        ``loss`` in nats a token; ``accuracy``, the share of tokens that are the likeliest of all; and
        ``next_accuracy``, the share of pairs told, where there are pairs.
    """
    device = model.bert.tokens.weight.device
    loss, right, tokens, told, pairs = 0.0, 0, 0, 0, 0
    for inputs, labels, next_labels, segments in (map(lambda x: x.to(device), batch) for batch in batches):
        x, whole = model.read(inputs, segments)
        chosen, paired = labels != IGNORED, next_labels != IGNORED
        logits = model.lm_head(x[chosen], model.bert.tokens.weight)
        loss += F.cross_entropy(logits, labels[chosen], reduction="sum").item()
        right += int((logits.argmax(dim=-1) == labels[chosen]).sum())
        told += int((model.next_head(whole).argmax(dim=-1) == next_labels)[paired].sum())
        tokens, pairs = tokens + int(chosen.sum()), pairs + int(paired.sum())
    of_tokens = {"loss": loss / tokens, "accuracy": right / tokens}
    return of_tokens | ({"next_accuracy": told / pairs} if pairs else {})


def found_when(
    model: BertForPreTraining, rows: Iterable[Rows], tokenizer: WordPiece, split: tuple[float, float, float]
) -> float:
    """The share of chosen tokens that are found when their places are split so; the same ones every time.

    (1, 0, 0) asks where [MASK] stands, (0, 1, 0) where a random token stands, (0, 0, 1) where the right one.
    """
    generator, batches = Generator().manual_seed(0), []
    for some in rows:
        inputs, labels = hidden(some.ids, tokenizer, split=split, generator=generator)
        batches.append((inputs, labels, some.next_labels, some.segments))
    return scores(model, batches)["accuracy"]


def counting_scores(
    model: NGram, ids: Iterable[Int[Tensor, "batch n"]], labels: Iterable[Int[Tensor, "batch n"]]
) -> dict[str, float]:
    """The same loss and accuracy for a model that counts, which sees all tokens to the left, none hidden.

    Args:
        ids: rows as they were before anything was hidden.
        labels: -100 where nothing is asked, otherwise the token that stands there.
    """
    loss, right, tokens = 0.0, 0, 0
    for row, asked in ((r, a) for pair in zip(ids, labels, strict=True) for r, a in zip(*pair, strict=True)):
        row = row.tolist()
        for place in (asked != IGNORED).nonzero().squeeze(-1).tolist():
            p = model.probabilities(row[max(0, place + 1 - model.order) : place])
            loss -= p[row[place]].log().item()
            right, tokens = right + int(p.argmax() == row[place]), tokens + 1
    return {"loss": loss / tokens, "accuracy": right / tokens}


def padded(rows: Sequence[Ids], padding: int) -> Int[Tensor, "batch n"]:
    """Rows of ids, each filled up on the right to the longest."""
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=padding)
