"""The differentiable dictionary (L1.3.f): argmax look-up, soft look-up and plain average are one formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.attention import soft_lookup
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {
    "title": "A differentiable dictionary",
    "temperature": "Temperature",
    "look_up": "look-up",
    "help": "Drag the arrow q, or move it with the arrow keys (Shift: larger steps).",
    "handle": "movable point",
    "query": "query {query}; arrow keys move it",
    "columns": ["key", "k", "score q · k", "weight", "value"],
    "weights": "weights",
    "output": "output",
    "hard": "Look-up: the value of {key}, the best match, and nothing of the others. Output {output}.",
    "soft": "Soft look-up: {percent} % of the value of {key}, the rest from the others. Output {output}.",
    "average": "Nearly the plain average: every key has about the same say. Output {output}.",
}


class SoftDictionary(CourseWidget):
    """Keys on a plane, a query to drag, a temperature: the weights and the value they return.

    ``query`` and ``temperature`` follow what the learner does, and can be set. Temperature 0 is the argmax
    look-up.

    >>> SoftDictionary([[2, 0], [0, 1]], [10, 20], temperature=0).look_up()[0].item()
    10.0
    """

    _esm = module("dictionary")
    _css = stylesheet("common", "dictionary")
    # "keys" is a name ipywidgets keeps for itself.
    key_points = traitlets.List().tag(sync=True)
    values = traitlets.List().tag(sync=True)
    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    query = traitlets.List(traitlets.Float(), minlen=2, maxlen=2).tag(sync=True)
    temperature = traitlets.Float(1.0, min=0.0).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        keys: Float[Tensor, "key 2"] | Sequence,
        values: Float[Tensor, "key"] | Float[Tensor, "key d_v"] | Sequence,
        query: Float[Tensor, "2"] | Sequence | None = None,
        labels: Sequence[str] | None = None,
        temperature: float = 1.0,
    ):
        keys, values = (
            torch.as_tensor(keys, dtype=torch.float32),
            torch.as_tensor(values, dtype=torch.float32),
        )
        if keys.ndim != 2 or keys.shape[1] != 2 or len(keys) == 0:
            raise ValueError(f"keys are points on a plane, shape [n, 2]; got shape {list(keys.shape)}")
        if values.ndim not in (1, 2) or len(values) != len(keys):
            raise ValueError(
                f"each key needs one value: {len(keys)} keys, but values of shape {list(values.shape)}"
            )
        labels = (
            [f"k{i + 1}" for i in range(len(keys))] if labels is None else [str(label) for label in labels]
        )
        if len(labels) != len(keys):
            raise ValueError(f"each key needs one label: {len(keys)} keys, but {len(labels)} labels")
        query = keys[0] if query is None else torch.as_tensor(query, dtype=torch.float32)
        super().__init__(
            key_points=keys.tolist(),
            values=values.reshape(len(keys), -1).tolist(),
            query=query.tolist(),
            labels=labels,
            temperature=float(temperature),
        )

    def look_up(self) -> tuple[Float[Tensor, "d_v"], Float[Tensor, "key"]]:
        """The output and the weights of the present query at the present temperature."""
        query, keys, values = map(torch.tensor, ([self.query], self.key_points, self.values))
        output, weights = soft_lookup(query, keys, values, self.temperature)
        return output[0], weights[0]

    def describe(self) -> str:
        output, weights = self.look_up()
        shares = ", ".join(
            f"{label} {weight:.2f}" for label, weight in zip(self.labels, weights, strict=True)
        )
        return (
            f"A differentiable dictionary: query ({self.query[0]:g}, {self.query[1]:g}), "
            f"temperature {self.temperature:g}; weights {shares}; "
            f"output {', '.join(f'{x:.4g}' for x in output)}."
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.fonts import elide

        _, weights = self.look_up()
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        plane, bars = figure.subplots(1, 2)
        x, y = torch.tensor(self.key_points).T
        plane.scatter(x, y, s=(20 + 900 * weights).tolist(), color="#D55E00", alpha=0.35)
        plane.scatter(x, y, s=18, color="#D55E00")
        for label, point in zip(self.labels, self.key_points, strict=True):
            plane.annotate(elide(label), point, xytext=(8, -4), textcoords="offset points", parse_math=False)
        plane.annotate("", self.query, (0, 0), arrowprops={"arrowstyle": "-|>", "color": "#0072B2", "lw": 2})
        half = 1.25 * max(abs(c) for point in [*self.key_points, self.query] for c in point)
        plane.set(xlim=(-half, half), ylim=(-half, half), aspect="equal", title="keys and query")
        bars.barh(range(len(weights)), weights.tolist(), color="#D55E00")
        bars.set_yticks(range(len(weights)), map(elide, self.labels), parse_math=False)
        bars.set(xlim=(0, 1), xlabel="weight", title=f"temperature {self.temperature:g}")
        bars.invert_yaxis()
        return figure
