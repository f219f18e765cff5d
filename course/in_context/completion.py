"""What a language model answers to a prompt, token by token, with what it might have written instead."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch

from course.models.language_model import LanguageModel


@dataclass(frozen=True)
class Step:
    """One token of an answer, its probability, and the likeliest tokens in its place, likeliest first."""

    token: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]


@torch.no_grad()
def complete(
    model: LanguageModel,
    prompt: str,
    stop: Collection[str] = "\n",
    longest: int = 24,
    alternatives: int = 5,
) -> list[Step]:
    """The likeliest token after a prompt, and after that one, until one is in ``stop``, which is the last.

    Args:
        longest: the most tokens of an answer; that many places are kept free of the prompt.
        alternatives: how many of the likeliest tokens a step names.

    Raises:
        ValueError: if the prompt is empty or too long, or holds a character that the vocabulary lacks.

    Source: lecture rows L1.6.d, L1.6.e, L1.6.f.
    """
    unread, caches, steps = model.encode(prompt), model.gpt.caches(), []
    limit = prompt_limit(model, longest)
    if len(unread) > limit:
        raise ValueError(
            f"the prompt has {len(unread)} tokens; at most {limit} leave room for an answer: shorten it"
        )
    while len(steps) < longest and not (steps and steps[-1].token in stop):
        probability = model.gpt.step(torch.tensor([unread]), caches)[0].softmax(-1)
        best = probability.topk(min(alternatives, len(probability)))
        unread = best.indices[:1].tolist()
        tokens = [model.vocabulary.decode([id]) for id in best.indices.tolist()]
        likeliest = tuple(zip(tokens, best.values.tolist(), strict=True))
        steps.append(Step(*likeliest[0], likeliest))
    return steps


def prompt_limit(model: LanguageModel, longest: int = 24) -> int:
    """The most tokens of a prompt that leave room for an answer of ``longest`` tokens."""
    return model.gpt.config.max_length - longest
