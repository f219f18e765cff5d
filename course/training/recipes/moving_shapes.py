"""Which way does the shape move? Patches of all frames into the encoder; one frame; frames shuffled."""

from __future__ import annotations

import torch

from course.data.moving_shapes import FRAMES, SIDE, WAYS, draw, shuffled
from course.models.any_sequence import Linear, SequenceConfig, SequenceEncoder
from course.models.seq2seq import fit
from course.models.vision import film_patches
from course.training.recipes.sequences import SequenceRecipe
from course.training.trainer import TrainingConfig

PATCH, BATCH, TESTED = 3, 64, 1_000
TOKENS = (SIDE // PATCH) ** 2


def batches(seed: int, frames: int = FRAMES):
    """New films at every step."""

    def of(step: int):
        films, ways = draw(BATCH, seed=10_000 * (seed + 1) + step, frames=frames)
        return film_patches(films, PATCH), ways

    return of


def tested(frames: int = FRAMES):
    """Films that no step draws."""
    films, ways = draw(TESTED, seed=1, frames=frames)
    return film_patches(films, PATCH), ways


def linear(_: SequenceEncoder) -> list[float]:
    """A linear map of every point of every frame."""
    torch.manual_seed(0)
    model = Linear(FRAMES * SIDE**2, len(WAYS))
    fit(model, batches(0), 1500, 2e-3)
    return [model.accuracy(*tested())]


def one_frame(_: SequenceEncoder) -> list[float]:
    """The same encoder, given one frame."""
    torch.manual_seed(0)
    sizes = {"d_model": 48, "n_heads": 4, "d_ff": 96, "n_layers": 2}
    model = SequenceEncoder(SequenceConfig(PATCH**2, TOKENS, len(WAYS), **sizes))
    fit(model, batches(0, frames=1), 500, 1e-3)
    return [model.accuracy(*tested(frames=1))]


def in_disorder(encoder: SequenceEncoder) -> list[float]:
    """The trained encoder, given the frames of each film in an order of their own."""
    films, ways = draw(TESTED, seed=1)
    return [encoder.accuracy(film_patches(shuffled(films, torch.Generator().manual_seed(0)), PATCH), ways)]


RECIPE = SequenceRecipe(
    title="Moving shapes",
    data="films that the course draws (`course.data.moving_shapes`), CC0",
    tested_on="films that were not trained on",
    model=SequenceConfig(PATCH**2, FRAMES * TOKENS, len(WAYS), d_model=48, n_heads=4, d_ff=96, n_layers=2),
    training=TrainingConfig(
        steps=2000, peak_lr=2e-3, warmup=100, decay="cosine", betas=(0.9, 0.99), eps=1e-8, log_every=50,
        save_every=250,
    ),
    batch=BATCH,
    batches=batches,
    tested=tested,
    beside={
        "linear, all frames": linear,
        "encoder, one frame": one_frame,
        "encoder, frames shuffled": in_disorder,
    },
)  # fmt: skip
train = RECIPE.train
