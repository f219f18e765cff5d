"""Questions on little stories, with the numbers of the sentences that answer them: three tasks of bAbI
(v1.1).

Weston et al. 2015, "Towards AI-Complete Question Answering"; Facebook, CC BY 3.0.
"""

from typing import NamedTuple

from course.data.download import read_text

TASKS = {
    "one supporting fact": "qa1_single-supporting-fact",
    "yes or no": "qa6_yes-no-questions",
    "coreference": "qa11_basic-coreference",
}


class StoryQuestion(NamedTuple):
    """What was told so far, a question, its answer, and which sentences (counted from 0) it follows from."""

    story: tuple[str, ...]
    question: str
    answer: str
    support: tuple[int, ...]


def questions(task: str, split: str = "train") -> list[StoryQuestion]:
    """The 1,000 questions of a task's "train" or "test" file.

    Raises:
        ValueError: if there is no such task.
        DownloadError: as ``course.data.path``.
    """
    if task not in TASKS:
        raise ValueError(f"there is no task {task!r}; there are {', '.join(TASKS)}")
    return parse(read_text("babi_en", f"{TASKS[task]}_{split}.txt"))


def parse(text: str) -> list[StoryQuestion]:
    """Numbered lines; a question has a tab, its answer, and its supporting lines; number 1 begins a story."""
    found: list[StoryQuestion] = []
    told: dict[int, str] = {}
    for line in text.strip().split("\n"):
        number, rest = line.split(" ", 1)
        if number == "1":
            told = {}
        if "\t" not in rest:
            told[int(number)] = rest.strip()
            continue
        question, answer, support = rest.split("\t")
        order = list(told)
        at = tuple(order.index(int(n)) for n in support.split())
        found.append(StoryQuestion(tuple(told.values()), question.strip(), answer.strip(), at))
    return found
