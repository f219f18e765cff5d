"""The walk through self-attention (L1.3.j): project, score, scale, softmax, weight, sum, in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import TYPE_CHECKING

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.attention import dot_score, scaled_dot_score, softmax_attention
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Region = tuple[str, int | None, int | None]
"""(matrix, row, column); None stands for all rows, or all columns."""

WORDS = {
    "title": "Self-attention step by step: {tokens}",
    "first": "first step",
    "previous": "previous step",
    "play": "play",
    "pause": "pause",
    "next": "next step",
    "last": "last step",
    "step": "Step",
    "speed": "speed",
    "stages": [[name, name] for name in ("project", "score", "scale", "softmax", "weight", "sum")],
    "matrices": {
        "x": {"caption": "inputs X", "rows": True, "given": True},
        "w_query": {"caption": "W_Q", "given": True},
        "w_key": {"caption": "W_K", "given": True},
        "w_value": {"caption": "W_V", "given": True},
        "query": {"caption": "queries Q"},
        "key": {"caption": "keys K"},
        "value": {"caption": "values V"},
        "scores": {"caption": "scores Q Kᵀ", "rows": True, "columns": True},
        "scaled": {"caption": "÷ √d_k", "rows": True, "columns": True},
        "weights": {"caption": "weights", "rows": True, "columns": True},
        "weighted": {"caption": "weight × value", "rows": True},
        "output": {"caption": "outputs", "rows": True},
    },
    "roles": {"query": "Query", "key": "Key", "value": "Value"},
    "project": "{role} of {token}: {inputs} W = {result}; its first number is {products} = {first}.",
    "score": "Score of {token} with {other}: q · k = {products} = {result}.",
    "scale": "Divide the scores of {token} by √d_k = √{d_k} = {root}: {scores} becomes {result}.",
    "softmax": "Softmax makes the scores of {token} into weights that sum to 1: softmax{scores} = {result}.",
    "weight": "{token} takes {weight} of the value of {other}: {weight} × {value} = {result}.",
    "sum": "Output of {token}: {terms} = {result}.",
    "described": "Self-attention over {tokens}: {n} steps. ",
}
"""Every word of the widget; a sentence a stage."""


@dataclass(frozen=True)
class Step:
    """Its stage, the output it serves (None while projecting), its sentence, the cells used and filled."""

    stage: str
    output: int | None
    says: str
    reads: list[Region]
    writes: list[Region]


def number(x: float) -> str:
    """At most two decimals, a true minus sign, no negative zero."""
    return f"{round(float(x), 2) or 0.0:g}".replace("-", "−")


def vector(xs: Tensor) -> str:
    return f"({', '.join(map(number, xs))})"


def _products(xs: Tensor, ys: Tensor) -> str:
    return " + ".join(f"{number(x)}×{number(y)}" for x, y in zip(xs, ys, strict=True))


def walk_matrices(
    x: Float[Tensor, "token d"],
    w_query: Float[Tensor, "d d_k"],
    w_key: Float[Tensor, "d d_k"],
    w_value: Float[Tensor, "d d_v"],
) -> dict[str, Tensor]:
    """Every matrix of self-attention over ``x`` by name; ``weighted[i, j]`` is weight (i, j) × value j."""
    query, key, value = x @ w_query, x @ w_key, x @ w_value
    scaled = scaled_dot_score(query, key)
    output, weights = softmax_attention(scaled, value)
    return {
        "x": x,
        "w_query": w_query,
        "w_key": w_key,
        "w_value": w_value,
        "query": query,
        "key": key,
        "value": value,
        "scores": dot_score(query, key),
        "scaled": scaled,
        "weights": weights,
        "weighted": weights[:, :, None] * value,
        "output": output,
    }


def walk_steps(matrices: dict[str, Tensor], tokens: Sequence[str]) -> list[Step]:
    """The walk in order: project every token, then one output after the other (L1.3.j).

    ``matrices`` are those of :func:`walk_matrices`.
    """
    steps = [*_project(matrices, tokens)]
    for i in range(len(tokens)):
        steps += [*_score(matrices, tokens, i), *_normalise(matrices, tokens, i), *_mix(matrices, tokens, i)]
    return steps


def _project(m: dict[str, Tensor], tokens: Sequence[str]) -> Iterator[Step]:
    for i, token in enumerate(tokens):
        for name, role in WORDS["roles"].items():
            weight, result = m[f"w_{name}"], m[name][i]
            says = WORDS["project"].format(
                role=role,
                token=token,
                inputs=vector(m["x"][i]),
                result=vector(result),
                products=_products(m["x"][i], weight[:, 0]),
                first=number(result[0]),
            )
            yield Step("project", None, says, [("x", i, None), (f"w_{name}", None, None)], [(name, i, None)])


def _score(m: dict[str, Tensor], tokens: Sequence[str], i: int) -> Iterator[Step]:
    for j, other in enumerate(tokens):
        says = WORDS["score"].format(
            token=tokens[i],
            other=other,
            products=_products(m["query"][i], m["key"][j]),
            result=number(m["scores"][i, j]),
        )
        yield Step("score", i, says, [("query", i, None), ("key", j, None)], [("scores", i, j)])


def _normalise(m: dict[str, Tensor], tokens: Sequence[str], i: int) -> Iterator[Step]:
    d_k = m["query"].shape[-1]
    scores, scaled, weights = (m[name][i] for name in ("scores", "scaled", "weights"))
    says = WORDS["scale"].format(
        token=tokens[i], d_k=d_k, root=number(sqrt(d_k)), scores=vector(scores), result=vector(scaled)
    )
    yield Step("scale", i, says, [("scores", i, None)], [("scaled", i, None)])
    says = WORDS["softmax"].format(token=tokens[i], scores=vector(scaled), result=vector(weights))
    yield Step("softmax", i, says, [("scaled", i, None)], [("weights", i, None)])


def _mix(m: dict[str, Tensor], tokens: Sequence[str], i: int) -> Iterator[Step]:
    for j, other in enumerate(tokens):
        says = WORDS["weight"].format(
            token=tokens[i],
            other=other,
            weight=number(m["weights"][i, j]),
            value=vector(m["value"][j]),
            result=vector(m["weighted"][i, j]),
        )
        yield Step("weight", i, says, [("weights", i, j), ("value", j, None)], [("weighted", j, None)])
    terms = " + ".join(map(vector, m["weighted"][i]))
    says = WORDS["sum"].format(token=tokens[i], terms=terms, result=vector(m["output"][i]))
    yield Step("sum", i, says, [("weighted", None, None)], [("output", i, None)])


class Walk(CourseWidget):
    """A stepper that plays self-attention over 2 to 6 tokens of up to 6 numbers each; ``step`` counts from 0.

    ``x`` is [token, d], ``w_query`` and ``w_key`` are [d, d_k], ``w_value`` is [d, d_v]: q = ``x @ w_query``.
    """

    _esm = module("walk")
    _css = stylesheet("common", "walk")
    matrices = traitlets.Dict().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    steps = traitlets.List().tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        x: Float[Tensor, "token d"],
        w_query: Float[Tensor, "d d_k"],
        w_key: Float[Tensor, "d d_k"],
        w_value: Float[Tensor, "d d_v"],
        tokens: Sequence[str] | None = None,
    ):
        given = [torch.as_tensor(t, dtype=torch.float32) for t in (x, w_query, w_key, w_value)]
        _check_shapes(*given)
        tokens = [f"x{i + 1}" for i in range(len(given[0]))] if tokens is None else [str(t) for t in tokens]
        if len(tokens) != len(given[0]):
            raise ValueError(f"each row of x needs one token: {len(given[0])} rows, but {len(tokens)} tokens")
        matrices = walk_matrices(*given)
        super().__init__(
            matrices={name: matrix.tolist() for name, matrix in matrices.items()},
            tokens=tokens,
            steps=[asdict(step) for step in walk_steps(matrices, tokens)],
        )

    def describe(self) -> str:
        heading = WORDS["described"].format(tokens=", ".join(self.tokens), n=len(self.steps))
        return heading + " ".join(step["says"] for step in self.steps if step["stage"] == "sum")

    def still(self) -> Figure:
        """The matrices at the end of the walk."""
        from matplotlib.figure import Figure

        from course.fonts import elide

        figure = Figure(figsize=(11, 2.4), layout="constrained")
        names = ["x", "query", "key", "value", "scores", "weights", "output"]
        widths = [len(self.matrices[name][0]) + 1 for name in names]
        for name, axes in zip(names, figure.subplots(1, len(names), width_ratios=widths), strict=True):
            rows = self.matrices[name]
            axes.matshow(rows, cmap="Blues", alpha=0.5, aspect="auto")
            for r, row in enumerate(rows):
                for c, x in enumerate(row):
                    axes.text(c, r, number(x), ha="center", va="center", fontsize=9)
            labelled = map(elide, self.tokens) if name in ("x", "scores") else [""] * len(rows)
            axes.set_xticks([])
            axes.set_yticks(range(len(rows)), labelled, parse_math=False)
            axes.set_title(WORDS["matrices"][name]["caption"], fontsize=10)
        return figure


def _check_shapes(x: Tensor, w_query: Tensor, w_key: Tensor, w_value: Tensor) -> None:
    if x.ndim != 2 or not 2 <= len(x) <= 6 or not 1 <= x.shape[1] <= 6:
        raise ValueError(
            f"x holds 2 to 6 tokens of 1 to 6 numbers, shape [token, d]; got shape {list(x.shape)}"
        )
    for name, weight in {"w_query": w_query, "w_key": w_key, "w_value": w_value}.items():
        if weight.ndim != 2 or weight.shape[0] != x.shape[1] or not 1 <= weight.shape[1] <= 6:
            raise ValueError(
                f"{name} maps the {x.shape[1]} numbers of a token to 1 to 6, shape [{x.shape[1]}, d_k]; "
                f"got {list(weight.shape)}"
            )
    if w_query.shape != w_key.shape:
        raise ValueError(
            f"queries and keys must be equally long; "
            f"w_query is {list(w_query.shape)}, w_key {list(w_key.shape)}"
        )
