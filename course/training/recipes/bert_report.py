"""What a BERT finds of held-out stories and sentences, beside counting, and which pairs it tells."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Generator, Tensor

from course.masking import IGNORED
from course.models.bert_heads import BertForPreTraining
from course.next_sentence import SentencePair, next_sentence_pairs
from course.studies.bert_pretraining import (
    Batch,
    Ids,
    Rows,
    counting_scores,
    hidden,
    one_earlier,
    pair_rows,
    pairs_of,
    scores,
    segments_of,
    single_rows,
)
from course.text.ngrams import NGram
from course.text.wordpiece import WordPiece
from course.training.recipes.bert_batches import Encoded

BASELINES = {"unigram": 1, "bigram": 2, "5-gram": 5}
DRAWS = 5
"""How often held-out pairs are drawn to see how many a model tells."""


def held_out_batches(
    texts: Encoded, tokenizer: WordPiece, objective: str, longest: int
) -> dict[str, list[tuple[Rows, Batch]]]:
    """What to score with, always the same places: rows as they were, and the batch that is made of them.

    ``segments`` and ``sentences`` are pairs of stories' segments and of their single sentences; ``singles``
    are the sentences that stand alone.
    """
    generator = torch.Generator().manual_seed(0)
    pairs = _pairs(texts, longest, generator)
    rows = {part: [pair_rows(chunk, tokenizer) for chunk in _chunks(pairs[part], _size)] for part in pairs}
    singles = [sentence[: longest - 2] for sentence in texts.sentences]
    rows["singles"] = [single_rows(chunk, tokenizer) for chunk in _chunks(singles, len)]
    return {part: [(r, _batch(r, tokenizer, objective, generator)) for r in rows[part]] for part in rows}


def report(
    model: BertForPreTraining, tokenizer: WordPiece, train: Encoded, held_out: Encoded, objective: str
) -> dict:
    """All scores of a model, beside those of counting at the same places."""
    asked = held_out_batches(held_out, tokenizer, objective, model.config.max_length)
    text = [id for story in train.stories for id in _as_rows(story, model.config.max_length, tokenizer)]
    text += [id for ids in train.sentences for id in (tokenizer.cls_id, *ids, tokenizer.sep_id)]
    counting = {name: NGram(text, order, len(tokenizer)) for name, order in BASELINES.items()}
    parts = {"stories": asked["segments"], "sentences": asked["singles"]}
    parts["both"] = [*parts["stories"], *parts["sentences"]]
    found: dict = {
        "trained": _count(train),
        "held_out": _count(held_out),
        "asked": sum(int((batch[1] != IGNORED).sum()) for _, batch in parts["both"]),
        "next_accuracy": told(model, tokenizer, held_out),
    }
    for part, chosen in parts.items():
        rows = [rows.ids for rows, _ in chosen]
        labels = [batch[1] if objective == "masked" else _one_later(batch[1]) for _, batch in chosen]
        found[part] = {name: counting_scores(ngram, rows, labels) for name, ngram in counting.items()}
        found[part]["model"] = _of_tokens(scores(model, [batch for _, batch in chosen]))
    return found


@torch.no_grad()
def told(model: BertForPreTraining, tokenizer: WordPiece, texts: Encoded) -> dict[str, float]:
    """Which share of the pairs of segments and of single sentences a model tells, with nothing hidden.

    The mean over several draws: which texts follow and which are random, chance decides.
    """
    found: dict[str, list[bool]] = {}
    for draw in range(DRAWS):
        drawn = _pairs(texts, model.config.max_length, torch.Generator().manual_seed(draw))
        for part, pairs in drawn.items():
            found.setdefault(part, []).extend(_told(model, tokenizer, pairs))
    return {part: sum(right) / len(right) for part, right in found.items()}


# --------------------------------------------------------------------------------------------------
# Small parts
# --------------------------------------------------------------------------------------------------


def _batch(rows: Rows, tokenizer: WordPiece, objective: str, generator: Generator) -> Batch:
    inputs, labels = hidden(rows.ids, tokenizer, generator=generator)
    if objective == "causal":  # the same places, with nothing hidden
        inputs, labels = rows.ids, one_earlier(labels)
    return inputs, labels, rows.next_labels, rows.segments


def _pairs(texts: Encoded, longest: int, generator: Generator) -> dict[str, list[SentencePair[Ids]]]:
    """Pairs of the stories' segments and of their single sentences."""
    cut = [[sentence[: (longest - 3) // 2] for sentence in story] for story in texts.stories]
    return {
        "segments": pairs_of(texts.stories, longest, generator),
        "sentences": next_sentence_pairs(cut, generator=generator),
    }


def _told(model: BertForPreTraining, tokenizer: WordPiece, pairs: Sequence[SentencePair[Ids]]) -> list[bool]:
    right = []
    for chunk in _chunks(pairs, _size):
        ids, segments, labels = pair_rows(chunk, tokenizer)
        said = model.next_head(model.read(ids, segments)[1]).argmax(-1)
        right += (said == labels).tolist()
    return right


def _one_later(labels: Int[Tensor, "batch n"]) -> Int[Tensor, "batch n"]:
    return F.pad(labels[:, :-1], (1, 0), value=IGNORED)


def _as_rows(story: Sequence[Ids], longest: int, tokenizer: WordPiece) -> Ids:
    """A story's segments, each once, with the special tokens that they have in rows."""
    segments = segments_of(story, (longest - 3) // 2)
    return [tokenizer.cls_id, *(id for segment in segments for id in (*segment, tokenizer.sep_id))]


def _chunks(items: Sequence, size: Callable[..., int], rows: int = 64) -> list[list]:
    """Groups of items of like size."""
    ordered = sorted(items, key=size)
    return [ordered[start : start + rows] for start in range(0, len(ordered), rows)]


def _size(pair: SentencePair[Ids]) -> int:
    return len(pair.first) + len(pair.second)


def _count(texts: Encoded) -> dict[str, int]:
    return {"stories": len(texts.stories), "sentences": len(texts.sentences), "tokens": texts.tokens}


def _of_tokens(found: dict[str, float]) -> dict[str, float]:
    return {name: found[name] for name in ("loss", "accuracy")}
