"""Positions: how a model that sees a set of vectors learns their order.

Sinusoidal and learned positions are added to the embeddings; rotary positions turn queries and keys;
ALiBi is added to the scores.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.masks import check_length


def frequencies(
    d_model: int, dtype: torch.dtype | None = None, device: torch.device | None = None
) -> Float[Tensor, "d_model/2"]:
    """How far each pair of coordinates turns from one position to the next: 10000^(-2i / d_model) radians.

    Pair i, from 0 to d_model / 2 - 1, holds coordinates 2i and 2i + 1.

    Raises:
        ValueError: if ``d_model`` is odd or not positive.

    Source: Vaswani et al. 2017, §3.5; Su et al. 2021 (RoFormer), equation 15; lecture row L2.7.a.
    """
    _check_even(d_model)
    return 10_000 ** (-torch.arange(0, d_model, 2, dtype=dtype, device=device) / d_model)


def sinusoidal_positions(n: int, d_model: int) -> Float[Tensor, "n d_model"]:
    """One vector for each position, of sines and cosines that turn at different speeds.

    PE(pos, 2i) = sin(pos / 10000^(2i / d_model)) and PE(pos, 2i + 1) = cos(pos / 10000^(2i / d_model)):
    sines at the even places, cosines at the odd ones. Positions and places count from 0, angles are in
    radians, and the numbers are of torch's default kind (float32).

    Raises:
        ValueError: if ``d_model`` is odd or not positive, or ``n`` is negative.

    Source: Vaswani et al. 2017, §3.5; lecture row L2.7.a.
    """
    check_length(n)
    angle = torch.arange(n)[:, None] * frequencies(d_model)  # [n, d_model / 2]
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


def shift_matrix(k: float, d_model: int) -> Float[Tensor, "d_model d_model"]:
    """The matrix R_k that moves every sinusoidal position k places on: PE(pos + k) = R_k PE(pos).

    PE(pos) is a column here; the table of ``sinusoidal_positions`` holds rows, for which the same reads
    ``table[k:] == table[:-k] @ R_k.T``. R_k is the same for every pos. It is block-diagonal: for each
    frequency a 2 × 2 block turns the pair (sine, cosine) by k times that frequency. So R_a R_b = R_(a+b).
    Its numbers are of torch's default kind (float32).

    Args:
        k: number of positions, of either sign; it need not be whole.

    Raises:
        ValueError: if ``d_model`` is odd or not positive.

    Source: Vaswani et al. 2017, §3.5 ("PE(pos+k) can be represented as a linear function of PE(pos)");
    lecture row L2.7.a.
    """
    angle = k * frequencies(d_model)
    cos, sin = angle.cos(), angle.sin()
    rotations = torch.stack([cos, sin, -sin, cos], dim=-1).unflatten(-1, (2, 2))  # [d_model / 2, 2, 2]
    return torch.block_diag(*rotations)


class LearnedPositions(nn.Module):
    """A vector for each position, learned like a word's: a drop-in for ``sinusoidal_positions``.

    Args:
        max_length: the number of positions that have a vector; there is nothing beyond.
        d_model: width of the vectors.

    Source: Gehring et al. 2017, §3.1; Devlin et al. 2019 (BERT), figure 2; lecture row L1.4.a.
    """

    def __init__(self, max_length: int, d_model: int):
        super().__init__()
        self.embedding = nn.Embedding(max_length, d_model)

    def forward(self, n: int) -> Float[Tensor, "n d_model"]:
        """The vectors of positions 0, ..., n - 1.

        Raises:
            ValueError: if ``n`` is greater than ``max_length``.
        """
        _check_not_longer(n, self.embedding.num_embeddings)
        return self.embedding.weight[:n]


def rotary(
    x: Float[Tensor, "*batch sequence d_head"], positions: Int[Tensor, "*#batch sequence"]
) -> Float[Tensor, "*batch sequence d_head"]:
    """Turn each pair of coordinates by the vector's position times the pair's frequency.

    Neighbours are paired: (x_0, x_1), (x_2, x_3), ... A pair (a, b) turned by the angle t becomes
    (a cos t - b sin t, a sin t + b cos t). Done to queries and keys alike, it makes their inner product
    depend on the difference of their positions alone. (Some models pair i with i + d_head / 2 instead.)

    Args:
        x: queries or keys, heads among the batch axes.
        positions: the position of each vector, counted in tokens; may be fractional.

    Raises:
        ValueError: if the width is odd, or there is not one position for each vector.

    Source: Su et al. 2021 (RoFormer), equations 15 and 34; lecture row L2.7.a.
    """
    _check_one_position_each(x, positions)
    dtype = torch.promote_types(x.dtype, torch.float32)  # half precision confuses distant positions
    angle = positions[..., None] * frequencies(x.shape[-1], dtype, x.device)  # [*batch, sequence, d_head / 2]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)


def alibi_slopes(n_heads: int) -> Float[Tensor, "heads"]:
    """How fast each head forgets: 2^(-8/n), 2^(-16/n), ..., 2^(-8) for n heads, n a power of two.

    For another number of heads, the slopes of the power of two p below it come first, then every second
    slope of 2p heads, starting with the first.

    Raises:
        ValueError: if there is not at least one head.

    Source: Press et al. 2022 (ALiBi), §3 and the authors' code.
    """
    _check_heads(n_heads)
    below = 2 ** math.floor(math.log2(n_heads))
    return torch.cat([_geometric(below), _geometric(2 * below)[0::2][: n_heads - below]])


def alibi_bias(n_heads: int, n: int) -> Float[Tensor, "heads n n"]:
    """A penalty on distance, to add to the scores: minus the head's slope times |i - j|, query i, key j.

    The paper's decoder masks the keys after the query; here they are penalised like those before, so
    that the bias serves encoders too.

    Raises:
        ValueError: if there is not at least one head, or ``n`` is negative.

    Source: Press et al. 2022 (ALiBi), figure 3; lecture row L1.4.a.
    """
    check_length(n)
    position = torch.arange(n)
    distance = (position[:, None] - position).abs()
    return -alibi_slopes(n_heads)[:, None, None] * distance


def _geometric(n_heads: int) -> Float[Tensor, "heads"]:
    return 2 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)


def _check_even(d_model: int) -> None:
    if d_model < 2 or d_model % 2:
        raise ValueError(
            f"sines and cosines come in pairs, so the width must be even and positive; got {d_model}"
        )


def _check_not_longer(n: int, max_length: int) -> None:
    if not 0 <= n <= max_length:
        raise ValueError(
            f"only positions 0 to {max_length - 1} have a vector; a sequence of {n} tokens does not fit. "
            "Shorten it, or make LearnedPositions with a greater max_length"
        )


def _check_one_position_each(x: Tensor, positions: Tensor) -> None:
    if positions.dim() >= x.dim() or positions.shape[-1] != x.shape[-2]:
        raise ValueError(
            f"rotary needs one position for each of the {x.shape[-2]} vectors; got x {list(x.shape)} "
            f"and positions {list(positions.shape)}"
        )


def _check_heads(n_heads: int) -> None:
    if n_heads < 1:
        raise ValueError(f"there must be at least one head; got n_heads = {n_heads}")
