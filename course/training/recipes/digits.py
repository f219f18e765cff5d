"""A Vision Transformer that reads handwritten digits, a small convolutional network and a linear map beside.

And on the small digits, with several seeds: what shuffling the patches costs each.
"""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from course.data import digits
from course.data.digits import Digits, shifted
from course.models.any_sequence import Linear, Saved, n_parameters
from course.models.seq2seq import fit
from course.models.vision import SmallCNN, ViT, ViTConfig, from_patches, patches
from course.training.report import write_report
from course.training.trainer import Trainer, TrainingConfig, device_name

CARD = """\
# Digits: a Vision Transformer

A Vision Transformer (`course.models.vision.ViT`) of {parameters:,} parameters, stored as float16: pictures of
28 × 28 points in 49 patches of 4 × 4, and the encoder block of notebook 04 three times.

- Data: MNIST's 10,000 test pictures (© Yann LeCun and Corinna Cortes, CC BY-SA 3.0), split here: 8,000 to
  train on, 2,000 (the last thousand of each half) to test with. MNIST's own 60,000 training pictures were not
  used, so no number below can be set beside published ones.
- Sizes: `{sizes}`
- Training: `{settings}`, {batch} pictures a step, each moved by up to {reach} points
- Cost: {last[step]} steps in {last[seconds]:.0f} seconds on {device}

| on the 2,000 | right | parameters |
|---|---:|---:|
{rows}

## What the patches' order is worth

On the 1,797 small digits of 8 × 8 points (2 × 2 a patch; 1,400 to train on, 397 to test with),
{small_steps} steps of {small_batch}, mean of {seeds} seeds (lowest to highest):

| | as they are | one shuffle, the same for all |
|---|---:|---:|
{shuffles}
"""

MODEL = ViTConfig(d_model=48, d_ff=96, n_layers=3)
TRAINING = TrainingConfig(
    steps=5000,
    peak_lr=2e-3,
    warmup=200,
    decay="cosine",
    betas=(0.9, 0.99),
    eps=1e-8,
    weight_decay=0.05,
    log_every=50,
    save_every=500,
)
BATCH, REACH = 32, 2
BESIDE = {"CNN": (1500, 2e-3), "linear": (3000, 2e-3)}
"""Steps and learning rate of what is set beside."""
SMALL = ViTConfig(side=8, patch=2, d_model=32, d_ff=64, n_layers=2)
SMALL_STEPS, SMALL_BATCH, SMALL_LR, SEEDS = 400, 64, 3e-3, range(3)
ORDERS = ("as they are", "fixed")


def batches(data: Digits, batch: int, reach: int, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Pictures, drawn and moved, and what they show: a function of the step and the seed alone."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + step)
    chosen = torch.randint(len(data.labels), (batch,), generator=generator)
    images = data.images[chosen]
    return shifted(images, reach, generator) if reach else images, data.labels[chosen]


def train(folder: str | Path, device: str = "cpu", progress: bool = True) -> ViT:
    """Repeat the recipe, or go on with it, in ``folder``."""
    folder = Path(folder)
    trained, tested = digits.trained(), digits.held_out()
    torch.manual_seed(TRAINING.seed)
    drawn = partial(batches, trained, BATCH, REACH, TRAINING.seed)
    trainer = Trainer(
        ViT(MODEL), drawn, TRAINING, folder, device, lambda m: {"accuracy": m.accuracy(*tested)}
    )
    trainer.run(progress).save(folder / "model", torch.float16)
    vit = ViT.from_pretrained(folder / "model")
    scores = {"ViT": {"accuracy": vit.accuracy(*tested), "parameters": n_parameters(vit)}}
    for name, (steps, lr) in BESIDE.items():
        torch.manual_seed(0)
        model = SmallCNN(digits.SIDE) if name == "CNN" else Linear(digits.SIDE**2, 10)
        fit(model, partial(batches, trained, BATCH, REACH if name == "CNN" else 0, 0), steps, lr)
        scores[name] = {"accuracy": model.accuracy(*tested), "parameters": n_parameters(model)}
    scores["shuffles"] = shuffles()
    write_report(folder, scores, card(folder, scores, device))
    return vit


# --------------------------------------------------------------------------------------------------
# Shuffled patches
# --------------------------------------------------------------------------------------------------


def small_model(kind: str) -> Saved:
    """One of the three readers of small digits: "ViT", "CNN" or "linear"."""
    return {"ViT": lambda: ViT(SMALL), "CNN": lambda: SmallCNN(8), "linear": lambda: Linear(64, 10)}[kind]()


def reordered(images: Tensor, order: str, seed: int) -> Tensor:
    """Pictures whose patches of 2 × 2 are where they were, or for "fixed" all in one other order."""
    if order == "as they are":
        return images
    cut = patches(images, SMALL.patch)
    places = torch.randperm(cut.shape[1], generator=torch.Generator().manual_seed(seed))
    return from_patches(cut[:, places], SMALL.patch, SMALL.side)


def shuffles() -> dict[str, dict[str, list[float]]]:
    """For each reader and each order, the share right of every seed; trained and tested on that order."""
    found: dict[str, dict[str, list[float]]] = {}
    for kind in ("ViT", "CNN"):
        found[kind] = {order: [small_score(kind, order, seed) for seed in SEEDS] for order in ORDERS}
    return found


def small_score(kind: str, order: str, seed: int) -> float:
    """One reader, trained on the small digits in one order and tested on others in it."""
    train, test = (
        Digits(reordered(part.images, order, 7), part.labels)
        for part in (digits.small("train"), digits.small("test"))
    )
    torch.manual_seed(seed)
    model = small_model(kind)
    fit(model, partial(batches, train, SMALL_BATCH, 0, seed), SMALL_STEPS, SMALL_LR)
    return model.accuracy(*test)


# --------------------------------------------------------------------------------------------------
# The card
# --------------------------------------------------------------------------------------------------


def card(folder: Path, scores: dict, device: str) -> str:
    """What was trained on what, and how well it does."""
    last = json.loads((folder / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    rows = [f"| {name} | {scores[name]['accuracy']:.1%} | {scores[name]['parameters']:,} |" for name in
            ("ViT", *BESIDE)]  # fmt: skip
    shuffled = [f"| {kind} | " + " | ".join(_span(of[order]) for order in ORDERS) + " |" for kind, of in
                scores["shuffles"].items()]  # fmt: skip
    return CARD.format(
        parameters=scores["ViT"]["parameters"], sizes=json.dumps(asdict(MODEL)), batch=BATCH, reach=REACH,
        settings=json.dumps(asdict(TRAINING)), last=last, device=device_name(device), rows="\n".join(rows),
        small_steps=SMALL_STEPS, small_batch=SMALL_BATCH, seeds=len(SEEDS), shuffles="\n".join(shuffled),
    )  # fmt: skip


def _span(values: list[float]) -> str:
    return f"{sum(values) / len(values):.1%} ({min(values):.1%}–{max(values):.1%})"
