"""Every known mistake can be told from the right answer and from every other one."""

import pytest

from course.exercises.evidence import faults
from course.workbook.record import chapters, exercises_of

ALL = [e for number in chapters() for e in exercises_of(number)]


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_the_parts_tell_every_mistake_apart(exercise):
    assert not (said := faults(exercise)), "\n".join(said)
