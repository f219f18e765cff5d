"""Questions and pairs of sentences that were written for this course, to test with without a download.

They are few, and in the public domain (CC0): eighty questions about twenty short texts, and ninety pairs.
"""

import json
from pathlib import Path

from course.data.examples import Pair, Question

LABELS = ("entailment", "neutral", "contradiction")
_FOLDER = Path(__file__).parent


def questions() -> list[Question]:
    """Four questions about each of twenty texts; every answer stands in its text."""
    return [
        Question(asked["question"], text["context"], tuple(asked["answers"]), asked["start"])
        for text in _read("own_questions.json")["texts"]
        for asked in text["questions"]
    ]


def pairs() -> list[Pair]:
    """Thirty premises, each with a hypothesis that follows, one that is left open, one that contradicts."""
    return [
        Pair(row["premise"], row[label], label) for row in _read("own_pairs.json")["rows"] for label in LABELS
    ]


def _read(name: str) -> dict:
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))
