"""Right answers to the exercises that chance has a part in are accepted, whatever the seed.

A right answer is rejected in fewer than one of 10⁶ checks: a seed that fails here is a fault of a part, and
not bad luck. (200 seeds were tried when the parts were written; a few are enough to see one broken.)
"""

import pytest
import torch
from test_bank import OTHERWISE

from course.workbook.compare import difference
from course.workbook.judge import expected_of
from course.workbook.record import find

SEEDS = range(1000, 1006)
RANDOM = ("10.1", "10.2", "10.5")
ANSWERS = [(id, find(id).reference) for id in RANDOM] + [(id, f) for id, f in OTHERWISE if id in RANDOM]


@pytest.mark.parametrize("id, answer", ANSWERS, ids=[f"{id}-{f.__name__}" for id, f in ANSWERS])
def test_a_right_answer_is_accepted_under_any_seed(id, answer):
    for part, expected in zip(find(id).parts, expected_of(id), strict=True):
        for seed in SEEDS:
            torch.manual_seed(seed)
            assert difference(expected.value, part.run(answer)) is None, (part.name, seed)
