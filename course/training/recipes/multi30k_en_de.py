"""A published setting, repeated: Transformer-Tiny on Multi30k, English to German.

4 + 4 layers of width 128; on the Flickr test of 2016, 41.02 BLEU on fairseq's own tokens (Wu et al. 2021,
"Good for Misconceived Reasons", as its authors' repository reports). The score here is sacrebleu's, on raw
text: its tokens are nearly theirs, 12,106 in the test's references where they count 12,103. Multi30k is for
research and education: this recipe is a benchmark, and what it trains is not shipped.
"""

from pathlib import Path

from course.data import multi30k
from course.models.translator import Translator
from course.training.recipes.translation import TranslationCorpus, TranslationRecipe
from course.training.trainer import TrainingConfig


def corpus() -> TranslationCorpus:
    """The raw captions, as they are: cased, not tokenised."""
    train, validation, test2016, test2017 = (
        list(zip(multi30k.captions(split, "en"), multi30k.captions(split, "de"), strict=True))
        for split in ("train", "validation", "test2016", "test2017")
    )
    return TranslationCorpus(train, validation, {"test2016": test2016, "test2017": test2017})


RECIPE = TranslationRecipe(
    title="English to German, image captions: a benchmark, not for use",
    data="Multi30k, for non-commercial research and education alone (Elliott et al. 2016)",
    corpus=corpus,
    vocab_size=10_000,
    model={
        "d_model": 128,
        "n_heads": 4,
        "d_ff": 256,
        "n_encoder_layers": 4,
        "n_decoder_layers": 4,
        "dropout": 0.3,
        "inner_dropout": 0.0,
        "norm": "post",
        "max_length": 256,
    },
    training=TrainingConfig(steps=8000, peak_lr=5e-3, warmup=2000, average=10, average_every=100, seed=1),
    tokens=8192,  # the paper's 4,096 on each of two GPUs
    beam=5,
    alpha=0.6,
)


def train(folder: str | Path, device: str = "cpu") -> Translator:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
