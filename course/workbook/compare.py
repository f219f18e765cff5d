"""Whether two results are the same, and where they first differ."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from course.workbook.chance import Share

RTOL, ATOL = 1e-4, 1e-5  # float32: wide enough for another order of summation, far narrower than any mistake
HALF = {torch.float16: (4e-3, 1e-3), torch.bfloat16: (3e-2, 1e-2)}


@dataclass(frozen=True)
class Difference:
    """``where`` the two differ first, in a learner's words, what should stand there and what does.

    ``sort``: "kind", "length", "keys", "shape", "value"; ``one_of`` several results, or the only one.
    """

    where: str
    sort: str
    expected: Any
    got: Any
    one_of: int = 1


def difference(expected: Any, got: Any, where: str = "the result") -> Difference | None:
    """None when they are the same: to RTOL and ATOL, kinds that do not matter apart."""
    return next(differences(expected, got, where), None)


def differences(expected: Any, got: Any, where: str = "the result") -> Iterator[Difference]:
    """Every place where two results differ; below a wrong kind or length nothing is compared."""
    if isinstance(expected, Share) and isinstance(got, Share):
        if not (got.right if expected.right else got.like(expected)):
            yield Difference(where, "value", expected, got)
    elif isinstance(expected, Tensor):
        yield from _of_tensors(expected, got, where)
    elif isinstance(expected, (tuple, list)):
        yield from _of_rows(expected, got, where)
    elif isinstance(expected, dict):
        yield from _of_dicts(expected, got, where)
    elif dataclasses.is_dataclass(expected) and not isinstance(expected, type):
        if not isinstance(got, type(expected)):
            yield Difference(where, "kind", expected, got)
        else:
            names = [f.name for f in dataclasses.fields(expected) if f.compare]
            for n in names:
                yield from differences(getattr(expected, n), getattr(got, n, None), f"{where}'s {n}")
    else:
        yield from _of_values(expected, got, where)


def _of_rows(expected: tuple | list, got: Any, where: str) -> Iterator[Difference]:
    if not isinstance(got, (tuple, list)):
        yield Difference(where, "kind", expected, got)
    elif len(got) != len(expected):
        yield Difference(where, "length", expected, got)
    elif isinstance(expected, list) and all(isinstance(x, (int, str, bool, type(None))) for x in expected):
        if not all(difference(e, g) is None for e, g in zip(expected, got, strict=True)):
            yield Difference(where, "value", expected, list(got))  # as a whole: words, labels, ids
    else:
        names = getattr(expected, "_fields", None)
        for i, (e, g) in enumerate(zip(expected, got, strict=True)):
            yield from differences(e, g, f"{where}'s {names[i]}" if names else f"{where}[{i}]")


def _of_dicts(expected: dict, got: Any, where: str) -> Iterator[Difference]:
    if not isinstance(got, dict):
        yield Difference(where, "kind", expected, got)
    elif got.keys() != expected.keys():
        yield Difference(where, "keys", expected, got)
    else:
        for k in expected:
            yield from differences(expected[k], got[k], str(k))


def _of_values(expected: Any, got: Any, where: str) -> Iterator[Difference]:
    if not like(expected, got):
        yield Difference(where, "kind", expected, got)
    elif isinstance(expected, float):
        if not (abs(expected - got) <= ATOL + RTOL * abs(expected) or both(expected, got)):
            yield Difference(where, "value", expected, float(got))
    elif expected != got:
        yield Difference(where, "value", expected, got)


def both(a: float, b: float) -> bool:
    """Both infinite alike, or both NaN."""
    return a == b or (math.isnan(a) and math.isnan(b))


def like(expected: Any, got: Any) -> bool:
    """Whether the kind is right; 0 for 0.0 is, and so are numpy's numbers for Python's."""
    if isinstance(expected, bool):
        return isinstance(got, bool) or type(got).__name__ == "bool"
    if isinstance(got, bool):
        return False
    if isinstance(expected, float):
        return isinstance(got, Real)
    if isinstance(expected, int):
        return isinstance(got, Integral)
    return isinstance(got, type(expected))


def _of_tensors(expected: Tensor, got: Any, where: str) -> Iterator[Difference]:
    if not isinstance(got, Tensor) or (got.is_nested, got.layout, got.device) != (
        expected.is_nested, expected.layout, expected.device
    ):  # fmt: skip
        yield Difference(where, "kind", expected, got)
    elif got.shape != expected.shape:
        yield Difference(where, "shape", expected.detach(), got.detach())
    elif got.dtype != expected.dtype:
        yield Difference(where, "kind", expected.detach(), got.detach())
    elif not close(expected, got).all():
        yield Difference(where, "value", expected.detach(), got.detach())


def close(expected: Tensor, got: Tensor) -> Tensor:
    """Where two tensors of one shape and dtype are equal."""
    rtol, atol = HALF.get(expected.dtype, (RTOL, ATOL))
    return torch.isclose(got.detach(), expected.detach(), rtol=rtol, atol=atol, equal_nan=True)


def alike(expected: Tensor, got: Tensor) -> bool:
    """Whether two tensors are equal, of whatever kinds."""
    if got.shape != expected.shape:
        return False
    if got.dtype != expected.dtype:
        got, expected = got.double(), expected.double()
    return bool(close(expected, got).all())
