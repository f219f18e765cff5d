"""What is left to chance is judged by its distribution, in bounds that a right answer leaves once in 10⁸."""

from __future__ import annotations

import math
from dataclasses import dataclass

ALARM = 1e-8
"""How often a right answer is outside one bound, at most: 100 bounds an exercise stay below 10⁻⁶."""


@dataclass(frozen=True)
class Share:
    """How many of ``of`` independent trials came out so; ``truth`` is how often a right answer's do.

    Independent is the word: pieces of one word, chosen together, are one trial.
    """

    hits: int
    of: int
    truth: float

    def __post_init__(self):
        if not (0 <= self.hits <= self.of and 0 <= self.truth <= 1):
            raise ValueError(f"{self.hits} of {self.of} with a true share of {self.truth}")

    @property
    def right(self) -> bool:
        """Whether the truth can have given this: Chernoff's bound, which holds for any number of trials."""
        return self.of * divergence(self.hits / max(self.of, 1), self.truth) <= math.log(2 / ALARM)

    def like(self, other: Share) -> bool:
        """Whether the two can come from one distribution (the likelihood ratio of one share against two)."""
        if 0 in (self.of, other.of):
            return self.of == other.of
        pooled = (self.hits + other.hits) / (self.of + other.of)
        ratio = sum(x.of * divergence(x.hits / x.of, pooled) for x in (self, other))
        return ratio <= math.log(2 / ALARM)

    def __str__(self) -> str:
        return f"{self.hits / self.of:.3g}" if self.of else "none (0 of 0)"


def divergence(seen: float, truth: float) -> float:
    """Kullback and Leibler's divergence of two coins, in nats: ``seen`` against ``truth``."""
    terms = ((seen, truth), (1 - seen, 1 - truth))
    if any(s > 0 and t == 0 for s, t in terms):
        return math.inf
    return sum(s * math.log(s / t) for s, t in terms if s > 0)
