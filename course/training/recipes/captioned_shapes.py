"""From words to pictures: a codebook of image tokens by k-means, and a GPT from captions to these tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from course.data.shapes import (
    COLOURS,
    KINDS,
    PLACES,
    THINGS,
    caption,
    draw,
    held_out,
    random_scenes,
    vocabulary,
)
from course.models.gpt import GPT, GPTConfig
from course.models.picture_codes import kmeans, to_patches
from course.models.picture_writer import CAPTION, PICTURE, PictureWriter, training_rows
from course.studies.captioned_pictures import NearestCaption, picture_scores
from course.training.log import Log
from course.training.muon import IN_A_CARD, muon
from course.training.report import write_report
from course.training.trainer import Trainer, TrainingConfig, device_name

CARD = """\
# From captions to pictures

A GPT of {parameters:.2f} million parameters that reads a caption of at most {caption} words and writes the
{picture} tokens of a picture of 36 × 36 points, and the codebook of these tokens: {codes} squares of 4 × 4
points. Stored as float16.

- Data: drawn and said by the course as it trains (`course.data.shapes`): two or three things, {kinds} kinds
  in {colours} colours at {places} places, in several wordings; licence CC0. {held} of {all_of_them}
  combinations of kind, colour and place are never drawn in training. In {vague:.0%} of the captions a thing
  is said without its place or without its colour.
- Codebook: k-means on the squares of {for_codes:,} training scenes
- Sizes: `{sizes}`
- Training: `{settings}`, {batch} scenes a step{optimizer}
- Cost: {last[step]:,} steps in {last[seconds]:.0f} seconds on {device}

A picture is *exact* if all its {picture} tokens are those of the scene that the caption tells of, and a thing
is right if its nine are. The likeliest token is taken each time; {tested:,} scenes a row, of two or three
things. "New" scenes have nothing but combinations that training never had. The baseline gives the picture
of the most similar of {kept:,} training captions.

| scenes | drawn by | exact | 95 % | things right | tokens right | tokens on things |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
"""

CODES, FOR_CODES = 256, 1000
"""Image tokens, and the scenes that they are learned from."""
MODEL = GPTConfig(
    vocab_size=PictureWriter.tokens(CODES, len(vocabulary())),
    d_model=128,
    n_heads=4,
    n_layers=4,
    max_length=114,
    dropout=0.0,
)
TRAINING = TrainingConfig(
    steps=800,
    peak_lr=3e-3,
    warmup=50,
    decay="cosine",
    betas=(0.9, 0.99),
    eps=1e-8,
    log_every=50,
    save_every=200,
)
BATCH, VAGUE = 32, 0.15
TESTED, KEPT = 1000, 20_000
"""Scenes a test, and captions to learn from that the baseline looks through."""


@cache
def codebook() -> Float[Tensor, "codes numbers"]:
    """The image tokens: k-means on the squares of training scenes."""
    pictures = draw(torch.from_numpy(random_scenes(FOR_CODES, seed=(5,))))
    return kmeans(to_patches(pictures).flatten(0, 1), CODES)


def untrained(seed: int = TRAINING.seed) -> PictureWriter:
    """The model as it begins."""
    torch.manual_seed(seed)
    return PictureWriter(GPT(MODEL), codebook())


def captioned(
    writer: PictureWriter, n: int, seed: Sequence[int], new: bool = False, vague: float = 0.0
) -> tuple[list[str], Int[np.ndarray, "n 9"], Int[Tensor, "n 33"]]:
    """Captions, the scenes that they tell of, and the prompts that they make."""
    scenes, random = random_scenes(n, new, seed=seed), np.random.default_rng([*seed, 1])
    texts = [caption(scene, random, vague) for scene in scenes]
    return texts, scenes, torch.stack([writer.prompt(writer.read(text)) for text in texts])


class Batches:
    """The captions and pictures of a step, drawn anew for every step."""

    def __init__(self, writer: PictureWriter, size: int = BATCH, seed: int = TRAINING.seed):
        self.writer, self.size, self.seed = writer, size, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        _, scenes, prompts = captioned(self.writer, self.size, (self.seed, step), vague=VAGUE)
        return training_rows(prompts, self.writer.scene_codes(torch.from_numpy(scenes)))


def evaluate(
    writer: PictureWriter, tested: int = TESTED, kept: int = KEPT
) -> dict[str, dict[str, dict[str, float]]]:
    """On seen combinations and on new ones, each in scenes never drawn before: the model and the baseline."""
    texts, scenes, _ = captioned(writer, kept, (TRAINING.seed, 10**6))
    nearest = NearestCaption(texts, writer.scene_codes(torch.from_numpy(scenes)))
    found = {}
    for name, new in (("seen", False), ("new", True)):
        texts, scenes, prompts = captioned(writer, tested, (2, int(new)), new)
        scenes = torch.from_numpy(scenes)
        wanted = writer.scene_codes(scenes)
        drawn = {"GPT": torch.cat([writer.write(part) for part in prompts.split(100)])}
        drawn["nearest caption"] = nearest(texts)
        found[name] = {by: picture_scores(codes, wanted, scenes) for by, codes in drawn.items()}
    return found


def watch(gpt: GPT) -> dict[str, float]:
    """On 100 new scenes: the shares of exact pictures, of right things and of right tokens."""
    writer = PictureWriter(gpt, codebook())
    _, scenes, prompts = captioned(writer, 100, (3,), new=True)
    scenes = torch.from_numpy(scenes)
    scores = picture_scores(writer.write(prompts), writer.scene_codes(scenes), scenes)
    return {f"{name}_right": scores[name] for name in ("exact", "things", "tokens")}


def train(folder: str | Path, device: str = "cpu", progress: bool = True) -> PictureWriter:
    """Repeat the recipe, or go on with it, in ``folder``."""
    folder, writer = Path(folder), untrained()
    trainer = Trainer(writer.gpt, Batches(writer), TRAINING, folder, device, watch, optimizer=muon)
    writer.gpt = trainer.run(progress)
    writer.save(folder / "model", torch.float16)
    writer = PictureWriter.from_pretrained(folder / "model")
    scores = evaluate(writer)
    write_report(folder, scores, card(folder, writer, scores, device))
    return writer


def card(folder: Path, writer: PictureWriter, scores: dict, device: str) -> str:
    """The checkpoint's README."""
    return CARD.format(
        parameters=sum(parameter.numel() for parameter in writer.gpt.parameters()) / 1e6,
        caption=CAPTION,
        picture=PICTURE,
        codes=CODES,
        for_codes=FOR_CODES,
        kinds=len(KINDS),
        colours=len(COLOURS),
        places=len(PLACES),
        held=int(held_out().sum()),
        all_of_them=THINGS * len(PLACES),
        vague=VAGUE,
        sizes=asdict(MODEL),
        settings=json.dumps(asdict(TRAINING)),
        batch=BATCH,
        optimizer=IN_A_CARD,
        last=Log(folder / "log.jsonl").read()[-1],
        device=device_name(device),
        tested=TESTED,
        kept=KEPT,
        rows="\n".join(_row(name, by, of[by]) for name, of in scores.items() for by in of),
    )


def _row(scenes: str, by: str, of: dict[str, float]) -> str:
    interval = f"{of['low']:.1%} to {of['high']:.1%}"
    shares = " | ".join(f"{of[name]:.1%}" for name in ("things", "tokens", "tokens on things"))
    return f"| {scenes} | {by} | {of['exact']:.1%} | {interval} | {shares} |"
