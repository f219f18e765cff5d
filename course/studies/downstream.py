"""Four tasks for a pre-trained encoder: what it reads of an example, and what its answer means."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course.data.examples import Labelled, Pair, Question, Tagged
from course.masking import IGNORED
from course.models.bert import BertConfig
from course.models.bert_heads import (
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
)
from course.studies.baselines import NaiveBayes, fit_overlap, fit_tags, overlap_answer
from course.studies.bert_pretraining import padded
from course.studies.metrics import accuracy, answer_scores, entity_scores
from course.text.wordpiece import Encoded, WordPiece


class Reading(NamedTuple):
    """What the model reads of one example, or of a part of it, and what it should answer.

    Args:
        example: the number of the example.
        ids, segments: of each token.
        target: what the model's ``loss`` takes beside them; None where this part holds no answer.
        places: for each token the number of its word, or where it stands in the context; None if nowhere.
    """

    example: int
    ids: list[int]
    segments: list[int]
    target: tuple[int | list[int], ...] | None
    places: Sequence[int | tuple[int, int] | None] = ()


def batch_of(readings: Sequence[Reading], pad_id: int) -> tuple[Int[Tensor, "batch ..."], ...]:
    """The arguments of a head's ``loss``: ids, what is to be answered, segments; padded on the right."""
    columns = zip(*(r.target for r in readings), strict=True)
    targets = (torch.tensor(c) if isinstance(c[0], int) else padded(c, IGNORED) for c in columns)
    return padded([r.ids for r in readings], pad_id), *targets, padded([r.segments for r in readings], 0)


class Task(Protocol):
    """What ``fine_tune`` and ``answer`` need to know of a task."""

    metric: str

    def head(self, config: BertConfig) -> nn.Module: ...

    def read(self, tokenizer: WordPiece, examples: Sequence, max_length: int) -> list[Reading]: ...

    def answers(self, outputs: Iterable, readings: Sequence[Reading], examples: Sequence) -> list: ...

    def score(self, examples: Sequence, answers: Sequence) -> float: ...

    def baseline(self, examples: Sequence) -> Callable[[Sequence], list]: ...


@dataclass(frozen=True)
class Classification:
    """Which of the classes does a text belong to? The head reads what became of [CLS].

    Source: Devlin et al. 2019, §4.1 and figure 4 (b); lecture row L3.3.d.
    """

    labels: tuple[str, ...]
    metric = "accuracy"

    def head(self, config: BertConfig) -> BertForSequenceClassification:
        """A model with a new head."""
        return BertForSequenceClassification(replace(config, n_labels=len(self.labels)))

    def read(self, tokenizer: WordPiece, examples: Sequence[Labelled], max_length: int) -> list[Reading]:
        """[CLS] text [SEP], cut off at ``max_length`` tokens."""
        return self._read(tokenizer, [x.text for x in examples], examples, max_length)

    def _read(self, tokenizer: WordPiece, texts: list, examples: Sequence, max_length: int) -> list[Reading]:
        encoded = tokenizer.encode_all(texts, max_length)
        targets = [(self.labels.index(x.label),) for x in examples]
        return [
            Reading(i, e.ids, e.segments, t) for i, (e, t) in enumerate(zip(encoded, targets, strict=True))
        ]

    def answers(
        self, outputs: Iterable[Tensor], readings: Sequence[Reading], examples: Sequence
    ) -> list[str]:
        """The likeliest class of each."""
        found = dict(zip((r.example for r in readings), outputs, strict=True))
        return [self.labels[int(found[i].argmax())] for i in range(len(examples))]

    def score(self, examples: Sequence[Labelled | Pair], answers: Sequence[str]) -> float:
        """The share of right answers."""
        return accuracy([x.label for x in examples], answers)

    def baseline(self, examples: Sequence[Labelled]) -> Callable[[Sequence[Labelled]], list[str]]:
        """Naive Bayes."""
        model = NaiveBayes.fit(examples)
        return lambda asked: [model(x.text) for x in asked]


@dataclass(frozen=True)
class Pairs(Classification):
    """How does the second text stand to the first? A classifier of two texts, told apart by their segments.

    Source: Devlin et al. 2019, §4.1 and figure 4 (a); lecture row L3.3.d.
    """

    def read(self, tokenizer: WordPiece, examples: Sequence[Pair], max_length: int) -> list[Reading]:
        """[CLS] premise [SEP] hypothesis [SEP]."""
        return self._read(tokenizer, [(x.premise, x.hypothesis) for x in examples], examples, max_length)

    def baseline(self, examples: Sequence[Pair]) -> Callable[[Sequence[Pair]], list[str]]:
        """What the share of the hypothesis's words that stand in the premise says."""
        relation = fit_overlap(examples)
        return lambda asked: [relation(x.premise, x.hypothesis) for x in asked]


@dataclass(frozen=True)
class Tags:
    """Which words are names, and of what? Each word's first piece is asked for the word's tag.

    Source: Devlin et al. 2019, §5.3 and figure 4 (d); lecture row L3.3.d.
    """

    tags: tuple[str, ...]
    metric = "entity F1"

    def head(self, config: BertConfig) -> BertForTokenClassification:
        """A model with a new head."""
        return BertForTokenClassification(replace(config, n_labels=len(self.tags)))

    def read(self, tokenizer: WordPiece, examples: Sequence[Tagged], max_length: int) -> list[Reading]:
        """[CLS] words [SEP]; words that do not fit are O."""
        encoded = tokenizer.encode_all([" ".join(x.words) for x in examples], max_length)
        readings = []
        for number, (x, e) in enumerate(zip(examples, encoded, strict=True)):
            starts = list(accumulate((len(word) + 1 for word in x.words[:-1]), initial=0))
            words = [-1, *(bisect_right(starts, begin) - 1 for begin, _ in e.offsets[1:-1]), -1]
            labels = first_piece_labels(words, [self.tags.index(tag) for tag in x.tags])
            readings.append(Reading(number, e.ids, e.segments, (labels,), words))
        return readings

    def answers(
        self, outputs: Iterable[Tensor], readings: Sequence[Reading], examples: Sequence[Tagged]
    ) -> list[list[str]]:
        """The likeliest tag of each word's first piece; O for a word without one."""
        found = [["O"] * len(x.words) for x in examples]
        for logits, reading in zip(outputs, readings, strict=True):
            tags = found[reading.example]
            for at, word in enumerate(first_piece_labels(reading.places, range(len(tags)))):
                if word != IGNORED:
                    tags[word] = self.tags[int(logits[at].argmax())]
        return found

    def score(self, examples: Sequence[Tagged], answers: Sequence[Sequence[str]]) -> float:
        """F1 of whole names."""
        return entity_scores([x.tags for x in examples], answers).f1

    def baseline(self, examples: Sequence[Tagged]) -> Callable[[Sequence[Tagged]], list[list[str]]]:
        """The tag that a word had most often."""
        tag = fit_tags(examples)
        return lambda asked: [tag(x.words) for x in asked]


def first_piece_labels(words: Sequence[int], labels: Sequence[int]) -> list[int]:
    """A label for each piece: that of its word at the word's first piece, -100 at its other pieces.

    Args:
        words: for each piece the number of its word, -1 at special tokens, which get -100 as well.
        labels: of each word. Both stay as they are.

    Source: Devlin et al. 2019, §5.3; lecture row L3.3.d.
    """
    before = [-1, *words[:-1]]
    return [
        labels[word] if word >= 0 and word != last else IGNORED
        for last, word in zip(before, words, strict=True)
    ]


@dataclass(frozen=True)
class Spans:
    """Which piece of the context answers the question? Each token is scored as its first and as its last.

    A context that is too long is read in windows that overlap; the best span of all windows is the answer.

    Args:
        longest: the most tokens of an answer.
        stride: by how many tokens a window is later than the one before.

    Source: Devlin et al. 2019, §4.2 and figure 4 (c); lecture row L3.3.d.
    """

    longest: int = 30
    stride: int = 48
    metric = "answer F1"

    def head(self, config: BertConfig) -> BertForQuestionAnswering:
        """A model with a new head."""
        return BertForQuestionAnswering(config)

    def read(self, tokenizer: WordPiece, examples: Sequence[Question], max_length: int) -> list[Reading]:
        """[CLS] question [SEP] window of the context [SEP], for every window."""
        encoded = tokenizer.encode_all([(x.question, x.context) for x in examples])
        return [
            self._reading(number, x, e, window, tokenizer.sep_id)
            for number, (x, e) in enumerate(zip(examples, encoded, strict=True))
            for window in windows(e.segments.index(1), len(e.ids) - 1, max_length - 1, self.stride)
        ]

    def _reading(self, number: int, x: Question, e: Encoded, window: range, sep_id: int) -> Reading:
        asked = e.segments.index(1)  # [CLS], the question, [SEP]
        ids = [*e.ids[:asked], *(e.ids[i] for i in window), sep_id]
        places = [None] * asked + [e.offsets[i] for i in window] + [None]
        target = token_span(places, x.start, x.start + len(x.answers[0]))
        return Reading(number, ids, [0] * asked + [1] * (len(window) + 1), target, places)

    def answers(
        self, outputs: Iterable, readings: Sequence[Reading], examples: Sequence[Question]
    ) -> list[str]:
        """The text from the first token of the best span to its last."""
        best = [(-torch.inf, "")] * len(examples)
        for (start, end), reading in zip(outputs, readings, strict=True):
            allowed = torch.tensor([place is not None for place in reading.places])
            n = len(allowed)
            span = best_span(start[None, :n], end[None, :n], allowed[None], self.longest)
            first, last = (int(place) for place in span)
            if allowed[first]:
                text = examples[reading.example].context[reading.places[first][0] : reading.places[last][1]]
                found = float(start[first] + end[last]), text
                best[reading.example] = max(best[reading.example], found, key=lambda pair: pair[0])
        return [text for _, text in best]

    def score(self, examples: Sequence[Question], answers: Sequence[str]) -> float:
        """SQuAD's F1; ``course.studies.metrics.answer_scores`` gives the exact match as well."""
        return answer_scores(examples, answers)[1]

    def baseline(self, examples: Sequence[Question]) -> Callable[[Sequence[Question]], list[str]]:
        """What the words say that question and context share; nothing is learned."""
        return lambda asked: [overlap_answer(x.question, x.context) for x in asked]


def best_span(
    start: Float[Tensor, "batch n"],
    end: Float[Tensor, "batch n"],
    allowed: Bool[Tensor, "batch n"],
    longest: int = 30,
) -> tuple[Int[Tensor, "batch"], Int[Tensor, "batch"]]:
    """The first and the last token of the best answer: the greatest start + end of all spans there are.

    A span never ends before it starts, is ``longest`` tokens long at most, and begins and ends at tokens that
    are ``allowed``: those of the context (not all in between need be). Of equals the one that starts first,
    of those the one that ends first; where nothing is allowed (0, 0). What was given stays as it is.

    Source: Devlin et al. 2019, §4.2 ("the maximum scoring span where j ≥ i"); lecture row L3.3.d.
    """
    n = start.shape[-1]
    scores = start.unsqueeze(-1) + end.unsqueeze(-2)  # [batch, first, last]
    ordered = torch.ones(n, n, dtype=torch.bool, device=start.device).triu().tril(longest - 1)
    possible = ordered & allowed.unsqueeze(-1) & allowed.unsqueeze(-2)
    best = scores.masked_fill(~possible, -torch.inf).flatten(1).argmax(-1)
    return best // n, best % n


def token_span(places: Sequence[tuple[int, int] | None], begin: int, end: int) -> tuple[int, int] | None:
    """The first and the last token of the answer at these characters; None if not all of it is here.

    Args:
        places: for each token where its characters begin and where they are over; None outside the context.
        begin, end: of the answer, ``end`` being the first character behind it.
    """
    inside = [i for i, place in enumerate(places) if place and place[1] > begin and place[0] < end]
    if not inside or places[inside[0]][0] > begin or places[inside[-1]][1] < end:
        return None
    return inside[0], inside[-1]


def windows(begin: int, end: int, length: int, stride: int) -> Iterator[range]:
    """Ranges of the tokens from ``begin`` to ``end``, which with the ``begin`` tokens before fill ``length``.

    Each starts ``stride`` tokens after the one before, or fewer, so that no token is left out; the last is
    the first that reaches the end.

    Raises:
        ValueError: if what stands before the context leaves no room for it.

    Source: Devlin et al. 2019, the authors' code for SQuAD ("doc_stride").
    """
    room = length - begin
    if room < 1:
        raise ValueError(f"the question takes {begin} of {length} tokens and leaves no room for the context")
    for start in range(begin, end, min(stride, room)):
        yield range(start, min(start + room, end))
        if start + room >= end:
            return
