"""Parts that many exercises have in common: what a signature and a docstring promise, looked at by a line each.

A ``Case`` is a call with fresh arguments; its methods are parts, to be put into ``parts=[...]``::

    def arguments(*batch):  # *batch stands in front of every tensor; fresh at each call
        return randn(*batch, 3, 4), randn(*batch, 5, 4, seed=1), randn(*batch, 5, 7, seed=2)

    case = Case(arguments)                                        # a function
    case = Case(arguments, module=lambda cls: same_weights(cls))  # a class: module(cls)(*arguments)

    parts=[
        case.part("three queries, five keys", 2),
        case.part("temperature 0", temperature=0.0),              # keyword arguments besides
        case.part("scores of ±200", change=lambda q, k, v: (200 * q, k, v)),  # length 1, an empty row, ...
        case.batched(2), case.batched(2, 3),                      # axes in front: one, two
        case.kind(torch.float64), case.kind(torch.float16),
        case.gradients(),                                         # to every tensor and every parameter
        case.keeps_inputs(),                                      # where the docstring says so
        case.unmoved("no look ahead", "a later token changes what comes out before it",
                     change=lambda x: (x.index_fill(1, torch.tensor([3]), 7.0),), look=lambda out: out[:, :3]),
        case.dropped(),                                           # training with p = 1 (classes)
        case.repeats(lambda g: {"generator": g}),                 # a generator decides, and it alone
        case.refuses("a temperature below 0", ValueError, temperature=-1.0),  # Exception: any will do
    ]

Every method takes ``points=1``. A part's name completes "In “…”," and "Only in “…”,": name the input, not the
mistake. Random functions: return a dict from sentences to ``Share(hits, of, truth)`` (``course.workbook.chance``),
with the true share worked out, never taken from a run; every bound holds but once in 10⁸ right answers.
What a bank can tell apart: ``python -m pytest tests/exercises/test_evidence.py -k 3.3``, and ``python -m course.exercises.evidence 3.3``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from course.exercises.inputs import all_dropped, randn
from course.workbook.compare import difference

Part = tuple[str, int, Callable[[Any], Any]] | tuple[str, int, Callable[[Any], Any], str]
Change = Callable[..., tuple]
NUMBERS = {0: "no axis", 1: "one axis", 2: "two axes", 3: "three axes"}


@dataclass(frozen=True)
class Case:
    """A call of an answer with fresh arguments. ``module(cls)`` makes what is called, for a class."""

    arguments: Callable[..., tuple]
    module: Callable[[Any], Any] | None = None

    def ready(self, answer: Any) -> Callable[..., Any]:
        """What is called: the answer, or the module made from it."""
        return answer if self.module is None else self.module(answer)

    def part(self, name: str, points: int = 1, change: Change = lambda *x: x, **more: Any) -> Part:
        """The call; ``change`` makes its arguments from the usual ones, ``more`` are keyword arguments besides."""
        return name, points, lambda f: self.ready(f)(*change(*self.arguments()), **_fresh(more))

    def batched(self, *batch: int, points: int = 1, **more: Any) -> Part:
        """With so many axes in front of every argument."""
        name = f"{NUMBERS[len(batch)]} in front"
        return name, points, lambda f: self.ready(f)(*self.arguments(*batch), **_fresh(more))

    def kind(self, dtype: torch.dtype, points: int = 1, **more: Any) -> Part:
        """With every number of that dtype: what comes out has the dtype the package gives."""
        name = f"numbers of kind {str(dtype).removeprefix('torch.')}"

        def run(f: Any) -> Any:
            call = self.ready(f)
            if isinstance(call, nn.Module):
                call = call.to(dtype)
            return call(*(_cast(x, dtype) for x in self.arguments()), **_fresh(more))

        return name, points, run

    def keeps_kind(self, dtype: torch.dtype, points: int = 1, **more: Any) -> Part:
        """Only whether numbers of that dtype come back as such: whatever else is wrong has parts of its own."""
        name = str(dtype).removeprefix("torch.")

        def run(f: Any) -> dict[str, str]:
            call = self.ready(f)
            try:
                result = call(*(_cast(x, dtype) for x in self.arguments()), **_fresh(more))
            except Exception as error:  # is what was seen, unless it is raised for every kind
                call(*self.arguments(), **_fresh(more))
                return {"what comes back": f"a {type(error).__name__}"}
            kinds = {str(x.dtype).removeprefix("torch.") for x in _tensors(result)}
            return {"what comes back": " and ".join(sorted(kinds)) or "no numbers of torch"}

        return f"numbers of kind {name}", points, run, f"numbers of kind {name} should come back as such"

    def gradients(self, points: int = 1, **more: Any) -> Part:
        """The gradient at each tensor of numbers and each parameter; None where none arrives."""

        def run(f: Any) -> dict[str, Tensor | None]:
            call, given = self.ready(f), self.arguments()
            leaves = {
                f"the gradient at argument {i}": x.requires_grad_()
                for i, x in enumerate(given, 1)
                if isinstance(x, Tensor) and x.is_floating_point()
            }
            if isinstance(call, nn.Module):
                leaves |= {f"the gradient of {name}": p for name, p in call.named_parameters()}
            given = tuple(x.clone() if isinstance(x, Tensor) else x for x in given)
            backward(call(*given, **_fresh(more)))
            return {name: x.grad for name, x in leaves.items()}

        return "every gradient", points, run

    def keeps_inputs(self, points: int = 1, **more: Any) -> Part:
        """What was given is as it was; for exercises whose docstring promises it."""

        def run(f: Any) -> dict[str, Any]:
            given = self.arguments()
            self.ready(f)(*given, **_fresh(more))
            return {f"argument {i}, afterwards": x for i, x in enumerate(given, 1)}

        return "what was given stays as it was", points, run, "the input that was given is changed"

    def unmoved(self, name: str, says: str, change: Change, look: Callable[[Any], Tensor],
                points: int = 1, **more: Any) -> Part:  # fmt: skip
        """``look`` at what comes out before and after a ``change`` that must not matter; ``says`` if it does."""

        def run(f: Any) -> dict[str, float]:
            call = self.ready(f)
            before = look(call(*self.arguments(), **_fresh(more)))
            after = look(call(*change(*self.arguments()), **_fresh(more)))
            return {"the largest change": (before - after).abs().max().item()}

        return name, points, run, says

    def dropped(self, points: int = 1, **more: Any) -> Part:
        """A module in training with p = 1: shows each place where something is dropped."""

        def run(cls: Any) -> Any:
            return all_dropped(self.ready(cls))(*self.arguments(), **_fresh(more))

        return "in training, with a dropout of p = 1", points, run

    def repeats(self, keywords: Callable[[torch.Generator], dict], points: int = 1, **more: Any) -> Part:
        """The generator decides, and it alone: the same seed gives the same, whatever torch drew before."""

        def run(f: Any) -> dict[str, bool]:
            results = []
            for seed_of_torch in (1, 2):
                torch.manual_seed(seed_of_torch)
                given = keywords(torch.Generator().manual_seed(5))
                results.append(self.ready(f)(*self.arguments(), **given, **_fresh(more)))
            return {"equal results from generators with one seed": difference(*results) is None}

        says = "two generators with one seed give different results: something is drawn without the generator"
        return "a generator with a fixed seed", points, run, says

    def refuses(self, name: str, error: type[Exception] = Exception, points: int = 1, change: Change = lambda *x: x,
                **more: Any) -> Part:  # fmt: skip
        """What the docstring lists under Raises. Exception: any will do, as where torch itself refuses a product."""

        def run(f: Any) -> dict[str, str]:
            call, given = self.ready(f), change(*self.arguments())
            try:
                call(*given, **_fresh(more))
            except error:
                return {"what is raised": error.__name__}
            except Exception as other:  # is what was seen
                return {"what is raised": type(other).__name__}
            return {"what is raised": "nothing"}

        wanted = "an error" if error is Exception else f"a {error.__name__}"
        return f"refuses {name}", points, run, f"{name} should raise {wanted}"


def backward(result: Any) -> None:
    """Send an irregular gradient back through every tensor of numbers in a result; nothing if none has a graph."""
    total = [
        (x.double() * randn(*x.shape, seed=100 + i).double()).sum()
        for i, x in enumerate(_tensors(result))
        if x.requires_grad
    ]
    if total:
        torch.stack(total).sum().backward()


def _tensors(x: Any) -> list[Tensor]:
    if isinstance(x, Tensor):
        return [x] if x.is_floating_point() else []
    if isinstance(x, dict):
        x = list(x.values())
    return [t for y in x for t in _tensors(y)] if isinstance(x, (tuple, list)) else []


def _cast(x: Any, dtype: torch.dtype) -> Any:
    return x.to(dtype) if isinstance(x, Tensor) and x.is_floating_point() else x


def _fresh(more: dict[str, Any]) -> dict[str, Any]:
    return {name: x.clone() if isinstance(x, Tensor) else x for name, x in more.items()}
