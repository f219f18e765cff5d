"""Vectors from counts of who stands near whom: GloVe (L3.6.c), and PPMI with SVD."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


def cooccurrence(
    sentences: Sequence[Sequence[int]], vocab_size: int, window: int
) -> Float[Tensor, "vocab vocab"]:
    """How often each word (row) has each other (column) near it: at a distance of k places, it counts 1/k.

    At most ``window`` places away, on either side, within a sentence: the result is symmetric.

    Source: Pennington et al. 2014, §4.2; lecture row L3.6.c.
    """
    ids = torch.tensor([id for sentence in sentences for id in sentence], dtype=torch.long)
    lengths = torch.tensor([len(sentence) for sentence in sentences])
    sentence = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    counts = torch.zeros(vocab_size * vocab_size)
    for k in range(1, window + 1):
        a, b = ids[:-k][sentence[:-k] == sentence[k:]], ids[k:][sentence[:-k] == sentence[k:]]
        counts += torch.bincount(a * vocab_size + b, minlength=vocab_size**2) / k
    counts = counts.reshape(vocab_size, vocab_size)
    return counts + counts.mT


def glove_weight(
    counts: Float[Tensor, "*n"], x_max: float = 10.0, power: float = 0.75
) -> Float[Tensor, "*n"]:
    """How much a pair counts in GloVe's loss: (x / x_max)^power, at most 1; 0 for a pair never seen."""
    return (counts / x_max).clamp(max=1) ** power


def glove_loss(
    words: Float[Tensor, "n d"],
    contexts: Float[Tensor, "n d"],
    word_bias: Float[Tensor, "n"],
    context_bias: Float[Tensor, "n"],
    counts: Float[Tensor, "n"],
    x_max: float = 10.0,
) -> Float[Tensor, ""]:
    """The sum over n pairs of f(x) · (w·w̃ + b + b̃ - ln x)², with f of ``glove_weight``.

    A pair with a count of 0 adds nothing, and sends back no gradient (its ln is not taken).

    Source: Pennington et al. 2014, equation 8; lecture row L3.6.c.
    """
    seen = counts > 0
    log = torch.where(seen, counts, 1).log()
    error = (words * contexts).sum(-1) + word_bias + context_bias - log
    return (glove_weight(counts, x_max) * error**2).sum()


class GloveSettings(NamedTuple):
    """How GloVe is trained: AdaGrad on batches of pairs, in a random order."""

    d: int = 100
    epochs: int = 25
    lr: float = 0.05
    batch: int = 512
    x_max: float = 10.0
    seed: int = 0


def train_glove(
    counts: Float[Tensor, "vocab vocab"],
    settings: GloveSettings | None = None,
    watch: Callable[[int, float], None] | None = None,
) -> Float[Tensor, "vocab d"]:
    """w + w̃ for each word: ``glove_loss`` made small over every pair that occurs.

    ``watch`` is called with the epoch and its mean loss a pair.

    Source: Pennington et al. 2014, §3.1 and §4.2 (w + w̃).
    """
    settings = settings or GloveSettings()
    generator = torch.Generator().manual_seed(settings.seed)
    rows, columns = counts.nonzero(as_tuple=True)
    seen = counts[rows, columns]
    logs, weights = seen.log(), glove_weight(seen, settings.x_max)
    # a bias is one more number of a vector that meets a 1: two columns more in each table
    start = (torch.rand(2, len(counts), settings.d + 2, generator=generator) - 0.5) / settings.d
    w, c = start
    w_sums, c_sums = torch.ones_like(w), torch.ones_like(c)  # of squares, from 1 as in glove.c
    for epoch in range(settings.epochs):
        total = 0.0
        for at in torch.randperm(len(seen), generator=generator).split(settings.batch):
            i, j = rows[at], columns[at]
            a, b = w[i], c[j]
            a[:, -1], b[:, -2] = 1, 1  # w's bias is its column -2, c's its column -1
            error = (a * b).sum(-1) - logs[at]
            push = weights[at] * error
            total += float((push * error).sum())
            to_w, to_c = push[:, None] * b, push[:, None] * a
            to_w[:, -1], to_c[:, -2] = 0, 0
            _adagrad(w, w_sums, i, to_w, settings.lr)
            _adagrad(c, c_sums, j, to_c, settings.lr)
        if watch:
            watch(epoch, total / len(seen))
    return (w + c)[:, :-2].contiguous()


def _adagrad(table: Tensor, sums: Tensor, rows: Tensor, gradient: Tensor, lr: float) -> None:
    sums.index_add_(0, rows, gradient**2)
    table.index_add_(0, rows, gradient / sums[rows].sqrt(), alpha=-lr)


def ppmi(counts: Float[Tensor, "vocab vocab"], power: float = 0.75) -> Float[Tensor, "vocab vocab"]:
    """How much likelier than chance each pair is: ln of P(word, context) / (P(word) P(context)), 0 if less.

    Each context's probability is made from its count to the ``power``: rare contexts count less.

    Source: Levy, Goldberg and Dagan 2015, §2.1 and §3.2.
    """
    total = counts.sum()
    word = counts.sum(1, keepdim=True) / total
    context = counts.sum(0, keepdim=True) ** power
    expected = word * context / context.sum()
    ratio = (counts / total) / torch.where(expected > 0, expected, 1)
    return ratio.clamp(min=1).log()


def svd_vectors(
    matrix: Float[Tensor, "vocab vocab"], d: int, power: float = 0.5, seed: int = 0
) -> Float[Tensor, "vocab d"]:
    """The first d left singular vectors, each times its singular value to a power; a word's vector is a row.

    By randomised subspace iteration; the seed is of its start.

    Source: Levy, Goldberg and Dagan 2015, §3.3 (eigenvalue weighting); Halko et al. 2011.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        u, s, _ = torch.svd_lowrank(matrix, d + 20, niter=4)
    return u[:, :d] * s[:d] ** power
