"""What a wrong tensor has to do with the right one: a property that can be seen, never a guess at the cause.

Each of ``CATALOGUE`` looks at (expected, yours, the call) and returns a sentence or "". The two have one
shape and one dtype and are not equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course.workbook.compare import ATOL, RTOL, alike, close
from course.workbook.sandbox import Call, written

MANY = 1_000_000  # entries beyond which nothing is searched
ENTRIES = 3  # a factor or a shift of fewer is no evidence
NO_CALL = Call()
UNITS = {
    100.0: "100 times",
    0.01: "a hundredth of",
    1 / math.log(2): "1.443 times (as bits are to nats)",
    math.log(2): "0.6931 times (as nats are to bits)",
}
ORDINALS = {0: "first", 1: "second", 2: "third", -1: "last"}


def relation(expected: Tensor, got: Tensor, call: Call = NO_CALL) -> str:
    """The first property of the catalogue that holds, as a sentence; "" when none does."""
    if not 1 < expected.numel() <= MANY or got.is_complex():
        return ""
    return next(filter(None, (look(expected, got, call) for look in CATALOGUE)), "")


# ---- what is not a number ------------------------------------------------------------------------------


def not_finite(e: Tensor, g: Tensor, call: Call) -> str:
    if not g.is_floating_point():
        return ""
    bad = ~g.isfinite() & e.isfinite()
    if bad.any():
        nan = bool(g[bad].isnan().any())
        what = "NaN" if nan else "infinite"
        rest = ", and right elsewhere" if close(e, g)[~bad].all() and not bad.all() else ""
        who, at = places(bad)
        what += "" if bool(e.isfinite().all()) else ", where a finite number should be"
        return f"{who} {what}{at}{rest}."
    missing = ~e.isfinite() & g.isfinite()
    if missing.any():
        at = first(missing)
        return (
            f"at {count(missing)} yours should be {written(e[at].item())} and is a finite number, "
            f"the first at {list(at)}: {written(g[at].item())}."
        )
    return ""


def places(bad: Tensor) -> tuple[str, str]:
    """Where a mask is True: "all of yours is", "row 2 of yours is", "3 of 20 entries of yours are"."""
    if bad.all():
        return "all of yours is", ""
    rows = bad.flatten(0, -2) if bad.ndim > 1 else bad[None]
    if bad.ndim > 1 and bool((rows.all(-1) | ~rows.any(-1)).all()):
        which = [i if len(i) > 1 else i[0] for i in bad.any(-1).nonzero().tolist()]
        return (f"row {which[0]} of yours is" if len(which) == 1 else f"rows {few(which)} of yours are"), ""
    k = int(bad.sum())
    at = "" if k == 1 else "the first "
    is_ = "is" if k == 1 else "are"
    return f"{k} of {bad.numel()} entries of yours {is_}", f", {at}at {list(first(bad))}"


# ---- the same numbers, elsewhere -----------------------------------------------------------------------


def transposed(e: Tensor, g: Tensor, call: Call) -> str:
    turned = e.ndim >= 2 and e.shape[-1] == e.shape[-2] and alike(e.mT, g)
    return "yours is the expected one transposed." if turned else ""


def as_given(e: Tensor, g: Tensor, call: Call) -> str:
    name = next((n for n, x in call.tensors.items() if x.numel() > 1 and alike(x, g)), None)
    return f"what you return is {name}, as it was given." if name else ""


def constant(e: Tensor, g: Tensor, call: Call) -> str:
    value = g.flatten()[0]
    if not bool((g == value).all()) or bool((e == e.flatten()[0]).all()):
        return ""
    return f"every entry of yours is {written(value.item())}."


def moved(e: Tensor, g: Tensor, call: Call) -> str:
    """Shifted along an axis, reversed along it, or its slices in another order."""
    for axis in range(e.ndim):
        n = e.shape[axis]
        if n < 3 or alike(e.narrow(axis, 0, n - 1), e.narrow(axis, 1, n - 1)):
            continue
        where = axis_name(axis, e.ndim)
        for by in (1, -1):
            if alike(e.roll(by, axis), g):
                return f"yours is the expected one moved by {by} along {where}, round the end."
            here, there = (0, 1) if by == 1 else (1, 0)
            if n > 3 and alike(e.narrow(axis, here, n - 1), g.narrow(axis, there, n - 1)):
                return f"yours is the expected one moved by {by} along {where}."
        if alike(e.flip(axis), g):
            return f"yours is the expected one reversed along {where}."
    return ""


def reordered(e: Tensor, g: Tensor, call: Call) -> str:
    """The slices along an axis, or all numbers, in another order."""
    if e.dtype == torch.bool or e.unique().numel() < 3:
        return ""
    for axis in range(e.ndim):
        n = e.shape[axis]
        if 3 <= n <= 64:
            a, b = (x.movedim(axis, 0).reshape(n, -1).double() for x in (e, g))
            match = torch.isclose(a[:, None], b[None], rtol=RTOL, atol=ATOL, equal_nan=True).all(-1)
            if bool((match.sum(0) == 1).all() and (match.sum(1) == 1).all()):
                return f"yours holds the right slices along {axis_name(axis, e.ndim)} in another order."
    if e.unique().numel() >= min(6, e.numel()) and alike(
        e.flatten().sort().values, g.flatten().sort().values
    ):
        return "yours holds the right numbers in another order."
    return ""


# ---- booleans, and what stands where -------------------------------------------------------------------


def true_and_false(e: Tensor, g: Tensor, call: Call) -> str:
    if e.dtype != torch.bool:
        return ""
    if bool((e != g).all()):
        return "yours is the opposite everywhere."
    extra, missing = g & ~e, e & ~g
    if not missing.any():
        at = list(first(extra))
        return f"yours is True at {count(extra)} that should be False, the first at {at}; no True is missing."
    if not extra.any():
        at = list(first(missing))
        return (
            f"yours is False at {count(missing)} that should be True, the first at {at}; no True is too many."
        )
    return ""


def stands_for(e: Tensor, g: Tensor, call: Call) -> str:
    """Wherever the two differ, one value stands in place of another, or where one should."""
    wrong = ~close(e, g)
    if e.dtype == torch.bool or wrong.all() or int(wrong.sum()) < 2:
        return ""
    wanted, yours = e[wrong], g[wrong]
    at = list(first(wrong))
    if bool((wanted == wanted[0]).all()):
        should = written(wanted[0].item())
        if bool((yours == yours[0]).all()):
            is_ = written(yours[0].item())
            return f"wherever yours differs it is {is_} and should be {should}, first at {at}."
        return (
            f"yours differs only where it should be {should}: at {count(wrong)}, "
            f"the first at {at}: {written(yours[0].item())}."
        )
    if bool((yours == yours[0]).all()):
        return (
            f"wherever yours differs it is {written(yours[0].item())}: at {count(wrong)}, "
            f"the first at {at}, which should be {written(wanted[0].item())}."
        )
    return ""


# ---- sums, factors, shifts, functions ------------------------------------------------------------------


def row_sums(e: Tensor, g: Tensor, call: Call) -> str:
    """Rows that should sum to one."""
    if not e.is_floating_point() or e.shape[-1] < 2:
        return ""

    def one(x: Tensor, axis: int = -1) -> Tensor:
        return (x.double().sum(axis) - 1).abs() <= 1e-3

    should = one(e) | (e == 0).all(-1)
    only_places = bool(((e == 0) | (e == 1)).all())  # the identity, a look-up: no weights
    if only_places or not (should.all() and one(e).any() and bool((e >= 0).all())):
        return ""
    if not (wrong := ~one(g) & one(e)).any():
        return ""
    sum_ = g.sum(-1)[wrong].flatten()[0].item()
    other = next((a for a in range(e.ndim - 1) if g.shape[a] > 1 and bool(one(g, a).all())), None)
    more = "" if other is None else f" (along {axis_name(other, e.ndim)} yours do)"
    where = list(first(wrong)) if wrong.ndim else []
    row = f"row {where} sums" if where else "yours sums"
    return f"each row should sum to one; {row} to {written(sum_)}{more}."


def factor(e: Tensor, g: Tensor, call: Call) -> str:
    """A known constant times the expected one."""
    if not e.is_floating_point() or int((e != 0).sum()) < ENTRIES or not bool(e.isfinite().all()):
        return ""
    square = e.square().sum()
    by = ((g * e).sum() / square).item()
    if not alike(by * e, g):
        return ""
    for says, value in constants(e, call):
        if abs(by - value) <= 1e-3 * abs(value):
            return f"every entry of yours is {says}."
    return ""


def constants(e: Tensor, call: Call) -> list[tuple[str, float]]:
    """Factors worth saying: small numbers, and the sizes at hand with their roots and squares."""
    known = [
        ("minus the expected one", -1.0),
        ("twice the expected one", 2.0),
        ("half the expected one", 0.5),
        *((f"{words} the expected one", by) for by, words in UNITS.items()),
    ]
    known += [(f"{words} the expected one", by) for by, words in UNITS.items()]
    sizes: dict[int, list[str]] = {}
    for name, shape in call.sizes.items():
        for axis, n in enumerate(shape):
            sizes.setdefault(n, []).append(f"{name}.shape[{axis - len(shape)}]")
    for n in e.shape:
        sizes.setdefault(n, [])
    for n, names in sizes.items():
        if n < 2:
            continue
        is_ = f"; {n} is {', '.join(names[:3])}" if names else ""
        for label, value in ((f"√{n}", math.sqrt(n)), (f"{n}", n), (f"{n}²", n * n)):
            known.append((f"{label} times the expected one{is_}", value))
            known.append((f"the expected one divided by {label}{is_}", 1 / value))
    return known


def shift(e: Tensor, g: Tensor, call: Call) -> str:
    """One number added to all, or one to each row."""
    if e.dtype == torch.bool or e.numel() < ENTRIES or not bool(e.isfinite().all()):
        return ""
    d = g.double() - e.double()
    if d.abs().max() <= 100 * ATOL:
        return ""  # next to nothing: the shape of it is rounding

    def even(x: Tensor) -> bool:
        return bool(((x - x.mean(-1, keepdim=True)).abs() <= 10 * ATOL + RTOL * e.abs().max()).all())

    if even(d.flatten()):
        return f"every entry of yours is the expected one plus {written(d.mean().item())}."
    if e.ndim > 1 and e.shape[-1] >= ENTRIES and e.is_floating_point() and even(d):
        return "each row of yours is the expected one plus a number of its own."
    return ""


def row_factors(e: Tensor, g: Tensor, call: Call) -> str:
    """Rows in the right proportions."""
    if not e.is_floating_point() or e.ndim < 2 or e.shape[-1] < ENTRIES or not bool(e.isfinite().all()):
        return ""
    by = (g * e).sum(-1, keepdim=True) / e.square().sum(-1, keepdim=True).clamp_min(1e-30)
    if bool((by.abs() > ATOL).all()) and alike(by * e, g):
        return "the entries of each row have the right proportions, but not the right size."
    return ""


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "the softmax over its last axis of the expected one": lambda x: x.softmax(-1),
    "the logarithm of the expected one": torch.log,
    "the exponential of the expected one": torch.exp,
    "the square of the expected one": torch.square,
    "the square root of the expected one": torch.sqrt,
    "one divided by the expected one": torch.reciprocal,
    "one minus the expected one": lambda x: 1 - x,
    "the expected one without its sign": torch.abs,
}


def function_of(e: Tensor, g: Tensor, call: Call) -> str:
    if not e.is_floating_point() or e.unique().numel() < ENTRIES:
        return ""
    name = next((n for n, f in FUNCTIONS.items() if alike(f(e), g)), None)
    if name:
        return f"yours is {name}."
    return "the softmax of yours over its last axis is the expected one." if alike(g.softmax(-1), e) else ""


def signs(e: Tensor, g: Tensor, call: Call) -> str:
    if e.dtype == torch.bool or e.unique().numel() < ENTRIES or not alike(e.abs(), g.abs()):
        return ""
    wrong = ~close(e, g)
    return f"yours is right but for its sign at {count(wrong)}, the first at {list(first(wrong))}."


# ---- where ---------------------------------------------------------------------------------------------


def only_there(e: Tensor, g: Tensor, call: Call) -> str:
    """Wrong in one slice along an axis only."""
    wrong = ~close(e, g)
    for axis in range(e.ndim):
        n = e.shape[axis]
        slices = wrong.movedim(axis, 0).reshape(n, -1)
        at = slices.any(-1).nonzero().flatten().tolist()
        if n >= 3 and (len(at) == 1 or (at == list(range(1, n)) and bool(slices[1:].all()))):
            i, where = at[0], axis_name(axis, e.ndim)
            one = first(wrong)
            measured = f"at {list(one)} yours is {written(g[one].item())}, expected {written(e[one].item())}."
            if len(at) > 1:
                return (
                    f"yours is right at the first place along {where}, at every other it differs: {measured}"
                )
            name = ORDINALS.get(i - n if i == n - 1 else i)
            name = f"the {name} place" if name else f"place {i}"
            return f"yours differs at {name} along {where} only: {measured}"
    return ""


def first(mask: Tensor) -> tuple[int, ...]:
    return tuple(mask.nonzero()[0].tolist())


def count(mask: Tensor) -> str:
    k = int(mask.sum())
    return f"{k} of {mask.numel()} places"


def few(items: list) -> str:
    return ", ".join(map(str, items[:4])) + (", …" if len(items) > 4 else "")


def axis_name(axis: int, ndim: int) -> str:
    return "its only axis" if ndim == 1 else "the last axis" if axis == ndim - 1 else f"axis {axis}"


CATALOGUE = [not_finite, transposed, as_given, constant, row_sums, factor, true_and_false, shift, function_of,
             moved, reordered, stands_for, row_factors, signs, only_there]  # fmt: skip


# ---- another shape -------------------------------------------------------------------------------------


def shape_relation(e: Tensor, g: Tensor) -> str:
    """What a tensor of another shape has to do with the expected one, or ""."""
    if max(e.numel(), g.numel()) > MANY or g.is_complex():
        return ""
    if g.numel() == e.numel() and g.ndim == e.ndim:
        turned = next((a for a in swaps(e.ndim) if alike(e.transpose(*a), g)), None)
        if turned:
            return f" Yours is the expected one with its axes {turned[0]} and {turned[1]} exchanged."
    if g.numel() == e.numel() and alike(e.flatten(), g.flatten()):
        return " The numbers and their order are right."
    if not (e.is_floating_point() and g.is_floating_point()):
        return ""
    for axis in range(max(e.ndim, g.ndim)):
        for name, f in (("sum", Tensor.sum), ("mean", Tensor.mean)):
            if axis < e.ndim and e.shape[axis] > 1 and alike(f(e, axis).squeeze(), g.squeeze()):
                return f" Yours is the {name} of the expected one over axis {axis}."
            if axis < g.ndim and g.shape[axis] > 1 and alike(e.squeeze(), f(g, axis).squeeze()):
                return f" The {name} of yours over axis {axis} is the expected one."
    return ""


def swaps(ndim: int) -> list[tuple[int, int]]:
    return [(a, b) for a in range(ndim) for b in range(a + 1, ndim)]
