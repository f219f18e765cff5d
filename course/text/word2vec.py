"""Word2Vec: skip-gram and CBOW with negative sampling (L3.6.b).

Two tables of vectors. Skip-gram: the *centre* word's input vector is to predict each word near it, by that
word's output vector. CBOW: the mean of the input vectors near it is to predict the centre's output vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

PADDING = -1


def skipgram_pairs(sentences: Sequence[Sequence[int]], window: int) -> Int[Tensor, "pairs 2"]:
    """Every (centre, context): each word with each other word at most ``window`` places away, either side.

    In the order of the text: by centre, then by context from left to right. No pair crosses the border of
    a sentence.

    Source: Mikolov et al. 2013a, figure 1; lecture row L3.6.b.
    """
    pairs = [
        (centre, sentence[j])
        for sentence in sentences
        for i, centre in enumerate(sentence)
        for j in range(max(0, i - window), min(len(sentence), i + window + 1))
        if j != i
    ]
    return torch.tensor(pairs, dtype=torch.long).reshape(-1, 2)


def noise_distribution(counts: Int[Tensor, "vocab"], power: float = 0.75) -> Float[Tensor, "vocab"]:
    """How probable each word is as a negative: its count to a power below 1, made to sum to one.

    Source: Mikolov et al. 2013b, §2.2.
    """
    raised = counts.double() ** power
    return (raised / raised.sum()).float()


def keep_probability(counts: Int[Tensor, "vocab"], threshold: float = 1e-3) -> Float[Tensor, "vocab"]:
    """How probable it is that a word of the text is kept; frequent words are dropped, each time anew.

    With f, a word's share of the text, and t, the threshold: (√(f/t) + 1) · t/f, at most 1. A word that
    does not occur is kept.

    Source: word2vec.c; the paper (Mikolov et al. 2013b, §2.3) has √(t/f).
    """
    ratio = counts.double() / counts.sum() / threshold  # f/t
    return ((ratio.sqrt() + 1) / ratio).clamp(max=1).float()


def negative_sampling_loss(
    centre: Float[Tensor, "batch d"],
    context: Float[Tensor, "batch d"],
    negatives: Float[Tensor, "batch k d"],
) -> Float[Tensor, ""]:
    """-ln σ(u·v) for the true pair and -ln σ(-n·v) for each negative; summed over these, mean over the batch.

    Finite for products of any size.

    Source: Mikolov et al. 2013b, equation 4.
    """
    true = (centre * context).sum(-1)
    false = (negatives @ centre[..., None])[..., 0]
    return -(F.logsigmoid(true) + F.logsigmoid(-false).sum(-1)).mean()


def skipgram_step(
    inputs: Float[Tensor, "vocab d"],
    outputs: Float[Tensor, "vocab d"],
    centre: Int[Tensor, "batch"],
    targets: Int[Tensor, "batch 1+k"],
    lr: float,
    sigmoid: Callable[[Tensor], Tensor] = torch.sigmoid,
) -> float:
    """One step down the gradient of the *sum* of a batch's losses, in place; returns their mean before it.

    Args:
        targets: for each centre the true context first, then its negatives. A negative that is the true
            word itself is skipped, as in word2vec.c.
        sigmoid: gensim looks it up in a table of a thousand values; that is what this is for.
    """
    to_centre, to_targets, loss = _gradients(inputs[centre], outputs[targets], targets, sigmoid)
    outputs.index_add_(0, targets.reshape(-1), to_targets.flatten(0, 1), alpha=-lr)
    inputs.index_add_(0, centre, to_centre, alpha=-lr)
    return loss


def cbow_step(
    inputs: Float[Tensor, "vocab d"],
    outputs: Float[Tensor, "vocab d"],
    contexts: Int[Tensor, "batch places"],
    targets: Int[Tensor, "batch 1+k"],
    lr: float,
    divide: bool = True,
) -> float:
    """As ``skipgram_step``, from the mean of the input vectors of the words around.

    Args:
        contexts: the words around, ``PADDING`` where there are fewer.
        targets: the true centre first, then its negatives.
        divide: each word around gets its share, 1/n, of the mean's gradient. word2vec.c and gensim give the
            whole of it to each: False.
    """
    present = contexts != PADDING
    n = present.sum(-1, keepdim=True)
    mean = (inputs[contexts.clamp(min=0)] * present[..., None]).sum(1) / n
    to_mean, to_targets, loss = _gradients(mean, outputs[targets], targets, torch.sigmoid)
    outputs.index_add_(0, targets.reshape(-1), to_targets.flatten(0, 1), alpha=-lr)
    to_each = (to_mean / n if divide else to_mean)[:, None].expand(*contexts.shape, -1)
    inputs.index_add_(0, contexts[present], to_each[present], alpha=-lr)
    return loss


def cbow_gradient(
    contexts: Float[Tensor, "batch places d"],
    present: Bool[Tensor, "batch places"],
    centre: Float[Tensor, "batch d"],
    negatives: Float[Tensor, "batch k d"],
) -> Float[Tensor, "batch places d"]:
    """The gradient of CBOW's loss, summed over the batch, at each vector around the centre; no autograd.

    The loss is ``negative_sampling_loss`` of the mean of those that are ``present`` (one at least). Where
    none is, the gradient is 0.

    Source: Mikolov et al. 2013a, §3.1; İrsoy, Benton and Stratos 2020 (arXiv 2012.15332), equation 6.
    """
    n = present.sum(-1, keepdim=True)
    mean = (contexts * present[..., None]).sum(1) / n
    pull = torch.sigmoid((mean * centre).sum(-1, keepdim=True)) - 1
    push = torch.sigmoid((negatives @ mean[..., None])[..., 0])
    to_mean = pull * centre + (push[:, None] @ negatives)[:, 0]
    return (to_mean / n)[:, None] * present[..., None]


def _gradients(
    h: Float[Tensor, "batch d"],
    u: Float[Tensor, "batch 1+k d"],
    targets: Int[Tensor, "batch 1+k"],
    sigmoid: Callable[[Tensor], Tensor],
) -> tuple[Float[Tensor, "batch d"], Float[Tensor, "batch 1+k d"], float]:
    """What a batch sends back to h and to each u, and its mean loss."""
    scores = (u @ h[..., None])[..., 0]
    counts = targets != targets[:, :1]  # a negative that is the true word does not
    counts[:, 0] = True
    signed = torch.cat([scores[:, :1], -scores[:, 1:]], 1)
    loss = -(F.logsigmoid(signed) * counts).sum(-1).mean().item()
    push = sigmoid(scores)
    push[:, 0] -= 1
    push = push * counts
    return (push[:, None] @ u)[:, 0], push[..., None] * h[:, None], loss


class Settings(NamedTuple):
    """How a model is trained. ``lr`` falls to a ten-thousandth of itself along a straight line."""

    d: int = 100
    window: int = 5
    negatives: int = 5
    epochs: int = 10
    lr: float = 0.05
    batch: int = 256
    threshold: float = 1e-3
    seed: int = 0


KINDS = ("skip-gram", "CBOW", "CBOW of word2vec.c")


def train(
    sentences: Sequence[Sequence[int]],
    vocab_size: int,
    kind: str = "skip-gram",
    settings: Settings | None = None,
    watch: Callable[[int, int, float, Tensor], None] | None = None,
) -> Float[Tensor, "vocab d"]:
    """The input vectors of one of ``KINDS``, learned from sentences of word ids.

    Before each epoch frequent words are thinned out (``keep_probability``); the window of each word shrinks
    to a random width from 1 to ``window``. ``watch`` is called every hundred steps with the step, the number
    of steps, the mean loss of the last hundred and the input vectors.

    Raises:
        ValueError: if the kind is none of these.
    """
    if kind not in KINDS:
        raise ValueError(f"a model is one of {', '.join(KINDS)}; got {kind!r}")
    settings = settings or Settings()
    generator = torch.Generator().manual_seed(settings.seed)
    text = Text(sentences, vocab_size)
    inputs = (torch.rand(vocab_size, settings.d, generator=generator) - 0.5) / settings.d
    outputs = torch.zeros(vocab_size, settings.d)
    draw = Noise(noise_distribution(text.counts), generator)
    steps, losses = None, []
    for epoch in range(settings.epochs):
        around, words = text.examples(kind, settings, generator)
        starts = range(0, len(words), settings.batch)
        steps = steps or len(starts) * settings.epochs
        for i, start in enumerate(starts):
            at = slice(start, start + settings.batch)
            step = epoch * len(starts) + i
            lr = settings.lr * max(1 - step / steps, 1e-4)
            true = words[at, None]
            targets = torch.cat([true, draw(len(true), settings.negatives)], 1)
            if kind == "skip-gram":
                losses.append(skipgram_step(inputs, outputs, around[at], targets, lr))
            else:
                losses.append(cbow_step(inputs, outputs, around[at], targets, lr, kind == "CBOW"))
            if watch and step % 100 == 0:
                watch(step, steps, sum(losses[-100:]) / len(losses[-100:]), inputs)
    return inputs


class Noise:
    """Draws negatives: places in a table in which each word stands as often as is due (word2vec.c)."""

    SIZE = 1_000_000

    def __init__(self, p: Float[Tensor, "vocab"], generator: torch.Generator):
        ends = (p.double().cumsum(0) * self.SIZE).round().long()
        self.table = torch.repeat_interleave(torch.arange(len(p)), ends.diff(prepend=ends.new_zeros(1)))
        self.generator = generator

    def __call__(self, *shape: int) -> Int[Tensor, "..."]:
        return self.table[torch.randint(len(self.table), shape, generator=self.generator)]


class Text:
    """Sentences in one row, and what is to be predicted from what in them."""

    def __init__(self, sentences: Sequence[Sequence[int]], vocab_size: int):
        lengths = torch.tensor([len(sentence) for sentence in sentences])
        self.ids = torch.tensor([id for sentence in sentences for id in sentence])
        self.sentence = torch.repeat_interleave(torch.arange(len(sentences)), lengths)
        self.counts = torch.bincount(self.ids, minlength=vocab_size)

    def examples(
        self, kind: str, settings: Settings, generator: torch.Generator
    ) -> tuple[Int[Tensor, "n ..."], Int[Tensor, "n"]]:
        """What one epoch reads, in a random order, and the word it is to predict from each.

        Skip-gram reads a word (as in word2vec.c, the one *near* the centre), CBOW a row of words.
        """
        keep = keep_probability(self.counts, settings.threshold)[self.ids]
        kept = torch.rand(len(keep), generator=generator) < keep
        ids, sentence = self.ids[kept], self.sentence[kept]
        reach = torch.randint(1, settings.window + 1, (len(ids),), generator=generator)
        rows = torch.stack(list(self._shifted(ids, sentence, reach, settings.window)), 1)
        if kind == "skip-gram":
            place, column = (rows != PADDING).nonzero(as_tuple=True)
            around, words = rows[place, column], ids[place]
        else:
            has = (rows != PADDING).any(1)
            around, words = rows[has], ids[has]
        order = torch.randperm(len(words), generator=generator)
        return around[order], words[order]

    @staticmethod
    def _shifted(ids: Tensor, sentence: Tensor, reach: Tensor, window: int) -> Iterator[Int[Tensor, "n"]]:
        """For each offset the word that stands so far from each place, within its reach and sentence."""
        for offset in (o for o in range(-window, window + 1) if o):
            near = torch.full_like(ids, PADDING)
            if len(ids) <= abs(offset):
                yield near
                continue
            here = slice(max(0, -offset), len(ids) - max(0, offset))
            there = slice(max(0, offset), len(ids) + min(0, offset))
            same = (sentence[here] == sentence[there]) & (reach[here] >= abs(offset))
            near[here] = torch.where(same, ids[there], PADDING)
            yield near
