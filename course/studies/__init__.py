"""Experiments with models: what notebooks measure.

- ``fine_tuning``, ``metrics``, ``baselines``: tasks learned from labels, how they are scored, what to beat
- ``bert_pretraining``, ``one_way_two_way``: BERT's rows and scores; GPT against BERT with all else equal
- ``alignment``, ``head_patterns``, ``probes``, ``anatomy``: what attention links, looks at, sees, costs
- ``flops``, ``cost``, ``path_length``: what a model computes, what attention costs, how far it reaches
"""

from __future__ import annotations
