"""A map of the words (L3.6.d): pan, zoom, search; a word's neighbours as they are in all dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.text.vectors import WordVectors
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

K = 8
WORDS = {
    "title": "A map of the words",
    "search": "Find a word",
    "closer": "Closer",
    "further": "Further away",
    "whole": "Whole map",
    "says": "“{word}”: nearest by cosine are {near}. Of these {flat} are among the {k} nearest on the map.",
    "unknown": "“{word}” is none of the {n} words on this map.",
    "help": "Drag to move, turn the wheel or press + and − to zoom, click a word. With the keyboard: arrow "
    "keys go to the next word in that direction.",
    "label": "{n} words. {says}",
}


class WordMap(CourseWidget):
    """Words at places on a plane; lines lead from the chosen one to its neighbours in all dimensions.

    Args:
        words: the vectors; the first ones are those on the map.
        places: where each of them stands.
        word: the one that is chosen first.

    Raises:
        KeyError: if the word is not on the map.
    """

    _esm = module("word_map")
    _css = stylesheet("common", "word_map")
    vocabulary = traitlets.List(traitlets.Unicode()).tag(sync=True)
    places = traitlets.Bytes().tag(sync=True)
    near = traitlets.Bytes().tag(sync=True)
    word = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, words: WordVectors, places: Float[Tensor, "n 2"], word: str = "king"):
        n = len(places)
        unit = F.normalize(words.vectors[:n].float(), dim=-1)
        self.at = (places - places.mean(0)).float() / places.std()
        self.neighbours = (unit @ unit.mT).fill_diagonal_(-1).topk(K).indices
        self.shown = WordVectors(words.words[:n], unit)
        self.shown.id(word)
        super().__init__(
            vocabulary=self.shown.words,
            places=self.at.numpy().astype("<f4").tobytes(),
            near=self.neighbours.numpy().astype("<i4").tobytes(),
            word=word,
        )

    @traitlets.validate("word")
    def _on_the_map(self, proposal: dict) -> str:
        self.shown.id(proposal["value"])
        return proposal["value"]

    def nearest(self) -> list[str]:
        """The chosen word's neighbours in all dimensions."""
        return [self.shown.words[i] for i in self.neighbours[self.shown.id(self.word)].tolist()]

    def flat(self) -> int:
        """How many of them are among as many nearest on the map."""
        i = self.shown.id(self.word)
        distance = torch.linalg.vector_norm(self.at - self.at[i], dim=-1)
        distance[i] = torch.inf
        on_map = set(distance.topk(K, largest=False).indices.tolist())
        return len(on_map & set(self.neighbours[i].tolist()))

    def describe(self) -> str:
        return WORDS["says"].format(word=self.word, near=", ".join(self.nearest()), flat=self.flat(), k=K)

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.figures import INK

        figure = Figure(figsize=(9.4, 5.4), layout="constrained")
        whole, part = figure.subplots(1, 2)
        x, y = self.at.numpy().T
        i = self.shown.id(self.word)
        near = self.neighbours[i].tolist()
        whole.scatter(x, y, s=2, color="#999999")
        whole.plot(x[i], y[i], "o", color="#D55E00", ms=7)
        whole.set(title=f"{len(self.at):,} words", xticks=[], yticks=[])
        distance = torch.linalg.vector_norm(self.at - self.at[i], dim=-1)
        closest = distance.topk(26, largest=False)
        reach = closest.values[-1].item()
        written: list[tuple[float, float, int]] = []
        for j in [i, *near, *closest.indices.tolist()]:
            word = self.shown.words[j]
            at = ((x[j] - x[i]) / reach, (y[j] - y[i]) / reach, len(word))
            if max(map(abs, at[:2])) > 0.97 or any(map(covers, written, [at] * len(written))):
                continue
            written.append(at)
            colour = "#D55E00" if j == i else "#0072B2" if j in near else INK
            look = {"ha": "center", "va": "center", "color": colour, "fontsize": 9, "parse_math": False}
            part.annotate(word, (x[j], y[j]), **look)
        part.set(
            title=f"around “{self.word}” (blue: nearest in all dimensions)",
            xlim=(x[i] - reach, x[i] + reach),
            ylim=(y[i] - reach, y[i] + reach),
            xticks=[],
            yticks=[],
        )
        return figure


def covers(a: tuple[float, float, int], b: tuple[float, float, int]) -> bool:
    """Whether two labels (place from -1 to 1, number of letters) would touch."""
    return abs(a[0] - b[0]) < 0.021 * (a[2] + b[2] + 1) and abs(a[1] - b[1]) < 0.055
