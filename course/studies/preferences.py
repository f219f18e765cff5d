"""What a reader likes, learned from which of two texts they preferred; and what a push does to it.

The reader here is a rule (``true_reward``), so that what they truly like can be looked up. The model of them
sees only pairs, and only how often each token stands in a text. Lecture row L1.2.e.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor

from course.models.gpt import GPT

PROMPT = "once upon a time there was a little girl named lily."
LENGTH = 48
"""Tokens that are written."""

KIND_WORDS = (
    "beautiful", "fun", "friend", "friends", "happy", "help", "helped", "hug", "hugged", "kind", "laughed",
    "love", "loved", "nice", "proud", "share", "shared", "smile", "smiled", "thank",
)  # fmt: skip


def true_reward(text: str) -> float:
    """The reader's rule: 1 for every different kind word, less 1 for all that is said again.

    Said again is a word right behind itself, and a pair of neighbours that stood there before.
    """
    words = re.findall(r"[a-z']+", text.lower())
    pairs = list(pairwise(words))
    doubled = sum(a == b for a, b in pairs)
    again = len([pair for pair in pairs if pair[0] != pair[1]]) - len({p for p in pairs if p[0] != p[1]})
    return float(len(set(words) & set(KIND_WORDS)) - doubled - again)


# --------------------------------------------------------------------------------------------------
# A model of the reader
# --------------------------------------------------------------------------------------------------


def preference_loss(chosen: Float[Tensor, "pairs"], rejected: Float[Tensor, "pairs"]) -> Float[Tensor, ""]:
    """The mean over pairs of -ln σ(chosen - rejected), finite also where a difference is large.

    σ(a - b) is the probability that a text of reward a is preferred to one of reward b: adding the same to
    both changes nothing.

    Source: Bradley and Terry 1952; Ouyang et al. 2022 (InstructGPT), equation 1; lecture row L1.2.e.
    """
    return -F.logsigmoid(chosen - rejected).mean()


def counts(samples: Int[Tensor, "texts n"], vocab_size: int) -> Float[Tensor, "texts vocab"]:
    """How often each token stands in each text."""
    return F.one_hot(samples, vocab_size).sum(1).float()


def ranked_pairs(
    rewards: Float[Tensor, "texts"], pairs: int, seed: int = 0
) -> tuple[Int[Tensor, "pairs"], Int[Tensor, "pairs"]]:
    """Pairs of different texts drawn at random, the preferred one's number first; ties are not shown."""
    generator, found = Generator().manual_seed(seed), []
    while len(found) < pairs:
        a, b = torch.randint(len(rewards), (2,), generator=generator).tolist()
        if rewards[a] != rewards[b]:
            found.append((a, b) if rewards[a] > rewards[b] else (b, a))
    chosen, rejected = torch.tensor(found).mT
    return chosen, rejected


def fit_reward(
    chosen: Float[Tensor, "pairs vocab"],
    rejected: Float[Tensor, "pairs vocab"],
    decay: float = 0.02,
    steps: int = 200,
) -> Float[Tensor, "vocab"]:
    """What a token is worth to the reader, so that ``counts @ worth`` ranks the pairs as the reader did.

    Args:
        decay: holds the worths small: times the sum of their squares.
    """
    worth = torch.zeros(chosen.shape[-1], requires_grad=True)
    optimizer = torch.optim.Adam([worth], lr=0.05)
    for _ in range(steps):
        loss = preference_loss(chosen @ worth, rejected @ worth) + decay * worth.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return worth.detach()


def agreement(worth: Float[Tensor, "vocab"], chosen: Tensor, rejected: Tensor) -> float:
    """The share of pairs that the model ranks as the reader did."""
    return ((chosen - rejected) @ worth > 0).float().mean().item()


# --------------------------------------------------------------------------------------------------
# Writing what it likes
# --------------------------------------------------------------------------------------------------


class Written(NamedTuple):
    """Texts, and of each how far its writer has gone from the model as it was: nats, KL(writer ‖ model)."""

    ids: Int[Tensor, "texts n"]
    divergence: Float[Tensor, "texts"]


@torch.no_grad()
def write(
    gpt: GPT,
    prompt: Sequence[int],
    texts: int,
    worth: Float[Tensor, "vocab"] | None = None,
    push: float = 0.0,
    length: int = LENGTH,
    seed: int = 0,
) -> Written:
    """Draw texts, token by token, from p(token) · e^(push × worth), made to sum to 1.

    That is the writer who gains most reward at the next token for the divergence that it takes.

    Source: Korbak et al. 2022 ("RL with KL penalties is better viewed as Bayesian inference"), equation 4,
    for a reward a token.
    """
    generator = Generator().manual_seed(seed)
    caches, new = gpt.caches(), torch.tensor(prompt).expand(texts, -1)
    bias = torch.zeros(gpt.config.vocab_size) if worth is None else push * worth
    written, divergence = [], torch.zeros(texts)
    for _ in range(length):
        log_p = gpt.step(new, caches).log_softmax(-1)
        log_q = (log_p + bias).log_softmax(-1)
        divergence += (log_q.exp() * (log_q - log_p)).sum(-1)
        new = torch.multinomial(log_q.exp(), 1, generator=generator)
        written.append(new)
    return Written(torch.cat(written, -1), divergence)


def best_of(proxy: Float[Tensor, "texts"], reward: Float[Tensor, "texts"], n: int) -> tuple[float, float]:
    """The mean proxy and the mean reward of the text that the proxy likes best of n, over all draws of n.

    Exact: of N texts in the order of their proxy, the i-th is the best of n with probability
    C(i - 1, n - 1) / C(N, n).

    Raises:
        ValueError: if there are fewer than n texts.
    """
    if not 1 <= n <= len(proxy):
        raise ValueError(f"the best of n needs 1 to {len(proxy)} texts to draw; got {n}")
    order, total = proxy.argsort(), math.comb(len(proxy), n)
    chance = torch.tensor([math.comb(i, n - 1) / total for i in range(len(proxy))], dtype=torch.float64)
    return float(chance @ proxy[order].double()), float(chance @ reward[order].double())


def divergence_of_best(n: int) -> float:
    """How far the best of n is from the model, in nats, at most: ln n - (n - 1) / n.

    Source: Stiennon et al. 2020, appendix G.3; Beirami et al. 2024 show that it is a bound.
    """
    return math.log(n) - (n - 1) / n
