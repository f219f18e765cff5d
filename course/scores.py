"""How answers are scored (classes, names, spans of text), and plain baselines to hold every model against.

A baseline is ``fit`` on examples and gives back a function from a question to an answer. None of them knows a
language; what they reach is what a number means before a model has earned anything.
"""

import math
import re
import string
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from course.data.examples import Labelled, Pair, Question, Tagged

# --------------------------------------------------------------------------------------------------
# Classes
# --------------------------------------------------------------------------------------------------


def accuracy(right: Sequence, given: Sequence) -> float:
    """The share of answers that are right.

    Raises:
        ValueError: if there are none, or not as many as there are questions.
    """
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

    Args:
        right, given: for each sentence the tags of its words.

    Raises:
        ValueError: if there are no sentences, or not as many tags as words.

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

_WORD = re.compile(r"\w+(?:'\w+)?|[^\w\s]")


def bag_of_words(text: str, pairs: bool = True) -> list[str]:
    """The words and signs of a text in lower case, and every two that are neighbours."""
    words = _WORD.findall(text.lower())
    return words + [f"{a} {b}" for a, b in pairwise(words)] if pairs else words


@dataclass(frozen=True)
class NaiveBayes:
    """Multinomial naive Bayes: each word speaks for a class as often as it was seen there.

    Source: McCallum and Nigam 1998; Wang and Manning 2012 (with pairs of words).
    """

    log_prior: dict[str, float]
    log_p: dict[str, dict[str, float]]  # of each word, given the class

    @classmethod
    def fit(cls, examples: Sequence[Labelled], alpha: float = 1.0) -> "NaiveBayes":
        """Count; ``alpha`` is added to every count, so that a word not seen in a class does not rule it out.

        Raises:
            ValueError: if there are no examples, or alpha is not positive.
        """
        if not examples or alpha <= 0:
            raise ValueError(f"naive Bayes needs examples, and alpha > 0; got {len(examples)} and {alpha}")
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for text, label in examples:
            counts[label].update(bag_of_words(text))
        vocabulary = set().union(*counts.values())
        log_p = {}
        for label, words in counts.items():
            total = words.total() + alpha * len(vocabulary)
            log_p[label] = {word: math.log((words[word] + alpha) / total) for word in vocabulary}
        shares = Counter(label for _, label in examples)
        return cls({label: math.log(n / len(examples)) for label, n in shares.items()}, log_p)

    def __call__(self, text: str) -> str:
        """The likeliest class; words that were never seen say nothing."""
        words = bag_of_words(text)
        scores = {
            label: prior + sum(self.log_p[label].get(word, 0.0) for word in words)
            for label, prior in self.log_prior.items()
        }
        return max(scores, key=scores.get)


def most_frequent(labels: Iterable[str]) -> str:
    """The commonest of the labels; of several, the one that came first."""
    return Counter(labels).most_common(1)[0][0]


def fit_tags(examples: Sequence[Tagged]) -> Callable[[Sequence[str]], list[str]]:
    """For each word the tag that it had most often; O for a word that was never seen."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for words, tags in examples:
        for word, tag in zip(words, tags, strict=True):
            seen[word.lower()][tag] += 1
    best = {word: counts.most_common(1)[0][0] for word, counts in seen.items()}
    return lambda words: [best.get(word.lower(), "O") for word in words]


def overlapping_sentence(question: str, context: str) -> str:
    """The sentence of the context that shares most words with the question; of several, the first.

    Source: the sliding window of Richardson et al. 2013, which Rajpurkar et al. 2016, §5 hold their model
    against, with a sentence for a window.
    """
    asked = set(bag_of_words(question, pairs=False))
    sentences = re.split(r"(?<=[.!?])\s+", context)
    return max(sentences, key=lambda sentence: len(asked.intersection(bag_of_words(sentence, pairs=False))))


def overlap_answer(question: str, context: str) -> str:
    """From the sentence that shares most words with the question, the longest stretch that shares none.

    What a question asks for is seldom among its own words. Of several, the first.
    """
    asked = set(bag_of_words(question, pairs=False))
    stretches: list[list[str]] = [[]]
    for word in overlapping_sentence(question, context).split():
        if asked.intersection(bag_of_words(word, pairs=False)):
            stretches.append([])
        else:
            stretches[-1].append(word)
    return " ".join(max(stretches, key=len)).strip(string.punctuation + " ")


def fit_overlap(examples: Sequence[Pair]) -> Callable[[str, str], str]:
    """For each share of the hypothesis's words that stand in the premise, in tenths, the commonest label.

    A share never seen gets the label that is the commonest of all.
    """
    seen: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for premise, hypothesis, label in examples:
        seen[_overlap(premise, hypothesis)][label] += 1
    anyway = most_frequent(example.label for example in examples)
    best = {share: counts.most_common(1)[0][0] for share, counts in seen.items()}
    return lambda premise, hypothesis: best.get(_overlap(premise, hypothesis), anyway)


def _overlap(premise: str, hypothesis: str) -> int:
    said, claimed = (set(bag_of_words(text, pairs=False)) for text in (premise, hypothesis))
    return round(10 * len(said & claimed) / len(claimed)) if claimed else 0


def _check_as_many(right: Sequence, given: Sequence) -> None:
    if not right or len(right) != len(given):
        raise ValueError(f"there should be one answer to each question; got {len(given)} for {len(right)}")


def _check_tags(right: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> None:
    _check_as_many(right, given)
    for a, b in zip(right, given, strict=True):
        _check_as_many(a, b)
