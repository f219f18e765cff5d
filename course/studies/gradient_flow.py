"""What becomes of a gradient on its way back through time: it is multiplied by one matrix a step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

MATRICES = ("turning", "random", "lopsided")


def spectral_radius(w: Float[Tensor, "hidden hidden"]) -> float:
    """The largest |λ| of its eigenvalues λ, which may be complex.

    It says how powers of the matrix grow in the end; the norm says what one step can do at most.
    """
    return torch.linalg.eigvals(w).abs().max().item()


def with_spectral_radius(w: Float[Tensor, "hidden hidden"], radius: float) -> Float[Tensor, "hidden hidden"]:
    """The matrix times the number that makes its spectral radius ``radius``.

    Raises:
        ValueError: if all its eigenvalues are 0: no factor changes that.

    Source: lecture row L2.4.a.
    """
    now = spectral_radius(w)
    if now == 0:
        raise ValueError("all eigenvalues of this matrix are 0, and so are those of its multiples")
    return w * (radius / now)


def gradient_norms(
    w_hh: Float[Tensor, "hidden hidden"], slopes: Float[Tensor, "time hidden"]
) -> Float[Tensor, "time+1"]:
    """‖∂h_T/∂h_t‖ for t = 0, ..., T: how much the last state moves with each one before it, at most.

    One step is ∂h_t/∂h_{t-1} = diag(f'(a_t)) W_hh, and many steps are the product of theirs, the latest on
    the left. The norm is the largest singular value; that of ∂h_T/∂h_T is 1.

    Args:
        slopes: f'(a_t) of every unit at steps 1, ..., T: 1 - h_t² for tanh, 1 where there is none.

    Source: Bengio et al. 1994; Pascanu et al. 2013, equation 5; lecture row L2.4.a.
    """
    product = torch.eye(len(w_hh), dtype=w_hh.dtype, device=w_hh.device)
    norms = [torch.linalg.matrix_norm(product, 2)]
    for slope in slopes.flip(0):
        product = product @ (slope[:, None] * w_hh)
        norms.append(torch.linalg.matrix_norm(product, 2))
    return torch.stack(norms[::-1])


def clip_by_norm(gradients: Sequence[Tensor], max_norm: float) -> list[Tensor]:
    """The gradients, all shortened by the same factor where together they are longer than ``max_norm``.

    Together they are one vector, whose direction stays. Shorter ones stay as they are.

    Source: Pascanu et al. 2013, algorithm 1.
    """
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    factor = (max_norm / norm).clamp(max=1.0)  # a norm of 0 gives infinity, and then 1
    return [gradient * factor for gradient in gradients]


def square_matrix(kind: str, hidden: int = 16, seed: int = 0) -> Float[Tensor, "hidden hidden"]:
    """A matrix of spectral radius 1, in float64.

    "turning" is orthogonal: all |λ| are 1, and it changes no length. "random" has normal entries. "lopsided"
    has 1 and then 0.5 on its diagonal, and random entries above it: its powers grow far before they settle.

    Raises:
        ValueError: if the kind is none of the three.
    """
    generator = torch.Generator().manual_seed(seed)
    w = torch.randn(hidden, hidden, generator=generator, dtype=torch.float64)
    if kind == "turning":
        return torch.linalg.qr(w).Q
    if kind == "random":
        return with_spectral_radius(w, 1.0)
    if kind == "lopsided":
        return torch.diag(torch.tensor([1.0] + [0.5] * (hidden - 1), dtype=torch.float64)) + w.triu(1)
    raise ValueError(f"a matrix is one of {', '.join(MATRICES)}; got {kind!r}")


def run_states(
    w_hh: Float[Tensor, "hidden hidden"], steps: int, tanh: bool, drive: float = 0.3, seed: int = 1
) -> Float[Tensor, "time hidden"]:
    """States of an RNN from 0, given random inputs of standard deviation ``drive`` at every unit."""
    generator = torch.Generator().manual_seed(seed)
    inputs = drive * torch.randn(steps, len(w_hh), generator=generator, dtype=torch.float64).to(w_hh.dtype)
    h, states = torch.zeros(len(w_hh), dtype=w_hh.dtype), []
    for x in inputs:
        a = w_hh @ h + x
        h = a.tanh() if tanh else a
        states.append(h)
    return torch.stack(states)


def river(kind: str, radius: float, steps: int, tanh: bool) -> Float[Tensor, "time+1"]:
    """``gradient_norms`` of an RNN of 16 units whose matrix is of a kind and has this spectral radius."""
    w = radius * square_matrix(kind)
    states = run_states(w, steps, tanh)
    return gradient_norms(w, 1 - states**2 if tanh else torch.ones_like(states))
