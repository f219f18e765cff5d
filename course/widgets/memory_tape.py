"""The memory tape (L1.5.f): what training stores layer by layer, and what reversible layers work out anew."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import torch
import traitlets

from course.models.efficient.reversible import ReversibleStack, reconstruction_errors, transformer_layers
from course.studies.cost import saved_bytes
from course.widgets.base import CourseWidget, module, stylesheet
from course.widgets.gradient_river import power

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEEPEST, TOKENS, WIDTH = 16, 64, 32
DTYPES = ("float32", "bfloat16")

WORDS = {
    "title": "Memory tape: stored, or worked out again",
    "depth": "Layers",
    "dtype": "Numbers",
    "stored": "stored as usual",
    "reversible": "reversible",
    "kb": "{kb} kB",
    "layer": "layer {layer}",
    "out": "last output",
    "error": "error of its input, worked out again",
    "says": "{depth} layers: as usual {stored} kB are kept for the way back, {times} times the "
    "{reversible} kB of reversible layers. In {dtype} the first layer's input comes out "
    "again with a relative error of {error}.",
    "cell": "{layer}: kept {kb} kB; worked out again with a relative error of {error}",
    "note": "Measured: the bytes that autograd keeps of activations (weights left out), for {tokens} tokens "
    "of {width} numbers in float32; errors with weights drawn at random. The way back begins at the top.",
}


@cache
def measured() -> dict[str, Any]:
    """Bytes for every depth, and the error of every layer's input for every depth and kind of number."""
    x = torch.randn(1, TOKENS, WIDTH, generator=torch.Generator().manual_seed(1))
    torch_state = torch.get_rng_state()
    torch.manual_seed(0)
    layers = transformer_layers(WIDTH, 2, DEEPEST)
    torch.set_rng_state(torch_state)
    found: dict[str, Any] = {"stored": [], "reversible": [], "errors": {name: [] for name in DTYPES}}
    for depth in range(1, DEEPEST + 1):
        stack = ReversibleStack(layers[:depth])
        weights = sum(p.numel() * p.element_size() for p in stack.parameters())
        given = x.clone().requires_grad_()
        found["stored"].append(saved_bytes(lambda stack=stack, x=given: stack.stored(x)) - weights)
        found["reversible"].append(saved_bytes(lambda stack=stack, x=given: stack(x)))
    for name in DTYPES:
        kind = getattr(torch, name)
        for depth in range(1, DEEPEST + 1):
            stack = ReversibleStack(layers[:depth]).to(kind)
            found["errors"][name].append(reconstruction_errors(stack, x.to(kind)))
    return found


class MemoryTape(CourseWidget):
    """A depth and a kind of number: what is kept in two ways, and the error of each layer's input."""

    _esm = module("memory_tape")
    _css = stylesheet("common", "memory_tape")
    measured = traitlets.Dict().tag(sync=True)
    deepest = traitlets.Int(DEEPEST).tag(sync=True)
    sizes = traitlets.Dict({"tokens": TOKENS, "width": WIDTH}).tag(sync=True)
    depth = traitlets.Int(6, min=1, max=DEEPEST).tag(sync=True)
    dtype = traitlets.Enum(DTYPES, "float32").tag(sync=True)
    dtypes = traitlets.List(list(DTYPES)).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, depth: int = 6, dtype: str = "float32"):
        super().__init__(measured=measured(), depth=depth, dtype=dtype)

    def errors(self) -> list[float]:
        """The error of each layer's input, the first layer's first."""
        return self.measured["errors"][self.dtype][self.depth - 1]

    def kilobytes(self) -> tuple[int, int]:
        """Kept as usual, and by reversible layers."""
        return tuple(int(self.measured[way][self.depth - 1] / 1000 + 0.5) for way in ("stored", "reversible"))

    def describe(self) -> str:
        stored, reversible = self.kilobytes()
        ratio = self.measured["stored"][self.depth - 1] / self.measured["reversible"][self.depth - 1]
        return WORDS["says"].format(
            depth=self.depth, stored=stored, reversible=reversible, times=int(ratio + 0.5), dtype=self.dtype,
            error=power(self.errors()[0]),
        )  # fmt: skip

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 3.6), layout="constrained")
        tape, errors = figure.subplots(1, 2)
        depths = list(range(1, DEEPEST + 1))
        for way, colour, style in (("stored", "#D55E00", "-"), ("reversible", "#0072B2", "--")):
            tape.plot(
                depths, [b / 1000 for b in self.measured[way]], color=colour, ls=style, label=WORDS[way]
            )
        tape.axvline(self.depth, color="#777777", lw=0.8)
        tape.set(xlabel=WORDS["depth"], ylabel="kB", ylim=(0, None))
        tape.legend()
        layers = list(range(1, self.depth + 1))
        for name, marker in zip(DTYPES, "os", strict=True):
            errors.semilogy(
                layers, self.measured["errors"][name][self.depth - 1], marker=marker, ls=":", label=name
            )
        errors.set(xlabel=WORDS["layer"].format(layer="").strip(), title=WORDS["error"])
        errors.legend()
        return figure
