"""Four tasks by the shipped BERT, fine-tuned, frozen and from scratch, against the number of labels.

Film reviews are far from what the shipped BERT has read. There a fourth way is tried as well, "adapted": it
first goes on restoring hidden tokens, in the reviews of the training part, and is then fine-tuned.

The logged run behind notebook 11's tables: real data, for which a live cell would take too long or need a
download. Leaves ``scores.json``, one row for each task, way and number of labels, and a card.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean

import torch

from course import checkpoints
from course.data import handwritten, rt_polarity, squad, wnut17
from course.data.little_reports import reports
from course.models.bert import Bert
from course.models.bert_heads import BertForPreTraining
from course.studies.downstream import Classification, Pairs, Spans, Tags, Task
from course.studies.fine_tuning import HOWS, Settings, adapt, answer, fine_tune
from course.text.wordpiece import WordPiece
from course.training.report import wrapped
from course.training.trainer import device_name

CARD = """\
# Four tasks, and how many labels each takes

No model, but the scores of many: `{encoder}`, fine-tuned, frozen and from scratch, on four tasks. Settings
for the most labels: `{settings}`; for fewer, {passes} times through them, but {fewest} updates at least.
"Adapted": fine-tuned after masked LM on the training part's texts, {hidden:.0%} hidden: `{adapting}`. One
draw of labels and one seed, unless the table has several, of which the score is the mean; on {device}, other
work running.

| task | trained on | tested on | labels | way | score | draws |
|---|---|---|---:|---|---:|---|
{rows}
"""


@dataclass(frozen=True)
class Job:
    """A task, its examples, and the numbers of labels to try.

    Args:
        trained_on, tested_on: what the examples are, in words.
        examples: those to train on, and those to test on.
        sizes: numbers of labels.
        most: updates at most; see ``settings``.
        batch: examples an update.
        draws: for a number of labels, how often that many are drawn; a score is then the mean.
        texts: of the examples, if the encoder is to be adapted to them, too.
        beside: other tests for what the most labels have taught: a name, what they are, and the examples.
    """

    task: Task
    trained_on: str
    tested_on: str
    examples: Callable[[], tuple[Sequence, Sequence]]
    sizes: tuple[int, ...]
    most: int = 800
    batch: int = 16
    draws: Mapping[int, int] = field(default_factory=dict)
    texts: Callable[[Sequence], list[str]] | None = None
    beside: tuple[tuple[str, str, Callable[[], Sequence]], ...] = ()

    def settings(self, labels: int, seed: int = 0) -> Settings:
        """``PASSES`` times through the examples, but ``FEWEST`` updates at least and ``most`` at most."""
        steps = min(max(PASSES * labels // self.batch, FEWEST), self.most)
        return Settings(steps, self.batch, seed=seed, bfloat16=True)


PASSES, FEWEST = 12, 100
ADAPTING = Settings(3000, batch=32, lr=1e-3, bfloat16=True)
HIDDEN = 0.3
"""The share of tokens hidden when adapting; it learns faster than 15 % (``bert_rates``)."""


def _reviews() -> tuple[Sequence, Sequence]:
    corpus = rt_polarity.reviews()
    return shuffled(corpus.train), corpus.test


def _names() -> tuple[Sequence, Sequence]:
    corpus = wnut17.names()
    return shuffled(corpus.train), corpus.test


def _reports(part: str, events: int = 2) -> tuple[Sequence, Sequence]:
    """Little reports to train on, and others to test on, with names that none of the first has."""
    train = reports(4000, seed=0, events=events)
    test = reports(400, seed=1, unseen=True, events=events)
    return [getattr(report, part) for report in train], [getattr(report, part) for report in test]


LITTLE, OTHERS = "little reports", "little reports, unseen names"
JOBS = {
    "classification": Job(
        Classification(rt_polarity.LABELS),
        "rt-polarity",
        "rt-polarity, first of ten folds",
        _reviews,
        (32, 128, 500, 2000, 8528),
        batch=32,
        draws={500: 5},
        texts=lambda examples: [x.text for x in examples],
    ),
    "named entities": Job(Tags(wnut17.TAGS), "WNUT-17", "WNUT-17, test", _names, (32, 128, 500, 2000, 3394)),
    "answers": Job(
        Spans(),
        f"{LITTLE}, one event",
        OTHERS,
        lambda: _reports("question", events=1),
        (32, 128, 500, 4000),
        most=400,
        beside=(
            ("two events", f"{OTHERS}, two events", lambda: _reports("question")[1]),
            ("handwritten", "handwritten questions", handwritten.questions),
            ("XQuAD", "XQuAD, English", squad.xquad),
        ),
    ),
    "inference": Job(
        Pairs(handwritten.LABELS),
        LITTLE,
        OTHERS,
        lambda: _reports("pair"),
        (32, 128, 500, 4000),
        beside=(("handwritten", "handwritten pairs", handwritten.pairs),),
    ),
}


def shuffled(examples: Sequence, seed: int = 0) -> list:
    """The same examples in an order of chance: the first n are then a fair sample."""
    order = torch.randperm(len(examples), generator=torch.Generator().manual_seed(seed)).tolist()
    return [examples[i] for i in order]


def train(folder: str | Path, device: str = "cpu", encoder: str | Path = "bert-small") -> list[dict]:
    """Do every job that is not in the folder's ``scores.json`` yet; a run that was broken off goes on."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "scores.json"
    scores = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    bert = BertForPreTraining.from_pretrained(encoder)
    tokenizer = WordPiece.load(checkpoints.find_file(encoder, "tokenizer.json"))
    for name, job in JOBS.items():
        if not any(row["task"] == name for row in scores):
            scores += rows_of(name, job, bert, tokenizer)
            path.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(wrapped(card(scores, encoder, device)), encoding="utf-8", newline="\n")
    return scores


def rows_of(name: str, job: Job, bert: BertForPreTraining, tokenizer: WordPiece) -> list[dict]:
    """What ``scores.json`` keeps of a job: a row for each test, number of labels and way of learning."""
    train, test = job.examples()
    encoders = [(how, bert.bert, how) for how in HOWS]
    if job.texts:
        adapted = adapt(bert, tokenizer, job.texts(train), ADAPTING, HIDDEN)
        encoders.append(("adapted", adapted, "fine-tuned"))
    rows = []
    for labels in job.sizes:
        tests = [(name, job.tested_on, test)]
        if labels == max(job.sizes):
            tests += [(f"{name}, {beside}", tested_on, load()) for beside, tested_on, load in job.beside]
        found: dict[tuple, list[float]] = {}
        for draw in range(job.draws.get(labels, 1)):
            examples = train[draw * labels : (draw + 1) * labels]
            ways = taught(job.task, examples, job.settings(labels, draw), encoders, tokenizer)
            for (task, tested_on, asked), (way, says) in product(tests, ways.items()):
                found.setdefault((task, tested_on, way), []).append(job.task.score(asked, says(asked)))
        rows += [_row(job, labels, *which, scores) for which, scores in found.items()]
    return rows


def taught(
    task: Task, examples: Sequence, settings: Settings, encoders: Sequence[tuple[str, Bert, str]], tokenizer
) -> dict[str, Callable[[Sequence], list]]:
    """Who has learned from the examples, and so answers others: the baseline, and each encoder in its way."""
    ways = {"baseline": task.baseline(examples)}
    for way, encoder, how in encoders:
        model = fine_tune(encoder, task, tokenizer, examples, how, settings)
        ways[way] = partial(answer, model, task, tokenizer)
    return ways


def _row(job: Job, labels: int, task: str, tested_on: str, how: str, scores: list[float]) -> dict:
    about = {"task": task, "trained_on": job.trained_on, "tested_on": tested_on, "metric": job.task.metric}
    found = {"labels": labels, "how": how, "score": round(fmean(scores), 4)}
    drawn = {"draws": [round(score, 4) for score in scores]} if len(scores) > 1 else {}
    return about | found | drawn


def card(scores: list[dict], encoder: str | Path, device: str) -> str:
    """With what settings, and a table of all scores."""
    return CARD.format(
        encoder=encoder,
        settings=json.dumps({name: asdict(job.settings(max(job.sizes))) for name, job in JOBS.items()}),
        passes=PASSES,
        adapting=json.dumps(asdict(ADAPTING)),
        hidden=HIDDEN,
        fewest=FEWEST,
        device=device_name(device),
        rows="\n".join(map(_line, scores)),
    )


def _line(row: dict) -> str:
    cells = row["task"], row["trained_on"], row["tested_on"], f"{row['labels']:,}", row["how"]
    draws = ", ".join(f"{score:.3f}" for score in row.get("draws", []))
    return f"| {' | '.join(cells)} | {row['score']:.3f} | {draws} |"
