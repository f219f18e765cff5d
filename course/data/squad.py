"""Questions about paragraphs of Wikipedia, each answered by a piece of the paragraph (Rajpurkar et al. 2016).

SQuAD 1.1 itself is large and downloaded only when it is asked for. XQuAD's English part, 1,190 questions of
SQuAD's development set, is enough to evaluate with. Both are under CC BY-SA 4.0.
"""

import json
from typing import NamedTuple

from course.data.download import read_text
from course.data.examples import Question


class Corpus(NamedTuple):
    """Questions to train on, and questions to test with."""

    train: list[Question]
    test: list[Question]


def questions() -> Corpus:
    """SQuAD 1.1: 87,599 questions to train on, and the 10,570 of the development set to test with.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return Corpus(*(parse(read_text("squad", file)) for file in ("train-v1.1.json", "dev-v1.1.json")))


def xquad() -> list[Question]:
    """The 1,190 English questions of XQuAD (Artetxe et al. 2020); all of them are in SQuAD's test part too.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return parse(read_text("xquad_en"))


def parse(text: str) -> list[Question]:
    """The questions of a file in the format of SQuAD 1.1, the same answers of several people once.

    Raises:
        ValueError: if a question has no answer, or an answer does not stand where the file says.
    """
    return [
        _question(asked, paragraph["context"])
        for article in json.loads(text)["data"]
        for paragraph in article["paragraphs"]
        for asked in paragraph["qas"]
    ]


def _question(asked: dict, context: str) -> Question:
    if not asked["answers"]:
        raise ValueError(f"question {asked['id']} has no answer: this is SQuAD 2.0; version 1.1 is read here")
    for answer in asked["answers"]:
        start, said = answer["answer_start"], answer["text"]
        if context[start : start + len(said)] != said:
            raise ValueError(f"question {asked['id']}: {said!r} does not stand at character {start}")
    answers = tuple(dict.fromkeys(answer["text"] for answer in asked["answers"]))
    return Question(asked["question"].strip(), context, answers, asked["answers"][0]["answer_start"])
