"""What stands still: attention as matplotlib figures, readable on paper, in light and in dark.

Every function returns a :class:`Figure` that pyplot does not know: a notebook shows it as the cell's value,
and nothing piles up. ``course.figures`` has the look that all of them share, and ``subplots`` for the
notebooks' own pictures; ``course.fonts`` sees to text of every script.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from course.data.published import TranslationResult
from course.figures import COLOURS, INK, Figure, described, inked, subplots
from course.fonts import cjk_font, drawable, dressed, elide, fonts, needs_cjk, warn_once

__all__ = [
    "COLOURS", "INK", "Figure", "alignment", "bleu_against_flops", "described", "head_grid", "heatmap",
    "inked", "lines", "subplots", "tinted",
]  # fmt: skip

HEAT = ListedColormap(mpl.colormaps["Blues"](np.linspace(0, 1, 256)), name="heat")
CHANGE = LinearSegmentedColormap.from_list("change", ["#7f3b08", "#d9751a", "#ffffff", "#2a7ab9", "#08306b"])
LESS, MORE = COLOURS["orange"], COLOURS["blue"]  # lines of a difference: weights that fell, weights that rose
MASKED = {"hatch": "///", "facecolor": "#e4e4e4", "edgecolor": "#a8a8a8", "linewidth": 0}
KINDS = {
    "before": (COLOURS["yellow"], "o"),
    "ensemble": (COLOURS["orange"], "s"),
    "Transformer": (COLOURS["blue"], "^"),
}
LABEL = 0.17  # inches from one slanting label to the next
SIZE, LINE = 11, 500  # of running text: points of its letters, points of a line


def heatmap(
    weights: Float[Tensor, "query key"],
    tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    *,
    mask: Bool[Tensor, "query key"] | None = None,
    title: str | None = None,
) -> Figure:
    """One head's weights: a row for each query, a column for each key; masked cells are hatched.

    The difference of two heads' weights is drawn in two colours: orange where it is negative.
    """
    keys = tokens if key_tokens is None else key_tokens
    weights = _matrix(weights, tokens, keys)
    pitch, (height, width) = _size(weights)
    figure = Figure(figsize=(width + 3, height + 1.8))
    axes = figure.add_subplot()
    _draw(axes, weights, mask, vmax=np.abs(weights).max() or 1)
    _label(axes, "y", tokens, pitch)
    _label(axes, "x", keys, pitch)
    axes.set(xlabel="key: attended to", ylabel="query: attends", title=title)
    axes.xaxis.set_label_position("bottom")
    _colour_bar(figure, axes, min(height / weights.shape[0], width / weights.shape[1]))
    return inked(dressed(figure))


def lines(
    weights: Float[Tensor, "query key"],
    tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    *,
    threshold: float = 0.0,
    top: int = 0,
    query: int | None = None,
    key: int | None = None,
    title: str | None = None,
) -> Figure:
    """One head's weights as lines from the queries (left) to the keys (right), the stronger the darker.

    Args:
        weights: or the difference of two heads' weights, whose negative links are orange.
        threshold: weights smaller than this are left out.
        top: how many links of each query are drawn, the strongest; 0 for all.
        query, key: draw the links of this query, or of this key, alone.
    """
    keys = tokens if key_tokens is None else key_tokens
    weights = _matrix(weights, tokens, keys)
    n = max(weights.shape)
    pitch = min(0.24, 12 / n)
    figure = Figure(figsize=(5.5, pitch * n + 0.6))
    axes = figure.add_subplot(xlim=(0, 1), ylim=(n - 0.5, -0.5), xticks=[], title=title)
    at = np.argwhere(_drawn(weights, threshold, top, query, key))
    drawn = weights[at[:, 0], at[:, 1]]  # of a chosen token, its strongest link is the darkest
    strength = drawn / (np.abs(drawn).max(initial=0) or 1)
    order = np.abs(strength).argsort()
    colours = [to_rgba(MORE if s > 0 else LESS, 0.04 + 0.96 * abs(s)) for s in strength[order]]
    ends = [[(0, q), (1, k)] for q, k in at[order]]
    axes.add_collection(LineCollection(ends, colors=colours, linewidths=0.5 + 2 * np.abs(strength[order])))
    axes.spines[:].set_visible(False)
    right = axes.twinx()
    right.set_ylim(axes.get_ylim())
    right.spines[:].set_visible(False)
    for side, names, says in ((axes, tokens, "query: attends"), (right, keys, "key: attended to")):
        _label(side, "y", names, pitch)
        side.set_ylabel(says)
    return inked(dressed(figure))


def _drawn(weights: np.ndarray, threshold: float, top: int, query: int | None, key: int | None) -> np.ndarray:
    """Which links a picture draws, as a boolean matrix."""
    drawn = (weights != 0) & (np.abs(weights) >= threshold)
    if top:
        rank = np.abs(weights).argsort(axis=1, kind="stable")[:, ::-1].argsort(axis=1)
        drawn &= rank < top
    if query is not None:
        drawn &= (np.arange(len(weights)) == query)[:, None]
    if key is not None:
        drawn &= np.arange(weights.shape[1]) == key
    return drawn


def tinted(
    tokens: Sequence[str],
    weights: Float[Tensor, "token"],
    *,
    chosen: int | None = None,
    title: str | None = None,
) -> Figure:
    """Tokens as running text, each on a ground as dark as its weight; the chosen one is framed."""
    values = torch.as_tensor(weights).detach().cpu().float().numpy()
    if values.shape != (len(tokens),):
        raise ValueError(
            f"weights have shape {values.shape}; for {len(tokens)} tokens it should be {(len(tokens),)}"
        )
    names = [drawable(elide(token)) for token in tokens]
    places, rows = _flow(names)
    figure = Figure(figsize=(LINE / 72 + 0.2, 0.32 * rows + 0.5))
    axes = figure.add_subplot(xlim=(0, LINE), ylim=(rows, 0), title=title)
    axes.set_axis_off()
    greatest = np.abs(values).max() or 1
    for i, (name, (left, row, width), value) in enumerate(zip(names, places, values, strict=True)):
        ground = _ground(value / greatest, signed=_signed(values))
        edge = {"edgecolor": INK, "linewidth": 2} if i == chosen else {"linewidth": 0}
        axes.add_patch(mpl.patches.Rectangle((left, row + 0.1), width, 0.8, facecolor=ground, **edge))
        ink = "white" if np.dot(ground[:3], [0.2126, 0.7152, 0.0722]) < 0.45 else "black"
        at = {"x": left + width / 2, "y": row + 0.5, "ha": "center", "va": "center"}
        axes.text(**at, s=name, color=ink, fontsize=SIZE, parse_math=False)
    return inked(dressed(figure))


def _signed(values: np.ndarray) -> bool:
    """Whether these are differences: some are negative, and not by rounding."""
    return bool(values.min() < -1e-3 * np.abs(values).max())


def _ground(value: float, signed: bool) -> tuple[float, ...]:
    """The colour of a value between -1 and 1, or between 0 and 1."""
    return CHANGE((value + 1) / 2) if signed else HEAT(value)


def _flow(names: Sequence[str]) -> tuple[list[tuple[float, int, float]], int]:
    """Where each token stands in running text: its left edge in points, its row, its width; and the rows."""
    font, places, left, row = FontProperties(family=fonts(), size=SIZE), [], 0.0, 0
    for name in names:
        width = text_to_path.get_text_width_height_descent(name, font, ismath=False)[0] + 7
        if left and left + width > LINE:
            left, row = 0.0, row + 1
        places.append((left, row, width))
        left += width + 2
    return places, row + 1


def head_grid(attention: Any, tokens: Sequence[str], key_tokens: Sequence[str] | None = None) -> Figure:
    """Every head of every layer as a thumbnail, each on its own scale from 0 to its largest weight.

    ``attention`` is anything :func:`course.models.attention_pass.as_pass` takes.
    """
    from course.models.attention_pass import as_pass

    weights = as_pass(attention, tokens, key_tokens).weights.float().numpy()
    layers, heads, queries, keys = weights.shape
    tops = weights.max(axis=(2, 3), keepdims=True)
    gap_q, gap_k = max(1, queries // 12), max(1, keys // 12)
    tiles = np.full((layers, heads, queries + gap_q, keys + gap_k), np.nan)
    tiles[:, :, :queries, :keys] = weights / np.where(tops > 0, tops, 1)
    sheet = tiles.transpose(0, 2, 1, 3).reshape(layers * (queries + gap_q), heads * (keys + gap_k))
    figure = Figure(figsize=(min(9, 0.7 * heads + 1), min(9, 0.7 * layers + 1)))
    axes = figure.add_subplot()
    axes.imshow(sheet, cmap=HEAT, vmin=0, vmax=1, aspect="auto", interpolation="antialiased")
    axes.set_xticks(np.arange(heads) * (keys + gap_k) + keys / 2, range(heads))
    axes.set_yticks(np.arange(layers) * (queries + gap_q) + queries / 2, range(layers))
    axes.set(xlabel="head", ylabel="layer")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return inked(dressed(figure))


def alignment(
    weights: Float[Tensor, "target source"], source: Sequence[str], target: Sequence[str]
) -> Figure:
    """Which source words each target word looks at, as in Bahdanau et al. (2015), Figure 3: white is 1."""
    weights = _matrix(weights, target, source)
    pitch, (height, width) = _size(weights)
    figure = Figure(figsize=(width + 1.4, height + 1.4))
    axes = figure.add_subplot()
    axes.imshow(weights, cmap="gray", vmin=0, vmax=1)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    _label(axes, "x", source, pitch)
    _label(axes, "y", target, pitch)
    axes.set(xlabel="source", ylabel="target")
    return inked(dressed(figure))


def bleu_against_flops(results: Sequence[TranslationResult]) -> Figure:
    """BLEU against training FLOPs, a panel for each language pair, every point with its name.

    A row without one of the two numbers has no point and is named under its panel.
    """
    panels = list(results[0].bleu)
    figure = Figure(figsize=(9.6, 4.2))
    for axes, pair in zip(figure.subplots(1, len(panels), sharex=True), panels, strict=True):
        shown = [row for row in results if row.bleu[pair] is not None and row.flops[pair] is not None]
        for row in shown:
            colour, marker = KINDS[row.kind]
            axes.scatter([row.flops[pair]], [row.bleu[pair]], color=colour, marker=marker, zorder=3)
            name = row.model.replace("Transformer ", "").replace(", ensemble", " ×")
            at, look = (row.flops[pair], row.bleu[pair]), {"fontsize": 8, "color": INK, "parse_math": False}
            below = row.kind == "ensemble"  # they crowd on the right
            axes.annotate(name, at, xytext=(6, -10 if below else 4), textcoords="offset points", **look)
        missing = [row.model for row in results if row.bleu[pair] is not None and row not in shown]
        note = f"\n(no cost given: {', '.join(missing)})" if missing else ""
        axes.set(
            xscale="log", xlim=(1.5e18, 8e21), title=f"{pair}, newstest2014", xlabel=f"training FLOPs{note}"
        )
        axes.margins(y=0.12)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("BLEU")
    marks = [Line2D([], [], color=colour, marker=marker, ls="") for colour, marker in KINDS.values()]
    names = {"before": "before", "ensemble": "ensemble (×)", "Transformer": "Transformer, base and big"}
    figure.axes[0].legend(marks, [names[kind] for kind in KINDS], fontsize=8, loc="lower right")
    return inked(dressed(figure))


def _matrix(weights: Any, rows: Sequence[str], columns: Sequence[str]) -> np.ndarray:
    matrix = torch.as_tensor(weights).detach().cpu().float().numpy()
    if matrix.shape != (len(rows), len(columns)):
        raise ValueError(
            f"weights have shape {matrix.shape}; with {len(rows)} row tokens and {len(columns)} column "
            f"tokens it should be {(len(rows), len(columns))}: one head, without batch"
        )
    return matrix


def _size(weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Inches from one cell to the next (room for all labels up to 43 tokens); the map's height and width."""
    pitch = min(0.3, 7.4 / max(weights.shape))
    return pitch, np.maximum(pitch * np.array(weights.shape), 2.2)


def _draw(axes: Axes, weights: np.ndarray, mask: Any, vmax: float) -> None:
    shown, signed = weights, _signed(weights)
    if mask is not None:
        allowed = torch.as_tensor(mask).cpu().numpy()
        if allowed.dtype != bool or allowed.shape != weights.shape:
            raise ValueError(
                f"mask is {allowed.dtype} {allowed.shape}; "
                f"it should be bool {weights.shape}, True = may attend"
            )
        shown = np.where(~allowed & (weights == 0), np.nan, weights)
        axes.add_patch(mpl.patches.Rectangle((0, 0), 1, 1, transform=axes.transAxes, zorder=-1, **MASKED))
    colours = {"cmap": CHANGE, "vmin": -vmax} if signed else {"cmap": HEAT, "vmin": 0}
    axes.imshow(shown, **colours, vmax=vmax, interpolation="nearest")


def _colour_bar(figure: Figure, axes: Axes, cell: float) -> None:
    """A colour bar right beside the map, whose cells are so many inches wide and high."""
    queries, keys = axes.images[0].get_array().shape
    low, high = (0.2, 0.6) if queries * cell > 1.2 else (0, 1)
    bar = axes.inset_axes([1 + 0.12 / (keys * cell), low, 0.14 / (keys * cell), high])
    figure.colorbar(axes.images[0], cax=bar, label="weight", ticks=MaxNLocator(5))


def _label(axes: Axes, which: str, tokens: Sequence[str], pitch: float) -> None:
    """Token labels on an axis; where they would overlap, only every second, third, … one."""
    every = max(1, int(np.ceil(LABEL / pitch)))
    at = np.arange(0, len(tokens), every)
    if cjk_font() is None and any(map(needs_cjk, tokens)):
        warn_once()
    names = [drawable(elide(tokens[i])) for i in at]
    if which == "x":
        axes.xaxis.tick_top()
        axes.set_xticks(at, names, rotation=55, ha="left", rotation_mode="anchor", parse_math=False)
    else:
        axes.set_yticks(at, names, parse_math=False)
    axes.tick_params(axis=which, labelsize=9 if pitch > 0.2 else 8, length=2)
