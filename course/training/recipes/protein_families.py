"""Letters of proteins into the encoder for any sequence: from which family is this piece?"""

from __future__ import annotations

import torch

from course.data.protein_families import FAMILIES, LETTERS, fragments
from course.models.any_sequence import Linear, SequenceConfig, SequenceEncoder
from course.models.seq2seq import fit
from course.training.recipes.sequences import SequenceRecipe, drawn
from course.training.trainer import TrainingConfig

LENGTH, DRAWN, TESTED, BATCH = 40, 20_000, 1_000, 32


def batches(seed: int):
    """Pieces cut anew for every seed."""
    cut = fragments("train", DRAWN, LENGTH, seed=seed + 1)
    rows = cut.one_hot()
    return drawn(rows, cut.labels, BATCH, seed)


def tested():
    """Pieces of chains that are not trained on, and have no near relative among those that are."""
    cut = fragments("held out", TESTED, LENGTH, seed=0)
    return cut.one_hot(), cut.labels


def counted(_: SequenceEncoder) -> list[float]:
    """A linear map of how often each letter is there."""
    cut, asked = fragments("train", DRAWN, LENGTH, seed=1), fragments("held out", TESTED, LENGTH, seed=0)
    torch.manual_seed(0)
    model = Linear(len(LETTERS), len(FAMILIES))
    fit(model, drawn(cut.counts(), cut.labels, BATCH, 0), 1500, 5e-3)
    return [model.accuracy(asked.counts(), asked.labels)]


def placed(_: SequenceEncoder) -> list[float]:
    """A linear map of every letter at its place."""
    torch.manual_seed(0)
    model = Linear(LENGTH * len(LETTERS), len(FAMILIES))
    fit(model, batches(0), 1500, 2e-3)
    return [model.accuracy(*tested())]


RECIPE = SequenceRecipe(
    title="Protein families",
    data="chains of three families from alignments of UniProt's sequences (CC BY 4.0; alignments MIT), "
    "no two of which are alike in half of their columns; pieces of 40 letters, cut anywhere",
    tested_on="pieces of chains that were not trained on",
    model=SequenceConfig(len(LETTERS), LENGTH, len(FAMILIES), d_model=48, n_heads=4, d_ff=96, n_layers=2,
                         dropout=0.2),
    training=TrainingConfig(
        steps=1200, peak_lr=1e-3, warmup=100, decay="cosine", betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1,
        log_every=50, save_every=300,
    ),
    batch=BATCH,
    batches=batches,
    tested=tested,
    seeds=(0, 1),
    beside={"linear, letters counted": counted, "linear, letters at their places": placed},
)  # fmt: skip
train = RECIPE.train
