"""t-SNE: a flat map on which neighbours stay neighbours (van der Maaten and Hinton 2008); exact."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def affinities(points: Float[Tensor, "n d"], perplexity: float = 30.0) -> Float[Tensor, "n n"]:
    """How near each pair is, all summing to one: Gaussians, each as wide as ``perplexity`` neighbours need.

    The width of each point's Gaussian is found by bisection; then both directions are averaged.

    Source: van der Maaten and Hinton 2008, §2 and equation 1.
    """
    squared = torch.cdist(points, points) ** 2
    squared.fill_diagonal_(torch.inf)
    low, high = torch.full((len(points), 1), 1e-9), torch.full((len(points), 1), 1e9)
    nearest = squared.min(1, keepdim=True).values
    for _ in range(60):
        precision = (low * high).sqrt()
        p = torch.softmax(-(squared - nearest) * precision, 1)
        entropy = -(p * p.clamp(min=1e-30).log()).sum(1, keepdim=True)
        wide = entropy > math.log(perplexity)
        low, high = torch.where(wide, precision, low), torch.where(wide, high, precision)
    return (p + p.mT) / (2 * len(points))


def gradient(p: Float[Tensor, "n n"], y: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """Of the divergence of the map's affinities from p, at each place of the map.

    Source: van der Maaten and Hinton 2008, equation 5.
    """
    heavy = 1 / (1 + torch.cdist(y, y) ** 2)
    heavy.fill_diagonal_(0)
    force = (p - heavy / heavy.sum()) * heavy
    return 4 * (force.sum(1, keepdim=True) * y - force @ y)


def tsne(
    points: Float[Tensor, "n d"], perplexity: float = 30.0, steps: int = 500, seed: int = 0
) -> Float[Tensor, "n 2"]:
    """A place on a map for each point: from the first two principal components, by gradient descent.

    With early exaggeration in the first quarter of the steps, momentum, and a gain for each number.
    """
    torch.manual_seed(seed)
    p = affinities(points, perplexity)
    centred = points - points.mean(0)
    y = torch.pca_lowrank(centred, 2)[0] * math.sqrt(len(points)) * 1e-2
    velocity, gains, rate = torch.zeros_like(y), torch.ones_like(y), max(len(points) / 12, 20.0)
    for step in range(steps):
        early = step < steps // 4
        slope = gradient(12 * p if early else p, y)
        gains = torch.where(slope * velocity < 0, gains + 0.2, gains * 0.8).clamp(min=0.01)
        velocity = (0.5 if early else 0.8) * velocity - rate * gains * slope
        y = y + velocity
    return y - y.mean(0)
