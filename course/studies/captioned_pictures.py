"""Is a picture what its caption says? Scores by a stated rule, and a baseline that draws nothing of its own.

The rule: a picture is exact if all its tokens are those of the scene that its caption tells of; a thing is
right if all nine tokens of its place are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course.data.shapes import kind_and_colour, split_words
from course.studies.word_tests import wilson


def by_place(tokens: Int[Tensor, "*batch 81"]) -> Int[Tensor, "*batch 9 9"]:
    """The tokens of each of the nine places, nine a place: a picture has nine rows of nine."""
    rows = tokens.unflatten(-1, (3, 3, 3, 3))  # [*batch, row of places, row, column of places, column]
    return rows.transpose(-3, -2).flatten(-2).flatten(-3, -2)


def things_right(
    drawn: Int[Tensor, "n 81"], wanted: Int[Tensor, "n 81"], scenes: Int[Tensor, "n 9"]
) -> Bool[Tensor, "things"]:
    """For each thing of each scene, whether all tokens of its place are as they should be."""
    return (by_place(drawn) == by_place(wanted)).all(-1)[scenes > 0]


def picture_scores(
    drawn: Int[Tensor, "n 81"], wanted: Int[Tensor, "n 81"], scenes: Int[Tensor, "n 9"]
) -> dict[str, float]:
    """Shares: of exact pictures with their 95 % interval, of things that are right, of tokens, and of tokens
    where there is a thing (two thirds of a picture and more are bare ground, which anybody would guess).

    Source: lecture row L1.2.f.
    """
    exact, things = (drawn == wanted).all(-1), things_right(drawn, wanted, scenes)
    on_things = (by_place(drawn) == by_place(wanted))[scenes > 0]
    low, high = wilson(int(exact.sum()), len(exact))
    shares = {"exact": exact, "things": things, "tokens": drawn == wanted, "tokens on things": on_things}
    found = {name: round(share.double().mean().item(), 4) for name, share in shares.items()}
    return found | {"low": round(low, 4), "high": round(high, 4), "pictures": len(exact)}


class NearestCaption:
    """Gives to a caption the picture of the one that is most like it among those it has.

    Likeness is the cosine of the counts of words, and of words that stand side by side, each weighed by how
    rare it is (the logarithm of n over the number of captions that have it).

    Args:
        captions: those that it looks through.
        pictures: the tokens that go with them.
    """

    def __init__(self, captions: Sequence[str], pictures: Int[Tensor, "n 81"]):
        self.pictures = pictures
        parts = [_parts(text) for text in captions]
        self.number = {part: i for i, part in enumerate(sorted({p for of in parts for p in of}))}
        counts = torch.stack([self._counts(of) for of in parts])
        self.weight = (len(captions) / (counts > 0).sum(0)).log()
        self.table = F.normalize(counts * self.weight, dim=-1)

    def _counts(self, parts: Sequence[str]) -> Float[Tensor, "parts"]:
        known = torch.tensor([self.number[p] for p in parts if p in self.number], dtype=torch.long)
        return torch.bincount(known, minlength=len(self.number)).float()

    def nearest(self, captions: Sequence[str]) -> Int[Tensor, "n"]:
        """For each caption the number of the one that is most like it."""
        asked = torch.stack([self._counts(_parts(text)) for text in captions])
        return (F.normalize(asked * self.weight, dim=-1) @ self.table.mT).argmax(-1)

    def __call__(self, captions: Sequence[str]) -> Int[Tensor, "n 81"]:
        return self.pictures[self.nearest(captions)]


def _parts(caption: str) -> list[str]:
    words = split_words(caption)
    return [*words, *(f"{a} {b}" for a, b in pairwise(words))]


def parts_of(words: Sequence[str]) -> list[list[int]]:
    """The places of the words of each part of a caption, with the "and" or comma that ends it."""
    parts: list[list[int]] = []
    for place, word in enumerate(words):
        ends = word in (",", "and")
        if not parts or (words[place - 1] in (",", "and") and not ends):
            parts.append([])
        parts[-1].append(place)
    return parts


def looks_at_its_part(
    to_words: Float[Tensor, "layer head 81 words"], words: Sequence[str], scene: Int[Tensor, "9"]
) -> Float[Tensor, "things layer 3"]:
    """For each thing of a scene, the attention of its nine squares on the words that tell of it, on the "and"
    or comma behind these, and on all that tells of other things: means over squares and heads.

    A thing that is there twice is left out, and so is the one that is told last, which nothing stands behind.

    Source: lecture row L1.2.f.
    """
    parts, squares, found = parts_of(words), by_place(torch.arange(to_words.shape[2])), []
    for place in scene.nonzero()[:, 0].tolist():
        name = set(kind_and_colour(int(scene[place])))
        own = [part for part in parts if name <= {words[i] for i in part}]
        if len(own) == 1 and own[0] is not parts[-1]:
            weights = to_words[:, :, squares[place]].mean((1, 2))  # [layer, words]
            ends = [i for i in own[0] if words[i] in (",", "and")]
            tells = [i for i in own[0] if i not in ends]
            others = [i for part in parts if part is not own[0] for i in part]
            found.append(torch.stack([weights[:, of].sum(-1) for of in (tells, ends, others)], dim=-1))
    return torch.stack(found) if found else to_words.new_zeros(0, len(to_words), 3)
