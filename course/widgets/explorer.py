"""The attention explorer: every layer, head and token of one pass, switched without the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from course import plots
from course.models.attention_pass import AttentionPass, as_pass
from course.text.readable import sound
from course.widgets.base import CourseWidget, module, stylesheet
from course.widgets.packing import pack

CROWDED = 32
"""With more tokens than this, each query's three strongest lines are drawn until the reader asks for more."""

Choice = int | str


class Explorer(CourseWidget):
    """Attention to look at and to play with, made by :func:`explore`; Python may set its traits too."""

    _esm = module("explorer")
    _css = stylesheet("common", "explorer")

    passes = traitlets.List(traitlets.Dict()).tag(sync=True)
    buffer = traitlets.Bytes().tag(sync=True)
    view = traitlets.Enum(["overview", "heatmap", "lines", "text"], "heatmap").tag(sync=True)
    layer = traitlets.Union([traitlets.Int(min=0), traitlets.Enum(["mean", "max"])], default_value=0).tag(
        sync=True
    )
    head = traitlets.Union([traitlets.Int(min=0), traitlets.Enum(["mean", "max"])], default_value=0).tag(
        sync=True
    )
    query = traitlets.Int(default_value=None, min=0, allow_none=True).tag(sync=True)
    key = traitlets.Int(default_value=None, min=0, allow_none=True).tag(sync=True)
    show = traitlets.Enum(["first", "second", "both", "difference"], "both").tag(sync=True)
    threshold = traitlets.Float(0.0, min=0, max=1).tag(sync=True)
    top = traitlets.Int(0, min=0).tag(sync=True)
    direction = traitlets.Enum(["to", "from"], "to").tag(sync=True)
    full_scale = traitlets.Bool(False, help="colours from 0 to 1, else to the largest weight").tag(sync=True)
    hide_padding = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self, passes: dict[str, AttentionPass], *, precision: str | None = None, **traits: Any
    ) -> None:
        self._passes, self._precision = {sound(name): p for name, p in passes.items()}, precision
        headings, buffer = pack(self._passes, precision)
        super().__init__(passes=headings, buffer=buffer, **traits)

    @traitlets.validate("layer", "head")
    def _exists(self, proposal: Any) -> Choice:
        name, choice = proposal["trait"].name, proposal["value"]
        n = min(p.weights.shape[name == "head"] for p in self._passes.values())
        if isinstance(choice, bool) or (choice not in ("mean", "max") and choice >= n):
            raise ValueError(f'{name}={choice}: there are {n}, so 0 to {n - 1}, or "mean" or "max"')
        return choice

    @traitlets.validate("query", "key")
    def _is_a_token(self, proposal: Any) -> int | None:
        name, at = proposal["trait"].name, proposal["value"]
        n = max(len(p.tokens if name == "query" else p.columns) for p in self._passes.values())
        if at is not None and (isinstance(at, bool) or at >= n):
            raise ValueError(f"{name}={at}: there are {n} tokens, so 0 to {n - 1}, or None for no token")
        return at

    def show_passes(self, passes: dict[str, AttentionPass]) -> None:
        """Show these passes instead: one, or two to compare."""
        self._passes = {sound(name): p for name, p in passes.items()}
        headings, buffer = pack(self._passes, self._precision)
        with self.hold_sync():
            self.passes, self.buffer = headings, buffer

    def chosen(self, name: str | None = None) -> tuple[AttentionPass, Tensor, Tensor | None]:
        """A pass (the one shown first), its weights ``[query, key]`` for the present choice, and its mask."""
        p = self._passes[self._first() if name is None else name]
        p = p.without_padding() if self.hide_padding else p
        weights = _together(_together(p.weights.float(), self.head, 1), self.layer, 0)
        if p.mask is None:
            return p, weights, None
        mask = p.mask.expand(*p.weights.shape[:2], -1, -1).float()
        reduce = [choice if isinstance(choice, int) else "max" for choice in (self.head, self.layer)]
        return p, weights, _together(_together(mask, reduce[0], 1), reduce[1], 0).bool()

    def _first(self) -> str:
        """The name of the pass that is shown, or shown first."""
        return list(self._passes)[len(self._passes) > 1 and self.show == "second"]

    def still(self) -> Figure:
        """What is shown, as a figure: of two passes side by side, the first; of an overview, too.

        Text is tinted once a token is chosen; until then, and for cross-attention, its still is the heat map.
        """
        p, weights, mask = self.chosen()
        if self.view == "overview":
            return plots.head_grid(p, p.tokens)
        name = self._first()
        if len(self._passes) > 1 and self.show == "difference":
            first, second = self._passes
            weights, mask = self.chosen(second)[1] - self.chosen(first)[1], None
            name = f"{second} − {first}"
        title = f"{name}: ".removeprefix(": ") + f"layer {self.layer}, head {self.head}"
        query, key = self._focus(p)
        if self.view == "lines":
            focus = {"query": query, "key": key, "threshold": self.threshold, "top": self.top}
            return plots.lines(weights, p.tokens, p.columns, **focus, title=title)
        if self.view == "text" and p.key_tokens is None and query is not None:
            values = weights[query] if self.direction == "to" else weights[:, query]
            return plots.tinted(p.tokens, values, chosen=query, title=title)
        return plots.heatmap(weights, p.tokens, p.columns, mask=mask, title=title)

    def _focus(self, p: AttentionPass) -> tuple[int | None, int | None]:
        """The tokens in focus; one that lies beyond the end of a shorter text is none."""
        ends = ((self.query, len(p.tokens)), (self.key, len(p.columns)))
        query, key = (at if at is not None and at < n else None for at, n in ends)
        return query, key

    def describe(self) -> str:
        return "\n".join(f"{name}: ".removeprefix(": ") + self._in_words(name) for name in self._passes)

    def _in_words(self, name: str) -> str:
        p, weights, _ = self.chosen(name)
        (layers, heads), (queries, keys) = p.weights.shape[:2], weights.shape
        best = weights.flatten().topk(min(5, weights.numel()))
        links = [
            f"“{sound(p.tokens[i // keys])}” → “{sound(p.columns[i % keys])}” {w:.2f}"
            for w, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]
        return (
            f"Attention of {layers} layers × {heads} heads, {queries} queries × {keys} keys. "
            f"Layer {self.layer}, head {self.head}; strongest links: {'; '.join(links)}."
            f"{' ' * bool(p.note)}{p.note}"
        )

    def save(self, path: str | Path) -> Path:
        """Write the present picture, without controls, as PNG or SVG (by the name's ending)."""
        path = Path(path)
        if path.suffix.lower() not in (".png", ".svg"):
            raise ValueError(
                f"{path.name}: a picture is saved as .png or .svg; to_html() saves the whole explorer"
            )
        quiet = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
        self.still().savefig(path, dpi=150, bbox_inches="tight", metadata=quiet)
        return path


def explore(
    attention: Any,
    tokens: Any = None,
    key_tokens: Any = None,
    *,
    query: Any = None,
    key: Any = None,
    mask: Any = None,
    scale: float | None = None,
    part: str | None = None,
    sequence: int | None = None,
    tokenizer: Any = None,
    attention_mask: Any = None,
    key_attention_mask: Any = None,
    precision: str | None = None,
    view: str | None = None,
    layer: Choice = 0,
    head: Choice = 0,
) -> Explorer:
    """Explore the attention of one forward pass: overview, heat map, lines, tinted text.

    Up to ``packing.FLOAT16_UP_TO`` weights travel to the browser as float16 (error at most 0.05 % of a
    weight, 3e-8 below 6e-5); more travel as one byte each, the root of a weight's share of the row's largest
    (error at most 0.4 % of the largest, less for smaller weights; the largest itself is exact). ``query`` and
    ``key`` travel as float32, so that the arithmetic of one weight is exact.

    Args:
        attention: weights ``[layer, head, query, key]``, a list of layers, a transformers output, what its
            ``generate`` returned, an :class:`AttentionPass`, or a model of the course with a text as
            ``tokens``.
        tokens: the tokens that attend, one a row: strings, what a tokenizer returned, or ids with
            ``tokenizer``; for what ``generate`` returned also the tokenizer itself.
        key_tokens: the tokens attended to, where they differ (cross-attention).
        query, key: projected vectors ``[layer, head, position, d_k]``, for the arithmetic of one weight.
        mask: True = may attend, ``[query, key]`` or ``[layer, head, query, key]``; masked cells are hatched.
        scale: what the dot products were multiplied by, when not 1/√d_k.
        part: of a transformers output: "self", "encoder", "decoder" or "cross".
        sequence: which of a batch, from 0.
        tokenizer: looks up tokens that are given as ids.
        attention_mask, key_attention_mask: 1 for a token, 0 for padding, which is dimmed and can be hidden.
        precision: "float16" or "byte" for what a weight travels as.
        view: "overview" (when there are several heads), "heatmap", "lines" or "text".
        layer, head: an index from 0, "mean" or "max" over all of them.

    Raises:
        ValueError, TypeError: with the shapes and the token counts seen.
    """
    p = as_pass(
        attention,
        tokens,
        key_tokens,
        query=query,
        key=key,
        mask=mask,
        scale=scale,
        part=part,
        sequence=sequence,
        tokenizer=tokenizer,
        attention_mask=attention_mask,
        key_attention_mask=key_attention_mask,
    )
    several = p.weights.shape[0] * p.weights.shape[1] > 1
    view = view or ("overview" if several else "heatmap")
    top = 0 if len(p.tokens) <= CROWDED else 3
    return Explorer({"": p}, precision=precision, view=view, layer=layer, head=head, top=top)


def compare(**passes: AttentionPass) -> Explorer:
    """Two passes side by side, or as their difference: ``compare(before=first, after=second)``.

    The difference is offered where both have the same layers, heads and tokens counts.
    """
    if len(passes) != 2:
        raise ValueError(f"compare takes two named passes, compare(before=..., after=...); got {len(passes)}")
    for name, p in passes.items():
        if not isinstance(p, AttentionPass):
            raise TypeError(
                f"compare({name}=...) takes an AttentionPass, weights with their tokens: "
                f"compare({name}=as_pass(weights, tokens), ...); got {type(p).__name__}"
            )
    return Explorer(passes)


def _together(x: Tensor, choice: Choice, dim: int) -> Tensor:
    """One slice of a dimension, or all of it by mean or max."""
    if isinstance(choice, int):
        return x.select(dim, choice)
    return x.mean(dim) if choice == "mean" else x.amax(dim)
