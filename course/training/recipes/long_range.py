"""How far and how much four small readers remember, by ``course.studies.long_range``: five seeds each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch

from course.models.seq2seq import fit
from course.studies.long_range import READERS, TASKS, Drawn, Reader, Size, accuracy
from course.training.log import Log
from course.training.report import wrapped
from course.training.trainer import device_name

SEEDS = range(5)
BATCH, LR, ASKED = 32, 3e-3, 500


@dataclass(frozen=True)
class Run:
    """What to train on, for how long, and what to ask then."""

    task: str
    trained: Sequence[Size]
    tested: Sequence[Size]
    steps: int
    readers: Sequence[str] = READERS


RUNS = {
    "cloze": Run(
        "cloze",
        [(people, others) for people in range(1, 6) for others in range(5)],
        [
            (1, 0),
            (1, 1),
            (1, 2),
            (1, 4),
            (1, 6),
            (1, 8),
            (1, 10),
            (2, 0),
            (3, 0),
            (4, 0),
            (6, 0),
            (8, 0),
            (12, 0),
        ],
        1000,
    ),
    "many pairs": Run("many pairs", range(1, 17), (1, 2, 4, 8, 16, 24), 1200),
    "one clue, 1 to 30 back": Run("one clue", range(1, 31), (1, 5, 10, 20, 30, 45, 60), 500),
    "one clue, always 20 back": Run("one clue", (20,), (20,), 400),
    "many pairs, three times as long": Run("many pairs", range(1, 17), (1, 2, 4, 8, 16, 24), 3600, ("LSTM",)),
}

CARD = """\
# How far, and how much, a reader remembers

No model, but what came of training {cells} small ones: an RNN, a GRU, an LSTM (forget bias 1) of 64 units,
and the same GRU with one head of attention over its own states at the end. Tasks and texts are our own
(`course.studies.long_range`, `course.data.far_clues`), CC0. Batches of {batch}, Adam at {lr}, falling to a
tenth; {asked} new questions of each size; seeds from 0, as many as the tables say. On {device}, other work
running. `log.jsonl` has every cell, `scores.json` the mean, the lowest and the highest of the seeds.

A size is the clue's distance, the number of pairs, or people and other sentences between. One in 16 guesses
is right by chance (pairs: one in 32).
{tables}"""


def train(folder: str | Path, device: str = "cpu", runs: dict[str, Run] | None = None) -> list[dict]:
    """Train every cell, or those that the log in ``folder`` lacks; leaves log, scores and a card of all.

    Gives back the scores.
    """
    runs = RUNS if runs is None else runs
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    cells = ((name, reader, seed) for name in runs for seed in SEEDS for reader in runs[name].readers)
    log = Log(folder / "log.jsonl").fill(
        ("run", "reader", "seed"), cells, lambda name, reader, seed: cell(runs[name], reader, seed, device)
    )
    scores = summary(log, runs)
    (folder / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(wrapped(card(scores, runs, device)), encoding="utf-8", newline="\n")
    return scores


def cell(run: Run, kind: str, seed: int, device: str = "cpu") -> dict:
    """One reader trained on one run's questions: its sizes, and the share of each size it answers right."""
    task = TASKS[run.task]
    torch.manual_seed(seed)
    reader = Reader(kind, task.vocab_size, task.answers).to(device)
    drawn = Drawn(task, run.trained, BATCH, seed)
    losses = fit(reader, lambda step: tuple(part.to(device) for part in drawn(step)), run.steps, LR)
    return {
        "parameters": sum(parameter.numel() for parameter in reader.parameters()),
        "step": run.steps,
        "loss": mean(losses[-50:]),
        "sizes": list(run.tested),
        "accuracy": accuracy(reader.cpu(), task, run.tested, ASKED),
    }


def summary(log: list[dict], runs: dict[str, Run]) -> list[dict]:
    """For every run and reader the mean over the seeds, the lowest and the highest, at each size."""
    scores = []
    for name, run in runs.items():
        for reader in run.readers:
            found = [line for line in log if (line["run"], line["reader"]) == (name, reader)]
            columns = list(zip(*(line["accuracy"] for line in found), strict=True))
            scores.append({
                "run": name,
                "reader": reader,
                "parameters": found[0]["parameters"],
                "steps": run.steps,
                "seeds": len(found),
                "sizes": found[0]["sizes"],
                "mean": [round(mean(column), 4) for column in columns],
                "low": [round(min(column), 4) for column in columns],
                "high": [round(max(column), 4) for column in columns],
            })  # fmt: skip
    return scores


def card(scores: list[dict], runs: dict[str, Run], device: str) -> str:
    """What was trained, on what, and a table of each run."""
    tables = []
    for name, run in runs.items():
        rows = [score for score in scores if score["run"] == name]
        sizes = " | ".join(str(size) for size in rows[0]["sizes"])
        tables.append(f"\n## {name}: {run.steps} steps\n\n| reader | parameters | seeds | {sizes} |")
        tables.append("|---|---:|---:|" + "---:|" * len(rows[0]["sizes"]))
        for row in rows:
            cells = zip(row["mean"], row["low"], row["high"], strict=True)
            shown = " | ".join(f"{m:.2f} ({a:.2f}-{b:.2f})" for m, a, b in cells)
            tables.append(f"| {row['reader']} | {row['parameters']:,} | {row['seeds']} | {shown} |")
    return CARD.format(
        cells=sum(score["seeds"] for score in scores),
        batch=BATCH,
        lr=LR,
        asked=ASKED,
        device=device_name(device),
        tables="\n".join(tables) + "\n",
    )
