"""The causal twin of the BERT that has read more: same parameters, text, batches, steps, a causal mask."""

import dataclasses
from pathlib import Path

from course.models.bert_heads import BertForPreTraining
from course.training.recipes import bert_mixed

RECIPE = dataclasses.replace(
    bert_mixed.RECIPE,
    title="The causal twin of the BERT that has read more",
    about="A BERT under a causal mask that predicts the next token, to compare that BERT with.",
    objective="causal",
    start="bert-small-causal",
)


def train(folder: str | Path, device: str = "cpu") -> BertForPreTraining:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
