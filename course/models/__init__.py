"""Whole models, each file read from the top like its paper's figure.

What they share:

- ``attention_pass``: every attention of one run of a model, with its tokens; ``interventions``: to change it
- ``language_model``, ``masked_lm``: a GPT and a BERT with their vocabularies: text in, text out
- ``gpt_files``, ``bert_files``: what other libraries call things; ``gpt_reader``: writing with a cache

The models: ``transformer``, ``marian``, ``gpt``, ``rotary_gpt``, ``bert``, ``electra``, ``deberta``,
``toy_attention``; in ``efficient`` attention below n².
"""

from __future__ import annotations
