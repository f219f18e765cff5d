"""Speech frames into the encoder for any sequence; voices that were never heard are the test."""

from __future__ import annotations

import torch
from torch import Tensor

from course.data.spoken_digits import BANDS, FRAMES, spoken
from course.models.any_sequence import Linear, SequenceConfig
from course.models.seq2seq import fit
from course.training.recipes.sequences import SequenceRecipe, drawn
from course.training.trainer import TrainingConfig

BATCH, LINEAR_STEPS, LINEAR_LR = 32, 1200, 1e-3
SLIDE = 10


def slid(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Words begun up to ``SLIDE`` frames later; the first frame, silence, fills what is uncovered."""
    shift = torch.randint(SLIDE + 1, (len(frames), 1), generator=generator)
    at = (torch.arange(frames.shape[1]) - shift).clamp(0, frames.shape[1] - 1)
    return frames[torch.arange(len(frames))[:, None], at]


def tested() -> tuple[Tensor, Tensor]:
    """The words of the voices kept apart, each begun somewhere, and their digits."""
    held = spoken("held out")
    return slid(held.frames, torch.Generator().manual_seed(0)), held.labels


def linear(_) -> list[float]:
    """A linear map of all frames at once, trained on the same words."""
    heard, asked = spoken("train"), tested()
    best = []
    for seed in range(2):
        torch.manual_seed(seed)
        model = Linear(FRAMES * BANDS, 10)
        fit(model, drawn(heard.frames, heard.labels, BATCH, seed, slid), LINEAR_STEPS, LINEAR_LR)
        best.append(model.accuracy(*asked))
    return best


def mean_frame(_) -> list[float]:
    """A linear map of the mean over time: what sounds there are, whatever their order."""
    heard, (frames, labels) = spoken("train"), tested()
    found = []
    for seed in range(2):
        torch.manual_seed(seed)
        model = Linear(BANDS, 10)
        fit(model, drawn(heard.frames.mean(1), heard.labels, BATCH, seed), LINEAR_STEPS, 1e-2)
        found.append(model.accuracy(frames.mean(1), labels))
    return found


def _batches(seed: int):
    heard = spoken("train")
    return drawn(heard.frames, heard.labels, BATCH, seed, slid)


RECIPE = SequenceRecipe(
    title="Spoken digits",
    data="zero to nine as the synthesiser espeak-ng 1.51 says them, no person's voice: 48 voices, two takes "
    "of each word, at drawn speeds and pitches; numbers of our own making, CC0",
    tested_on="10 voices of accents and kinds that were not trained on",
    model=SequenceConfig(BANDS, FRAMES, 10, d_model=48, n_heads=4, d_ff=96, n_layers=2, dropout=0.1),
    training=TrainingConfig(
        steps=900, peak_lr=2e-3, warmup=100, decay="cosine", betas=(0.9, 0.99), eps=1e-8, weight_decay=0.05,
        log_every=50, save_every=300,
    ),
    batch=BATCH,
    batches=_batches,
    tested=tested,
    seeds=(0, 1),
    beside={"linear, all frames": linear, "linear, mean frame": mean_frame},
)  # fmt: skip
train = RECIPE.train
