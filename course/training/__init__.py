"""Training the course's models: one trainer, and for every shipped checkpoint a recipe that repeats it.

python -m course train translator
"""

from __future__ import annotations

RECIPES = {
    "translator": "course.training.recipes.translator",
    "multi30k-en-de": "course.training.recipes.multi30k_en_de",
    "multi30k-recurrent": "course.training.recipes.multi30k_recurrent",
    "fr-en-recurrent": "course.training.recipes.fr_en_recurrent",
    "cat-and-mouse": "course.training.recipes.cat_and_mouse",
    "copying": "course.training.recipes.copying",
    "scenes": "course.training.recipes.scenes",
    "stories-asked": "course.training.recipes.stories_asked",
    "shakespeare-char": "course.training.recipes.shakespeare_char",
    "shakespeare-char-gpu": "course.training.recipes.shakespeare_char_gpu",
    "long-range": "course.training.recipes.long_range",
    "attention-cost": "course.training.recipes.attention_cost",
    "decisions": "course.training.recipes.decisions",
    "turing-machine": "course.training.recipes.turing_machine",
    "vocabularies": "course.training.recipes.vocabularies",
    "present-block": "course.training.recipes.present_block",
    "word-vectors": "course.training.recipes.word_vectors",
    "stories-lstm": "course.training.recipes.stories_lstm",
    "gpt-stories": "course.training.recipes.stories",
    "gpt-docstring": "course.training.recipes.docstrings",
    "gpt-scaling": "course.training.recipes.scaling",
    "bert-small": "course.training.recipes.bert_small",
    "bert-small-causal": "course.training.recipes.bert_small_causal",
    "bert-rates": "course.training.recipes.bert_rates",
    "bert-comparison": "course.training.recipes.bert_comparison",
    "senses": "course.training.recipes.senses",
    "heads": "course.training.recipes.heads",
    "minilm": "course.training.recipes.minilm",
    "fine-tuning": "course.training.recipes.fine_tuned",
    "after-bert": "course.training.recipes.after_bert",
    "in-context-regression": "course.training.recipes.in_context_regression",
    "few-shot": "course.training.recipes.few_shot",
    "induction": "course.training.recipes.induction",
}
"""The name of each recipe, and its module, which has a function ``train(folder, device)``."""
