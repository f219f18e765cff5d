"""Which sentence is nearest to a given one? Vectors of whole sentences, and how often they find what belongs.

The sentences are the course's own: thirty, each with three about the same thing (``own_pairs.json``).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

import course.data
from course.models.character_lstm import CharacterLSTM
from course.models.masked_lm import MaskedLM
from course.studies.baselines import bag_of_words

RELATED = ("entailment", "contradiction", "neutral")
Vectors = Callable[[Sequence[str]], Float[Tensor, "sentences d"]]


def own_sentences() -> tuple[list[str], list[str], Int[Tensor, "others"]]:
    """Thirty sentences, ninety others, and to which of the thirty each other belongs."""
    file = Path(course.data.__file__).parent / "own_pairs.json"
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    others = [row[kind] for row in rows for kind in RELATED]
    return [row["premise"] for row in rows], others, torch.arange(len(others)) // len(RELATED)


@torch.no_grad()
def encoder_means(model: MaskedLM, sentences: Sequence[str]) -> Float[Tensor, "sentences d"]:
    """For each sentence the mean of the encoder's last states over its tokens, [CLS] and [SEP] left out."""
    found = []
    for sentence in sentences:
        read = model.encode(sentence)
        states, _ = model.model.read(torch.tensor([read.ids]), torch.tensor([read.segments]))
        found.append(states[0, 1:-1].mean(0))
    return torch.stack(found)


@torch.no_grad()
def last_states(model: CharacterLSTM, sentences: Sequence[str]) -> Float[Tensor, "sentences d"]:
    """For each sentence what an LSTM holds when it has read it: its last h."""
    return torch.stack([_last(model, sentence) for sentence in sentences])


def _last(model: CharacterLSTM, sentence: str) -> Float[Tensor, "d"]:
    states, _ = model.lstm(model.embedding(torch.tensor([model.encode(sentence)])))
    return states[0, -1]


def word_counts(sentences: Sequence[str]) -> Float[Tensor, "sentences words"]:
    """The plain baseline: each word's count times ln(sentences / sentences with it); nothing is learned."""
    bags = [Counter(bag_of_words(sentence, pairs=False)) for sentence in sentences]
    spread = Counter(word for bag in bags for word in bag)
    words = {word: i for i, word in enumerate(sorted(spread))}
    table = torch.zeros(len(bags), len(words))
    for row, bag in zip(table, bags, strict=True):
        for word, count in bag.items():
            row[words[word]] = count * math.log(len(bags) / spread[word])
    return table


def nearest(
    queries: Float[Tensor, "queries d"], others: Float[Tensor, "others d"], centred: bool = True
) -> Int[Tensor, "queries others"]:
    """The others in the order of their cosine with each query, the nearest first.

    Args:
        centred: take away the mean of all vectors first: what all sentences have in common says nothing.
    """
    if centred:
        middle = torch.cat([queries, others]).mean(0)
        queries, others = queries - middle, others - middle
    cosines = F.normalize(queries, dim=-1) @ F.normalize(others, dim=-1).mT
    return cosines.argsort(dim=-1, descending=True, stable=True)


def finds(order: Int[Tensor, "queries others"], belongs: Int[Tensor, "others"]) -> Bool[Tensor, "queries"]:
    """Whether the nearest other is one that belongs to the query."""
    return belongs[order[:, 0]] == torch.arange(len(order))
