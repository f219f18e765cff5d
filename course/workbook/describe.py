"""A wrong answer in a sentence that says what was measured: the input, what came out, what should have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import torch
from torch import Tensor

from course.workbook.answer import line_of, message_of
from course.workbook.chance import Share
from course.workbook.compare import Difference, alike, close, differences
from course.workbook.record import Exercise, Part
from course.workbook.relations import FUNCTIONS, UNITS, relation, shape_relation
from course.workbook.sandbox import Call, Outcome, written

SHORT = 80  # characters of a value that is shown


@dataclass(frozen=True)
class Saying:
    """A diagnosis and what it rests on: a "mistake", a "property", what the code "raises", a "place"."""

    says: str
    sort: str
    mistake: str | None = None


def describe(exercise: Exercise, candidate: Any, outcomes: list[Outcome], expected: list[Outcome],
             wrong: list[int]) -> Saying:  # fmt: skip
    """The most telling of what the wrong parts show; properties that have a part of their own besides."""
    own = [i for i in wrong if exercise.parts[i].says and not outcomes[i].error]
    rest = [i for i in wrong if i not in own]
    besides = [property_of(exercise.parts[i], outcomes[i], expected[i]) for i in own][:2]
    if not rest:
        return Saying(" Besides, ".join([besides[0], *besides[1:]]), "property")
    sayings = [part_saying(candidate, exercise.parts[i], outcomes[i], expected[i]) for i in rest]
    said = sayings[0]
    if said.sort == "place" and (also := next((n for n, s in enumerate(sayings) if s.sort == "property"), 0)):
        other = f"{said.says} In “{exercise.parts[rest[also]].name}”, {sayings[also].says}"
        said = Saying(other, "property")
    only = len(wrong) == 1 < len(exercise.parts)
    numbers = scalars([(expected[i].value, outcomes[i].value) for i in rest if not outcomes[i].error])
    if numbers and said.sort == "place":
        said = Saying(f"{said.says} {numbers}", "property")
    sort = "property" if besides or (only and len(exercise.parts) > 3) else said.sort
    where = f"{'Only in' if only else 'In'} “{exercise.parts[rest[0]].name}”, "
    return Saying(" Besides, ".join([where + said.says, *besides]), sort)


def property_of(part: Part, outcome: Outcome, expected: Outcome) -> str:
    """The sentence of a part that measures one property, with what was measured."""
    if outcome.error is not None:
        error = outcome.error
        return f"in “{part.name}”, there is an error ({type(error).__name__}: {message_of(error)})."
    d = next(differences(expected.value, outcome.value))
    if d.sort != "value" or isinstance(d.got, Tensor):
        return f"{part.says}: {told(d, outcome.call)[0]}"
    return f"{part.says} ({d.where}: {d.got if isinstance(d.got, (str, Share)) else shown(d.got)})."


def part_saying(candidate: Any, part: Part, outcome: Outcome, expected: Outcome) -> Saying:
    """What one wrong part shows."""
    if outcome.error is not None:
        return raised(candidate, outcome)
    try:
        found = list(differences(expected.value, outcome.value))
    except Exception as error:  # a kind of result of the learner's own
        return Saying(f"what you return cannot be compared: {type(error).__name__}.", "raises")
    if order := reordered(expected.value, outcome.value):
        return Saying(order, "property")
    return values(found, outcome.call)


# ---- exceptions ----------------------------------------------------------------------------------------


def raised(candidate: Any, outcome: Outcome) -> Saying:
    """What was raised: by the answer, or by the check, which could not use what the answer gave."""
    error = outcome.error
    if isinstance(error, RecursionError):
        return Saying("your code calls itself without end.", "raises")
    says = f"{type(error).__name__}{line_of(candidate, error)}: {message_of(error)}"
    if outcome.returned:
        given = kind(outcome.returned[0])
        return Saying(f"your code returns {given}, with which the check cannot go on ({says})", "property")
    return Saying(f"your code raises {says}", "raises")


# ---- values --------------------------------------------------------------------------------------------


def values(found: list[Difference], call: Call) -> Saying:
    """The first difference that shows a property, else the first."""
    missing = [d.where for d in found if isinstance(d.expected, Tensor) and d.got is None]
    if len(missing) == len(found) and "the result" not in missing:
        return Saying(f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing (None).", "property")
    sentences = [told(d, call) for d in found[:20]]
    says, sort = next((s for s in sentences if s[1] == "property"), sentences[0])
    return Saying(says, sort)


def reordered(expected: Any, got: Any) -> str:
    """Several results that are right, in another order."""
    if not (
        isinstance(expected, tuple) and isinstance(got, (tuple, list)) and 1 < len(expected) == len(got) < 5
    ):
        return ""
    for order in list(permutations(range(len(expected))))[1:]:
        if next(differences(tuple(expected[i] for i in order), tuple(got)), None) is None:
            return f"your {len(got)} results are right, but in another order: {', '.join(map(place, order))}."
    return ""


def place(i: int) -> str:
    return f"the {('first', 'second', 'third', 'fourth')[i]}"


def told(d: Difference, call: Call) -> tuple[str, str]:
    """A difference in a sentence, and whether that names a property or a place."""
    return SORTS[d.sort](d, call)


def of_kind(d: Difference, call: Call) -> tuple[str, str]:
    wanted = kind(d.expected)
    if d.got is None and d.where != "the result":
        return f"{d.where} is missing (None).", "property"
    if isinstance(d.expected, dict):
        wanted = f"a dict with the keys {listed(list(d.expected))}"
    elif isinstance(d.expected, Tensor) and isinstance(d.got, Tensor):
        if d.got.is_nested or d.got.layout != d.expected.layout:
            return f"{d.where} should be an ordinary (dense) tensor.", "property"
        if d.got.device != d.expected.device:
            return f"{d.where} should be on the CPU; yours is on {d.got.device}.", "property"
        values = ", with the right values" if alike(d.expected, d.got) else ""
        return f"{d.where} should be {wanted}; yours is {kind(d.got)}{values}.", "property"
    return f"{d.where} should be {wanted}; yours is {kind(d.got)}.", "property"


def of_length(d: Difference, call: Call) -> tuple[str, str]:
    both = ""
    if isinstance(d.expected, list) and fits(d.expected) and fits(list(d.got)):
        both = f" (yours {shown(d.got)}, expected {shown(d.expected)})"
    return f"{d.where} should be {sequence(d.expected)}; yours has {len(d.got)}{both}.", "property"


def of_keys(d: Difference, call: Call) -> tuple[str, str]:
    return (
        f"{d.where} should have the keys {listed(list(d.expected))}; yours has {listed(list(d.got))}.",
        "property",
    )


def of_shape(d: Difference, call: Call) -> tuple[str, str]:
    says = f"{d.where} should have shape {list(d.expected.shape)}; yours has {list(d.got.shape)}."
    return says + shape_relation(d.expected, d.got), "property"


def of_value(d: Difference, call: Call) -> tuple[str, str]:
    if isinstance(d.expected, Tensor) and d.expected.numel() > 1:
        return of_tensor(d, call)
    if isinstance(d.expected, list):
        return of_list(d, call)
    if isinstance(d.expected, (set, frozenset)):
        return of_set(d, call)
    sort = "property" if " " in d.where and not d.where.startswith("the result") else "place"
    if isinstance(d.expected, Share):
        seen = f"{d.got} ({d.got.hits} of {d.got.of})" if d.got.of else d.got
        return f"{d.where} should be about {d.expected.truth:.3g}; yours is {seen}.", sort
    return f"{asked(call)}{d.where} should be {shown(d.expected)}; yours is {shown(d.got)}.", sort


def of_tensor(d: Difference, call: Call) -> tuple[str, str]:
    seen = relation(d.expected, d.got, call)
    small = d.expected.numel() <= 6 and fits(d.expected) and fits(d.got)
    if seen and not small:
        return (seen if d.where == "the result" else f"{d.where}: {seen}"), "property"
    if small:
        says = f"{asked(call)}{d.where} should be {shown(d.expected)}; yours is {shown(d.got)}."
        return f"{says} {seen[:1].upper()}{seen[1:]}".strip(), "property" if seen else "place"
    wrong = ~close(d.expected, d.got)
    at = tuple(wrong.nonzero()[0].tolist())
    return (
        f"{int(wrong.sum())} of {wrong.numel()} entries differ, the first at {d.where}{list(at)}: "
        f"yours {written(d.got[at].item())}, expected {written(d.expected[at].item())}."
    ), "place"


def of_list(d: Difference, call: Call) -> tuple[str, str]:
    e, g = d.expected, d.got
    if sorted(map(repr, e)) == sorted(map(repr, g)):
        return (
            f"{d.where} holds the right items in another order: yours {shown(g)}, expected {shown(e)}.",
            "property",
        )
    whole = [x for x in [*e, *g] if not isinstance(x, int) or isinstance(x, bool)] == []
    seen = relation(torch.tensor(e), torch.tensor(g), call) if whole else ""
    i = next((i for i, (a, b) in enumerate(zip(e, g, strict=True)) if a != b), None)
    if i is None:  # numbers that are equal, of another kind (a tensor for an int)
        i = next((i for i, (a, b) in enumerate(zip(e, g, strict=True)) if type(a) is not type(b)), 0)
        return f"{d.where}[{i}] should be {kind(e[i])}; yours is {kind(g[i])}.", "property"
    if fits(e) and fits(g):
        says = f"{asked(call)}{d.where} should be {shown(e)}; yours is {shown(g)}."
        return f"{says} {seen[:1].upper()}{seen[1:]}".strip(), "property" if seen else "place"
    if seen:
        return f"{d.where}: {seen}", "property"
    return f"{d.where}[{i}] should be {shown(e[i])}; yours is {shown(g[i])}.", "place"


def of_set(d: Difference, call: Call) -> tuple[str, str]:
    extra, missing = d.got - d.expected, d.expected - d.got
    says = (
        [f"{shown(sorted(missing, key=repr))} {'is' if len(missing) == 1 else 'are'} missing"]
        if missing
        else []
    )
    says += [f"{shown(sorted(extra, key=repr))} should not be there"] if extra else []
    return f"in {d.where}, {' and '.join(says)}.", "property"


SORTS: dict[str, Callable[[Difference, Call], tuple[str, str]]] = {
    "kind": of_kind, "length": of_length, "keys": of_keys, "shape": of_shape, "value": of_value,
}  # fmt: skip


# ---- single numbers, over several parts ----------------------------------------------------------------


def scalars(pairs: list[tuple[Any, Any]]) -> str:
    """What the single numbers of several parts have in common: one factor or one step."""
    numbers = [(float(e), float(g)) for e, g in pairs if number(e) and number(g)]
    if len(numbers) < 3 or len(numbers) < len(pairs) or len({e for e, _ in numbers}) < 3:
        return ""
    near = lambda a, b: abs(a - b) <= 1e-5 + 1e-4 * abs(b)  # noqa: E731
    for by, says in ({-1.0: "minus", 2.0: "twice", 0.5: "half"} | UNITS).items():
        if all(near(g, by * e) for e, g in numbers):
            return f"In each of {len(numbers)} parts yours is {says} what it should be."
    for says, f in FUNCTIONS.items():
        if "axis" not in says and all(near(g, f(torch.tensor(e)).item()) for e, g in numbers):
            return f"In each of {len(numbers)} parts yours is {says}."
    step = numbers[0][1] - numbers[0][0]
    if all(near(g - e, step) for e, g in numbers):
        return f"In each of {len(numbers)} parts yours is what it should be plus {step:.4g}."
    return ""


def number(x: Any) -> bool:
    if isinstance(x, Tensor):
        return x.numel() == 1 and not x.is_complex()
    return isinstance(x, (int, float)) and not isinstance(x, bool)


# ---- words ---------------------------------------------------------------------------------------------


def asked(call: Call) -> str:
    """The input, where it is small enough to be told."""
    return f"for {call.words}, " if call.words else ""


def kind(x: Any) -> str:
    """A value's kind in a learner's words."""
    if x is None:
        return "nothing (None; is a return missing?)"
    if isinstance(x, (tuple, list)):
        return sequence(x)
    name = type(x).__name__.replace("ndarray", "numpy array")
    if isinstance(x, Tensor):
        name = f"{str(x.dtype).removeprefix('torch.')} tensor"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def sequence(x: tuple | list) -> str:
    return f"a {'list' if isinstance(x, list) else 'tuple'} of {len(x)}"


def shown(x: Any) -> str:
    """A value, cut to a line."""
    try:
        text = written(x)
    except Exception:
        return kind(x)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def fits(x: Any) -> bool:
    return len(written(x)) <= SHORT


def listed(names: list) -> str:
    names = [str(n) for n in names]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
