"""What a model has understood of a word where it stands: its vector there, and a line between such vectors.

Where two senses of a word lie apart, a logistic regression on the vectors *at* the word tells them apart from
few examples; nothing of the model itself is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor

from course.text.wordpiece import WordPiece

ROWS = 64
"""So many sentences at once."""


@torch.no_grad()
def vectors_at(
    read: Callable[[Tensor], Tensor],
    tokenizer: WordPiece,
    texts: Sequence[str],
    word: str | None,
    max_length: int = 128,
) -> Float[Tensor, "texts d_model"]:
    """What the last block makes of a word in each text, where it stands first; of the last token, if None.

    Args:
        read: gives each token's vector for rows of ids: a ``Bert``, or what another model has in its place.
        max_length: tokens of a text that are read.

    Raises:
        ValueError: if the word is several pieces, or is not in a text.

    Source: lecture rows L3.3.f, L3.5.a.
    """
    encoded, found = [tokenizer.encode(text, max_length=max_length) for text in texts], []
    wanted = None if word is None else _piece(word, tokenizer)
    order = sorted(range(len(texts)), key=lambda i: len(encoded[i].ids))
    for start in range(0, len(order), ROWS):
        some = order[start : start + ROWS]
        rows = [torch.tensor(encoded[i].ids) for i in some]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=tokenizer.pad_id)
        places = [_place(encoded[i].ids, wanted, texts[i]) for i in some]
        found.append(read(ids)[torch.arange(len(some)), places])
    return torch.cat(found)[torch.tensor(order).argsort()]


def _piece(word: str, tokenizer: WordPiece) -> int:
    ids = tokenizer.encode(word).ids[1:-1]
    if len(ids) != 1:
        raise ValueError(f"{word!r} is {len(ids)} pieces in this vocabulary: at which is its vector?")
    return ids[0]


def _place(ids: list[int], wanted: int | None, text: str) -> int:
    if wanted is None:
        return len(ids) - 1
    if wanted not in ids:
        raise ValueError(f"the word does not stand in {text!r}")
    return ids.index(wanted)


class Probe(NamedTuple):
    """A logistic regression on standardised vectors."""

    mean: Float[Tensor, "d"]
    spread: Float[Tensor, "d"]
    weight: Float[Tensor, "classes d"]
    bias: Float[Tensor, "classes"]

    def __call__(self, x: Float[Tensor, "n d"]) -> Int[Tensor, "n"]:
        """The likelier class of each."""
        return self.probabilities(x).argmax(-1)

    def probabilities(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n classes"]:
        """Of each class, for each vector."""
        return F.linear((x - self.mean) / self.spread, self.weight, self.bias).softmax(-1)


def save_probes(probes: Mapping[str, Probe], file: str | Path) -> None:
    """Write probes, each under its name, to one file."""
    parts = {
        f"{name}/{part}": x.contiguous()
        for name, probe in probes.items()
        for part, x in probe._asdict().items()
    }
    save_file(parts, str(file))


def load_probes(file: str | Path) -> dict[str, Probe]:
    """The probes of a file that ``save_probes`` wrote, by their names."""
    parts: dict[str, dict[str, Tensor]] = {}
    for key, x in load_file(str(file)).items():
        name, part = key.rsplit("/", 1)
        parts.setdefault(name, {})[part] = x
    return {name: Probe(**found) for name, found in parts.items()}


def fit_probe(x: Float[Tensor, "n d"], y: Int[Tensor, "n"], classes: int = 2, penalty: float = 0.01) -> Probe:
    """The minimum of mean cross-entropy + ``penalty`` · the sum of squared weights, found by L-BFGS.

    Raises:
        ValueError: if a class has no example.
    """
    if y.unique().numel() < classes:
        raise ValueError(f"of {classes} classes, {y.unique().numel()} have an example")
    mean, spread = x.mean(0), x.std(0).clamp(min=1e-6)
    z = (x - mean) / spread
    weight, bias = (
        torch.zeros(classes, x.shape[1], requires_grad=True),
        torch.zeros(classes, requires_grad=True),
    )
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(F.linear(z, weight, bias), y) + penalty * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return Probe(mean, spread, weight.detach(), bias.detach())


def balanced(labels: Sequence[str], each: int, seed: int) -> list[int]:
    """The numbers of ``each`` examples of every label, drawn at random, in a random order.

    Raises:
        ValueError: if a label has fewer.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for label in sorted(set(labels)):
        numbers = [number for number, one in enumerate(labels) if one == label]
        if len(numbers) < each:
            raise ValueError(f"{label!r} has {len(numbers)} examples; {each} were asked for")
        chosen += [numbers[i] for i in torch.randperm(len(numbers), generator=generator)[:each]]
    return [chosen[i] for i in torch.randperm(len(chosen), generator=generator)]


def probe_scores(
    vectors: tuple[Tensor, Tensor], labels: tuple[Sequence[str], Sequence[str]], size: int, draws: int
) -> list[float]:
    """The share of the test part's balanced examples told by a probe on ``size`` of the first part's.

    Args:
        vectors, labels: of the part to learn from and of the part to test with.
        size: labels in all, as many of each class; several ``draws`` of them, each with a test of its own.
    """
    names, scores = sorted(set(labels[0])), []
    each = min(labels[1].count(name) for name in names)
    y = [torch.tensor([names.index(label) for label in part]) for part in labels]
    for draw in range(draws):
        train, test = balanced(labels[0], size // len(names), draw), balanced(labels[1], each, draw)
        probe = fit_probe(vectors[0][train], y[0][train], len(names))
        scores.append(float((probe(vectors[1][test]) == y[1][test]).float().mean()))
    return scores


def baseline_scores(
    fit: Callable[[list], Callable[[str], str]], examples: tuple[Sequence, Sequence], size: int, draws: int
) -> list[float]:
    """The same for what learns from the texts themselves, such as ``NaiveBayes.fit``."""
    labels = tuple([x.label for x in part] for part in examples)
    each, scores = min(labels[1].count(name) for name in set(labels[1])), []
    for draw in range(draws):
        train, test = balanced(labels[0], size // len(set(labels[0])), draw), balanced(labels[1], each, draw)
        says = fit([examples[0][i] for i in train])
        scores.append(sum(says(examples[1][i].text) == labels[1][i] for i in test) / len(test))
    return scores
