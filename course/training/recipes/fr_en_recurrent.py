"""One fixed context, Bahdanau's attention, Luong's: French to English, at equal parameters and equal steps."""

from pathlib import Path

from course.data import length_bands
from course.models.attention_seq2seq import Bahdanau, Luong
from course.models.seq2seq import Seq2Seq
from course.training.recipes.recurrent import Pairs, RecurrentRecipe
from course.training.trainer import TrainingConfig

JOINED = 60_000


def corpus() -> tuple[Pairs, Pairs, dict[str, Pairs]]:
    """All pairs of up to 25 French words that touch no test, and 60,000 examples joined from them."""
    banded = length_bands.by_length()
    train = [*banded.train, *length_bands.joined(banded.train, JOINED)]
    return train, banded.validation[:400], banded.tests


RECIPE = RecurrentRecipe(
    title="French to English by a recurrent network",
    data=(
        "sentences from [Tatoeba](https://tatoeba.org), by way of "
        "[manythings.org](https://www.manythings.org/anki), CC BY 2.0 (FR), up to 25 French words, none of which "
        "shares a side with a test; and 60,000 examples of two or three of them in a row"
    ),
    corpus=corpus,
    vocab_size=2000,
    models={
        "fixed": (Seq2Seq, {"d_embedding": 128, "d_hidden": 200}),
        "bahdanau": (Bahdanau, {"d_embedding": 128, "d_hidden": 192}),
        "luong": (Luong, {"d_embedding": 128, "d_hidden": 204}),
    },
    training=TrainingConfig(
        steps=1200, peak_lr=3e-3, warmup=150, decay="cosine", log_every=25, save_every=100, seed=2
    ),
)


def train(folder: str | Path, device: str = "cpu") -> dict[str, Seq2Seq]:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
