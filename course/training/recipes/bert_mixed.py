"""The BERT that has read more: it goes on from ``bert-small`` with eleven registers of real English.

What ``bert-small`` learned from children's stories and single sentences is kept; it gets a vocabulary of the
new text, twice as many positions, and reads on. ``bert_mixed_causal`` is the same for its one-way twin. The
rate stays level until the last steps: raise ``steps``, and a run in the same folder goes on where it was.
It computes in float32: a processor without instructions for bfloat16 takes twice as long in that.
"""

from pathlib import Path

from course.data import mixed
from course.models.bert_heads import BertForPreTraining
from course.training.recipes.reader import ReaderRecipe
from course.training.settings import OpenEnded

RECIPE = ReaderRecipe(
    title="A BERT that has read more",
    about=(
        "A BERT that restores masked tokens of English in many registers, and tells whether one text follows "
        "another."
    ),
    objective="masked",
    start="bert-small",
    corpus=mixed.english,
    vocab_size=12_000,
    max_length=256,
    training=OpenEnded(
        steps=2500,
        peak_lr=1e-3,
        warmup=100,
        cooldown=500,
        betas=(0.9, 0.98),
        eps=1e-6,
        weight_decay=0.01,
        log_every=10,
        save_every=50,
        seed=0,
    ),
    tokens=4096,
    rate=0.4,
)


def train(folder: str | Path, device: str = "cpu") -> BertForPreTraining:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
