"""Fine-tuning: one pre-trained encoder, four tasks, a line each to switch.

    task = Classification(rt_polarity.LABELS)  # or Pairs(...), Tags(...), Spans()
    model = fine_tune(encoder, task, tokenizer, examples)
    task.score(others, answer(model, task, tokenizer, others))

A task says how its examples are read (``read``), which head answers (``head``), what the head's numbers mean
(``answers``), how answers are scored (``score``), and what a plain baseline would say (``baseline``).
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from course.data.examples import Labelled, Pair, Question, Tagged
from course.masking import IGNORED
from course.models.bert import (
    Bert,
    BertConfig,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
)
from course.studies.baselines import NaiveBayes, fit_overlap, fit_tags, overlap_answer
from course.studies.bert_pretraining import encode, hidden, single_rows
from course.studies.metrics import accuracy, answer_scores, entity_scores
from course.text.wordpiece import Encoded, WordPiece

# --------------------------------------------------------------------------------------------------
# What a model reads of an example
# --------------------------------------------------------------------------------------------------


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
    targets = (_padded(column, IGNORED) for column in zip(*(r.target for r in readings), strict=True))
    return _padded([r.ids for r in readings], pad_id), *targets, _padded([r.segments for r in readings], 0)


def _padded(rows: Sequence, value: int) -> Tensor:
    if isinstance(rows[0], int):
        return torch.tensor(rows)
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value)


# --------------------------------------------------------------------------------------------------
# Four tasks
# --------------------------------------------------------------------------------------------------


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
        labels: of each word.

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
    are ``allowed``: those of the context. Of equals the earliest; where nothing is allowed (0, 0).

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


# --------------------------------------------------------------------------------------------------
# Training and answering
# --------------------------------------------------------------------------------------------------

HOWS = ("fine-tuned", "frozen", "from scratch")


@dataclass(frozen=True)
class Settings:
    """How to fine-tune: updates, examples an update, the peak learning rate, where chance begins.

    ``lr`` is for fine-tuning; a head on a frozen encoder learns at ten times that. The rate rises over the
    first tenth of the steps and falls to nothing over the others. ``bfloat16`` computes the loss in bfloat16
    where that is safe; processors with instructions for it take half the time.

    Source: Devlin et al. 2019, appendix A.3, with another rate for a model a twentieth of theirs in size.
    """

    steps: int = 200
    batch: int = 16
    lr: float = 3e-4
    weight_decay: float = 0.01
    seed: int = 0
    bfloat16: bool = False

    def rate(self, step: int, how: str) -> float:
        """The learning rate of a step, counted from 0."""
        warmup = max(1, self.steps // 10)
        left = min((step + 1) / warmup, (self.steps - step) / max(1, self.steps - warmup))
        return self.lr * left * (10 if how == "frozen" else 1)


def start_model(encoder: Bert, task: Task, how: str = "fine-tuned") -> nn.Module:
    """The encoder's copy under the task's new head.

    Args:
        how: "fine-tuned": all weights will learn. "frozen": the embeddings and the blocks will not, only what
            is above them (the pooler, which pre-training made for another end, and the head). "from scratch":
            a BERT of the same sizes, of which nothing is taken over.

    Raises:
        ValueError: for another ``how``.

    Source: Devlin et al. 2019, §3.2 and §5.3; lecture row L3.3.e.
    """
    if how not in HOWS:
        raise ValueError(f"how is one of {', '.join(HOWS)}; got {how!r}")
    model = task.head(encoder.config)
    if how == "from scratch":
        return model
    new, model.bert = model.bert.pooler, copy.deepcopy(encoder)
    if new is None or encoder.pooler is None:  # the head needs none, or pre-training made none
        model.bert.pooler = new
    return freeze_encoder(model) if how == "frozen" else model


def freeze_encoder(model: nn.Module) -> nn.Module:
    """The same model, of which the embeddings and the blocks no longer learn, and all above them does.

    What is above: the pooler, ``bert.pooler``, where there is one, and the head.

    Source: the feature-based approach of Devlin et al. 2019, §5.3; lecture row L3.3.e.
    """
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith("bert.") or name.startswith("bert.pooler."))
    return model


def fine_tune(
    encoder: Bert,
    task: Task,
    tokenizer: WordPiece,
    examples: Sequence,
    how: str = "fine-tuned",
    settings: Settings | None = None,
) -> nn.Module:
    """A model that does the task, trained on the examples; the encoder itself stays as it is.

    Args:
        how: see ``start_model``.
        settings: None for the usual ones.

    Raises:
        ValueError: if no example can be learned from, or as ``start_model``.

    Source: Devlin et al. 2019, §3.2; lecture rows L3.3.d, L3.3.e, L3.6.e.
    """
    settings = settings or Settings()
    readings = task.read(tokenizer, examples, encoder.config.max_length)
    readings = [reading for reading in readings if reading.target is not None]
    if not readings:
        raise ValueError(f"of {len(examples)} examples none holds an answer to learn")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = start_model(encoder, task, how)

        def loss(chosen: list[int]) -> Tensor:
            return model.loss(*batch_of([readings[i] for i in chosen], tokenizer.pad_id))

        return _learn(model, loss, len(readings), settings, how)


def adapt(
    model: BertForPreTraining,
    tokenizer: WordPiece,
    texts: Sequence[str],
    settings: Settings | None = None,
    rate: float = 0.15,
) -> Bert:
    """The encoder, after it has gone on restoring hidden tokens in a task's own texts; that takes no labels.

    Args:
        model: stays as it is.
        settings: None for the usual ones.
        rate: the share of tokens that are hidden.

    Raises:
        ValueError: if there is no text, or for a ``rate`` as ``mask_tokens``.

    Source: Gururangan et al. 2020, "Don't Stop Pretraining", §4 (task-adaptive pretraining).
    """
    settings = settings or Settings()
    rows = [ids[: model.config.max_length - 2] for ids in encode(tokenizer, texts)]
    if not rows:
        raise ValueError("there is no text to go on with")
    generator = Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = copy.deepcopy(model)

        def loss(chosen: list[int]) -> Tensor:
            ids, segments, no_pairs = single_rows([rows[i] for i in chosen], tokenizer)
            inputs, labels = hidden(ids, tokenizer, rate, generator=generator)
            return model.loss(inputs, labels, no_pairs, segments)

        return _learn(model, loss, len(rows), settings, "fine-tuned").bert


def _learn(
    model: nn.Module, loss: Callable[[list[int]], Tensor], n: int, settings: Settings, how: str
) -> nn.Module:
    """Train what may learn, on the ``loss`` of some of the ``n`` examples at each step."""
    model.train()
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, weight_decay=settings.weight_decay, fused=True)
    for step, chosen in enumerate(_draws(n, settings)):
        optimizer.param_groups[0]["lr"] = settings.rate(step, how)
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
            value = loss(chosen)
        value.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
    return model.eval()


def _draws(n: int, settings: Settings) -> Iterator[list[int]]:
    """For each step the numbers of its examples: all of them in random order, then all in another."""
    generator, left = Generator().manual_seed(settings.seed), []
    for _ in range(settings.steps):
        while len(left) < min(settings.batch, n):
            left += torch.randperm(n, generator=generator).tolist()
        yield left[: settings.batch]
        left = left[settings.batch :]


@torch.no_grad()
def answer(model: nn.Module, task: Task, tokenizer: WordPiece, examples: Sequence, batch: int = 64) -> list:
    """What a fine-tuned model answers to each example."""
    readings = task.read(tokenizer, examples, model.config.max_length)
    readings = sorted(readings, key=lambda reading: len(reading.ids))  # little padding
    outputs = []
    for i in range(0, len(readings), batch):
        some = readings[i : i + batch]
        found = model(
            _padded([r.ids for r in some], tokenizer.pad_id), _padded([r.segments for r in some], 0)
        )
        outputs += zip(*found, strict=True) if isinstance(found, tuple) else found
    return task.answers(outputs, readings, examples)


# --------------------------------------------------------------------------------------------------
# How many labels does it take?
# --------------------------------------------------------------------------------------------------


class CurvePoint(NamedTuple):
    """The score of one way of learning from so many labels; ``how`` is one of ``HOWS`` or "baseline"."""

    labels: int
    how: str
    score: float


def label_curve(
    encoder: Bert,
    task: Task,
    tokenizer: WordPiece,
    train: Sequence,
    test: Sequence,
    sizes: Sequence[int],
    hows: Sequence[str] = HOWS,
    settings: Settings | None = None,
) -> list[CurvePoint]:
    """The score on the test examples after training on the first 8, 32, ... of the others, in each way.

    Raises:
        ValueError: if there are fewer examples than a size asks for, or as ``fine_tune``.

    Source: lecture rows L3.3.e, L3.6.e.
    """
    if max(sizes) > len(train):
        raise ValueError(f"sizes go up to {max(sizes)}, and there are {len(train)} examples to train on")
    points = []
    for n in sizes:
        points.append(CurvePoint(n, "baseline", task.score(test, task.baseline(train[:n])(test))))
        for how in hows:
            model = fine_tune(encoder, task, tokenizer, train[:n], how, settings)
            points.append(CurvePoint(n, how, task.score(test, answer(model, task, tokenizer, test))))
    return points
