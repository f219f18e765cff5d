"""A transformer that learns linear regression from the pairs in its prompt, in 5 to 20 dimensions.

After Garg et al. 2022: every prompt has weights of its own, and the model never sees the same one twice.
Their curriculum is kept: prompts begin short and in few dimensions, and grow. Their model has 12 layers of
width 256 and takes 500,000 steps; this one is a twentieth of it and trains in less than an hour.
"""

import json
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from course.in_context.regression import NOISE, baselines, draw_regression
from course.in_context.regressor import InContextRegressor, RegressorConfig
from course.training.muon import IN_A_CARD, muon
from course.training.report import write_report
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

CARD = """\
# Linear regression in context

A decoder-only transformer of {parameters:.2f} million parameters that reads up to {sizes[points]} pairs (x,
y) and predicts each y from the pairs before it. Stored as float16.

- Data: made as it trains: x ~ N(0, I_d), w ~ N(0, I_d / d), y = w·x + {noise} · N(0, 1), d from {least} to
  {most} with zeros behind; licence CC0
- Sizes: `{sizes}`
- Training: `{settings}`, {batch} prompts a batch, the dimension at most {least} at first, growing to
  {most} over {growing:.0%} of the steps{optimizer}
- Cost: {last[step]} steps in {last[seconds]:.0f} seconds on {device}

Mean squared error against the noisy y on {prompts} new prompts a dimension. Ridge regression with the right
penalty is the best there is; "over it" says by how much the model's error is greater, ± its standard error.

| d | shots | model | ridge | least squares | nearest neighbour | over ridge |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
"""

MODEL = RegressorConfig()
TRAINING = TrainingConfig(
    steps=7_000,
    peak_lr=2e-3,
    warmup=300,
    decay="cosine",
    betas=(0.9, 0.99),
    eps=1e-8,
    log_every=100,
    save_every=500,
)
BATCH = 64
LEAST, MOST = 5, 20
"""The dimensions of a prompt lie between these, at the end of the curriculum."""
GROWING = 0.3
"""The share of the steps over which the curriculum grows."""
TEST_DIMENSIONS, TEST_SHOTS, TEST_PROMPTS = (5, 10, 15, 20), (5, 10, 20, 40), 4000


def largest_dimension(step: int, steps: int = TRAINING.steps) -> int:
    """The most dimensions of a prompt at this step: from 5 up to 20 in equal stretches, then 20.

    Source: Garg et al. 2022, appendix A.2.
    """
    return min(MOST, LEAST + int((MOST - LEAST + 1) * step / (GROWING * steps)))


def batches(step: int) -> tuple[Float[Tensor, "batch points width"], Float[Tensor, "batch points"]]:
    """The prompts of a step (from 0): in d dimensions at most, of 2 d + 1 pairs."""
    seed = int(np.random.default_rng([TRAINING.seed, step]).integers(2**62))
    generator = torch.Generator().manual_seed(seed)
    most = largest_dimension(step)
    d = torch.randint(LEAST, most + 1, (BATCH,), generator=generator)
    prompts = draw_regression(d, 2 * most + 1, MODEL.width, generator=generator)
    return prompts.x, prompts.y


@torch.no_grad()
def squared_errors(
    model: InContextRegressor, d: int, shots: int, prompts: int, seed: int = 1
) -> dict[str, Float[Tensor, "prompts"]]:
    """The squared errors of model and baselines after so many shots, all on the same new prompts."""
    generator = torch.Generator().manual_seed(seed)
    x, y, _ = draw_regression(torch.full((prompts,), d), shots + 1, generator=generator)
    parts = zip(x.split(500), y.split(500), strict=True)
    predictions = {"model": torch.cat([model(*part)[:, -1] for part in parts])}
    for name, estimator in baselines(d).items():
        predictions[name] = estimator(x[:, :-1], y[:, :-1], x[:, -1])
    return {name: (predicted - y[:, -1]).square() for name, predicted in predictions.items()}


def excess(errors: dict[str, Float[Tensor, "prompts"]]) -> tuple[float, float]:
    """By how much of ridge's error the model's is greater, and the standard error of that.

    Both errors are of the same prompts, so most of the chance in them is the same and cancels.
    """
    model, ridge = errors["model"].double(), errors["ridge (optimal)"].double()
    ratio = model.mean() / ridge.mean()
    spread = (model - ratio * ridge).std() / len(ridge) ** 0.5 / ridge.mean()
    return ratio.item() - 1, spread.item()


def watch(model: InContextRegressor) -> dict[str, float]:
    """In 10 dimensions, after 20 shots: the model's error and the best possible on the same prompts."""
    errors = squared_errors(model, d=10, shots=20, prompts=500)
    return {"error": errors["model"].mean().item(), "ridge_error": errors["ridge (optimal)"].mean().item()}


def evaluate(model: InContextRegressor) -> list[dict[str, float]]:
    """For several dimensions and numbers of shots, the mean squared error of model and baselines."""
    scores = []
    for d, shots in product(TEST_DIMENSIONS, TEST_SHOTS):
        errors = squared_errors(model, d, shots, TEST_PROMPTS)
        over, spread = excess(errors)
        found = {name: round(error.mean().item(), 4) for name, error in errors.items()}
        found |= {"over ridge": round(over, 4), "standard error": round(spread, 4)}
        scores.append({"d": d, "shots": shots} | found)
    return scores


def train(folder: str | Path, device: str = "cpu", progress: bool = True) -> InContextRegressor:
    """Repeat the recipe, or go on with it, in ``folder``."""
    folder = Path(folder)
    torch.manual_seed(TRAINING.seed)
    options = {"optimizer": muon, "tokens": lambda x, y: y.numel()}  # a pair counts as one
    trainer = Trainer(InContextRegressor(MODEL), batches, TRAINING, folder, device, watch, **options)
    trainer.run(progress).save(folder / "model", torch.float16)
    model = InContextRegressor.from_pretrained(folder / "model")
    scores = evaluate(model)
    write_report(folder, scores, card(folder, model, scores, device))
    return model


def card(folder: Path, model: InContextRegressor, scores: list[dict[str, float]], device: str) -> str:
    """The checkpoint's README."""
    return CARD.format(
        parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        noise=NOISE,
        least=LEAST,
        most=MOST,
        sizes=asdict(model.config),
        settings=json.dumps(asdict(TRAINING)),
        batch=BATCH,
        optimizer=IN_A_CARD,
        growing=GROWING,
        last=Log(folder / "log.jsonl").read()[-1],
        device=device_name(device),
        prompts=TEST_PROMPTS,
        rows="\n".join(map(_row, scores)),
    )


def _row(score: dict[str, float]) -> str:
    names = ("model", "ridge (optimal)", "least squares", "nearest neighbour")
    over = f"{100 * score['over ridge']:.1f} % ± {100 * score['standard error']:.1f}"
    cells = [score["d"], score["shots"], *(f"{score[name]:.4f}" for name in names), over]
    return "| " + " | ".join(map(str, cells)) + " |"
