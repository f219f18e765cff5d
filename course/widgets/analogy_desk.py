"""The analogy desk (L3.6.d): a is to b as c is to ..., and what the famous example hides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.text.vectors import WordVectors, analogy
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

K = 10
WORDS = {
    "title": "a is to b as c is to …",
    "a": "a",
    "b": "b",
    "c": "c",
    "leave_out": "leave out a, b, c",
    "says": "{a} is to {b} as {c} is to {best} (cosine {score}). {how}",
    "out": "The three words themselves were not allowed.",
    "in": "All words were allowed.",
    "is_input": "All words were allowed, and the answer is one of the three that were put in.",
    "unknown": "“{word}” is none of the {n} words on this desk.",
    "target": "{b} − {a} + {c}",
    "bar": "{word}, cosine {score}",
    "help": "Type three words and press Enter, or choose a word in the list to make it c.",
}


class AnalogyDesk(CourseWidget):
    """Three words to type, the parallelogram they make, the ten nearest to its fourth corner, and a switch.

    Args:
        words: the vectors; the desk has the first ``n`` of them (the most frequent).
        a, b, c: the question.
        leave_out: whether a, b and c may not be the answer.

    Raises:
        KeyError: if one of the three is not on the desk.
    """

    _esm = module("analogy_desk")
    _css = stylesheet("common", "analogy_desk")
    vocabulary = traitlets.List(traitlets.Unicode()).tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    a = traitlets.Unicode().tag(sync=True)
    b = traitlets.Unicode().tag(sync=True)
    c = traitlets.Unicode().tag(sync=True)
    leave_out = traitlets.Bool(True).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        words: WordVectors,
        a: str = "man",
        b: str = "king",
        c: str = "woman",
        leave_out: bool = True,
        n: int = 3000,
    ):
        self.desk = WordVectors(words.words[:n], F.normalize(words.vectors[:n].float(), dim=-1))
        for word in (a, b, c):
            self.desk.id(word)
        data = self.desk.vectors.numpy().astype("<f4").tobytes()
        super().__init__(vocabulary=self.desk.words, data=data, a=a, b=b, c=c, leave_out=leave_out)

    @traitlets.validate("a", "b", "c")
    def _on_the_desk(self, proposal: dict) -> str:
        self.desk.id(proposal["value"])
        return proposal["value"]

    def best(self) -> list[tuple[str, float]]:
        """The ten best answers and their cosines."""
        ids = [self.desk.id(word) for word in (self.a, self.b, self.c)]
        return [tuple(x) for x in self.desk.best(analogy(self.desk.vectors, *ids, self.leave_out), K)]

    def corners(self) -> Float[Tensor, "5 2"]:
        """a, b, c, b - a + c and the best answer on the plane of the first three; a is the origin."""
        a, b, c = (self.desk[word] for word in (self.a, self.b, self.c))
        return on_the_plane(a, b, c, self.desk[self.best()[0][0]])

    def describe(self) -> str:
        word, score = self.best()[0]
        how = "out" if self.leave_out else "is_input" if word in (self.a, self.b, self.c) else "in"
        return WORDS["says"].format(
            a=self.a, b=self.b, c=self.c, best=word, score=f"{score:.2f}".replace("-", "−"), how=WORDS[how]
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.figures import INK

        figure = Figure(figsize=(9.4, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        a, b, c, d, x = self.corners().tolist()
        best = self.best()
        for start, end, style in ((a, b, "-"), (c, d, "-"), (a, c, ":"), (b, d, ":")):
            left.plot(
                *zip(start, end, strict=True), style, color="#0072B2" if style == "-" else "gray", lw=1.6
            )
        target = WORDS["target"].format(a=self.a, b=self.b, c=self.c)
        marks = [(a, self.a), (b, self.b), (c, self.c), (d, target), (x, best[0][0])]
        for i, (at, name) in enumerate(marks):
            colour = (INK, INK, INK, "#0072B2", "#D55E00")[i]
            left.plot(*at, "o", color=colour)
            above, side = (-14 if i == 4 else 7), ("right" if i == 3 else "left")
            look = {"textcoords": "offset points", "color": colour, "ha": side, "parse_math": False}
            left.annotate(name, at, (6, above), **look)
        left.set(title="the plane of a, b and c", xticks=[], yticks=[])
        left.margins(0.22)
        inputs = (self.a, self.b, self.c)
        colours = ["#999999" if word in inputs else "#0072B2" for word, _ in best]
        right.barh([word for word, _ in best][::-1], [s for _, s in best][::-1], color=colours[::-1])
        right.set(xlabel="cosine (grey: a word that was put in)", xlim=(0, 1))
        return figure


def on_the_plane(*points: Float[Tensor, "d"]) -> Float[Tensor, "5 2"]:
    """a, b, c, the fourth corner and an answer x: along b - a, and along the rest of c - a."""
    a, b, c, x = points
    across = F.normalize(b - a, dim=-1)
    up = (c - a) - ((c - a) @ across) * across
    up = F.normalize(up, dim=-1)
    corners = torch.stack([a, b, c, b - a + c, x]) - a
    return torch.stack([corners @ across, corners @ up], -1)
