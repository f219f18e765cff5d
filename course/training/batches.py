"""Batches of like length: what step n trains on is a function of n and the seed, and of nothing else."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from course.text.tokenizers import BOS, EOS, PAD


class TokenBuckets:
    """Cuts examples into batches of about as many tokens, and shuffles them anew every epoch.

    Examples are sorted by length, so that a batch holds little padding, and those of one length are shuffled.
    Where the sorted list is cut depends on the lengths alone, so that every epoch has as many batches and
    the examples of any step are found without running those before it: training resumes anywhere.

    Args:
        lengths: for each example its lengths in tokens: one number, or one for each of its sequences.
        tokens: the most tokens in a batch, padding included, of the longest of the sequences.
        seed: another one gives another order.

    Raises:
        ValueError: if there are no examples, or one alone has more tokens than a batch.

    Source: Vaswani et al. 2017, §5.1.
    """

    def __init__(self, lengths: Sequence[int] | Sequence[Sequence[int]], tokens: int, seed: int = 0):
        if not len(lengths):
            raise ValueError("there are no examples to train on")
        sizes = np.asarray(lengths).reshape(len(lengths), -1)  # [examples, sequences]
        self.seed, self.longest, self.total = seed, sizes.max(axis=1), sizes.sum(axis=1)
        _check_fit(self.longest, tokens)
        self.cuts = _cut(np.sort(self.longest), tokens)
        self._epoch, self._batches = -1, []

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return len(self.cuts) + 1

    def __call__(self, step: int) -> Int[np.ndarray, "examples"]:
        """The numbers of the examples in the batch of this step; steps count from 0, and go on for ever."""
        epoch, place = divmod(step, len(self))
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffled(epoch)
        return self._batches[place]

    def _shuffled(self, epoch: int) -> list[Int[np.ndarray, "examples"]]:
        random = np.random.default_rng([self.seed, epoch])
        # Sorted by the longest sequence, then by their sum; what is alike in both, at random.
        order = np.lexsort((random.random(len(self.total)), self.total, self.longest))
        batches = np.split(order, self.cuts)
        return [batches[i] for i in random.permutation(len(batches))]


class PairBatches:
    """Batches of source and target ids for ``Transformer.loss``, made from pairs of encoded sentences.

    Args:
        pairs: for each example the ids of its source and of its target, without special tokens.
        tokens, seed: as ``TokenBuckets``.
    """

    def __init__(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], tokens: int, seed: int = 0):
        self.sources = [torch.tensor([*source, EOS]) for source, _ in pairs]
        self.targets = [torch.tensor([BOS, *target, EOS]) for _, target in pairs]
        lengths = [(len(s), len(t)) for s, t in zip(self.sources, self.targets, strict=True)]
        self.buckets = TokenBuckets(lengths, tokens, seed)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return len(self.buckets)

    def __call__(self, step: int) -> tuple[Int[Tensor, "batch source"], Int[Tensor, "batch target"]]:
        """The padded sources and targets of this step."""
        chosen = self.buckets(step)
        return _padded(self.sources, chosen), _padded(self.targets, chosen)


class WindowBatches:
    """Batches of windows of one long text for ``GPT.loss``, each with the same window one token on.

    Where the windows of a step begin is a function of the step and the seed alone.

    Args:
        ids: the text.
        context: tokens in a window.
        size: windows in a batch.
        seed: another one gives other windows.

    Raises:
        ValueError: if the text has not one token more than a window.
    """

    def __init__(self, ids: Sequence[int], context: int, size: int, seed: int = 0):
        if len(ids) <= context:
            raise ValueError(f"windows of {context} tokens need a text of more than that; got {len(ids)}")
        self.ids, self.context, self.size, self.seed = torch.as_tensor(ids), context, size, seed

    def __call__(self, step: int) -> tuple[Int[Tensor, "size context"], Int[Tensor, "size context"]]:
        """The ids and the targets of this step."""
        random = np.random.default_rng([self.seed, step])
        starts = random.integers(len(self.ids) - self.context, size=self.size)
        windows = torch.stack([self.ids[start : start + self.context + 1] for start in starts])
        return windows[:, :-1], windows[:, 1:]


def _padded(sequences: Sequence[Tensor], chosen: np.ndarray) -> Int[Tensor, "batch n"]:
    return pad_sequence([sequences[i] for i in chosen], batch_first=True, padding_value=PAD)


def _cut(ascending: np.ndarray, tokens: int) -> list[int]:
    """Where to cut lengths in ascending order so that no piece, padded to its longest, has more tokens."""
    cuts, start = [], 0
    for i, length in enumerate(ascending.tolist()):
        if (i + 1 - start) * length > tokens:
            cuts.append(i)
            start = i
    return cuts


def _check_fit(longest: np.ndarray, tokens: int) -> None:
    if longest.max() > tokens:
        raise ValueError(
            f"example {longest.argmax()} has {longest.max()} tokens, more than the {tokens} of a batch"
        )
