"""A model for pictures before any model is trained: random word vectors, positions, layers of attention."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course.attention import masked_softmax, scaled_dot_score
from course.heads import MultiHeadAttention, merge_heads, split_heads
from course.masks import causal_mask, window_mask
from course.models.attention_pass import AttentionPass
from course.positions import sinusoidal_positions

MASKS = {"causal": causal_mask, "window": lambda n: window_mask(n, 2)}
SPREAD = 2.5
"""Standard deviation of the scores: enough for patterns, not so much that every row is one-hot."""


def split_words(text: str) -> list[str]:
    """Words and signs of a text; Chinese, Japanese and Korean characters one by one.

    An apostrophe between letters belongs to the word; accents and joiners to the character before them.
    """
    tokens, glue = [], False
    for i, c in enumerate(text):
        kind = unicodedata.category(c)[0]
        letter = kind in "LN" and unicodedata.east_asian_width(c) not in "WF"
        inside = c in "'’" and glue and text[i + 1 : i + 2].isalnum()
        joins = kind == "M" or c == "\u200d" or (i > 0 and text[i - 1] == "\u200d")
        if tokens and not text[i - 1].isspace() and (joins or inside or (letter and glue)):
            tokens[-1] += c
        elif not c.isspace():
            tokens.append(c)
        glue = letter or inside or (glue and kind == "M")
    return tokens


def word_vector(word: str, d_model: int, seed: int = 0) -> Float[Tensor, "d_model"]:
    """A random vector of unit variance that depends on the word alone: the same word, the same vector."""
    digest = hashlib.sha256(f"{seed}:{word.casefold()}".encode("utf-8", "surrogatepass")).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return torch.randn(d_model, generator=generator)


class ToyAttention:
    """Untrained layers of multi-head attention over the words of any text.

    Its weights are random (a fixed seed), so what it attends to says nothing about meaning. Calling it with
    a text gives an ``AttentionPass``, which ``explore`` and ``explore_model`` show.

    Args:
        d_model, n_heads, n_layers: sizes.
        positions: whether sinusoidal positions are added to the word vectors.
        seed: another seed, other weights and word vectors.
    """

    limit = 128
    masks = tuple(MASKS)

    def __init__(
        self, d_model: int = 32, n_heads: int = 4, n_layers: int = 2, *, positions: bool = True, seed: int = 0
    ):
        self.d_model, self.positions, self.seed = d_model, positions, seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.layers = [self._layer(n_heads) for _ in range(n_layers)]

    def _layer(self, n_heads: int) -> MultiHeadAttention:
        layer = MultiHeadAttention(self.d_model, n_heads, bias=False).requires_grad_(False)
        for projection in (layer.q_proj, layer.k_proj):
            projection.weight.normal_(std=(SPREAD / self.d_model) ** 0.5)
        return layer

    def embed(self, tokens: list[str]) -> Float[Tensor, "token d_model"]:
        """One vector a token: its word's, plus its position's."""
        words = torch.stack([word_vector(token, self.d_model, self.seed) for token in tokens])
        return words + sinusoidal_positions(len(tokens), self.d_model) if self.positions else words

    def __call__(
        self,
        text: str,
        *,
        temperature: float = 1.0,
        mask: str | None = None,
        ablate: Collection[tuple[int, int]] = (),
    ) -> AttentionPass:
        """Read a text.

        Args:
            temperature: the scores are divided by it.
            mask: None, or one of ``masks``.
            ablate: (layer, head) pairs whose output is set to zero.

        Raises:
            ValueError: if the text holds no word, or more than ``limit``.
        """
        tokens = split_words(text)
        if not tokens:
            raise ValueError("type at least one word")
        if len(tokens) > self.limit:
            raise ValueError(
                f"this model reads up to {self.limit} words and signs; this text has {len(tokens)}"
            )
        allowed = None if mask is None else MASKS[mask](len(tokens))
        x, seen = self.embed(tokens), []
        for number, layer in enumerate(self.layers):
            silent = [head for at, head in ablate if at == number]
            x, *parts = self._attend(layer, x, temperature, allowed, silent)
            seen.append(parts)
        query, key, weights = (torch.stack(part) for part in zip(*seen, strict=True))
        scale = query.shape[-1] ** -0.5 / temperature
        return AttentionPass(
            tokens, weights, query=query, key=key, scale=scale,
            mask=None if allowed is None else allowed.expand(1, 1, -1, -1),
        )  # fmt: skip

    @staticmethod
    def _attend(
        layer: MultiHeadAttention,
        x: Float[Tensor, "token d_model"],
        temperature: float,
        allowed: Bool[Tensor, "token token"] | None,
        silent: list[int],
    ) -> tuple[Tensor, ...]:
        """One layer with a residual: its output, and its heads' queries, keys and weights."""
        q, k, v = (split_heads(p(x), layer.n_heads) for p in (layer.q_proj, layer.k_proj, layer.v_proj))
        weights = masked_softmax(scaled_dot_score(q, k) / temperature, allowed)
        output = weights @ v  # [heads, token, d_head]
        output[silent] = 0
        return x + layer.out_proj(merge_heads(output)), q, k, weights
