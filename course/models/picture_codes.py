"""Pictures as tokens: little squares of points, and for each the nearest of a few that were learned."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def to_patches(
    pictures: Float[Tensor, "*batch 3 height width"], size: int = 4
) -> Float[Tensor, "*batch rows_columns numbers"]:
    """Cut pictures into squares of ``size`` by ``size`` points, row by row: vectors of 3 · size² numbers.

    Raises:
        ValueError: if a side is no multiple of ``size``.

    Source: lecture row L1.2.f.
    """
    height, width = pictures.shape[-2:]
    if height % size or width % size:
        raise ValueError(f"a picture of {height} × {width} cannot be cut into squares of {size} × {size}")
    squares = pictures.unflatten(-1, (-1, size)).unflatten(-3, (-1, size))  # [*, 3, row, size, column, size]
    return squares.movedim((-4, -2), (-5, -4)).flatten(-3).flatten(-3, -2)  # [*, row · column, 3 · size²]


def from_patches(
    patches: Float[Tensor, "*batch rows_columns numbers"], size: int = 4
) -> Float[Tensor, "*batch 3 side side"]:
    """The square picture that ``to_patches`` cuts into these patches.

    Raises:
        ValueError: if their number is no square.
    """
    side = round(patches.shape[-2] ** 0.5)
    if side**2 != patches.shape[-2]:
        raise ValueError(f"{patches.shape[-2]} patches do not fill a square")
    squares = patches.unflatten(-2, (side, side)).unflatten(-1, (3, size, size))  # [*, row, column, 3, y, x]
    return squares.movedim((-5, -4), (-4, -2)).flatten(-2).flatten(-3, -2)


def nearest_codes(
    patches: Float[Tensor, "*batch numbers"], codebook: Float[Tensor, "codes numbers"]
) -> Int[Tensor, "*batch"]:
    """For each patch the number of the code nearest to it, by Euclidean distance; the first of equals.

    ‖p - c‖² = ‖p‖² - 2 p·c + ‖c‖², and ‖p‖² is the same for every code: it may be left out.

    Raises:
        ValueError: if patches and codes differ in length.

    Source: van den Oord et al. 2017 (VQ-VAE), equation 1; lecture row L1.2.f.
    """
    if patches.shape[-1] != codebook.shape[-1]:
        raise ValueError(
            f"a patch has {patches.shape[-1]} numbers, a code {codebook.shape[-1]}: they should have as many"
        )
    distance = codebook.square().sum(-1) - 2 * patches @ codebook.mT  # [*batch, codes]
    return distance.argmin(-1)


def kmeans(
    patches: Float[Tensor, "n numbers"], codes: int, rounds: int = 30, seed: int = 0
) -> Float[Tensor, "codes numbers"]:
    """Codes such that every patch is near one: each the mean of the patches that are nearest to it.

    It begins with patches drawn one after another, each with a probability in proportion to its squared
    distance from those already drawn. A code that no patch is nearest to stays where it is.

    Raises:
        ValueError: if there are fewer different patches than codes.

    Source: Lloyd 1982; Arthur and Vassilvitskii 2007 (k-means++).
    """
    generator = torch.Generator().manual_seed(seed)
    book = _spread_out(patches, codes, generator)
    for _ in range(rounds):
        nearest = nearest_codes(patches, book)
        count = torch.bincount(nearest, minlength=codes)[:, None]
        total = torch.zeros_like(book).index_add_(0, nearest, patches)
        moved = torch.where(count > 0, total / count.clamp(min=1), book)
        if torch.equal(moved, book):
            break
        book = moved
    return book


def _spread_out(patches: Tensor, codes: int, generator: torch.Generator) -> Tensor:
    chosen = [int(torch.randint(len(patches), (), generator=generator))]
    distance = (patches - patches[chosen[0]]).square().sum(-1)
    while len(chosen) < codes:
        if not distance.any():
            raise ValueError(
                f"there are only {len(chosen)} different patches: they cannot have {codes} codes"
            )
        chosen.append(int(torch.multinomial(distance, 1, generator=generator)))
        distance = torch.minimum(distance, (patches - patches[chosen[-1]]).square().sum(-1))
    return patches[chosen].clone()
