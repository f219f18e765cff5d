"""What answers are tried on: random numbers, rows of weights, modules with fixed weights."""

import torch


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def rows(*shape: int, seed: int = 0) -> torch.Tensor:
    """Random rows of weights: positive, each summing to one."""
    return randn(*shape, seed=seed).softmax(-1)


def with_fixed_weights(cls, reference, *sizes, spread: float = 0.5, **settings) -> torch.nn.Module:
    """An instance of the learner's class with fixed weights.

    None of them is 0 or 1, as biases and norms are at the start: a forgotten or a swapped one would not show.
    """
    torch.manual_seed(0)
    weights = reference(*sizes, **settings)
    with torch.no_grad():
        for p in weights.parameters():
            p.add_(spread * torch.randn_like(p))
    module = cls(*sizes, **settings)
    module.load_state_dict(weights.state_dict())
    return module.eval()
