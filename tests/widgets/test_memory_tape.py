"""The memory tape: what it says was measured, and the browser says the same."""

from itertools import pairwise

import pytest

from course.widgets import MemoryTape
from course.widgets.gradient_river import power


def test_stored_grows_with_the_depth_and_reversible_does_not():
    found = MemoryTape().measured
    stored, reversible = found["stored"], found["reversible"]
    steps = [b - a for a, b in pairwise(stored)]
    assert len(set(steps)) == 1 and steps[0] > 0 and len(set(reversible)) == 1


def test_errors_grow_on_the_way_back_and_with_shorter_numbers():
    found = MemoryTape().measured["errors"]
    for name, most in (("float32", 1e-5), ("bfloat16", 1.0)):
        errors = found[name][-1]
        assert 0 < errors[0] < most and errors[0] > errors[-1]
    assert found["bfloat16"][-1][0] > 1000 * found["float32"][-1][0]


def test_the_browser_says_the_same(call):
    cases = [MemoryTape(depth, dtype) for depth in (1, 6, 16) for dtype in ("float32", "bfloat16")]
    facts = call("memory_tape", "facts", [[w.measured, w.depth, w.dtype] for w in cases])
    assert [w.words["says"].format(**f) for w, f in zip(cases, facts, strict=True)] == [
        w.describe() for w in cases
    ]
    numbers = [3.14159e-7, 0.0042, 0.5, 9.96e-4, 12.0, 9.999e-6]
    assert call("memory_tape", "power", [[x] for x in numbers]) == [power(x) for x in numbers]


def test_what_is_no_kind_of_number_is_refused():
    with pytest.raises(Exception, match="dtype"):
        MemoryTape(dtype="float8")


def test_it_stands_still():
    assert MemoryTape(3).png().startswith(b"\x89PNG")
