"""Which way does the shape move? Squares of two frames each into the encoder; one frame; frames shuffled."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course.data.moving_shapes import FRAMES, SIDE, WAYS, draw, shuffled
from course.models.any_sequence import Linear, Saved, SequenceConfig, SequenceEncoder
from course.models.seq2seq import fit
from course.models.vision import film_patches
from course.training.recipes.sequences import SequenceRecipe
from course.training.trainer import TrainingConfig

PATCH, DEEP, BATCH, TESTED = 4, 2, 64, 1_000
"""Points a side of a token's square, frames that a token holds; films a step and in the test."""
SIZES = {"d_model": 48, "n_heads": 4, "d_ff": 96, "n_layers": 2}
STEPS, LR = 600, 2e-3


def tokens(films: Tensor) -> Tensor:
    """Films as the shipped encoder reads them."""
    return film_patches(films, PATCH, DEEP)


def sizes(frames: int, deep: int) -> SequenceConfig:
    """Those of an encoder for films of so many frames, so many of them in a token."""
    n_tokens = frames // deep * (SIDE // PATCH) ** 2
    return SequenceConfig(PATCH**2 * deep, n_tokens, len(WAYS), **SIZES)


def batches(seed: int, frames: int = FRAMES, deep: int = DEEP):
    """New films at every step."""

    def of(step: int):
        films, ways = draw(BATCH, seed=10_000 * (seed + 1) + step, frames=frames)
        return film_patches(films, PATCH, deep), ways

    return of


def tested(frames: int = FRAMES, deep: int = DEEP):
    """Films that no step draws."""
    films, ways = draw(TESTED, seed=1, frames=frames)
    return film_patches(films, PATCH, deep), ways


def linear(_: SequenceEncoder) -> list[float]:
    """A linear map of every point of every frame."""
    return [_score(lambda: Linear(FRAMES * SIDE**2, len(WAYS)), seed) for seed in range(3)]


def one_frame(_: SequenceEncoder) -> list[float]:
    """The same encoder, given one frame."""
    return [_score(lambda: SequenceEncoder(sizes(1, 1)), seed, frames=1, deep=1) for seed in range(3)]


def one_frame_tokens(_: SequenceEncoder) -> list[float]:
    """The same encoder and films; but a token holds a square of one frame, and not of two."""
    return [_score(lambda: SequenceEncoder(sizes(FRAMES, 1)), seed, deep=1) for seed in range(3)]


def in_disorder(encoder: SequenceEncoder) -> list[float]:
    """The trained encoder, given the frames of each film in an order of their own."""
    films, ways = draw(TESTED, seed=1)
    return [encoder.accuracy(tokens(shuffled(films, torch.Generator().manual_seed(0))), ways)]


def _score(make: Callable[[], Saved], seed: int, frames: int = FRAMES, deep: int = DEEP) -> float:
    torch.manual_seed(seed)
    model = make()
    fit(model, batches(seed, frames, deep), STEPS, LR)
    return model.accuracy(*tested(frames, deep))


RECIPE = SequenceRecipe(
    title="Moving shapes",
    data="films that the course draws (`course.data.moving_shapes`), CC0; a token is a square of "
    "4 × 4 points in two frames",
    tested_on="films that were not trained on",
    model=sizes(FRAMES, DEEP),
    training=TrainingConfig(
        steps=STEPS, peak_lr=LR, warmup=50, decay="cosine", betas=(0.9, 0.99), eps=1e-8, log_every=50,
        save_every=100,
    ),
    batch=BATCH,
    batches=batches,
    tested=tested,
    beside={
        "linear, all frames": linear,
        "encoder, one frame": one_frame,
        "encoder, tokens of one frame": one_frame_tokens,
        "encoder, frames shuffled": in_disorder,
    },
)  # fmt: skip
train = RECIPE.train
