"""The explorer on a model that runs while you type."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

import torch
import traitlets

from course.models.attention_pass import AttentionPass
from course.widgets.explorer import Choice, Explorer


class LiveModel(Protocol):
    """What ``explore_model`` needs: a call with a text that gives an ``AttentionPass``.

    ``masks`` names the masks that the call takes. A text that the model cannot read raises a ValueError,
    whose words are shown to the reader.
    """

    masks: Collection[str]

    def __call__(
        self, text: str, *, temperature: float, mask: str | None, ablate: Collection[tuple[int, int]]
    ) -> AttentionPass: ...


class LiveExplorer(Explorer):
    """An explorer with the model's text and settings above it; each change runs the model."""

    options = traitlets.Dict().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    temperature = traitlets.Float(1.0, min=0.01).tag(sync=True)
    mask = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    ablated = traitlets.List().tag(sync=True)
    effect = traitlets.Dict(help="what the ablated heads changed").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __init__(self, model: LiveModel, text: str, **traits: Any):
        self.model = model
        options = {"temperature": True, "masks": list(model.masks), "ablate": True}
        super().__init__({"": model(text)}, text=text, options=options, **traits)
        self.observe(self._run, ["text", "temperature", "mask", "ablated"])

    def _run(self, change: Any) -> None:
        """Run the model as it is set now; a text it cannot read keeps the last picture and says why."""
        heads = frozenset(map(tuple, self.ablated))
        try:
            seen = self.model(self.text, temperature=self.temperature, mask=self.mask, ablate=heads)
        except ValueError as error:
            self.problem = str(error)
        else:
            self.problem = ""
            self.effect = self._effect(seen) if heads else {}
            self.show_passes({"": seen})

    def _effect(self, seen: AttentionPass) -> dict[str, Any]:
        """What the ablated heads change: the text written, where one is, else the weight most moved."""
        whole = self.model(self.text, temperature=self.temperature, mask=self.mask, ablate=frozenset())
        if whole.tokens != seen.tokens:
            return {
                "changed": False,
                "was": "".join(whole.tokens).strip(),
                "now": "".join(seen.tokens).strip(),
            }
        change = (seen.weights - whole.weights).float().abs()
        layer, head, query, key = map(int, torch.unravel_index(change.argmax(), change.shape))
        place = (layer, head, query, key)
        return {
            "changed": bool(change[place] > 1e-4), "layer": layer, "head": head,
            "query": whole.tokens[query], "key": whole.columns[key],
            "before": float(whole.weights[place]), "after": float(seen.weights[place]),
        }  # fmt: skip


def explore_model(
    model: LiveModel, text: str, *, view: str = "lines", layer: Choice = 0, head: Choice = 0
) -> LiveExplorer:
    """Explore a model's attention while you edit the text, change its temperature or mask, or ablate heads.

    Args:
        model: called with the text and its settings, see ``LiveModel``;
            ``course.models.toy_attention.ToyAttention`` is one.
        text: what it reads first.
        view: "overview", "heatmap", "lines" or "text".
        layer, head: an index from 0, "mean" or "max" over all of them.

    Raises:
        ValueError: if the model cannot read the first text.
    """
    return LiveExplorer(model, text, view=view, layer=layer, head=head)
