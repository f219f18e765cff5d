"""Induction heads: having seen "... a b ... a", they attend to b and say it. How to find, score, ablate them.

The test is a text that cannot be known: random tokens, and the same again. All of its first time is a guess;
the second time can be copied. Source: Elhage et al. 2021; Olsson et al. 2022.
"""

from __future__ import annotations

import json
import string
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from safetensors import safe_open
from torch import Generator, Tensor

from course import checkpoints
from course.heads import MultiHeadAttention, record_attention
from course.masks import causal_mask
from course.models.attention_pass import AttentionPass
from course.models.gpt import GPT
from course.models.interventions import intervene
from course.text.characters import Characters

CHARACTERS = Characters(string.digits + string.ascii_letters)
"""The tokens of the shipped model: 62 characters, of which none means anything."""


def repeated_tokens(
    batch: int, period: int, n: int, vocab_size: int = len(CHARACTERS), generator: Generator | None = None
) -> Int[Tensor, "batch n"]:
    """Different random tokens, ``period`` of them, again and again up to length n.

    Raises:
        ValueError: if there are not as many different tokens.

    Source: Olsson et al. 2022, argument 4, whose 25 random tokens may be alike; here what follows a token is
    always the same.
    """
    if not 1 <= period <= vocab_size:
        raise ValueError(f"there are {vocab_size} different tokens, so a period is 1 to that; got {period}")
    order = torch.rand(batch, vocab_size, generator=generator).argsort(dim=-1)
    return order[:, torch.arange(n) % period]


def token_losses(gpt: GPT, ids: Int[Tensor, "batch n"]) -> Float[Tensor, "batch n-1"]:
    """The loss in nats of every token but the first, given those before."""
    with torch.no_grad():
        logits = gpt(ids[:, :-1])
    return F.cross_entropy(logits.mT, ids[:, 1:], reduction="none")


# -- which head does it --


def continues_earlier(ids: Int[Tensor, "batch n"]) -> Bool[Tensor, "batch query key"]:
    """Whether the key's token is one that came right after an earlier occurrence of the query's token.

    Every earlier occurrence counts. In "a a" the second a is its own key: it came right after the first.
    ``ids`` stays as it is.
    """
    n = ids.shape[-1]
    before = ids.roll(1, dims=-1)  # at key j the token j - 1; at key 0 there is none
    same = ids[:, :, None] == before[:, None, :]
    same[:, :, 0] = False
    return same & causal_mask(n).to(ids.device)


def prefix_matching_score(
    weights: Float[Tensor, "batch *heads query key"], ids: Int[Tensor, "batch n"]
) -> Float[Tensor, "*heads"]:
    """How much of its attention a head gives to the tokens that followed earlier occurrences of the token.

    The mean over all queries, of all texts, whose token was there before; from 0 to 1. At least one token has
    to come again.

    Source: Olsson et al. 2022, argument 4 ("prefix matching").
    """
    followers = continues_earlier(ids)
    again = followers.any(dim=-1)  # [batch, query]
    on_followers = torch.einsum("b...qk,bqk->...bq", weights, followers.to(weights.dtype))
    return on_followers[..., again].mean(dim=-1)


def previous_token_score(weights: Float[Tensor, "*batch_heads query key"]) -> Float[Tensor, "*batch_heads"]:
    """How much of its attention a head gives to the token just before: the mean over all but the first."""
    return weights.diagonal(-1, dim1=-2, dim2=-1).mean(dim=-1)


def copying_score(gpt: GPT, layer: int, head: int) -> float:
    """How far attending to a token makes that same token likelier, from -1 (never) to 1 (always).

    Sum over sum of absolute values of the eigenvalues of W_U W_O W_V W_E, the map from the token attended to
    to what the head adds to the logits; layer norm, positions and biases are left out. That matrix has as
    many rows as there are tokens, but its eigenvalues other than 0 are those of the same product begun
    elsewhere, W_V W_E W_U W_O, which is as small as the head.

    Source: Elhage et al. 2021, "Summarizing OV/QK matrices".
    """
    attention, embedding = gpt.blocks[layer].self_attention, gpt.embedding.weight
    value = attention.v_proj.weight.unflatten(0, (attention.n_heads, -1))[head]  # [d_head, d_model]
    out = attention.out_proj.weight.unflatten(1, (attention.n_heads, -1))[:, head]  # [d_model, d_head]
    with torch.no_grad():
        eigenvalues = torch.linalg.eigvals(value @ (embedding.T @ embedding) @ out)
    return float(eigenvalues.real.sum() / eigenvalues.abs().sum())


def attention_layers(gpt: GPT) -> list[MultiHeadAttention]:
    """The attention of each block, for ``course.models.interventions.intervene``."""
    return [block.self_attention for block in gpt.blocks]


def attention_weights(gpt: GPT, ids: Int[Tensor, "batch n"]) -> Float[Tensor, "batch layer head query key"]:
    """What every head of every layer attends to."""
    with torch.no_grad(), record_attention(gpt) as weights:
        gpt(ids)
    return torch.stack(list(weights.values()), dim=1)


def loss_without(
    gpt: GPT, ids: Int[Tensor, "batch n"], heads: Collection[tuple[int, int]]
) -> Float[Tensor, "batch n-1"]:
    """``token_losses`` with these (layer, head) pairs silenced.

    Raises:
        ValueError: if there is no such layer or head.
    """
    with intervene(attention_layers(gpt), ablate=heads):
        return token_losses(gpt, ids)


# -- a model growing up --


class Moment(NamedTuple):
    """The shipped model after so many steps of its training, with its loss on repeated tokens, in nats."""

    step: int
    loss: float
    gpt: GPT


def moments(name: str | Path = "induction") -> list[Moment]:
    """The model at every moment that was kept, from before its first step to its last.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
    """
    final = GPT.from_pretrained(name)
    found = []
    with safe_open(checkpoints.find(name) / "moments.safetensors", "pt") as file:
        losses = {int(step): loss for step, loss in json.loads(file.metadata()["losses"]).items()}
        for step, loss in sorted(losses.items()):
            gpt = GPT(final.config).eval()
            gpt.load_state_dict({key: file.get_tensor(f"{step}.{key}") for key in gpt.state_dict()})
            found.append(Moment(step, loss, gpt))
    return found


def attention_pass(gpt: GPT, text: str) -> AttentionPass:
    """What the model attends to in a text of ``CHARACTERS``, for ``explore`` and, of every moment, ``scrub``.

    Raises:
        ValueError: if a character is not in the vocabulary, or the text is too long.
    """
    ids = torch.tensor([CHARACTERS.encode(text)])
    return AttentionPass(list(text), attention_weights(gpt, ids)[0], mask=causal_mask(len(text))[None, None])
