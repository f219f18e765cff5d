"""The shipped translator, French to English, from Tatoeba's sentences."""

from pathlib import Path

from course.data import tatoeba, treaties
from course.models.translator import Translator
from course.training.recipes.translation import TranslationCorpus, TranslationRecipe
from course.training.trainer import TrainingConfig


def corpus() -> TranslationCorpus:
    """French to English; no sentence of a test, on either side, is among those trained on.

    Tatoeba's everyday sentences hold no treaty: 3,000 of our own teach the register of row L2.5.d's sentence.
    """
    train, validation, test, laser = tatoeba.french_english()
    tests = {"Tatoeba, 1,000 held-out English sentences": test, "Tatoeba, LASER's test set": laser}
    return TranslationCorpus([*train, *treaties.sentences(3000)], validation, tests)


RECIPE = TranslationRecipe(
    title="French to English",
    data=(
        "sentences from [Tatoeba](https://tatoeba.org), by way of "
        "[manythings.org](https://www.manythings.org/anki), CC BY 2.0 (FR): 138,569 pairs, none of which "
        "shares a sentence with a test; and 3,000 sentences about treaties of our own writing "
        "(`course.data.treaties`), CC0"
    ),
    corpus=corpus,
    vocab_size=5000,
    model={
        "d_model": 256,
        "n_heads": 4,
        "d_ff": 1024,
        "n_encoder_layers": 4,
        "n_decoder_layers": 3,
        "dropout": 0.1,
        "norm": "pre",
        "max_length": 256,
    },
    training=TrainingConfig(
        steps=9000,
        peak_lr=1.5e-3,
        warmup=600,
        decay="cosine",
        log_every=50,
        save_every=200,
        seed=5,
        bfloat16=True,
    ),
    tokens=2048,
)


def train(folder: str | Path, device: str = "cpu") -> Translator:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
