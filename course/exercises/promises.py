"""Parts for what a docstring promises besides values: errors, kinds, chance that a generator decides."""

from collections.abc import Callable
from typing import Any

import torch

from course.exercises.contract import Part
from course.workbook.compare import difference

Call = Callable[[Any], Any]


def refusals(
    calls: dict[str, tuple[type[Exception], Call]], name: str = "what cannot be", points: int = 1
) -> Part:
    """All errors that the docstring lists, in one part: for "a rate above 1" which error, and the call."""

    def run(f: Any) -> dict[str, str]:
        return {f"what is raised for {of}": _raised(call, f, error) for of, (error, call) in calls.items()}

    return name, points, run


def _raised(call: Call, f: Any, wanted: type[Exception]) -> str:
    try:
        call(f)
    except wanted:
        return wanted.__name__
    except Exception as other:  # is what was seen
        return type(other).__name__
    return "nothing"


def kind_of(call: Call, points: int = 1) -> Part:
    """The name of the type of what comes back, where the signature promises one of the course's own."""
    return "what comes back", points, lambda f: {"the kind of the result": type(call(f)).__name__}


def seeds_matter(call: Callable[[Any, dict], Any], points: int = 1) -> Part:
    """Other seeds give other results, from a generator and without; ``call`` is given the keywords."""

    def run(f: Any) -> dict[str, bool]:
        results = []
        for seed in (3, 8):
            torch.manual_seed(seed)
            results.append(call(f, {}))
        for seed in (3, 8):
            results.append(call(f, {"generator": torch.Generator().manual_seed(seed)}))
        torchs, generators = results[:2], results[2:]
        return {
            "two results of torch's own chance are equal": difference(*torchs) is None,
            "the results of two generators with other seeds are equal": difference(*generators) is None,
        }

    return "other seeds", points, run, "chance decides nothing: whatever the seed, the result is the same"


def same_seed(call: Callable[[Any, dict], Any], points: int = 1) -> Part:
    """A generator decides, and it alone: ``call`` is given the keywords."""

    def run(f: Any) -> dict[str, bool]:
        results = []
        for torchs in (1, 2):
            torch.manual_seed(torchs)
            results.append(call(f, {"generator": torch.Generator().manual_seed(5)}))
        return {"the results of two generators with one seed are equal": difference(*results) is None}

    says = "two generators with one seed give different results: something is drawn without the generator"
    return "a generator with a fixed seed", points, run, says
