"""The published neighbours: German to English on Multi30k, without attention, with a fixed context, with
attention.

pytorch-seq2seq's notebooks 1 to 3 report 13.76, 20.61 and 28.30 BLEU on the Flickr test of 2016, of
`evaluate`, on lower-cased words that spaCy cut, for 13.9, 14.2 and 20.5 million parameters. The score here
is sacrebleu's, with case, on raw text; the models have subwords and a tenth of the parameters, the same for
each. Multi30k is for research and
education: what this recipe trains is not shipped.
"""

from pathlib import Path

from course.data import multi30k
from course.models.attention_seq2seq import Bahdanau, Luong
from course.models.seq2seq import Seq2Seq
from course.training.recipes.recurrent import Pairs, RecurrentRecipe
from course.training.trainer import TrainingConfig


def corpus() -> tuple[Pairs, Pairs, dict[str, Pairs]]:
    """The raw captions, as they are."""
    train, validation, test2016, test2017 = (
        list(zip(multi30k.captions(split, "de"), multi30k.captions(split, "en"), strict=True))
        for split in ("train", "validation", "test2016", "test2017")
    )
    return train, validation, {"test2016": test2016, "test2017": test2017}


RECIPE = RecurrentRecipe(
    title="German to English, image captions: a benchmark, not for use",
    data="Multi30k, for non-commercial research and education alone (Elliott et al. 2016)",
    corpus=corpus,
    vocab_size=6000,
    models={
        "fixed": (Seq2Seq, {"d_embedding": 128, "d_hidden": 256}),
        "bahdanau": (Bahdanau, {"d_embedding": 128, "d_hidden": 244}),
        "luong": (Luong, {"d_embedding": 128, "d_hidden": 266}),
    },
    training=TrainingConfig(
        steps=4000, peak_lr=2e-3, warmup=200, decay="cosine", log_every=50, save_every=250, seed=1
    ),
)


def train(folder: str | Path, device: str = "cpu") -> dict[str, Seq2Seq]:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
