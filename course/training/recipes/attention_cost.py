"""What claims about cost come to in training: an LSTM and a Transformer, and ways to attend for less.

Two tables: recall and parity, equal parameters and seconds (``course.studies.old_and_new``); and the
duplication task, with full attention and with what is cheaper (``course.studies.duplicating``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import torch

from course.models.seq2seq import fit
from course.studies.duplicating import Copier, duplication, share_right
from course.studies.long_range import Drawn, accuracy
from course.studies.old_and_new import KINDS, PARITY, RECALL, fit_for, make
from course.training.log import Log
from course.training.report import wrapped

SEEDS = range(3)
TRAINED = range(1, 17)
TASKS = {"recall": (RECALL, (1, 4, 8, 16, 24, 32)), "parity": (PARITY, (4, 8, 16, 24, 32, 64))}
SECONDS, BATCH, ASKED = 6.0, 32, 500
DUPLICATION = {"duplication": (32, 600), "duplication-128": (128, 2000)}  # places, steps
TEXTS, LR = 16, 3e-3
COPIERS = {
    # trained with, and then evaluated with
    "full": ("full", "LSH-8", "LSH-4", "LSH-2", "LSH-1"),
    "LSH-4": ("full", "LSH-8", "LSH-4", "LSH-2", "LSH-1"),
    "LSH-1": ("full", "LSH-8", "LSH-4", "LSH-2", "LSH-1"),
    "BigBird": ("BigBird",),
    "Linformer": ("Linformer",),
}

CARD = """\
# What attention costs, and what it buys

No model, but what came of training {cells} small ones. Tasks are drawn anew without end and are our own
(`course.studies.old_and_new`, `course.studies.duplicating`), CC0. On one CPU thread of a shared machine.
`log.jsonl` has every cell, `scores.json` the mean, the lowest and the highest of the seeds. `slopes.json` is
what `benchmarks/efficient.py` measured, with its setting.

## An LSTM and a Transformer, {seconds:g} CPU seconds each

Batches of {batch}, lengths 1 to {longest} in training, Adam, {asked} new questions of each length. As many
parameters, to 5 %. Chance: recall 1 in 32, parity a half.
{old_and_new}

## The duplication task

0 w, and then both once more from memory: the share of hidden symbols named right, chance 1 in 31. Two layers
of width 64, two heads, batches of {texts} texts, Adam at {lr}; blocks, chunks and Linformer's rank are an
eighth of the places. One way to attend in training, the same or another one afterwards.
{duplicating}
"""

DUPLICATING = """
{length} places, {steps:,} steps:

{table}
"""


def train(folder: str | Path, device: str = "cpu") -> dict:
    """Train every cell that the log in ``folder`` lacks; leaves log, scores and a card; gives the scores.

    Always on the CPU: what is equal is the seconds of its time.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    ways = {(task, model): cell for task, model, cell in cells()}
    runs = ((*way, seed) for seed in SEEDS for way in ways)
    log = Log(folder / "log.jsonl").fill(
        ("task", "model", "seed"), runs, lambda task, model, seed: ways[task, model](task, model, seed)
    )
    scores = summary(log)
    (folder / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(wrapped(card(scores)), encoding="utf-8", newline="\n")
    return scores


def cells() -> list[tuple[str, str, Callable[[str, str, int], dict]]]:
    """Every model of every task, and what trains it."""
    readers = [(task, kind, reader_cell) for task in TASKS for kind in KINDS]
    return readers + [(task, way, copier_cell) for task in DUPLICATION for way in COPIERS]


def reader_cell(task: str, kind: str, seed: int) -> dict:
    """One reader trained for so many seconds: its steps, and the share it answers right at each length."""
    drawn_from, lengths = TASKS[task]
    torch.manual_seed(seed)
    model = make(kind, drawn_from)
    steps = fit_for(model, Drawn(drawn_from, TRAINED, BATCH, seed), SECONDS)
    found = accuracy(model, drawn_from, lengths, ASKED)
    return {
        "parameters": _parameters(model),
        "step": steps,
        "right": dict(zip(map(str, lengths), found, strict=True)),
    }


def copier_cell(task: str, way: str, seed: int) -> dict:
    """One copier trained with one way to attend, and its share right with that and with others."""
    length, steps = DUPLICATION[task]
    torch.manual_seed(seed)
    model = Copier(length, way)

    def batches(step: int) -> tuple:
        return duplication(length, TEXTS, torch.Generator().manual_seed(1_000_003 * seed + step))

    losses, right = fit(model, batches, steps, LR), {}
    for other in COPIERS[way]:
        model.way = other
        right[other] = share_right(model)
    return {"parameters": _parameters(model), "step": steps, "loss": mean(losses[-50:]), "right": right}


def summary(log: list[dict]) -> dict:
    """For every task and model the mean over the seeds, the lowest and the highest, of each share."""
    scores: dict = {}
    for task, model, _ in cells():
        found = [line for line in log if (line["task"], line["model"]) == (task, model)]
        if not found:
            continue
        columns = {name: [line["right"][name] for line in found] for name in found[0]["right"]}
        scores.setdefault(task, {})[model] = {
            "parameters": found[0]["parameters"],
            "steps": [line["step"] for line in found],
            "seeds": len(found),
            "right": {
                name: [round(f(column), 4) for f in (mean, min, max)] for name, column in columns.items()
            },
        }
    return scores


def card(scores: dict) -> str:
    """What was trained, on what, and both tables."""
    return CARD.format(
        cells=sum(model["seeds"] for task in scores.values() for model in task.values()),
        seconds=SECONDS,
        batch=BATCH,
        longest=max(TRAINED),
        asked=ASKED,
        old_and_new="".join(f"\n{_table(task, scores[task])}\n" for task in TASKS if task in scores),
        texts=TEXTS,
        lr=LR,
        duplicating="".join(
            DUPLICATING.format(length=length, steps=steps, table=_table("trained with", scores[task]))
            for task, (length, steps) in DUPLICATION.items()
            if task in scores
        ),
    )


def _table(head: str, models: dict) -> str:
    names = list(dict.fromkeys(name for model in models.values() for name in model["right"]))
    rows = [
        f"| {head} | parameters | seeds | {' | '.join(names)} |",
        "|---|---:|---:|" + "---:|" * len(names),
    ]
    for name, model in models.items():
        shown = [
            "{:.2f} ({:.2f}-{:.2f})".format(*model["right"][n]) if n in model["right"] else "" for n in names
        ]
        rows.append(f"| {name} | {model['parameters']:,} | {model['seeds']} | {' | '.join(shown)} |")
    return "\n".join(rows)


def _parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
