"""What vectors of words are worth: analogies by section, likeness as people judge it, an answer's rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course.data.word_similarity import Judged
from course.text.vectors import WordVectors, analogy


def answers_right(
    vectors: Float[Tensor, "vocab d"], questions: Int[Tensor, "n 4"], leave_out: bool = True
) -> Bool[Tensor, "n"]:
    """Whether the best answer to "a is to b as c is to ..." is the fourth word; see ``vectors.analogy``.

    Source: Mikolov et al. 2013a, §4.1; lecture row L3.6.d.
    """
    unit, (a, b, c, d) = F.normalize(vectors, dim=-1), questions.T
    scores = F.normalize(unit[b] - unit[a] + unit[c], dim=-1) @ unit.mT
    if leave_out:
        scores.scatter_(1, questions[:, :3], -torch.inf)
    return scores.argmax(-1) == d


def analogy_scores(
    words: WordVectors, questions: Mapping[str, Sequence[tuple[str, str, str, str]]]
) -> dict[str, dict[str, int]]:
    """By section: how many questions there are, and how many are right, the inputs left out and left in."""
    found = {}
    for section, asked in questions.items():
        ids = torch.tensor([[words.id(word) for word in question] for question in asked])
        found[section] = {
            "questions": len(ids),
            "left out": int(answers_right(words.vectors, ids).sum()),
            "left in": int(answers_right(words.vectors, ids, leave_out=False).sum()),
        }
    return found


def rank_of(words: WordVectors, answer: str, a: str, b: str, c: str, leave_out: bool = True) -> int:
    """The place of a word among all answers to "a is to b as c is to ...": 1 is the best."""
    scores = analogy(words.vectors, *map(words.id, (a, b, c)), leave_out)
    return int((scores > scores[words.id(answer)]).sum()) + 1


def as_people_judge(words: WordVectors, judged: Sequence[Judged]) -> tuple[float, int]:
    """Spearman's correlation of cosines with people's scores over the pairs of known words; their number."""
    known = [(words.id(a), words.id(b), score) for a, b, score in judged if a in words and b in words]
    a, b, people = map(torch.tensor, zip(*known, strict=True))
    ours = F.cosine_similarity(words.vectors[a], words.vectors[b])
    return spearman(ours, people), len(known)


def spearman(x: Float[Tensor, "n"], y: Float[Tensor, "n"]) -> float:
    """The correlation of the ranks of two rows of numbers, from -1 to 1; equal numbers share a mean rank."""
    return torch.corrcoef(torch.stack([_ranks(x), _ranks(y)]))[0, 1].item()


def _ranks(x: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    _, which, counts = torch.unique(x, return_inverse=True, return_counts=True)
    ends = counts.cumsum(0).double()
    return (ends - (counts - 1) / 2)[which]


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """A 95 % interval of the true share when ``right`` of n questions are answered right (Wilson 1927).

    It takes the questions to be independent, which those that share words are not: it is too narrow.
    """
    p, extra = right / n, z * z / n
    middle, half = (p + extra / 2) / (1 + extra), z * sqrt(p * (1 - p) / n + extra / (4 * n)) / (1 + extra)
    return middle - half, middle + half
