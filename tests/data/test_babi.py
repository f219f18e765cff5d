"""bAbI's files: stories grow, questions know their support."""

import pytest

from course.data import babi

TEXT = """1 Mary moved to the bathroom.
2 John went to the hallway.
3 Where is Mary? \tbathroom\t1
4 Daniel went back to the hallway.
5 Where is Daniel? \thallway\t4
1 Sandra moved to the garden.
2 Where is Sandra? \tgarden\t1
"""


def test_a_question_is_asked_of_what_was_told_so_far():
    first, second, third = babi.parse(TEXT)
    assert first == (
        ("Mary moved to the bathroom.", "John went to the hallway."),
        "Where is Mary?",
        "bathroom",
        (0,),
    )
    assert len(second.story) == 3 and second.story[second.support[0]] == "Daniel went back to the hallway."
    assert third.story == ("Sandra moved to the garden.",) and third.support == (0,)


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="there is no task 'three facts'; there are one supporting fact"):
        babi.questions("three facts")


@pytest.mark.parametrize("task", babi.TASKS)
def test_the_real_files_have_a_thousand_questions(real_data, task):
    found = babi.questions(task, "test")
    assert len(found) == 1000
    assert all(q.support and max(q.support) < len(q.story) for q in found)
    named = [q for q in found if q.question.startswith("Where is")]
    assert all(any(q.answer in q.story[i] for i in q.support) for q in named)
