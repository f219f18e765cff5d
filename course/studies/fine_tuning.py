"""Fine-tuning: one pre-trained encoder, four tasks, a line each to switch.

    task = Classification(rt_polarity.LABELS)  # or Pairs(...), Tags(...), Spans()
    model = fine_tune(encoder, task, tokenizer, examples)
    task.score(others, answer(model, task, tokenizer, others))

A task says how its examples are read (``read``), which head answers (``head``), what the head's numbers mean
(``answers``), how answers are scored (``score``), and what a plain baseline would say (``baseline``).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from course.models.bert import Bert
from course.models.bert_heads import (
    BertForPreTraining,
)
from course.studies.bert_pretraining import encode, hidden, padded, single_rows
from course.studies.downstream import Task, batch_of
from course.text.wordpiece import WordPiece

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

    The encoder is ``model.bert``. Above its blocks are its pooler, ``model.bert.pooler`` (None in models that
    have none), and the head, which is all that is not in ``model.bert``; what of these was frozen before
    learns again. No weight is changed.

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
        found = model(padded([r.ids for r in some], tokenizer.pad_id), padded([r.segments for r in some], 0))
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
