"""GPT against BERT as an experiment: two models that differ in mask and objective alone, on three tasks.

Each function takes both models, ``bert-small`` and its causal twin or any two like them, and
sentences of token ids without special tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from course.masking import IGNORED
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.studies.bert_pretraining import Ids, single_rows
from course.text.wordpiece import WordPiece

CHUNK = 64
"""Rows that are read at once."""


# --------------------------------------------------------------------------------------------------
# What a token is, from one side and from both
# --------------------------------------------------------------------------------------------------


def some_places(sentences: Sequence[Ids], generator: Generator | None = None) -> list[int]:
    """One place in each sentence, neither the first nor the last, each as likely.

    Raises:
        ValueError: if a sentence has fewer than three tokens.
    """
    short = [len(sentence) for sentence in sentences if len(sentence) < 3]
    if short:
        raise ValueError(f"a place between others needs sentences of 3 tokens or more; got one of {short[0]}")
    return [1 + int(torch.randint(len(s) - 2, (), generator=generator)) for s in sentences]


def next_words(
    model: BertForPreTraining, tokenizer: WordPiece, sentences: Sequence[Ids], places: Sequence[int]
) -> Float[Tensor, "sentences vocab"]:
    """Logits of the token at a place of each sentence, for a model that is shown only what comes before.

    The twin predicts it. BERT gets a [MASK] behind the beginning, and no [SEP], which would end the sentence.
    """
    causal = isinstance(model, CausalBert)
    gap = [] if causal else [tokenizer.mask_id]
    rows = [
        [tokenizer.cls_id, *sentence[:place], *gap] for sentence, place in zip(sentences, places, strict=True)
    ]
    return _logits(model, tokenizer, rows, [len(row) - 1 for row in rows])


def gaps(
    model: BertForPreTraining, tokenizer: WordPiece, sentences: Sequence[Ids], places: Sequence[int]
) -> Float[Tensor, "sentences vocab"]:
    """BERT's logits of the token at a place of each sentence, which alone is hidden."""
    rows = [
        [tokenizer.cls_id, *sentence[:place], tokenizer.mask_id, *sentence[place + 1 :], tokenizer.sep_id]
        for sentence, place in zip(sentences, places, strict=True)
    ]
    return _logits(model, tokenizer, rows, [place + 1 for place in places])


def rescored_gaps(
    twin: CausalBert,
    tokenizer: WordPiece,
    sentences: Sequence[Ids],
    places: Sequence[int],
    candidates: int = 20,
) -> Int[Tensor, "sentences"]:
    """What a one-way model would put at a place if it is given all of the sentence, the long way round.

    It takes its likeliest tokens after the beginning, writes each into the sentence, reads all of these
    sentences, and keeps the most probable one.

    Args:
        candidates: how many tokens are tried; the right one can only be found if it is among them.
    """
    tried = next_words(twin, tokenizer, sentences, places).topk(candidates).indices  # [sentences, candidates]
    best = []
    for sentence, place, tokens in zip(sentences, places, tried.tolist(), strict=True):
        filled = [[*sentence[:place], token, *sentence[place + 1 :]] for token in tokens]
        best.append(tokens[int(log_probabilities(twin, tokenizer, filled).argmax())])
    return torch.tensor(best)


@torch.no_grad()
def log_probabilities(
    twin: CausalBert, tokenizer: WordPiece, sentences: Sequence[Ids]
) -> Float[Tensor, "sentences"]:
    """How probable each sentence is: the sum of ln p of its tokens and [SEP], each after those before it."""
    ids = single_rows(sentences, tokenizer).ids
    x, _ = twin.read(ids)
    log_p = twin.lm_head(x[:, :-1], twin.bert.tokens.weight).log_softmax(dim=-1)
    picked = log_p.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)
    return picked.masked_fill(ids[:, 1:] == tokenizer.pad_id, 0.0).sum(dim=-1)


@torch.no_grad()
def _logits(
    model: BertForPreTraining, tokenizer: WordPiece, rows: Sequence[Ids], places: Sequence[int]
) -> Float[Tensor, "rows vocab"]:
    longest = max(map(len, rows))
    found = []
    for start in range(0, len(rows), CHUNK):
        chunk = [F.pad(torch.tensor(row), (0, longest - len(row)), value=tokenizer.pad_id)
                 for row in rows[start : start + CHUNK]]  # fmt: skip
        x, _ = model.read(torch.stack(chunk))
        chosen = x[torch.arange(len(chunk)), torch.tensor(places[start : start + CHUNK])]
        found.append(model.lm_head(chosen, model.bert.tokens.weight))
    return torch.cat(found)


# --------------------------------------------------------------------------------------------------
# What a text is about
# --------------------------------------------------------------------------------------------------


@torch.no_grad()
def mean_states(
    model: BertForPreTraining, tokenizer: WordPiece, texts: Sequence[Ids]
) -> Float[Tensor, "texts d_model"]:
    """The mean of the last block's vectors over a text's own tokens; longer texts are cut off."""
    longest, found = model.config.max_length - 2, []
    for start in range(0, len(texts), CHUNK):
        ids = single_rows([text[:longest] for text in texts[start : start + CHUNK]], tokenizer).ids
        own = ~torch.isin(ids, torch.tensor([tokenizer.cls_id, tokenizer.sep_id, tokenizer.pad_id]))
        x, _ = model.read(ids)
        found.append((x * own.unsqueeze(-1)).sum(dim=1) / own.sum(dim=1, keepdim=True))
    return torch.cat(found)


def logistic_regression(
    x: Float[Tensor, "examples d"], labels: Bool[Tensor, "examples"], penalty: float = 1.0
) -> Float[Tensor, "d_plus_one"]:
    """The weights, and last the bias, of the least cross-entropy plus penalty/2 · |weights|², by L-BFGS.

    Args:
        penalty: against the sum of the cross-entropies, not their mean.
    """
    with_one = F.pad(x.double(), (0, 1), value=1.0)
    weights = torch.zeros(with_one.shape[-1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        error = F.binary_cross_entropy_with_logits(with_one @ weights, labels.double(), reduction="sum")
        total = error + penalty / 2 * weights[:-1].square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    return weights.detach()


def frozen_accuracy(
    train: tuple[Float[Tensor, "examples d"], Bool[Tensor, "examples"]],
    test: tuple[Float[Tensor, "examples d"], Bool[Tensor, "examples"]],
) -> float:
    """How many test examples a logistic regression on frozen features puts into the right one of two classes.

    Features are brought to mean 0 and variance 1, as they are in training.
    """
    (x, labels), (unseen, right) = train, test
    mean, spread = x.mean(dim=0), x.std(dim=0) + 1e-6
    weights = logistic_regression((x - mean) / spread, labels)
    logits = F.pad(((unseen - mean) / spread).double(), (0, 1), value=1.0) @ weights
    return ((logits > 0) == right).float().mean().item()


# --------------------------------------------------------------------------------------------------
# The leak
# --------------------------------------------------------------------------------------------------


@torch.no_grad()
def told_and_untold(
    model: BertForPreTraining, ids: Int[Tensor, "batch n"], labels: Int[Tensor, "batch n"]
) -> tuple[float, float]:
    """How well a model predicts next tokens where it may see them, and where it may not.

    Returns:
        The share of labels that are the likeliest token with the whole row given, and with each row cut off
        behind the place that is asked. For a one-way model both are the same; for a two-way one the first
        says nothing of how well it predicts.

    Source: lecture row L1.6.h.
    """
    asked = labels != IGNORED
    told = _right(model, ids, labels)[asked].float().mean().item()
    rows, places = asked.nonzero(as_tuple=True)
    hits = 0
    for place in places.unique().tolist():
        at = rows[places == place]
        hits += int(_right(model, ids[at, : place + 1], labels[at, : place + 1])[:, -1].sum())
    return told, hits / len(rows)


def _right(model: BertForPreTraining, ids: Tensor, labels: Tensor) -> Bool[Tensor, "batch n"]:
    x, _ = model.read(ids)
    return model.lm_head(x, model.bert.tokens.weight).argmax(dim=-1) == labels
