"""The shipped BERT: 5.4 million parameters that restore words of everyday English and tell what follows what.

Its sizes are those of BERT-mini (Turc et al. 2019) but for the vocabulary and the longest input. It reads
rows of a story's neighbouring segments, or of two stories', and single sentences that people wrote for
Tatoeba. ``bert_small_causal`` is the same but for what it may see and what it is asked.
"""

from pathlib import Path

from course.data import everyday
from course.models.bert_heads import BertForPreTraining
from course.training.recipes.bert import BertRecipe
from course.training.trainer import TrainingConfig

RECIPE = BertRecipe(
    title="A small BERT",
    about=(
        "A BERT that restores masked tokens of everyday English, and tells whether one text follows another."
    ),
    data=(
        "the start of TinyStories in lower case (Eldan and Li 2023), CDLA-Sharing-1.0, without stories with "
        "garbled quotation marks; the English sentences of Tatoeba's French-English pairs, CC BY 2.0 "
        "(tatoeba.org by way of www.manythings.org/anki)"
    ),
    objective="masked",
    corpus=everyday.english,
    vocab_size=8000,
    model={"d_model": 256, "n_heads": 4, "d_ff": 1024, "n_layers": 4, "max_length": 128}
    | {"dropout": 0.1, "attention_dropout": 0.0},
    training=TrainingConfig(
        steps=4000,
        peak_lr=1e-3,
        warmup=300,
        decay="cosine",
        betas=(0.9, 0.98),
        eps=1e-6,
        weight_decay=0.01,
        save_every=500,
        bfloat16=True,
        seed=0,
    ),
    tokens=4096,
    muon=True,
)


def train(folder: str | Path, device: str = "cpu") -> BertForPreTraining:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
