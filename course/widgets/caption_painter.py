"""The caption painter (L1.2.f): your words, and their picture, square by square, with its attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import traitlets

from course.models.picture_writer import PICTURE, Drawn, PictureWriter
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = 9
WORDS = {
    "title": "From your words to a picture",
    "caption": "Caption",
    "paint": "Paint",
    "again": "Another draw",
    "heat": "Temperature",
    "saved": "A saved page: to paint something else, open the notebook.",
    "play": "Play",
    "pause": "Pause",
    "written": "Squares written",
    "looks": "Looks of",
    "every": "all layers and heads",
    "layer": "layer {layer}, all heads",
    "head": "layer {layer}, head {head}",
    "unknown": "It has never read {words}, and leaves that out.",
    "near": "“{word}” (“{near}”?)",
    "says": "Square {token} of {n} (row {row}, column {column}): code {code}, chance {chance}. Before it was "
    "written, {words} of the attention lay on the caption, most of it on “{most}” ({most_is}); {picture} on "
    "squares written before.",
    "canvas": "The picture, {shown} of {n} squares. {says}",
    "of": "Attention to the caption's words",
    "help": "Click a square, or walk with the arrow keys, to see where the model looked before it wrote it: "
    "shade and number of a word, rings on earlier squares. What is left lies on padding and on the sign "
    "that a picture begins.",
}


class CaptionPainter(CourseWidget):
    """A caption to type, the picture that a ``PictureWriter`` writes for it, and the attention of each token.

    ``caption``, ``temperature`` and ``seed`` are what the learner asks for, and each change paints anew;
    ``token`` is the square whose attention is shown, ``shown`` how many squares are, ``looks`` whose
    attention: -1 for the mean of all, else layer · (heads + 1) + head, with head 0 for a layer's mean.

    Args:
        writer: the model.
        caption: what is painted first.

    Raises:
        ValueError: if the first caption cannot be read.
    """

    _esm = module("caption_painter")
    _css = stylesheet("common", "caption_painter")
    caption = traitlets.Unicode().tag(sync=True)
    temperature = traitlets.Float(0.0, min=0.0, max=2.0).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    drawing = traitlets.Dict().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    palette = traitlets.Bytes().tag(sync=True)
    sizes = traitlets.Dict().tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    shown = traitlets.Int(PICTURE, min=0, max=PICTURE).tag(sync=True)
    token = traitlets.Int(0, min=0, max=PICTURE - 1).tag(sync=True)
    looks = traitlets.Int(-1, min=-1).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self, writer: PictureWriter, caption: str, temperature: float = 0.0, seed: int = 0, **more: Any
    ):
        self.writer = writer
        config = writer.gpt.config
        colours = (writer.codebook.clamp(0, 1) * 255).round().to(torch.uint8)
        super().__init__(
            caption=caption,
            temperature=temperature,
            seed=seed,
            palette=colours.numpy().tobytes(),
            sizes={"layers": config.n_layers, "heads": config.n_heads, "n": PICTURE, "grid": GRID},
            **self._painted(caption, temperature, seed),
            **more,
        )
        if "token" not in more:
            self.token = self.drawing["telling"]
        self.observe(self._paint, ["caption", "temperature", "seed"])

    def _painted(self, caption: str, temperature: float, seed: int) -> dict[str, Any]:
        drawn = self.writer.draw(caption, temperature, seed)
        near = {word: self.writer.near(word) for word in dict.fromkeys(drawn.reading.unknown)}
        weights = torch.cat([drawn.to_words, drawn.to_picture], dim=-1)  # [layer, head, 81, words + 81]
        self.bytes = (weights * 255).round().to(torch.uint8)
        return {
            "drawing": {
                "words": drawn.reading.words,
                "codes": drawn.codes.tolist(),
                "chances": [round(chance, 3) for chance in drawn.chances.tolist()],
                "told": _told(near),
                "telling": _telling(drawn),
            },
            "weights": self.bytes.numpy().tobytes(),
            "problem": "",
        }

    def _paint(self, _: object) -> None:
        """Paint what is asked for now; a caption that cannot be read keeps the picture and says why."""
        try:
            painted = self._painted(self.caption, self.temperature, self.seed)
        except ValueError as error:
            self.problem = str(error)
            return
        with self.hold_sync():
            for name, value in painted.items():
                setattr(self, name, value)
            self.token = self.drawing["telling"]

    def _shares(self, looks: int) -> torch.Tensor:
        """The weights of every square that is shown for a choice of heads, ``[81, words + 81]``."""
        weights, heads = self.bytes.double() / 255, self.sizes["heads"] + 1
        if looks < 0:
            return weights.mean((0, 1))
        of = weights[looks // heads]
        return of.mean(0) if looks % heads == 0 else of[looks % heads - 1]

    def facts(self) -> dict[str, Any]:
        """The numbers of the sentence about the square that is looked at."""
        names, row = self.drawing["words"], self._shares(self.looks)[self.token]
        to_words = row[: len(names)]
        best = int(to_words.argmax())
        return {
            "token": self.token + 1,
            "n": PICTURE,
            "row": self.token // GRID + 1,
            "column": self.token % GRID + 1,
            "code": self.drawing["codes"][self.token],
            "chance": f"{self.drawing['chances'][self.token]:.3f}",
            "words": f"{to_words.sum():.2f}",
            "most": names[best],
            "most_is": f"{to_words[best]:.2f}",
            "picture": f"{row[len(names) :].sum():.2f}",
        }

    def describe(self) -> str:
        said = f"“{self.caption}”. {WORDS['says'].format(**self.facts())}"
        return f"{said} {self.drawing['told']}".strip()

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.figures import INK

        figure = Figure(figsize=(9, 3.6), layout="constrained")
        picture, bars = figure.subplots(1, 2, width_ratios=[1, 1.6])
        codes = torch.tensor(self.drawing["codes"])
        picture.imshow(self.writer.decode(codes).clamp(0, 1).permute(1, 2, 0).numpy())
        x, y = self.token % GRID, self.token // GRID
        picture.plot(
            [4 * x - 0.5, 4 * x + 3.5, 4 * x + 3.5, 4 * x - 0.5, 4 * x - 0.5],
            [4 * y - 0.5, 4 * y - 0.5, 4 * y + 3.5, 4 * y + 3.5, 4 * y - 0.5],
            color="#D55E00",
            lw=2,
        )
        picture.set_axis_off()
        figure.suptitle(f"“{self.caption}”", fontsize=11, parse_math=False)
        names = self.drawing["words"]
        shares = self._shares(self.looks)[self.token, : len(names)].tolist()
        bars.bar(range(len(names)), shares, color="#0072B2")
        bars.set_xticks(range(len(names)), names, rotation=60, ha="right", color=INK)
        bars.set(title="where the marked square looked", ylabel="attention")
        return figure


def _telling(drawn: Drawn) -> int:
    """The square, not of the bare ground, with most of its attention on a single word."""
    most = drawn.to_words.mean((0, 1)).max(-1).values
    return int((most * (drawn.codes != drawn.codes.mode().values)).argmax())


def _told(near: dict[str, str | None]) -> str:
    """What is said of words that the model does not know."""
    if not near:
        return ""
    named = [f"“{w}”" if n is None else WORDS["near"].format(word=w, near=n) for w, n in near.items()]
    return WORDS["unknown"].format(words=", ".join(named))
