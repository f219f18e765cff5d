"""How answers are scored (classes, names, spans of text), and plain baselines to hold every model against.

A baseline is ``fit`` on examples and gives back a function from a question to an answer. None of them knows a
language; what they reach is what a number means before a model has earned anything.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from course.data.examples import Question

# --------------------------------------------------------------------------------------------------
# Classes
# --------------------------------------------------------------------------------------------------


def accuracy(right: Sequence, given: Sequence) -> float:
    """The share of answers that are right.

    Raises:
        ValueError: if there are none, or not as many as there are questions.
    """
    right, given = (x.tolist() if hasattr(x, "tolist") else x for x in (right, given))  # of tensors, numbers
    _check_as_many(right, given)
    return sum(a == b for a, b in zip(right, given, strict=True)) / len(right)


# --------------------------------------------------------------------------------------------------
# Names
# --------------------------------------------------------------------------------------------------


class Entity(NamedTuple):
    """A name of some kind: words ``first`` to ``last``, counted from 0, the last one included."""

    kind: str
    first: int
    last: int


class Score(NamedTuple):
    """Precision, recall and F1, each between 0 and 1; 0 where it would be a division by zero."""

    precision: float
    recall: float
    f1: float


def entities(tags: Sequence[str]) -> list[Entity]:
    """The names that a sequence of tags marks.

    A name begins at a B, and also at an I that has no name of its kind before it: so the CoNLL shared task's
    script has it, and seqeval in its default mode.

    Raises:
        ValueError: if a tag is neither O nor B-kind nor I-kind.

    Source: Tjong Kim Sang and De Meulder 2003, §2; Nakayama 2018 (seqeval); lecture row L3.3.d.
    """
    found: list[Entity] = []
    before = "O"
    for at, tag in enumerate(tags):
        if tag != "O" and not re.fullmatch("[BI]-.+", tag):
            raise ValueError(f"a tag is O, B-kind or I-kind; tag {at} is {tag!r}")
        kind = tag[2:]
        if tag[0] == "I" and kind == before[2:]:
            found[-1] = found[-1]._replace(last=at)
        elif tag != "O":
            found.append(Entity(kind, at, at))
        before = tag
    return found


def entity_scores(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Score:
    """How well names were found: one counts only if its first word, its last word and its kind are all right.

    Names are what ``entities`` finds, counted over all sentences together. Precision is the share of the
    given names that are right, recall the share of the right ones that were given; both and F1 are 0 where
    one would divide by zero.

    Args:
        right, given: for each sentence the tags of its words.

    Raises:
        ValueError: if there are no sentences, not as many given as right ones, or in one not as many tags.

    Source: Tjong Kim Sang and De Meulder 2003, §2; equal to seqeval's micro average; lecture row L3.3.d.
    """
    _check_tags(right, given)
    wanted, found = (
        {(number, entity) for number, tags in enumerate(sentences) for entity in entities(tags)}
        for sentences in (right, given)
    )
    hits = len(wanted & found)
    precision, recall = hits / len(found) if found else 0.0, hits / len(wanted) if wanted else 0.0
    return Score(precision, recall, 2 * hits / (len(found) + len(wanted)) if hits else 0.0)


# --------------------------------------------------------------------------------------------------
# Answers
# --------------------------------------------------------------------------------------------------


def normalise_answer(text: str) -> str:
    """The answer as SQuAD compares it: lower case, no punctuation, no articles, single spaces.

    Source: Rajpurkar et al. 2016, §6.1, and the authors' script.
    """
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact_match(given: str, answers: Sequence[str]) -> bool:
    """Whether the answer is one of those that count, as SQuAD compares them."""
    return normalise_answer(given) in map(normalise_answer, answers)


def answer_f1(given: str, answers: Sequence[str]) -> float:
    """How many words the answer shares with the one that suits it best: F1 over the words, with repetition.

    Words are compared as ``normalise_answer`` leaves them. Between 0 and 1; 0 where no word is in common, and
    also where neither text has a word.

    Args:
        answers: all that count as right, one or more.

    Source: Rajpurkar et al. 2016, §6.1, and the authors' script.
    """
    scores = []
    for answer in answers:
        a, b = normalise_answer(given).split(), normalise_answer(answer).split()
        common = (Counter(a) & Counter(b)).total()
        scores.append(2 * common / (len(a) + len(b)) if common else 0.0)
    return max(scores)


def answer_scores(questions: Sequence[Question], given: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1, each the mean over the questions.

    Raises:
        ValueError: as ``accuracy``.
    """
    _check_as_many(questions, given)
    pairs = list(zip(questions, given, strict=True))
    exact = sum(exact_match(text, q.answers) for q, text in pairs) / len(pairs)
    return exact, sum(answer_f1(text, q.answers) for q, text in pairs) / len(pairs)


# --------------------------------------------------------------------------------------------------
# Baselines
# --------------------------------------------------------------------------------------------------


def _check_as_many(right: Sequence, given: Sequence) -> None:
    if len(right) == 0 or len(right) != len(given):
        raise ValueError(f"there should be one answer to each question; got {len(given)} for {len(right)}")


def _check_tags(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> None:
    _check_as_many(right, given)
    for a, b in zip(right, given, strict=True):
        _check_as_many(a, b)
