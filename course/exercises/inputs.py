"""What answers are tried on: irregular numbers, rows of weights, ids, masks, modules with fixed weights.

Irregular, so that no mistakes look alike: take sizes that differ on every axis (3 queries, 5 keys, 7
features, never 2 and 4), no value of 0, 1, 0.5 or 2 where one multiplies or raises, repeats where they tell.
Make them inside a part (``lambda f: f(randn(3, 5))``), never once for the module: an answer may change them.
"""

import torch
from torch import Tensor, nn


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)


def rows(*shape: int, seed: int = 0) -> Tensor:
    """Random rows of weights: positive, each summing to one."""
    return randn(*shape, seed=seed).softmax(-1)


def ids(*shape: int, below: int, start: int = 0, seed: int = 0) -> Tensor:
    """Whole numbers from ``start`` to ``below`` - 1; with few of them, some repeat."""
    return torch.randint(start, below, shape, generator=torch.Generator().manual_seed(seed))


def some_true(*shape: int, empty: tuple[int, ...] | None = None, seed: int = 0) -> Tensor:
    """A mask without symmetry: each row has a True and a False; the row at ``empty`` has no True at all."""
    scores = randn(*shape, seed=seed)
    mask = scores > 0
    mask.scatter_(-1, scores.argmax(-1, keepdim=True), True)
    mask.scatter_(-1, scores.argmin(-1, keepdim=True), False)
    if empty is not None:
        mask[empty] = False
    return mask


def with_fixed_weights(cls, reference, *sizes, spread: float = 0.5, **settings) -> nn.Module:
    """An instance of the learner's class with fixed weights, in eval mode.

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


def all_dropped(module: nn.Module) -> nn.Module:
    """The module in training with every dropout at p = 1: fixed, and it shows where dropout stands."""
    for m in module.modules():
        if isinstance(m, nn.Dropout):
            m.p = 1.0
    return module.train()
