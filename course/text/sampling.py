"""From logits to the next token: temperature, top-k, top-p, and the draw itself.

Each of the three changes logits and gives logits back; -inf stands for a token that cannot be drawn. They are
applied in the order in which they stand here.
"""

import math
from numbers import Integral, Real

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor


def with_temperature(
    logits: Float[Tensor, "*batch vocab"], temperature: float
) -> Float[Tensor, "*batch vocab"]:
    """The logits divided by the temperature: below 1 sharpens the probabilities, above 1 evens them out.

    Raises:
        ValueError: if the temperature is not a positive number.

    Source: Ackley et al. 1985, equation 5; Hinton et al. 2015, equation 1; lecture row L1.6.c.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"logits are divided by the temperature, so it is above 0; got {temperature}")
    return logits / temperature


def keep_top_k(logits: Float[Tensor, "*batch vocab"], k: int) -> Float[Tensor, "*batch vocab"]:
    """The k greatest logits as they are, and -inf for the others; what ties with the k-th greatest stays.

    A k greater than the vocabulary keeps everything. What is given stays as it is.

    Raises:
        ValueError: if k is less than 1.

    Source: Fan et al. 2018, §5.4; lecture row L1.6.c.
    """
    _check_top_k(k)
    least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]  # [*batch, 1]
    return logits.masked_fill(logits < least, -math.inf)


def keep_top_p(logits: Float[Tensor, "*batch vocab"], p: float) -> Float[Tensor, "*batch vocab"]:
    """The likeliest tokens whose probabilities together first reach p, and -inf for the others.

    So a token stays where those likelier than it sum to less than p: the one that crosses p is the last to
    stay, and the likeliest always does. Of equally likely tokens either may count as the likelier one. What
    is given stays as it is.

    Raises:
        ValueError: unless 0 < p <= 1.

    Source: Holtzman et al. 2020 (nucleus sampling), §3.1; lecture row L1.6.c.
    """
    _check_top_p(p)
    probability, token = logits.softmax(dim=-1).sort(dim=-1, descending=True, stable=True)
    likelier = probability.cumsum(dim=-1) - probability
    outside = likelier >= (p if p < 1 else math.inf)  # rounding takes the sum to 1 before its end
    outside = outside.scatter(-1, token, outside)  # back in the order of the vocabulary
    return logits.masked_fill(outside, -math.inf)


def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    """What ``sample`` draws from: temperature, then top-k, then top-p, then the softmax.

    ``with_temperature``, ``keep_top_k`` and ``keep_top_p`` are the first three; None leaves one out.
    Temperature 0 puts all probability on the (first) greatest logit, whatever top-k and top-p are. The logits
    that are given stay as they are.

    Raises:
        ValueError: if a setting is out of range (``check_sampling``).
    """
    check_sampling(temperature, top_k, top_p)
    if temperature < torch.finfo(logits.dtype).tiny:  # 0, or too small for its reciprocal to be a number
        return F.one_hot(logits.argmax(dim=-1), logits.shape[-1]).to(logits.dtype)
    # Where all logits are moved alike, nothing changes; with the greatest at 0, none overflows.
    logits = with_temperature(logits - logits.amax(dim=-1, keepdim=True), temperature)
    logits = logits if top_k is None else keep_top_k(logits, top_k)
    logits = logits if top_p is None else keep_top_p(logits, top_p)
    return logits.softmax(dim=-1)


def sample(
    logits: Float[Tensor, "*batch vocab"],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Int[Tensor, "*batch"]:
    """Draw a token from ``next_token_probabilities``; temperature 0 takes the likeliest.

    Args:
        logits: of one row or of a batch of rows.
        generator: where chance comes from; None means torch's own.

    Raises:
        ValueError: if a setting is out of range (``check_sampling``).
    """
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(dim=-1)
    probability = next_token_probabilities(logits, temperature, top_k, top_p)
    return probability.multinomial(1, generator=generator).squeeze(-1)


def check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Raise a ValueError unless temperature is 0 or more, top-k is 1 or more, and 0 < top-p <= 1."""
    if not (isinstance(temperature, Real) and 0 <= temperature < math.inf):
        raise ValueError(f"the temperature is 0 (greedy) or a positive number; got {temperature!r}")
    if top_k is not None:
        _check_top_k(top_k)
    if top_p is not None:
        _check_top_p(top_p)


def _check_top_k(k: int) -> None:
    if not isinstance(k, Integral) or k < 1:
        raise ValueError(f"top-k keeps a number of tokens, 1 or more; got {k!r}")


def _check_top_p(p: float) -> None:
    if not (isinstance(p, Real) and 0 < p <= 1):
        raise ValueError(f"top-p is a share of the probability, above 0 and at most 1; got {p!r}")
