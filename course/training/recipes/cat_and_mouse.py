"""Tom chase Jerry → 汤姆 追逐 杰瑞: two little translators, F as an MLP and as a cosine."""

from pathlib import Path

from course.data import cat_and_mouse
from course.models.attention_seq2seq import Bahdanau, Cosine
from course.models.seq2seq import Seq2Seq
from course.training.recipes.recurrent import Pairs, RecurrentRecipe
from course.training.trainer import TrainingConfig


def corpus() -> tuple[Pairs, Pairs, dict[str, Pairs]]:
    """6,000 sentences to train on; 200 others to watch, 300 others to test with."""
    pairs = [(s.english, s.chinese) for s in cat_and_mouse.sentences(6500)]
    return (
        pairs[:6000],
        pairs[6000:6200],
        {"held out": pairs[6200:]},
    )


RECIPE = RecurrentRecipe(
    title="Tom chase Jerry: English to Chinese, a hundred words",
    data=(
        "6,000 sentences of our own (`course.data.cat_and_mouse`), CC0; none with Tom, chase and Jerry in "
        "their places"
    ),
    corpus=corpus,
    vocab_size=2000,
    models={
        "bahdanau": (Bahdanau, {"d_embedding": 64, "d_hidden": 96, "label_smoothing": 0.0}),
        "cosine": (Cosine, {"d_embedding": 64, "d_hidden": 96, "label_smoothing": 0.0}),
    },
    training=TrainingConfig(
        steps=500, peak_lr=4e-3, warmup=50, decay="cosine", log_every=25, save_every=100, seed=1
    ),
    tokens=512,
)


def train(folder: str | Path, device: str = "cpu") -> dict[str, Seq2Seq]:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
