"""Words as vectors: one-hot and learned, how alike two are, who is near, and what is to c as b is to a."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from course.checkpoints import find_file

MEASURES = ("cosine", "inner product", "distance")


def embed_one_hot(ids: Int[Tensor, "*shape"], table: Float[Tensor, "vocab d"]) -> Float[Tensor, "*shape d"]:
    """Rows of a table, by a matrix product: each id becomes a row of zeros with a single 1, times the table.

    Equal to ``table[ids]``, and its gradient to the table too; a look-up leaves out all the products with 0.

    Raises:
        IndexError: if an id is below 0, or beyond the table.

    Source: lecture rows L3.6.a and L3.7.a.
    """
    if ids.numel() and not 0 <= ids.min() <= ids.max() < len(table):
        raise IndexError(f"ids lie from 0 to {len(table) - 1}; got {ids.min()} to {ids.max()}")
    return F.one_hot(ids, len(table)).to(table.dtype) @ table


def likeness(
    vectors: Float[Tensor, "vocab d"], query: Float[Tensor, "d"], by: str = "cosine"
) -> Float[Tensor, "vocab"]:
    """How alike each vector is to a query: the larger, the more. One of ``MEASURES``; distance, with a minus.

    Raises:
        ValueError: if the measure is none of these.

    Source: lecture rows L3.6.d and L3.8.b.
    """
    if by not in MEASURES:
        raise ValueError(f"a measure is one of {', '.join(MEASURES)}; got {by!r}")
    if by == "distance":
        return -torch.linalg.vector_norm(vectors - query, dim=-1)
    if by == "cosine":
        vectors, query = F.normalize(vectors, dim=-1), F.normalize(query, dim=-1)
    return vectors @ query


def analogy(
    vectors: Float[Tensor, "vocab d"], a: int, b: int, c: int, leave_out: bool = True
) -> Float[Tensor, "vocab"]:
    """How well each word completes "a is to b as c is to ...": its cosine with b - a + c, all at length 1.

    The three are made length 1 before they are added. With ``leave_out`` their own scores are -∞: a, b and
    c cannot be the answer. That is how the published figures are made, and it hides that c mostly would be.

    Source: Mikolov, Yih and Zweig 2013, §4 (3CosAdd); lecture row L3.6.d.
    """
    unit = F.normalize(vectors, dim=-1)
    scores = unit @ F.normalize(unit[b] - unit[a] + unit[c], dim=-1)
    return scores.index_fill(0, torch.tensor([a, b, c]), -torch.inf) if leave_out else scores


class Neighbour(NamedTuple):
    """A word and how alike it is."""

    word: str
    score: float


class WordVectors:
    """A vector for each word of a list.

    Raises:
        ValueError: if there are more words than vectors or fewer, or a word stands twice.
    """

    def __init__(self, words: Sequence[str], vectors: Float[Tensor, "vocab d"]):
        self.words, self.vectors = list(words), vectors
        self.ids = {word: id for id, word in enumerate(self.words)}
        if len(self.words) != len(vectors) or len(self.ids) != len(self.words):
            raise ValueError(
                f"each word, once, needs a vector: {len(self.words)} words, {len(self.ids)} different, "
                f"{len(vectors)} vectors"
            )

    @classmethod
    def shipped(cls, method: str = "PPMI + SVD", name: str = "word-vectors") -> WordVectors:
        """Those that the course ships, learned by one of five methods from one text; words by frequency.

        Raises:
            FileNotFoundError: if there is no such checkpoint; KeyError: if it has no such method.
        """
        from safetensors.torch import load_file

        tables = load_file(find_file(name, "vectors.safetensors"))
        if method not in tables:
            raise KeyError(f"{name} has the methods {', '.join(sorted(tables))}; got {method!r}")
        words = json.loads(find_file(name, "words.json").read_text(encoding="utf-8"))
        return cls(words, tables[method].float())

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.ids

    def __getitem__(self, word: str) -> Float[Tensor, "d"]:
        """The vector of a word.

        Raises:
            KeyError: if there is none; the text says so.
        """
        return self.vectors[self.id(word)]

    def id(self, word: str) -> int:
        """The number of a word.

        Raises:
            KeyError: if it has none; the text says so.
        """
        if word not in self.ids:
            raise KeyError(f"{word!r} is none of the {len(self):,} words that were seen often enough")
        return self.ids[word]

    def similarity(self, a: str, b: str, by: str = "cosine") -> float:
        """How alike two words are, by one of ``MEASURES``."""
        return likeness(self[a][None], self[b], by).item()

    def nearest(
        self, query: str | Float[Tensor, "d"], k: int = 10, by: str = "cosine", leave_out: Iterable[str] = ()
    ) -> list[Neighbour]:
        """The k words most alike to a word (itself left out) or to a vector."""
        if isinstance(query, str):
            query, leave_out = self[query], [query, *leave_out]
        scores = likeness(self.vectors, query, by)
        out = torch.tensor([self.id(word) for word in leave_out], dtype=torch.long)
        return self.best(scores.index_fill(0, out, -torch.inf), k)

    def analogy(self, a: str, b: str, c: str, k: int = 10, leave_out: bool = True) -> list[Neighbour]:
        """The k best answers to "a is to b as c is to ..."; see ``analogy``."""
        return self.best(analogy(self.vectors, *map(self.id, (a, b, c)), leave_out), k)

    def best(self, scores: Float[Tensor, "vocab"], k: int) -> list[Neighbour]:
        """The k words of the highest scores."""
        values, ids = scores.topk(min(k, len(self)))
        return [Neighbour(self.words[i], v) for i, v in zip(ids.tolist(), values.tolist(), strict=True)]
