"""Attention over training: the explorer with a slider over checkpoints and the loss curve under it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import traitlets

from course.models.attention_pass import AttentionPass, as_pass
from course.widgets.base import without_nan
from course.widgets.explorer import Explorer


class Scrubber(Explorer):
    """An explorer whose passes are moments of training; ``moment`` is the index of the one shown."""

    steps = traitlets.List(traitlets.Int()).tag(sync=True)
    losses = traitlets.List(traitlets.Float()).tag(sync=True, to_json=lambda value, _: without_nan(value))
    moment = traitlets.Int(0, min=0).tag(sync=True)

    def _first(self) -> str:
        return list(self._passes)[self.moment]

    def describe(self) -> str:
        return f"{self._first()}, loss {self.losses[self.moment]:.3f}: {self._in_words(self._first())}"


def scrub(checkpoints: Iterable[tuple[int, float, Any]], *, view: str = "heatmap") -> Scrubber:
    """Explore one text's attention at several moments of training, moved through by a slider or played.

    Args:
        checkpoints: (step, loss, attention) in the order of training; the attention of each is an
            ``AttentionPass`` over the same tokens. A loss may be NaN: the curve then has a gap.
        view: "overview", "heatmap", "lines" or "text".

    Raises:
        ValueError: fewer than two checkpoints, steps that do not increase, or passes that differ in tokens
            or shape.
    """
    checkpoints = list(checkpoints)
    steps, losses = [int(step) for step, _, _ in checkpoints], [float(loss) for _, loss, _ in checkpoints]
    passes = [as_pass(attention) for _, _, attention in checkpoints]
    _check(steps, passes)
    named = {f"step {step}": p for step, p in zip(steps, passes, strict=True)}
    return Scrubber(named, steps=steps, losses=losses, moment=len(steps) - 1, view=view)


def _check(steps: list[int], passes: list[AttentionPass]) -> None:
    if len(steps) < 2:
        raise ValueError("scrub needs at least two checkpoints; for one pass there is explore")
    if steps != sorted(set(steps)):
        raise ValueError(f"steps should increase; got {steps}")
    first = passes[0]
    for step, p in zip(steps, passes, strict=True):
        if p.weights.shape != first.weights.shape:
            shapes = tuple(p.weights.shape), tuple(first.weights.shape)
            raise ValueError(f"step {step} has weights {shapes[0]}, step {steps[0]} has {shapes[1]}")
        if (list(p.tokens), list(p.columns)) != (list(first.tokens), list(first.columns)):
            raise ValueError(f"step {step} has other tokens than step {steps[0]}: scrub one text")
