"""The shipped GPT: 3.75 million parameters that write stories in the words of a four-year-old.

The stories are TinyStories' (Eldan and Li 2023), made to show how little a model needs to be, and to have
read, to write plain English. Its training passes over them three times, so it has no time to learn them by
heart; the card says how its loss on what it read compares with that on what it never saw.
"""

from pathlib import Path

from course.data import tinystories
from course.models.gpt import GPT
from course.training.recipes.texts import TextRecipe
from course.training.trainer import TrainingConfig

RECIPE = TextRecipe(
    title="Stories",
    data=(
        "the start of TinyStories in lower case (Eldan and Li 2023), CDLA-Sharing-1.0; stories with garbled "
        "quotation marks left out"
    ),
    corpus=tinystories.stories,
    vocab_size=2048,
    model={"d_model": 256, "n_heads": 4, "n_layers": 4, "max_length": 256, "dropout": 0.0},
    training=TrainingConfig(
        steps=1500,
        peak_lr=3e-3,
        warmup=100,
        decay="cosine",
        betas=(0.9, 0.99),
        eps=1e-8,
        weight_decay=0.1,
        bfloat16=True,
        seed=0,
    ),
    batch=8,
    lower_case=True,
)


def train(folder: str | Path, device: str = "cpu") -> GPT:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
