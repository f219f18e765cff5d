"""One small GPT of characters that adds, spells, translates, copies, looks up, as its prompt's examples ask.

Every training text holds many examples of one task, all of them answered: it is a prompt with 0 shots, one
with 1, with 2, ... at once. No text names its task. Half are written in their task's usual format, the others
in any of those trained. Sums that are held out, in either order, and misspellings that are held out never
occur in training.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from course.in_context.few_shot import FewShotModel, wilson_interval
from course.in_context.prompts import CHARACTERS, TRAINED_FORMATS, UNSEEN_FORMAT, Format, encode, usual_format
from course.in_context.tasks import TASKS, Example, draw_sums
from course.in_context.words import COMMON_WORDS, TRANSLATIONS
from course.models.gpt import GPT, GPTConfig
from course.models.rotary_gpt import RotaryGPT
from course.training.muon import IN_A_CARD, muon
from course.training.report import write_report
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

CARD = """\
# Few-shot

A GPT of {parameters:.2f} million parameters, with rotary positions, that reads examples of a task and goes on
with it: addition, spelling, translation of French words, copying, reversal, looking up. Stored as float16.

- Data: made as it trains, from random numbers and letters and two lists of words written for this course
  ({pairs} French words with their English; {words} common English words, misspelt by rule); licence CC0
- Answers in digits are written backwards, the ones first (Lee et al. 2023); `flip_answers` turns them round
- Held out: a tenth of all sums of two numbers from 0 to 999, in either order, and of the misspellings. No
  word to translate can be held out: a prompt of other words does not say what it means
- Sizes: `{sizes}`
- Training: `{settings}`, {batch} texts a batch{optimizer}
- Cost: {last[step]} steps in {last[seconds]:.0f} seconds on {device}

Exactly right after so many shots, in per cent, of {prompts} new prompts a task, each of as many examples as
fit; sums and misspellings held out:

| task | format | 0 | 1 | 2 | 4 | most shots | all shots but 0 (95 % interval) |
| --- | --- | --- | --- | --- | --- | --- | --- |
{rows}
"""

MODEL = GPTConfig(
    len(CHARACTERS), d_model=128, n_heads=4, n_layers=4, max_length=168, dropout=0.0, activation="relu"
)
TRAINING = TrainingConfig(
    steps=7000,
    peak_lr=3e-3,
    warmup=200,
    decay="cosine",
    betas=(0.9, 0.98),
    eps=1e-8,
    weight_decay=0.01,
    log_every=50,
    save_every=250,
    bfloat16=True,
)
BATCH = 16
SHARES = {
    "addition": 0.36,
    "spelling": 0.22,
    "translation": 0.1,
    "copying": 0.11,
    "reversal": 0.11,
    "lookup": 0.1,
}
"""How much of the training each task has."""
PROMPTS = 500
"""New prompts a task and format, for its scores."""
EXAMPLES = {name: 43 if name == "lookup" else 24 for name in SHARES}
"""More examples than a text has room for."""


def draw_text(random: np.random.Generator) -> tuple[list[Example], Format]:
    """The examples of one training text, and how they are written.

    Every second text of sums has short numbers as often as long ones: with them a carry is learned first.
    """
    task = TASKS[str(random.choice(list(SHARES), p=list(SHARES.values())))]
    usual = random.random() < 0.5
    format = usual_format(task) if usual else TRAINED_FORMATS[random.integers(len(TRAINED_FORMATS))]
    if task.name == "addition":
        return draw_sums(random, EXAMPLES["addition"], by_length=random.random() < 0.5), format
    return task.draw(random, EXAMPLES[task.name], False), format


def batches(step: int) -> tuple[Int[Tensor, "batch n"], Int[Tensor, "batch n"]]:
    """The ids and the targets of a step (from 0); only answers count."""
    random = np.random.default_rng([TRAINING.seed, step])
    encoded = encode([draw_text(random) for _ in range(BATCH)], MODEL.max_length)
    return encoded.ids, encoded.targets


def accuracies(
    model: FewShotModel, task: str, format: Format, prompts: int, seed: int = 1
) -> Float[Tensor, "shots"]:
    """The share of prompts answered exactly after 0, 1, ... shots, held-out questions where there are."""
    random = np.random.default_rng([seed, TRAINING.seed])
    drawn = [TASKS[task].draw(random, EXAMPLES[task], True) for _ in range(prompts)]
    return model.is_right(drawn, format).double().mean(dim=0)


def watch(gpt: GPT) -> dict[str, float]:
    """The accuracy of each task after one shot and more."""
    model = FewShotModel(gpt)
    return {
        task: accuracies(model, task, usual_format(TASKS[task]), prompts=16)[1:].mean().item()
        for task in TASKS
    }


def evaluate(gpt: GPT) -> dict[str, dict]:
    """For every task, in its usual format and the one never trained: accuracy by the number of shots."""
    model, scores = FewShotModel(gpt), {}
    for name, task in TASKS.items():
        for kind, format in (("usual", usual_format(task)), ("unseen", UNSEEN_FORMAT)):
            found = accuracies(model, name, format, PROMPTS)
            asked = PROMPTS * (len(found) - 1)
            right = round(found[1:].sum().item() * PROMPTS)
            scores[f"{name}, {kind} format"] = {
                "accuracy_by_shots": [round(share, 4) for share in found.tolist()],
                "asked_with_shots": asked,
                "right_with_shots": right,
                "interval": [round(bound, 4) for bound in wilson_interval(right, asked)],
            }
    return scores


def train(folder: str | Path, device: str = "cpu", progress: bool = True) -> GPT:
    """Repeat the recipe, or go on with it, in ``folder``."""
    folder = Path(folder)
    torch.manual_seed(TRAINING.seed)
    trainer = Trainer(RotaryGPT(MODEL), batches, TRAINING, folder, device, watch, optimizer=muon)
    trainer.run(progress).save(folder / "model", torch.float16)
    gpt = RotaryGPT.from_pretrained(folder / "model")
    scores = evaluate(gpt)
    write_report(folder, scores, card(folder, gpt, scores, device))
    return gpt


def card(folder: Path, gpt: GPT, scores: dict[str, dict], device: str) -> str:
    """The checkpoint's README."""
    return CARD.format(
        parameters=sum(parameter.numel() for parameter in gpt.parameters()) / 1e6,
        pairs=len(TRANSLATIONS),
        words=len(COMMON_WORDS),
        sizes=json.dumps(asdict(gpt.config)),
        settings=json.dumps(asdict(TRAINING)),
        batch=BATCH,
        optimizer=IN_A_CARD,
        last=Log(folder / "log.jsonl").read()[-1],
        device=device_name(device),
        prompts=PROMPTS,
        rows="\n".join(_row(name, score) for name, score in scores.items()),
    )


def _row(name: str, score: dict) -> str:
    shares = score["accuracy_by_shots"]
    cells = [f"{100 * shares[shots]:.1f}" for shots in (0, 1, 2, 4, -1)]
    low, high = score["interval"]
    mean = score["right_with_shots"] / score["asked_with_shots"]
    cells.append(f"{100 * mean:.2f} ({100 * low:.2f} to {100 * high:.2f})")
    return "| " + " | ".join([*name.split(", "), *cells]) + " |"
