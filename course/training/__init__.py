"""Training the course's models: one trainer, and for every shipped checkpoint a recipe that repeats it.

python -m course train translator
"""

from __future__ import annotations

RECIPES = {
    "translator": "course.training.translator",
    "multi30k-en-de": "course.training.multi30k_en_de",
    "shakespeare-char": "course.training.shakespeare_char",
    "shakespeare-char-gpu": "course.training.shakespeare_char_gpu",
    "gpt-stories": "course.training.stories",
    "gpt-docstring": "course.training.docstrings",
    "gpt-scaling": "course.training.scaling",
    "bert-small": "course.training.bert_small",
    "bert-small-causal": "course.training.bert_small_causal",
    "bert-rates": "course.training.bert_rates",
    "bert-comparison": "course.training.bert_comparison",
    "fine-tuning": "course.training.fine_tuned",
    "after-bert": "course.training.after_bert",
    "in-context-regression": "course.training.in_context_regression",
    "few-shot": "course.training.few_shot",
    "induction": "course.training.induction",
}
"""The name of each recipe, and its module, which has a function ``train(folder, device)``."""
