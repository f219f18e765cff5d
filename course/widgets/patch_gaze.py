"""Where does a patch look? A picture, and over it the attention of the patch under the pointer (L1.1.b)."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.models.any_sequence import attention_rollout
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {
    "title": "Where does a patch look?",
    "picture": "Picture",
    "layer": "Layer",
    "head": "Head",
    "all_layers": "all",
    "all_heads": "mean",
    "class": "class token",
    "patch": "row {row}, column {column}",
    "says": "{name}. Layer {layer}, head {head}: {who} keeps {own} for itself; of the other patches {best} "
    "gets most: {most}. Half of all its attention is on {half} of {n} places.",
    "through": "{name}. Through all layers (rollout): {own} of what {who} ends with is its own start; of the "
    "other patches {best} gave most: {most}. Half of it comes from {half} of {n} places.",
    "help": "Point at a patch, or walk with the arrow keys: it is framed, and what it looks at is lit, "
    "relative to the most. The square on the left is the class token, which has no place in the picture.",
    "lit": "{who}: {weight}",
}


class PatchGaze(CourseWidget):
    """Pictures with the attention of every patch, layer and head; the last layer's stop is the rollout.

    Args:
        images: one channel, from 0 to 1.
        weights: of the class token (place 0) and the patches, row by row.
        names: what is said of each picture.
        picture, layer, head, token: what is shown at first; counted from 0. A layer beyond the last shows the
            rollout through all, a head beyond the last their mean.
    """

    _esm = module("patch_gaze")
    _css = stylesheet("common", "patch_gaze")
    pictures = traitlets.List(traitlets.Unicode(), help="PNGs, in base64").tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    weights = traitlets.Bytes(help="[picture, layer, head, n, n] as float32").tag(sync=True)
    flows = traitlets.Bytes(help="[picture, n, n] as float32").tag(sync=True)
    sizes = traitlets.List(traitlets.Int(), help="pictures, layers, heads, n").tag(sync=True)
    picture = traitlets.Int(0, min=0).tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    head = traitlets.Int(0, min=0).tag(sync=True)
    token = traitlets.Int(0, min=0).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        images: Float[Tensor, "picture 1 side side"],
        weights: Float[Tensor, "layer picture head n n"],
        names: Sequence[str],
        picture: int = 0,
        layer: int | None = None,
        head: int | None = None,
        token: int = 0,
    ):
        layers, n_pictures, heads, n, _ = weights.shape
        side = round((n - 1) ** 0.5)
        if side * side + 1 != n or len(images) != n_pictures or len(names) != n_pictures:
            raise ValueError(
                f"every picture needs a name and the weights of a square of patches and a class token; got "
                f"{len(images)} pictures, {len(names)} names, weights {list(weights.shape)}"
            )
        self._weights = weights.detach().float().transpose(0, 1).contiguous()
        self._flows = attention_rollout(weights.detach().float())
        super().__init__(
            pictures=[_png(image) for image in images],
            names=list(names),
            weights=self._weights.numpy().tobytes(),
            flows=self._flows.numpy().tobytes(),
            sizes=[n_pictures, layers, heads, n],
            picture=picture,
            layer=layers if layer is None else layer,
            head=heads if head is None else head,
            token=token,
        )

    def shown(self) -> Float[Tensor, "n"]:
        """The weights that are lit: of the chosen place, on the class token and every patch."""
        _, layers, heads, _ = self.sizes
        if self.layer >= layers:
            return self._flows[self.picture, self.token]
        of = self._weights[self.picture, self.layer]
        return (of.mean(0) if self.head >= heads else of[self.head])[self.token]

    def who(self, place: int) -> str:
        """What a place is called."""
        if place == 0:
            return WORDS["class"]
        row, column = divmod(place - 1, self.side)
        return WORDS["patch"].format(row=row + 1, column=column + 1)

    @property
    def side(self) -> int:
        """Patches side by side."""
        return round((self.sizes[3] - 1) ** 0.5)

    def describe(self) -> str:
        _, layers, heads, n = self.sizes
        weights = self.shown()
        others = weights.clone()
        others[[0, self.token]] = -1
        best = int(others.argmax())
        half = int((weights.sort(descending=True).values.cumsum(0) < 0.5 * weights.sum()).sum()) + 1
        return WORDS["through" if self.layer >= layers else "says"].format(
            name=self.names[self.picture],
            layer=self.layer + 1,
            head=WORDS["all_heads"] if self.head >= heads else self.head + 1,
            who=self.who(self.token),
            own=_percent(weights[self.token]),
            best=self.who(best),
            most=_percent(weights[best]),
            half=half,
            n=n,
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        side, weights = self.side, self.shown()
        figure = Figure(figsize=(6.6, 3.5), layout="constrained")
        plain, lit = figure.subplots(1, 2)
        image = _unpng(self.pictures[self.picture])
        patches = weights[1:].view(side, side)
        light = np.full((side, side, 4), (232 / 255, 102 / 255, 10 / 255, 0.0))
        light[..., 3] = 0.75 * (patches / patches.max()).numpy()
        for axes in (plain, lit):
            axes.imshow(image, cmap="gray", extent=(0, side, side, 0), vmin=0, vmax=255)
            axes.set(xticks=[], yticks=[])
        lit.imshow(light, extent=(0, side, side, 0), interpolation="nearest")
        if self.token:
            row, column = divmod(self.token - 1, side)
            lit.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor="#E69F00", linewidth=2.5))
        _, layers, heads, _ = self.sizes
        what = (
            f"{WORDS['layer']} {WORDS['all_layers']}"
            if self.layer >= layers
            else f"{WORDS['layer']} {self.layer + 1}, {WORDS['head']} "
            f"{WORDS['all_heads'] if self.head >= heads else self.head + 1}"
        )
        plain.set_title(self.names[self.picture], fontsize=9)
        lit.set_title(f"{self.who(self.token)}; {what}", fontsize=9)
        return figure


def _percent(share: Tensor) -> str:
    return f"{100 * float(share):.1f} %"


def _png(image: Float[Tensor, "1 side side"]) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    pixels = (image[0].clamp(0, 1) * 255).round().byte().numpy()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _unpng(text: str) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


def gaze(model, images: Float[Tensor, "picture 1 side side"], labels: Tensor) -> PatchGaze:
    """The widget for a Vision Transformer and pictures, each named by what it is and what it is read as."""
    logits, weights = model.look(images)
    chances = torch.softmax(logits, -1)
    names = [
        f"A {label}, read as {row.argmax().item()} ({100 * row.max().item():.0f} %)"
        for label, row in zip(labels.tolist(), chances, strict=True)
    ]
    return PatchGaze(images, weights, names)
