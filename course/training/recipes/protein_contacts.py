"""Contacts of a protein from its relatives: an attention layer trained on them, beside three counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from course.data import relatives
from course.models.factored_attention import FactoredAttention, FactoredConfig
from course.studies.contacts import (
    agreement,
    apc,
    contact_precision,
    contacts,
    coupling_norms,
    far_pairs,
    information_scores,
    mean_field_scores,
    relative_weights,
    shuffled,
)
from course.training.log import Log
from course.training.report import write_report
from course.training.trainer import Trainer, TrainingConfig, device_name

CARD = """\
# Contacts from relatives

One layer of attention of {parameters:,} parameters, trained to predict each letter of a protein's relatives
from the others (`course.models.factored_attention`). Stored as float16.

- Data: 6KWC and {relatives:,} relatives of it, {effective:.0f} effective ones at 80 % (`course/data/protein`,
  Apache-2.0 and CC BY 4.0)
- Sizes: `{sizes}`
- Training: `{settings}`, {batch} relatives a step; the decay is of the heads' tables alone; no structure
  is seen
- Cost: {last[step]:,} steps in {last[seconds]:.0f} seconds on {device}

Of the top pairs by score, the share that touch (β-carbons nearer than 8 Å) in a structure that OpenFold
**predicted** from this alignment and four templates: no experiment. L is {columns}, the protein's length;
pairs are 6 or more apart in the chain, or 24. "Chance" is the share of all such pairs that touch.

| score | top L | top L/2 | top L/5 | top L, 24 apart |
| --- | --- | --- | --- | --- |
{rows}

Attention from another beginning and order: top L {others}. With each column shuffled among the relatives,
mean-field gets {broken} (mean of {shuffles}).

| relatives, drawn at random | mean-field, top L (mean, lowest to highest of {draws}) |
| --- | --- |
{depths}

For another protein, 1A3A, there are two alignments by different searches and no structure: of the top L
pairs of one by mean-field, {agreed:.0%} are among those of the other (by chance {by_chance:.1%}).
"""

MODEL = FactoredConfig()
TRAINING = TrainingConfig(
    steps=500,
    peak_lr=3e-2,
    warmup=20,
    decay="cosine",
    betas=(0.9, 0.98),
    eps=1e-8,
    weight_decay=0.4,
    log_every=50,
    save_every=100,
)
BATCH = 16
OTHER_SEEDS = (1,)
DEPTHS, DRAWS, SHUFFLES = (10, 30, 100, 300), 5, 3


@cache
def known() -> tuple[Int[Tensor, "relative column"], Float[Tensor, "relative"], Tensor]:
    """The relatives, the weight of each, and which places touch."""
    of = relatives.family()
    return of.letters, relative_weights(of.letters), contacts(of.positions)


def decaying_values(model: FactoredAttention, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW that decays the heads' tables of letters alone: what few relatives say is then not believed.

    Queries and keys are left alone: decayed, every head would look everywhere.
    """
    tables = {"params": [model.value], "weight_decay": config.weight_decay}
    rest = {"params": [model.query, model.key, model.bias], "weight_decay": 0.0}
    return torch.optim.AdamW([tables, rest], lr=config.peak_lr, betas=config.betas, eps=config.eps)


class Batches:
    """Relatives drawn at random, with their weights."""

    def __init__(self, seed: int = TRAINING.seed):
        self.seed = seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        letters, weights, _ = known()
        chosen = torch.from_numpy(np.random.default_rng([self.seed, step]).permutation(len(letters))[:BATCH])
        return letters[chosen], weights[chosen]


def attention_scores(model: FactoredAttention) -> Float[Tensor, "column column"]:
    """What a trained layer says of every two places."""
    return apc(coupling_norms(model.couplings()))


def precisions(scores: Float[Tensor, "column column"]) -> dict[str, float]:
    """For several numbers of top pairs, the share that touch."""
    touching = known()[2]
    n = len(touching)
    asked = {"L": (n, 6), "L/2": (n // 2, 6), "L/5": (n // 5, 6), "L, 24 apart": (n, 24)}
    return {name: round(contact_precision(scores, touching, *of), 4) for name, of in asked.items()}


def watch(model: FactoredAttention) -> dict[str, float]:
    """How well the layer finds contacts by now, which training does not see."""
    found = precisions(attention_scores(model))
    return {name: found[name] for name in ("L", "L/5")}


def fit(folder: Path, seed: int, device: str = "cpu", progress: bool = True) -> FactoredAttention:
    """Train a layer from one beginning."""
    torch.manual_seed(seed)
    model = FactoredAttention(MODEL)
    config = TrainingConfig(**asdict(TRAINING) | {"seed": seed})
    options = {"optimizer": decaying_values}
    return Trainer(model, Batches(seed), config, folder, device, watch, **options).run(progress)


def chance(apart: int) -> float:
    """The share of pairs that touch."""
    rows, columns = far_pairs(len(known()[2]), apart)
    return known()[2][rows, columns].double().mean().item()


def by_counting() -> dict[str, dict[str, float]]:
    """The scores that need no training."""
    letters = known()[0]
    information = information_scores(letters)
    ways: dict[str, Callable[[], Tensor]] = {
        "mutual information": lambda: information,
        "mutual information, APC": lambda: apc(information),
        "mean-field, APC": lambda: mean_field_scores(letters),
    }
    near, far = round(chance(6), 4), round(chance(24), 4)
    by_luck = {"chance": {"L": near, "L/2": near, "L/5": near, "L, 24 apart": far}}
    return by_luck | {name: precisions(way()) for name, way in ways.items()}


def by_depth() -> dict[int, list[float]]:
    """Mean-field's precision at L from so many relatives, several draws; the protein is one of them."""
    letters, _, touching = known()
    found: dict[int, list[float]] = {}
    for depth in DEPTHS:
        for draw in range(DRAWS):
            order = np.random.default_rng([depth, draw]).permutation(len(letters) - 1)[: depth - 1]
            some = torch.cat([letters[:1], letters[1 + torch.from_numpy(order)]])
            precision = contact_precision(mean_field_scores(some), touching, len(touching))
            found.setdefault(depth, []).append(round(precision, 4))
    return found


def evaluate(model: FactoredAttention, others: list[FactoredAttention]) -> dict:
    """All that the card says."""
    letters, _, touching = known()
    n = len(touching)
    two = [mean_field_scores(of) for of in relatives.second_opinion().values()]
    pairs = far_pairs(len(two[0])).shape[1]
    return {
        "precision": by_counting() | {"attention, APC": precisions(attention_scores(model))},
        "attention, other seeds": [precisions(attention_scores(other))["L"] for other in others],
        "depth": by_depth(),
        "shuffled": [
            round(contact_precision(mean_field_scores(shuffled(letters, seed)), touching, n), 4)
            for seed in range(SHUFFLES)
        ],
        "second protein": {
            "agreed": round(agreement(*two, len(two[0])), 4),
            "by chance": round(len(two[0]) / pairs, 4),
        },
    }


def train(folder: str | Path, device: str = "cpu", progress: bool = True) -> FactoredAttention:
    """Repeat the recipe, or go on with it, in ``folder``."""
    folder = Path(folder)
    fit(folder, TRAINING.seed, device, progress).save(folder / "model", torch.float16)
    model = FactoredAttention.from_pretrained(folder / "model")
    others = [fit(folder / f"seed-{seed}", seed, device, progress) for seed in OTHER_SEEDS]
    scores = evaluate(model, others)
    write_report(folder, scores, card(folder, model, scores, device))
    return model


def card(folder: Path, model: FactoredAttention, scores: dict, device: str) -> str:
    """The checkpoint's README."""
    letters, weights, _ = known()
    return CARD.format(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        relatives=len(letters) - 1,
        effective=weights.sum().item(),
        columns=letters.shape[1],
        sizes=asdict(MODEL),
        settings=json.dumps(asdict(TRAINING)),
        batch=BATCH,
        last=Log(folder / "log.jsonl").read()[-1],
        device=device_name(device),
        rows="\n".join(
            f"| {name} | " + " | ".join(f"{p:.3f}" for p in of.values()) + " |"
            for name, of in scores["precision"].items()
        ),
        others=", ".join(f"{p:.3f}" for p in scores["attention, other seeds"]),
        broken=f"{np.mean(scores['shuffled']):.3f}",
        shuffles=SHUFFLES,
        draws=DRAWS,
        depths="\n".join(
            f"| {depth} | {np.mean(of):.3f} ({min(of):.3f} to {max(of):.3f}) |"
            for depth, of in scores["depth"].items()
        ),
        agreed=scores["second protein"]["agreed"],
        by_chance=scores["second protein"]["by chance"],
    )
