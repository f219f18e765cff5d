"""Reversible layers: their inverse, their gradients, what they store."""

import pytest
import torch
from torch import nn

from course.models.efficient.reversible import ReversibleStack, reversible_forward, reversible_inverse
from course.studies.cost import saved_bytes


def layers(depth: int, d: int = 8, dropout: float = 0.0) -> list[tuple[nn.Module, nn.Module]]:
    def make():
        return nn.Sequential(
            nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d), nn.Dropout(dropout)
        )

    return [(make(), make()) for _ in range(depth)]


def test_what_went_in_comes_out_again():
    f, g = layers(1)[0]
    f, g, x1, x2 = f.double(), g.double(), *torch.randn(2, 5, 8, dtype=torch.float64)
    y1, y2 = reversible_forward(x1, x2, f, g)
    for found, wanted in zip(reversible_inverse(y1, y2, f, g), (x1, x2), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_its_gradients_are_those_of_the_stored_way(dropout):
    stack = ReversibleStack(layers(4, dropout=dropout)).double()
    x = torch.randn(3, 5, 8, dtype=torch.float64, requires_grad=True)
    found = []
    for way in (stack, stack.stored):
        torch.manual_seed(1)
        output = way(x)
        found.append([output, *torch.autograd.grad(output.square().sum(), [x, *stack.parameters()])])
    for ours, usual in zip(*found, strict=True):
        torch.testing.assert_close(ours, usual, rtol=1e-9, atol=1e-9)


def test_it_stores_as_much_however_deep():
    def bytes_of(depth: int, reversible: bool) -> int:
        stack, x = ReversibleStack(layers(depth)), torch.randn(200, 8, requires_grad=True)
        return saved_bytes(lambda: (stack if reversible else stack.stored)(x))

    assert bytes_of(8, True) == bytes_of(2, True)
    assert bytes_of(8, False) > 3 * bytes_of(2, False)
