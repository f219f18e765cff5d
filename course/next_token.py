"""Predicting the next token: what to predict from what, the loss, and the surprise of a token."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course.masking import IGNORED


def inputs_and_targets(
    ids: Int[Tensor, "batch n"], padding: int
) -> tuple[Int[Tensor, "batch m"], Int[Tensor, "batch m"]]:
    """From padded texts, what a language model reads and what it should predict there; m = n - 1.

    The target of each position is the token that comes next, or ``IGNORED`` (-100) where that is padding.
    ``ids`` stays as it is.

    Args:
        padding: the id that fills short texts up; no text holds it.

    Source: Radford et al. 2018 (GPT), equation 1; lecture row L1.6.a.
    """
    inputs, targets = ids[:, :-1], ids[:, 1:]
    return inputs, targets.masked_fill(targets == padding, IGNORED)


def next_token_loss(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    """The mean of -ln p(target) over the targets that are not ``IGNORED`` (-100), in nats a token.

    At least one has to count.
    ``torch.nn.functional.cross_entropy`` computes the same, and ``GPT.loss`` uses it.

    Source: Radford et al. 2018 (GPT), equation 1; lecture row L1.6.a.
    """
    counted = targets != IGNORED
    log_p = logits[counted].log_softmax(dim=-1)  # [counted, vocab]
    return -log_p.gather(-1, targets[counted].unsqueeze(-1)).mean()


def surprise(logits: Float[Tensor, "*batch vocab"], ids: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """How little each token was expected, in bits: -log₂ p(token). A certain token has 0, a coin's side 1.

    Args:
        logits: those that predicted the tokens.

    Source: Shannon 1948, §6.
    """
    log_p = logits.log_softmax(dim=-1)
    return -log_p.gather(-1, ids.unsqueeze(-1)).squeeze(-1) / math.log(2)


def perplexity(loss: float) -> float:
    """Among how many equally likely tokens a choice would be as uncertain: exp of a loss in nats a token."""
    return math.exp(loss)


def last_token(
    states: Float[Tensor, "batch n d_model"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch d_model"]:
    """The hidden state of each text's last real token: under the causal mask the only one that saw it all.

    What is given stays as it is.

    Args:
        lengths: how many of the n tokens of each text are real; padding comes behind them.

    Source: Radford et al. 2018 (GPT), §3.2; lecture row L1.6.b.
    """
    return states[torch.arange(len(states)), lengths - 1]
