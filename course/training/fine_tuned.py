"""Four tasks by the shipped BERT, fine-tuned, frozen and from scratch, against the number of labels.

The logged run behind notebook 11's tables: real data, for which a live cell would take too long or need a
download. Leaves ``scores.json``, one row for each task, way and number of labels, and a card.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from course import checkpoints
from course.bert import Bert
from course.data import handwritten, little_reports, rt_polarity, squad, wnut17
from course.fine_tuning import Classification, CurvePoint, Pairs, Settings, Spans, Tags, Task, label_curve
from course.training.trainer import device_name
from course.wordpiece import WordPiece

CARD = """\
# Four tasks, and how many labels each takes

No model, but the scores of many: `{encoder}`, fine-tuned, frozen and from scratch, on four tasks. Settings:
`{settings}`, one seed, on {device}, other work running.

| task | trained on | tested on | labels | way | score |
|---|---|---|---:|---|---:|
{rows}
"""


@dataclass(frozen=True)
class Job:
    """A task, its examples, and the numbers of labels to try."""

    task: Task
    trained_on: str
    tested_on: str
    examples: Callable[[], tuple[Sequence, Sequence]]
    sizes: tuple[int, ...]
    settings: Settings = field(default_factory=lambda: Settings(steps=400))


def _reviews() -> tuple[Sequence, Sequence]:
    corpus = rt_polarity.reviews()
    return shuffled(corpus.train), corpus.test


def _names() -> tuple[Sequence, Sequence]:
    corpus = wnut17.names()
    return shuffled(corpus.train), corpus.test


def _questions(n: int = 4000) -> Sequence:
    return [report.question for report in little_reports.reports(n, seed=0)]


def _pairs() -> tuple[Sequence, Sequence]:
    return [report.pair for report in little_reports.reports(4000, seed=0)], handwritten.pairs()


def _unseen(part: str) -> Sequence:
    return [getattr(report, part) for report in little_reports.reports(400, seed=1, unseen=True)]


LITTLE = "little reports, unseen names"
JOBS = {
    "classification": Job(
        Classification(rt_polarity.LABELS),
        "rt-polarity",
        "rt-polarity, first of ten folds",
        _reviews,
        (32, 128, 500, 2000, 8528),
        Settings(steps=800, batch=32),
    ),
    "named entities": Job(
        Tags(wnut17.TAGS), "WNUT-17", "WNUT-17, test", _names, (32, 128, 500, 2000, 3394), Settings(steps=800)
    ),
    "answers": Job(
        Spans(),
        "little reports",
        LITTLE,
        lambda: (_questions(), _unseen("question")),
        (32, 128, 500, 2000, 4000),
    ),
    "answers, handwritten": Job(
        Spans(),
        "little reports",
        "handwritten questions",
        lambda: (_questions(), handwritten.questions()),
        (4000,),
    ),
    "answers, XQuAD": Job(
        Spans(), "little reports", "XQuAD, English", lambda: (_questions(), squad.xquad()), (4000,)
    ),
    "inference": Job(
        Pairs(handwritten.LABELS),
        "little reports",
        LITTLE,
        lambda: (_pairs()[0], _unseen("pair")),
        (32, 128, 500, 2000, 4000),
    ),
    "inference, handwritten": Job(
        Pairs(handwritten.LABELS), "little reports", "handwritten pairs", _pairs, (4000,)
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
    bert = Bert.from_pretrained(encoder)
    tokenizer = WordPiece.load(checkpoints.find_file(encoder, "tokenizer.json"))
    for name, job in JOBS.items():
        if not any(row["task"] == name for row in scores):
            examples, test = job.examples()
            curve = label_curve(bert, job.task, tokenizer, examples, test, job.sizes, settings=job.settings)
            scores += [row(name, job, point) for point in curve]
            path.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8", newline="\n")
    card = CARD.format(
        encoder=encoder,
        settings=json.dumps({name: asdict(job.settings) for name, job in JOBS.items()}),
        device=device_name(device),
        rows="\n".join(map(_line, scores)),
    )
    (folder / "README.md").write_text(card, encoding="utf-8", newline="\n")
    return scores


def row(name: str, job: Job, point: CurvePoint) -> dict:
    """What ``scores.json`` keeps of one point of a curve."""
    about = {"trained_on": job.trained_on, "tested_on": job.tested_on, "metric": job.task.metric}
    return {"task": name, **about, **point._asdict() | {"score": round(point.score, 4)}}


def _line(row: dict) -> str:
    cells = row["task"], row["trained_on"], row["tested_on"], f"{row['labels']:,}", row["how"]
    return f"| {' | '.join(cells)} | {row['score']:.3f} |"
