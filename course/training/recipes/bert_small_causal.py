"""The shipped BERT's causal twin: the same parameters, data, batches and steps, under a causal mask.

It is asked for the next token at every place, where BERT is asked for the tokens that were hidden, and tells
of pairs at the last token, where BERT tells of them at the first. All else is ``bert_small``'s recipe.
"""

import dataclasses
from pathlib import Path

from course.models.bert_heads import BertForPreTraining
from course.training.recipes import bert_small

RECIPE = dataclasses.replace(
    bert_small.RECIPE,
    title="The small BERT's causal twin",
    about="A BERT under a causal mask that predicts the next token, to compare the shipped BERT with.",
    objective="causal",
)


def train(folder: str | Path, device: str = "cpu") -> BertForPreTraining:
    """Repeat the recipe, or go on with it, in ``folder``."""
    return RECIPE.train(folder, device)
