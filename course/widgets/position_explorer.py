"""Four ways to tell the position, and what each makes of distance (L2.7.a, L1.4.a)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.positions import (
    LearnedPositions,
    alibi_bias,
    alibi_slopes,
    rotary,
    shift_matrix,
    sinusoidal_positions,
)
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADS = 4
"""ALiBi's curves: one for each head."""

WORDS = {
    "title": "Position explorer",
    "help": "Press a cell of the map, or walk over it with the arrow keys. Positions and dimensions "
    "count from 0.",
    "pos": "position pos",
    "dim": "dimension",
    "k": "move on by k",
    "map": "map of PE",
    "cell": "position {pos}, dimension {dim}: {value}",
    "formula": "PE({pos}, {dim}) = {wave}({pos} / 10000^({even}/{d_model})) = {wave}({at}) = {value}",
    "pair": "dimension {dim} is {place}, with i = {i}; its pair turns once in {turn} positions",
    "waves": "dimensions {sine} (sine, solid) and {cosine} (cosine, dashed)",
    "axis": {"pos": "position", "dim": "dimension", "distance": "key position − query position"},
    "circle": "The pair of dimensions {sine} and {cosine} on a circle",
    "dials": "All {pairs} pairs; press one",
    "angle": "R_k turns the pair by k × w = {k} × {speed} = {angle} radians.",
    "product": "R_k PE({pos}) = ({a} × {x} + {b} × {y}, {c} × {x} + {d} × {y}) = {turned}",
    "reached": "PE({pos} + {k}) = PE({to}) = {there}",
    "error": "Largest error of R_k PE({pos}) − PE({to}) over all {d_model} dimensions: {error} (rounding)",
    "compare": "What each scheme makes of q · k, for the query at position {pos} (solid) and "
    "at {to} (dashed)",
    "schemes": {
        "sinusoidal": ["Sinusoidal", "PE(query) · PE(key)"],
        "learned": ["Learned (untrained)", "E(query) · E(key), each E at its random start"],
        "rotary": ["Rotary", "turned q · turned k, one fixed q = k"],
        "alibi": ["ALiBi", "−slope × distance, slopes {slopes}"],
    },
    "alone": "The two curves differ by {gap}: distance alone counts.",
    "apart": "The two curves differ by up to {gap}: distance does not say it.",
    "one": "k = 0: one position, nothing to compare.",
    "described": "Score against distance, for queries at positions {pos} and {to}. ",
}

SCHEMES = tuple(WORDS["schemes"])


def rotation_blocks(n: int, d_model: int) -> Float[Tensor, "2n-1 d_model/2 2 2"]:
    """The 2 × 2 blocks on the diagonal of R_k, for k = −(n − 1), ..., n − 1; the rest of R_k is zero."""
    matrices = torch.stack([shift_matrix(k, d_model) for k in range(1 - n, n)])
    rows_and_columns = matrices.unflatten(2, (-1, 2)).unflatten(1, (-1, 2))  # [2n - 1, pair, 2, pair, 2]
    return rows_and_columns.diagonal(dim1=1, dim2=3).movedim(-1, 1)


def position_scores(n: int, d_model: int, seed: int = 0) -> dict[str, Float[Tensor, "head n n"]]:
    """What each scheme alone makes of q · k, query position by key position, before scaling.

    The learned vectors and the fixed query (equal to the key) of ``rotary`` are seeded random numbers.
    ALiBi has a matrix for each of :data:`HEADS` heads, the others have one.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learned = LearnedPositions(n, d_model)(n).detach()
        same = torch.randn(d_model).expand(n, d_model)
    vectors = {
        "sinusoidal": sinusoidal_positions(n, d_model),
        "learned": learned,
        "rotary": rotary(same, torch.arange(n)),
    }
    return {name: (x @ x.T)[None] for name, x in vectors.items()} | {"alibi": alibi_bias(HEADS, n)}


def curve_gap(scores: Float[Tensor, "head n n"], pos: int, to: int) -> float:
    """How far the curves of two query positions lie apart, at most, over the distances that both have."""
    low, high = sorted((pos, to))
    n = scores.shape[-1]
    return (scores[:, low, : n - (high - low)] - scores[:, high, high - low :]).abs().max().item()


class PositionExplorer(CourseWidget):
    """Sinusoidal positions cell by cell, their rotation, and score against distance for four schemes.

    ``pos`` and ``dim`` are the cell looked at; ``k`` moves on to position ``pos + k``, and is brought back
    into the table when ``pos`` leaves it no room.

    Raises:
        ValueError: as :func:`course.positions.sinusoidal_positions`; or ``n`` is not 2 to 256.
    """

    _esm = module("position_explorer")
    _css = stylesheet("common", "position_explorer")
    n = traitlets.Int().tag(sync=True)
    d_model = traitlets.Int().tag(sync=True)
    table = traitlets.Bytes(help="float32 [n, d_model]").tag(sync=True)
    rotations = traitlets.Bytes(help="float32 [2n - 1, d_model / 2, 2, 2]").tag(sync=True)
    scores = traitlets.Bytes(help="float32 [3 + heads, n, n]").tag(sync=True)
    slopes = traitlets.List().tag(sync=True)
    pos = traitlets.Int().tag(sync=True)
    dim = traitlets.Int().tag(sync=True)
    k = traitlets.Int().tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, n: int = 64, d_model: int = 32):
        if not 2 <= n <= 256:
            raise ValueError(f"the map has room for 2 to 256 positions; got n = {n}")
        self._table = sinusoidal_positions(n, d_model)
        self._rotations = rotation_blocks(n, d_model)
        self._scores = position_scores(n, d_model)
        super().__init__(
            n=n,
            d_model=d_model,
            table=_packed(self._table),
            rotations=_packed(self._rotations),
            scores=_packed(torch.cat(list(self._scores.values()))),
            slopes=alibi_slopes(HEADS).tolist(),
            pos=min(7, n - 1),
            dim=min(6, d_model - 2),
            k=min(5, n - 1 - min(7, n - 1)),
        )

    @traitlets.validate("pos", "dim")
    def _inside(self, proposal: dict) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        size = {"pos": self.n, "dim": self.d_model}[name]
        if not 0 <= value < size:
            raise ValueError(f"{name} is 0 to {size - 1}; got {value}")
        return value

    @traitlets.validate("k")
    def _reachable(self, proposal: dict) -> int:
        if not 0 <= self.pos + proposal["value"] < self.n:
            raise ValueError(f"pos + k is 0 to {self.n - 1}; got pos = {self.pos}, k = {proposal['value']}")
        return proposal["value"]

    @traitlets.observe("pos")
    def _make_room(self, change: dict) -> None:
        self.k = min(max(self.k, -self.pos), self.n - 1 - self.pos)

    @property
    def shift_error(self) -> float:
        """The largest difference between R_k PE(pos) and PE(pos + k), over all dimensions."""
        pairs = self._table.unflatten(-1, (-1, 2))  # [n, d_model / 2, 2]
        turned = (self._rotations[self.k + self.n - 1] @ pairs[self.pos][..., None])[..., 0]
        return (turned - pairs[self.pos + self.k]).abs().max().item()

    def formula(self) -> str:
        """The chosen cell's formula with its numbers."""
        even = self.dim - self.dim % 2
        return WORDS["formula"].format(
            pos=self.pos,
            dim=self.dim,
            wave=("sin", "cos")[self.dim % 2],
            even=even,
            d_model=self.d_model,
            at=_number(self.pos / 10_000 ** (even / self.d_model)),
            value=_number(self._table[self.pos, self.dim].item()),
        )

    def describe(self) -> str:
        to = self.pos + self.k
        error = WORDS["error"].format(
            pos=self.pos, to=to, d_model=self.d_model, error=f"{self.shift_error:.1g}".replace("-", "−")
        )
        verdicts = " ".join(f"{WORDS['schemes'][name][0]}: {self._verdict(name)}" for name in SCHEMES)
        return f"{self.formula()}. {error}. {WORDS['described'].format(pos=self.pos, to=to)}{verdicts}"

    def _verdict(self, scheme: str) -> str:
        gap = curve_gap(self._scores[scheme], self.pos, self.pos + self.k)
        same = gap <= 1e-4 * self._scores[scheme].abs().max().item()
        words = WORDS["one"] if self.k == 0 else WORDS["alone" if same else "apart"]
        return words.format(gap=f"{gap:.3f}")

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 5.2), layout="constrained")
        panels = figure.subplot_mosaic([["map"] * 4, list(SCHEMES)], height_ratios=[1.3, 1])
        self._draw_map(panels["map"])
        for name in SCHEMES:
            self._draw_scores(panels[name], name)
        return figure

    def _draw_map(self, axes: Axes) -> None:
        image = axes.imshow(self._table.T.numpy(), cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
        axes.plot(self.pos, self.dim, "s", markersize=9, fillstyle="none", color="#797979")
        for position, style in ((self.pos, "-"), (self.pos + self.k, "--")):
            axes.axvline(position, color="#797979", linewidth=0.8, linestyle=style)
        axes.set(xlabel=WORDS["axis"]["pos"], ylabel=WORDS["axis"]["dim"], title=self.formula())
        axes.figure.colorbar(image, ax=axes, label="PE")

    def _draw_scores(self, axes: Axes, scheme: str) -> None:
        for position, style, colour, width in (
            (self.pos, "-", "#0072B2", 2.5),
            (self.pos + self.k, "--", "#B98500", 1.2),
        ):
            rows = self._scores[scheme][:, position]
            axes.plot(
                range(-position, self.n - position), rows.T.numpy(), style, color=colour, linewidth=width
            )
        axes.set(title=WORDS["schemes"][scheme][0])
        axes.set_xlabel("key − query position")


def _packed(x: Tensor) -> bytes:
    return x.float().contiguous().numpy().tobytes()


def _number(x: float) -> str:
    return f"{round(x, 3) or 0.0:.3f}".replace("-", "−")
