"""Comparing the course's mathematics with torch's: values and every gradient, at stated tolerances."""

import copy

import pytest
import torch
from torch import Tensor, nn

from course.masks import causal_mask, combine, padding_mask, prefix_mask, window_mask

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}  # both relative and absolute
BATCH, HEADS, N = 2, 4, 6


def some_heads() -> Tensor:
    """A pattern of its own for every sentence and head, in which every query may attend somewhere."""
    return (torch.rand(BATCH, HEADS, N, N) > 0.5) | torch.eye(N, dtype=torch.bool)


MASKS = {
    "no mask": lambda: None,
    "causal": lambda: causal_mask(N),
    "window": lambda: window_mask(N, 1),
    "prefix": lambda: prefix_mask(N, 3),
    "padding": lambda: padding_mask([N, 3], N),
    "causal and padding": lambda: combine(causal_mask(N), padding_mask([N, 3], N)),
    "heads": some_heads,
    "heads and padding": lambda: combine(some_heads() | causal_mask(N), padding_mask([N, 3], N)),
}
every_mask = pytest.mark.parametrize("mask", [pytest.param(make, id=name) for name, make in MASKS.items()])
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
every_batch = pytest.mark.parametrize("batch", [(), (BATCH,)], ids=["unbatched", "batched"])


def for_batch(mask: Tensor | None, batch: tuple[int, ...]) -> Tensor | None:
    """The mask; where there is no batch, that of the first sentence."""
    return mask[0] if mask is not None and mask.dim() > 2 and not batch else mask


def assert_same(actual: Tensor, expected: Tensor, what: str = "value") -> None:
    tolerance = TOLERANCE[expected.dtype]
    torch.testing.assert_close(
        actual, expected, rtol=tolerance, atol=tolerance, msg=lambda text: f"{what}: {text}"
    )


def leaves(*tensors: Tensor) -> list[Tensor]:
    """Copies that collect gradients of their own."""
    return [tensor.detach().clone().requires_grad_() for tensor in tensors]


def assert_same_function(ours, theirs, *inputs: Tensor) -> None:
    """The outputs (a tensor or a tuple of them), and the gradients of a random combination of all outputs."""
    our_inputs, their_inputs = leaves(*inputs), leaves(*inputs)
    our_outputs, their_outputs = _as_tuple(ours(*our_inputs)), _as_tuple(theirs(*their_inputs))
    assert len(our_outputs) == len(their_outputs)
    directions = [torch.randn_like(output) for output in their_outputs]
    torch.autograd.backward(our_outputs, directions)
    torch.autograd.backward(their_outputs, directions)
    for number, (actual, expected) in enumerate(zip(our_outputs, their_outputs, strict=True)):
        assert_same(actual, expected, f"output {number}")
    for number, (actual, expected) in enumerate(zip(our_inputs, their_inputs, strict=True)):
        assert_same(actual.grad, expected.grad, f"gradient of input {number}")


def assert_same_module(ours: nn.Module, theirs: nn.Module, run_ours, run_theirs, *inputs: Tensor) -> None:
    """As ``assert_same_function``, parameters copied from torch's module and their gradients compared too."""
    ours.load_state_dict(theirs.state_dict())
    assert_same_function(run_ours, run_theirs, *inputs)
    gradients = _gradients(ours).torch_state_dict()
    expected = _gradients(theirs).state_dict()
    assert gradients.keys() == expected.keys()
    for name, gradient in expected.items():
        assert_same(gradients[name], gradient, f"gradient of {name}")


def randomise(module: nn.Module) -> nn.Module:
    """Parameters that are neither 0 nor 1, so that a bias or a norm's weight left out is noticed."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def blocked_for_torch(mask: Tensor | None, batch: tuple[int, ...], heads: int, query: int, key: int):
    """A mask of the course as torch's ``attn_mask``: True = may not attend, batch and heads on one axis."""
    if mask is None:
        return None
    if mask.dim() == len(batch) + 2 > 2:
        mask = mask.unsqueeze(-3)
    return ~mask.expand(*batch, heads, query, key).reshape(-1, query, key)


def _gradients(module: nn.Module) -> nn.Module:
    """A copy of the module that holds, in the place of each parameter, its gradient."""
    copied = copy.deepcopy(module)
    with torch.no_grad():
        for parameter, original in zip(copied.parameters(), module.parameters(), strict=True):
            parameter.copy_(original.grad)
    return copied


def _as_tuple(outputs) -> tuple[Tensor, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)
