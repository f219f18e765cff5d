"""A random language model over tokens that are hard to show, for the tests of the sampling playground."""

import torch

from course.models.gpt import GPT, GPTConfig
from course.models.language_model import LanguageModel

NASTY = "</script><img src=x onerror=alert(1)>"
TOKENS = ["猫", "🙂", "سلام", "\n", " ", " the", NASTY, "", "\t", *"abcdefghijklmnopqrstuvwxyz"]


class Tokens:
    """Cuts a text at the bars: "a|猫|b" is three tokens."""

    def encode(self, text):
        unknown = [token for token in text.split("|") if token not in TOKENS]
        if text and unknown:
            raise ValueError(f"not in this vocabulary: {unknown[0]!r}")
        return [TOKENS.index(token) for token in text.split("|")] if text else []

    def decode(self, ids):
        return "".join(TOKENS[id] for id in ids)

    def pieces(self, ids):
        return [TOKENS[id] for id in ids]


def random_model(max_length: int = 40) -> LanguageModel:
    """One whose predictions are far from even."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        gpt = GPT(GPTConfig(len(TOKENS), d_model=16, n_heads=2, n_layers=2, max_length=max_length))
        with torch.no_grad():
            for parameter in gpt.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    return LanguageModel(gpt, Tokens())
