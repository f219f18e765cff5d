"""Language models by counting: what followed the last few tokens so far will follow them again."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor


def bigram_probabilities(
    ids: Int[Tensor, "n"], vocab_size: int, alpha: float = 1.0
) -> Float[Tensor, "vocab vocab"]:
    """Row a, column b: how probable token b is right after token a, counted in a text.

    Each count is raised by alpha, so that nothing is impossible (Laplace's rule for alpha = 1).

    Source: Shannon 1948, §3; lecture row L1.6.a.
    """
    pairs = ids[:-1] * vocab_size + ids[1:]  # one number for each pair
    counts = torch.bincount(pairs, minlength=vocab_size**2).reshape(vocab_size, vocab_size)
    raised = counts + alpha
    return raised / raised.sum(dim=-1, keepdim=True)


class NGram:
    """Counts of every sequence of up to ``order`` tokens, the longer ones mixed with the shorter.

    With c followers of a context, t of them different, a token that followed k times has the probability
    (k + t · p) / (c + t), where p is that under the context without its first token; at the very end of
    that chain all tokens are equally probable.

    Args:
        ids: the text to count in.
        order: 1 looks at no other token, 2 (a bigram) at the one before, ...

    Raises:
        ValueError: if the order is less than 1, or the text is empty.

    Source: Witten and Bell 1991, method C; Chen and Goodman 1998, §2.4.
    """

    def __init__(self, ids: Sequence[int], order: int, vocab_size: int):
        if order < 1 or not len(ids):
            raise ValueError(
                f"counting needs an order of 1 or more and a text; got {order}, {len(ids)} tokens"
            )
        self.order, self.vocab_size = order, vocab_size
        self.followers = defaultdict(Counter)  # context -> what followed it, how often
        ids = tuple(ids)
        for length in range(order):
            for i in range(length, len(ids)):
                self.followers[ids[i - length : i]][ids[i]] += 1

    def probability(self, context: Sequence[int], token: int) -> float:
        """How probable a token is behind a context, of which the last ``order - 1`` tokens count."""
        context, p = tuple(context), 1 / self.vocab_size
        for length in range(min(self.order, len(context) + 1)):
            counted = self.followers.get(context[len(context) - length :])
            if counted is None:  # then no longer context was seen either
                break
            p = (counted[token] + len(counted) * p) / (counted.total() + len(counted))
        return p

    def probabilities(self, context: Sequence[int]) -> Float[Tensor, "vocab"]:
        """``probability`` of every token at once."""
        context, p = tuple(context), self._alone
        for length in range(1, min(self.order, len(context) + 1)):
            counted = self.followers.get(context[len(context) - length :])
            if counted is None:  # then no longer context was seen either
                break
            p = _mixed(counted, p)
        return p

    @cached_property
    def _alone(self) -> Float[Tensor, "vocab"]:
        return _mixed(self.followers[()], torch.full((self.vocab_size,), 1 / self.vocab_size))

    def loss(self, ids: Sequence[int]) -> float:
        """The mean of -ln p over the tokens of a text, each behind those before it, in nats a token."""
        reach = self.order - 1
        p = [self.probability(ids[max(0, i - reach) : i], token) for i, token in enumerate(ids)]
        return -sum(map(math.log, p)) / len(p)


def _mixed(counted: Counter[int], p: Float[Tensor, "vocab"]) -> Float[Tensor, "vocab"]:
    """(k + t · p) / (c + t) for every token."""
    mixed = p * (len(counted) / (counted.total() + len(counted)))
    counts = torch.tensor(list(counted.values()), dtype=p.dtype)
    mixed[torch.tensor(list(counted))] += counts / (counted.total() + len(counted))
    return mixed
