"""Trained on the digits 0 to 4, asked about 5 to 9: what pictures of one kind teach about another."""

import copy
import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch

from course.data import digits
from course.data.digits import Digits
from course.models.any_sequence import n_parameters
from course.models.seq2seq import fit
from course.models.vision import ViT
from course.studies.few_labels import few_of_each, mean_and_interval, probe, tuned
from course.training.recipes.digits import BATCH, REACH, batches
from course.training.recipes.digits import MODEL as OF_DIGITS
from course.training.report import write_report
from course.training.trainer import Trainer, TrainingConfig, device_name

CARD = """\
# New digits: what seeing some teaches about others

A Vision Transformer of {parameters:,} parameters, stored as float16, that was trained on the digits 0 to 4,
each in four quarter turns, to say which digit and which turn: 20 classes. It never saw a 5, 6, 7, 8 or 9. Of
{n_old} held-out pictures of 0 to 4, turned, it names {old:.1%} right.

- Data: MNIST's 10,000 test pictures (© Yann LeCun and Corinna Cortes, CC BY-SA 3.0), those of 0 to 4 among
  the 8,000 to train on. The new ones are the {n_new} pictures of 5 to 9 among the 2,000 held out: labels are
  drawn from the first half, and the second half is the test.
- Sizes: `{sizes}`
- Training: `{settings}`, {batch} pictures a step, each moved by up to {reach} points
- Cost: {last[step]} steps in {last[seconds]:.0f} seconds on {device}

Right, of 5 to 9 (chance is 20 %), by how many labels each of the five has: the mean of {draws} draws and its
95 % interval. Every way sees the same labels. Frozen: a linear map of the class token, nothing else moves.
Tuned: every weight moves, {steps} steps. From scratch: the same steps, from random weights. Frozen, short
schooling: of an encoder trained for {short} steps on upright digits alone, 5 classes.

The turns and the longer training were chosen because the short schooling had helped so little: a finding,
and a choice made on this curve.

| labels of each | {ways} |
|---|{lines}|
{rows}
"""

MODEL = replace(OF_DIGITS, n_classes=20)
TRAINING = TrainingConfig(
    steps=5000, peak_lr=2e-3, warmup=200, decay="cosine", betas=(0.9, 0.99), eps=1e-8, weight_decay=0.05,
    log_every=50, save_every=500,
)  # fmt: skip
OLD, NEW = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)
KS, DRAWS, STEPS, SHORT = (1, 2, 5, 10, 20), 8, 200, 1000
WAYS = ("linear, on the points", "from scratch", "frozen, short schooling", "frozen", "tuned")
TRAINED_DRAWS = 4
"""Draws of the two ways that train every weight; the two linear ones take milliseconds and have ``DRAWS``."""


def new_digits() -> tuple[Digits, Digits]:
    """The held-out pictures of 5 to 9, labelled from 0: a half to draw labels from, a half to test with."""
    every = digits.held_out().of(*NEW)
    half = len(every.labels) // 2
    parts = slice(None, half), slice(half, None)
    return tuple(Digits(every.images[part], every.labels[part] - NEW[0]) for part in parts)


def train(folder: str | Path, device: str = "cpu", progress: bool = True) -> ViT:
    """Repeat the recipe, or go on with it, in ``folder``: the encoder, then the curve."""
    folder = Path(folder)
    tested = turned(digits.held_out().of(*OLD), torch.Generator().manual_seed(0))
    torch.manual_seed(TRAINING.seed)
    drawn = partial(turned_batches, digits.trained().of(*OLD), TRAINING.seed)
    trainer = Trainer(
        ViT(MODEL), drawn, TRAINING, folder, device, lambda m: {"accuracy": m.accuracy(*tested)}
    )
    trainer.run(progress).save(folder / "model", torch.float16)
    vit = ViT.from_pretrained(folder / "model")
    scores = {
        "old": vit.accuracy(*tested),
        "parameters": n_parameters(vit),
        "curve": curve(vit, short_schooling()),
    }
    write_report(folder, scores, card(folder, scores, device))
    return vit


def turned(data: Digits, generator: torch.Generator) -> Digits:
    """Each picture in one of four quarter turns; the label tells the digit and the turn: 4 · digit + turn."""
    turns = torch.randint(4, data.labels.shape, generator=generator)
    every = torch.stack([data.images.rot90(k, (-2, -1)) for k in range(4)])
    return Digits(every[turns, torch.arange(len(turns))], 4 * data.labels + turns)


def turned_batches(data: Digits, seed: int, step: int) -> Digits:
    """The batch of a step, turned: a function of the step and the seed alone."""
    generator = torch.Generator().manual_seed(7_000_003 * seed + step)
    return turned(Digits(*batches(data, BATCH, REACH, seed, step)), generator)


def short_schooling() -> ViT:
    """An encoder that was trained for less long and on less: upright digits, five classes."""
    torch.manual_seed(0)
    vit = ViT(replace(MODEL, n_classes=len(OLD)))
    fit(vit, partial(batches, digits.trained().of(*OLD), BATCH, REACH, 0), SHORT, TRAINING.peak_lr)
    return vit


def curve(vit: ViT, short: ViT, ks: tuple[int, ...] = KS, steps: int = STEPS) -> dict[str, list[list[float]]]:
    """For every way and every number of labels, the share right of each draw."""
    found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for k in ks:
        for way in WAYS:
            n = TRAINED_DRAWS if way in ("from scratch", "tuned") else DRAWS
            of = short if way == "frozen, short schooling" else vit
            found[way].append([round(score(of, way, k, draw, steps), 4) for draw in range(n)])
    return found


def score(vit: ViT, way: str, k: int, draw: int, steps: int = STEPS) -> float:
    """One way, with k labels of each new digit: which ones depends on the draw alone."""
    pool, tested = new_digits()
    chosen = few_of_each(pool.labels, k, torch.Generator().manual_seed(100 * k + draw))
    images, labels = pool.images[chosen], pool.labels[chosen]
    if way.startswith(("frozen", "linear")):
        with torch.no_grad():
            seen, asked = (
                (vit.features(x) if way.startswith("frozen") else x.flatten(1))
                for x in (images, tested.images)
            )
        return (probe(seen, labels, len(NEW))(asked).argmax(-1) == tested.labels).float().mean().item()
    torch.manual_seed(draw)
    start = ViT(replace(vit.config, n_classes=len(NEW)))
    if way == "tuned":
        head = start.encoder.head
        start = copy.deepcopy(vit)
        start.encoder.head = head  # new classes: the last map starts at random
    return tuned(start, images, labels, steps, seed=draw).accuracy(*tested)


def card(folder: Path, scores: dict, device: str) -> str:
    """What was trained on what, and the curve as a table."""
    last = json.loads((folder / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    rows = []
    for i, k in enumerate(KS):
        spans = [mean_and_interval(scores["curve"][way][i]) for way in WAYS]
        rows.append(f"| {k} | " + " | ".join(f"{m:.1%} ({a:.1%}–{b:.1%})" for m, a, b in spans) + " |")
    pool, tested = new_digits()
    return CARD.format(
        parameters=scores["parameters"], old=scores["old"], n_old=len(digits.held_out().of(*OLD).labels),
        n_new=len(pool.labels) + len(tested.labels), 
        sizes=json.dumps(asdict(MODEL)), batch=BATCH, reach=REACH,
        settings=json.dumps(asdict(TRAINING)), last=last, device=device_name(device), steps=STEPS,
        short=SHORT,
        draws=f"{DRAWS} (trained ways: {TRAINED_DRAWS})", ways=" | ".join(WAYS), lines="---:|" * len(WAYS),
        rows="\n".join(rows),
    ).replace(":||", ":|")  # fmt: skip
