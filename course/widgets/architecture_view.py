"""The encoder-decoder drawn from the running model: click a part, see what it computed (L2.6.a)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import traitlets
from torch import Tensor

from course.figures import INK
from course.models.translator import Translator
from course.studies.anatomy import Part, anatomy
from course.text.tokenizers import BOS
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIKELIEST = 3
"""Of a whole vocabulary's scores, each position's so many likeliest tokens are shown."""

WORDS = {
    "title": "The architecture of the running model",
    "text": "Sentence",
    "run": "Run the model",
    "stacks": {"encoder": "Encoder", "decoder": "Decoder"},
    "reads": {"encoder": "reads the source: {n} tokens", "decoder": "reads what is written: {n} tokens"},
    "writes": "writes “{text}”",
    "read_and_written": "{read} → {written}",
    "hint": "From the bottom up, as it was computed. Click a part, or walk with the arrow keys; "
    "a block opens when it is chosen.",
    "parts": {
        "embedding": [
            "Embedding",
            "Each token's own vector: its row of a matrix that both languages share.",
        ],
        "positions": [
            "Positions",
            "Sines and cosines that say where a token stands. Nothing here is learned.",
        ],
        "embedded": [
            "√d_model · embedding + positions",
            "What the first block reads: which token, and where.",
        ],
        "encoder_block": [
            "Encoder block {layer}",
            "Attention, then a feed-forward network, each added to what came in. It changes the vectors and "
            "keeps their shape, so that blocks can be stacked.",
        ],
        "decoder_block": [
            "Decoder block {layer}",
            "An encoder block with one more sublayer between: attention over the encoder's output, which "
            "every decoder block reads.",
        ],
        "self_attention": [
            "Self-attention",
            "Each source token gathers what it needs from all of them.",
        ],
        "masked_self_attention": [
            "Masked self-attention",
            "Each target token gathers what it needs from itself and those before it; the others are masked.",
        ],
        "cross_attention": [
            "Cross-attention",
            "Each target token asks the encoder's output: its queries come from the decoder, keys and values "
            "from the encoder. A row names the token read there and the one to be written.",
        ],
        "feed_forward": [
            "Feed-forward",
            "Two linear maps with {activation} between them, {d_model} → {d_ff} → {d_model}: the same at "
            "every position, each by itself.",
        ],
        "add": [
            "Add",
            "The residual connection: what the sublayer computed is added to what it was given.",
        ],
        "norm": [
            "Layer norm",
            "Each vector is given mean 0 and variance 1, then learned scales and shifts.",
        ],
        "last_norm": [
            "Last layer norm",
            "Pre-norm blocks leave their sums as they are; here they are normed.",
        ],
        "logits": [
            "Output projection",
            "Each position's vector against every token's embedding: one score (logit) for every token of "
            "the vocabulary. Its matrix is the embedding's, transposed.",
        ],
        "probabilities": [
            "Softmax",
            "The scores as probabilities of the token that comes next.",
        ],
    },
    "parameters": "Parameters",
    "none": "none",
    "shared": "{n}, shared with the encoder's embedding",
    "input": "In",
    "output": "Out",
    "values": "Its output: a row for each token, a column for each dimension",
    "likeliest": "Its output: a row for each token. Of {n} columns, those of each position's {k} likeliest",
    "weights": "The weights of each head: a row for each query, a column for each key",
    "head": "head {n}",
    "value": "{row}, dimension {column}: {value}",
    "candidate": "after {row}, “{column}”: {value}",
    "weight": "head {head}: “{row}” → “{column}”: {value}",
    "row": "token {n} “{token}”",
    "beyond": "{share} of the values lie beyond the ends of the scale",
    "keys": "Arrow keys walk over the cells.",
}


class Architecture(CourseWidget):
    """The picture that :func:`architecture` makes; Python may set ``chosen``, ``head`` and ``text`` too."""

    _esm = module("architecture_view")
    _css = stylesheet("common", "sentence", "tensor_map", "architecture_view")
    text = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    parts = traitlets.List(traitlets.Dict()).tag(sync=True)
    buffer = traitlets.Bytes(help="float16: the parts' outputs and weights").tag(sync=True)
    tokens = traitlets.Dict(help="the tokens of the source and of the target").tag(sync=True)
    facts = traitlets.Dict(help="the model's sizes").tag(sync=True)
    chosen = traitlets.Unicode("encoder.layers.0.self_attention").tag(sync=True)
    head = traitlets.Int(0, min=0).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, model: Translator, source: str | Sequence[int], target: str | Sequence[int] | None):
        self.model = model
        super().__init__(
            text=source if isinstance(source, str) else None,
            facts=self._facts(model),
            **self._pictures(source, target),
        )
        self.observe(self._read, "text")

    @traitlets.validate("chosen")
    def _exists(self, proposal: Any) -> str:
        if proposal["value"] not in self._parts:
            raise ValueError(f"there is no part {proposal['value']!r}; there are {', '.join(self._parts)}")
        return proposal["value"]

    def _read(self, _: Any) -> None:
        """Run on another sentence; one that cannot be read keeps the picture and says why."""
        try:
            traits = self._pictures(self.text, None)
        except ValueError as error:
            self.problem = str(error)
            return
        with self.hold_sync():
            for name, value in (traits | {"problem": ""}).items():
                setattr(self, name, value)

    def _pictures(self, source: str | Sequence[int], target: str | Sequence[int] | None) -> dict[str, Any]:
        """Run the model once on a source and its translation; the traits that show it."""
        read = self.model.source_ids(source)
        if target is None:
            written = torch.tensor(self.model.translate(source).ids[:-1], dtype=torch.long)
        else:
            written = self.model.source_ids(target)[:-1].cpu()
        written = torch.cat([torch.tensor([BOS]), written]).to(read.device)
        self._parts = {part.name: part for part in anatomy(self.model, read, written)}
        headings, buffer = pack(self._parts.values(), self.model)
        tokens = {"source": self.model.pieces(read.tolist()), "target": self.model.pieces(written.tolist())}
        return {"parts": headings, "buffer": buffer, "tokens": tokens}

    @staticmethod
    def _facts(model: Translator) -> dict[str, Any]:
        config = model.config
        return {
            "norm": config.norm,
            "d_model": config.d_model,
            "d_ff": config.d_ff,
            "heads": config.n_heads,
            "activation": config.activation,
            "encoder": config.n_encoder_layers,
            "decoder": config.n_decoder_layers,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "likeliest": LIKELIEST,
        }

    @property
    def part(self) -> Part:
        """The part now chosen, with its values."""
        return self._parts[self.chosen]

    def describe(self) -> str:
        facts, part = self.facts, self.part
        name, what = self._named(part)
        sizes = ", ".join(_in_words(shape) for shape in part.inputs)
        return (
            f"A Transformer of {facts['encoder']} encoder and {facts['decoder']} decoder blocks "
            f"({facts['norm']}-norm, d_model {facts['d_model']}, {facts['heads']} heads, "
            f"{facts['parameters']:,} parameters) that ran on “{''.join(self.tokens['source'])}”. "
            f"Chosen: {name} ({part.name}). {what} In: {sizes}. Out: {_in_words(part.shape)}."
        )

    def _named(self, part: Part) -> list[str]:
        values = self.facts | {"layer": part.layer}
        return [text.format(**values) for text in self.words["parts"][part.kind]]

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 6.2), layout="constrained")
        drawing, heat = figure.subplots(1, 2, width_ratios=[5, 6])
        self._draw_stacks(drawing)
        self._draw_values(figure, heat)
        return figure

    def _draw_stacks(self, axes: Axes) -> None:
        """From the bottom up: what stands outside the blocks, every block, and what is in one of them."""
        tops = {}
        for x, stack in enumerate(("encoder", "decoder")):
            for y, part in enumerate(self._visible(stack)):
                inside = part.layer is not None and not part.kind.endswith("block")
                tops[part.name] = (x, y)
                face = "#56B4E9" if part.name == self.chosen else "#f2f2f2" if inside else "#dddddd"
                label = self._named(part)[0]
                axes.text(x, y, label, ha="center", va="center", fontsize=8, parse_math=False,
                          bbox={"boxstyle": "round", "facecolor": face, "edgecolor": "#777777"})  # fmt: skip
            tops[stack] = (x, y)
            axes.text(x, -1, WORDS["stacks"][stack], ha="center", va="center", fontweight="bold", color=INK)
        for name, place in tops.items():
            if name.endswith("cross_attention"):
                arrow = {"arrowstyle": "->", "color": INK, "shrinkA": 45, "shrinkB": 45}
                axes.annotate("", place, tops["encoder"], arrowprops=arrow)
        axes.set(xlim=(-0.5, 1.5), ylim=(-1.6, max(y for _, y in tops.values()) + 0.6))
        axes.set_axis_off()

    def _visible(self, stack: str) -> list[Part]:
        here = self.part.layer if self.chosen.startswith(stack) else None
        of_stack = [p for p in self._parts.values() if _stack(p) == stack]
        return [p for p in of_stack if p.layer in (None, here or 0) or p.kind.endswith("block")]

    def _draw_values(self, figure: Figure, axes: Axes) -> None:
        from course.fonts import drawable, elide

        part = self.part
        values, columns = _shown(part)
        signed = part.kind != "probabilities"
        top = values.abs().max().item()
        scale = {"cmap": "PuOr", "vmin": -top} if signed else {"cmap": "Blues", "vmin": 0}
        image = axes.imshow(values.numpy(), aspect="auto", interpolation="nearest", vmax=top, **scale)
        rows = [drawable(elide(token)) for token in self.tokens[part.rows]]
        axes.set_yticks(range(len(rows)), rows, parse_math=False)
        axes.set(xlabel="dimension" if columns is None else "likeliest tokens")
        if columns is not None:
            names = [drawable(elide(token)) for token in self.model.pieces(columns)]
            axes.set_xticks(range(len(names)), names, rotation=90, parse_math=False)
        axes.set_title(f"{self._named(part)[0]}: {_in_words(part.shape)}", parse_math=False)
        figure.colorbar(image, ax=axes, shrink=0.6)


def architecture(
    model: Translator, source: str | Sequence[int], target: str | Sequence[int] | None = None
) -> Architecture:
    """Draw a Transformer from one run on a sentence: click a part for its shapes, parameters and values.

    Layers, norms and sizes are those that the model has. The values are those of this run, as float16
    (error at most 0.05 %); they travel once, and choosing a part needs no kernel. With one, another sentence
    can be typed.

    Args:
        model: an encoder-decoder; with a tokenizer, source and target may be text.
        source: what it reads, a text or the ids of its tokens.
        target: what the decoder is given, without <bos> and <eos>; None means the model's own translation.

    Raises:
        TypeError, ValueError: as ``model.translate``.

    Source: Vaswani et al. 2017, figure 1; lecture row L2.6.a.
    """
    return Architecture(model, source, target)


def pack(parts: Sequence[Part], model: Translator) -> tuple[list[dict], bytes]:
    """Headings that JSON can carry, and one float16 buffer that the values lie in."""
    headings, chunks, size = [], [], 0

    def place(values: Tensor) -> dict:
        nonlocal size
        start, data = size, values.half().cpu().contiguous().numpy().tobytes()
        chunks.append(data)
        size += len(data)
        return {"start": start, "shape": list(values.shape)}

    for part in parts:
        values, columns = _shown(part)
        headings.append(
            {
                "name": part.name,
                "kind": part.kind,
                "stack": _stack(part),
                "layer": part.layer,
                "rows": part.rows,
                "parameters": part.parameters,
                "shared": part.shared,
                "inputs": [list(shape.items()) for shape in part.inputs],
                "shape": list(part.shape.items()),
                "columns": None if columns is None else model.pieces(columns),
                "output": place(values),
                "weights": None if part.weights is None else place(part.weights),
            }
        )
    return headings, b"".join(chunks)


def _shown(part: Part) -> tuple[Tensor, list[int] | None]:
    """The output's columns that are shown, and, where those are chosen tokens, their ids."""
    if part.columns != "vocabulary":
        return part.output.cpu().float(), None
    best = part.output.topk(min(LIKELIEST, part.output.shape[-1])).indices.flatten().tolist()
    columns = list(dict.fromkeys(best))
    return part.output[:, columns].cpu().float(), columns


def _stack(part: Part) -> str:
    return "encoder" if part.name.startswith("encoder") else "decoder"


def _in_words(shape: dict[str, int]) -> str:
    return " × ".join(f"{axis} {n}" for axis, n in shape.items())
