"""A small untrained model for the prompt laboratory: its answers are nonsense, and always the same."""

import torch

from course.in_context.few_shot import FewShotModel
from course.in_context.prompts import CHARACTERS
from course.models.gpt import GPT, GPTConfig


def untrained(max_length: int = 160) -> FewShotModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        gpt = GPT(GPTConfig(len(CHARACTERS), 32, n_heads=2, n_layers=2, max_length=max_length))
        torch.nn.init.normal_(gpt.embedding.weight, std=0.5)  # sure of itself, so that answers differ
    return FewShotModel(gpt.eval())
