"""A mask put together from rules and by hand, beside the weights that it leaves (L1.4.c, L1.4.d, L2.7.b)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import torch
import traitlets
from jaxtyping import Bool, Float
from torch import Tensor

from course.attention import masked_softmax
from course.masks import causal_mask, combine, padding_mask, prefix_mask, window_mask
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {
    "title": "Mask builder",
    "rules": "A query may attend to a key where every ticked rule says so",
    "causal": ["causal", "no key after the query"],
    "padding": ["padding", "real tokens"],
    "window": ["window", "farthest key"],
    "prefix": ["prefix", "seen by all, causal after it"],
    "both": "Causal and prefix together are causal again, since every ticked rule must agree. "
    "Untick causal to see what a prefix does.",
    "mask": "The mask: row = query, column = key. Press a cell to flip it.",
    "weights": "The weights: softmax over the keys that are left",
    "allowed": "may attend",
    "forbidden": "may not",
    "by_hand": "flipped by hand",
    "sum": "sum",
    "undo": "Undo flips",
    "copy": "Copy",
    "copied": "Copied",
    "selected": "Now press Ctrl+C",
    "code": "This mask in Python",
    "cell": "query {q} {query}, key {k} {key}: {state}",
    "kept": "{query} → {key}: weight = e^({score}) / {total} = {weight}, where {total} is the sum of e^score "
    "over the keys left in the row. Without the mask it would be {before}.",
    "masked": "{query} → {key}: score {score} + (−∞) gives weight 0. Without the mask it would be {before}.",
    "empty": "{query} may attend nowhere: its weights are all 0, and so is its output. "
    "A plain softmax would give NaN.",
}


class MaskBuilder(CourseWidget):
    """Tick rules, flip cells, and watch what softmax makes of ``scores`` under the mask.

    ``tokens`` are queries and keys both; ``scores`` are attention scores before softmax, by default
    seeded random numbers. A rule that is ``None`` is not ticked; its number means what it means in
    :mod:`course.masks`. ``mask`` and ``weights`` give what is now shown.

    >>> MaskBuilder(["the", "cat", "sat", "[PAD]"], padding=3).mask[2].tolist()
    [True, True, True, False]
    """

    _esm = module("mask_builder")
    _css = stylesheet("common", "mask_builder")
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    scores = traitlets.List().tag(sync=True)
    causal = traitlets.Bool().tag(sync=True)
    padding = traitlets.Int(None, allow_none=True).tag(sync=True)
    window = traitlets.Int(None, allow_none=True).tag(sync=True)
    prefix = traitlets.Int(None, allow_none=True).tag(sync=True)
    flips = traitlets.List(help="cells [query, key] turned over by hand").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        tokens: Sequence[str],
        scores: Float[Tensor, "query key"] | None = None,
        *,
        causal: bool = True,
        padding: int | None = None,
        window: int | None = None,
        prefix: int | None = None,
    ):
        n = len(tokens)
        if scores is None:
            scores = torch.randn(n, n, generator=torch.Generator().manual_seed(0))
        if tuple(scores.shape) != (n, n):
            raise ValueError(f"{n} tokens need scores of shape [{n}, {n}], got {list(scores.shape)}")
        if not scores.isfinite().all():
            raise ValueError("scores must be finite: give them as they are before any mask")
        super().__init__(
            tokens=list(tokens),
            scores=scores.tolist(),
            causal=causal,
            padding=padding,
            window=window,
            prefix=prefix,
        )

    @property
    def mask(self) -> Bool[Tensor, "query key"]:
        """The mask now shown, True = may attend."""
        n = len(self.tokens)
        rules = [torch.ones(n, n, dtype=torch.bool)]
        if self.causal:
            rules.append(causal_mask(n))
        if self.padding is not None:
            rules.append(padding_mask([self.padding], n))
        if self.window is not None:
            rules.append(window_mask(n, self.window))
        if self.prefix is not None:
            rules.append(prefix_mask(n, self.prefix))
        mask = combine(*rules).reshape(n, n)
        for query, key in self.flips:
            mask[query, key] = ~mask[query, key]
        return mask

    @property
    def weights(self) -> Float[Tensor, "query key"]:
        """What softmax makes of the scores under the mask now shown."""
        return masked_softmax(torch.tensor(self.scores), self.mask)

    def describe(self) -> str:
        mask = self.mask
        rows = "; ".join(
            f"{token} may attend to {', '.join(self.tokens[k] for k in row.nonzero().flatten()) or 'nothing'}"
            for token, row in zip(self.tokens, mask, strict=True)
        )
        return f"A mask over {len(mask)} tokens, {int(mask.sum())} of {mask.numel()} cells allowed: {rows}."

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.fonts import elide

        tokens = [elide(token) for token in self.tokens]
        figure = Figure(figsize=(9, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        self._draw_mask(left)
        self._draw_weights(right)
        for axes in (left, right):
            axes.set_xticks(range(len(tokens)), tokens, rotation=45, ha="right", parse_math=False)
            axes.set_yticks(range(len(tokens)), tokens, parse_math=False)
            axes.set(xlabel="key", ylabel="query")
        return figure

    def _draw_mask(self, axes: Axes) -> None:
        from matplotlib.patches import Rectangle

        mask = self.mask
        axes.imshow(mask.numpy(), cmap="Blues", vmin=0, vmax=1.4)
        for query, key in (~mask).nonzero().tolist():
            axes.add_patch(Rectangle((key - 0.5, query - 0.5), 1, 1, fill=False, hatch="///", ec="#bbbbbb"))
        axes.set_title("mask: blue may attend, hatched may not")

    def _draw_weights(self, axes: Axes) -> None:
        weights = self.weights
        axes.imshow(weights.numpy(), cmap="Oranges", vmin=0, vmax=1.4)
        for query, key in product(range(len(weights)), repeat=2):
            axes.text(key, query, f"{weights[query, key]:.2f}", ha="center", va="center")
        axes.set_title("weights after the masked softmax")
