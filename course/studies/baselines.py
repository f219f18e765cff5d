"""What a model has to beat: counting words, the commonest answer, the words that two texts share."""

import math
import re
import string
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from course.data.examples import Labelled, Pair, Tagged

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
