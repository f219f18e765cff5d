"""The block of 2017 becomes a present one, part by part: the loss of each, at equal parameters and steps."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from statistics import mean

import torch

from course.data import tinyshakespeare
from course.models.efficient.grouped import cache_bytes
from course.models.present_block import GROUPS, HEADS, PARTS, PresentGPT, has
from course.training.batches import WindowBatches
from course.training.log import Log
from course.training.recipes.texts import write_scores
from course.training.report import wrapped
from course.training.trainer import Trainer, TrainingConfig, device_name

RATES, SEEDS = (1e-3, 3e-3), range(3)
STEPS, BATCH, LENGTH, JUDGED = 300, 12, 64, 400

CARD = """\
# The block of 2017 becomes a present one

No model, but what came of training {runs} GPTs of four layers, 128 wide, on the characters of tinyshakespeare
(Karpathy 2015), public domain text: {steps} batches of {batch} windows of {length} characters, AdamW, cosine,
each part at two peak rates and {seeds} seeds. Each row has the changes of those above it. The loss is in nats
a character, on {judged} windows of the last tenth: mean (lowest to highest) over the seeds. The cache is what
writing keeps of 1,024 tokens at two bytes a number. On {device}, other work running. `log.jsonl` has every
run.

| the block, with | parameters | loss at {slow} | loss at {fast} | cache, kB |
|---|---:|---:|---:|---:|
{rows}
"""


def train(folder: str | Path, device: str = "cpu") -> list[dict]:
    """Train every part, rate and seed that the log in ``folder`` lacks; leaves log, scores and a card."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)

    def run(seed: int, rate: float, part: str) -> dict:
        return cell(seed, rate, part, folder / f"{part}-{rate}-{seed}", device)

    runs = product(SEEDS, RATES, PARTS)
    scores = summary(Log(folder / "log.jsonl").fill(("seed", "rate", "part"), runs, run))
    write_scores(folder / "scores.json", scores)
    (folder / "README.md").write_text(wrapped(card(scores, device)), encoding="utf-8", newline="\n")
    return scores


def cell(seed: int, rate: float, part: str, folder: Path, device: str = "cpu") -> dict:
    """One model trained, and its loss on text that it has not seen."""
    corpus = tinyshakespeare.plays()
    torch.manual_seed(seed)
    model = PresentGPT(len(corpus.characters), part)
    trained, held_out = (corpus.characters.encode(text) for text in (corpus.train, corpus.validation))
    config = TrainingConfig(
        steps=STEPS, peak_lr=rate, warmup=min(60, STEPS), decay="cosine", betas=(0.9, 0.99), eps=1e-8,
        weight_decay=0.1, seed=seed,
    )  # fmt: skip
    batches = WindowBatches(trained, LENGTH, BATCH, seed)
    model = Trainer(model, batches, config, folder, device).run(progress=False)
    unseen = WindowBatches(held_out, LENGTH, JUDGED)(0)  # the same windows for every model
    with torch.no_grad():
        loss = model.eval().loss(*(x.to(model.embedding.weight.device) for x in unseen)).item()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {"parameters": parameters, "loss": loss}


def summary(log: list[dict]) -> list[dict]:
    """A row for each part: at each rate the mean, the lowest and the highest loss of its seeds; the cache."""
    rows = []
    for part in PARTS:
        runs = [line for line in log if line["part"] == part]
        found = {str(rate): [line["loss"] for line in runs if line["rate"] == rate] for rate in RATES}
        groups = GROUPS if has(part, "grouped queries") else HEADS
        rows.append({
            "part": part,
            "parameters": runs[0]["parameters"],
            "seeds": len(runs) // len(RATES),
            "loss": {rate: [round(f(losses), 4) for f in (mean, min, max)] for rate, losses in found.items()},
            "cache": cache_bytes(1024, 4, groups, 128 // HEADS),
        })  # fmt: skip
    return rows


def card(scores: list[dict], device: str) -> str:
    """What was trained, and the table of the outcome."""
    rows = "\n".join(
        f"| {row['part']} | {row['parameters']:,} | "
        + " | ".join("{:.3f} ({:.3f} to {:.3f})".format(*row["loss"][str(rate)]) for rate in RATES)
        + f" | {row['cache'] / 1000:.0f} |"
        for row in scores
    )
    return CARD.format(
        runs=sum(row["seeds"] for row in scores) * len(RATES),
        steps=STEPS,
        batch=BATCH,
        length=LENGTH,
        seeds=scores[0]["seeds"],
        judged=JUDGED,
        device=device_name(device),
        slow=RATES[0],
        fast=RATES[1],
        rows=rows,
    )
