"""How many labels does a new task need? The same few, for a model that has seen other pictures and not."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.models.any_sequence import Saved


def few_of_each(labels: Int[Tensor, "example"], k: int, generator: torch.Generator) -> Int[Tensor, "chosen"]:
    """The numbers of k examples of each class, drawn without putting back.

    Raises:
        ValueError: if a class has not so many.
    """
    chosen = []
    for label in labels.unique():
        own = (labels == label).nonzero()[:, 0]
        if len(own) < k:
            raise ValueError(f"class {label.item()} has {len(own)} examples; {k} are asked for")
        chosen.append(own[torch.randperm(len(own), generator=generator)[:k]])
    return torch.cat(chosen)


def probe(
    features: Float[Tensor, "example d"], labels: Int[Tensor, "example"], n_classes: int, decay: float = 0.01
) -> nn.Linear:
    """One linear map from features to classes (logistic regression), the features left as they are.

    Args:
        decay: how much long weights cost: half of this times their squares is added to the mean loss.
    """
    model = nn.Linear(features.shape[1], n_classes)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(features), labels) + decay / 2 * model.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return model


def tuned(
    model: Saved,
    images: Float[Tensor, "example ..."],
    labels: Int[Tensor, "example"],
    steps: int = 150,
    lr: float = 1e-3,
    batch: int = 16,
    seed: int = 0,
) -> Saved:
    """A copy of the model, its every weight trained on these examples; the learning rate falls to a tenth."""
    model, generator = copy.deepcopy(model).train(), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * (1 - 0.9 * step / steps)
        chosen = torch.randperm(len(labels), generator=generator)[:batch]
        optimizer.zero_grad()
        model.loss(images[chosen], labels[chosen]).backward()
        optimizer.step()
    return model.eval()


def mean_and_interval(values: list[float]) -> tuple[float, float, float]:
    """The mean, and the 95 % interval for it from its draws (Student's t), low and high.

    Raises:
        ValueError: if there are fewer than two draws, or more than ten.
    """
    if not 2 <= len(values) <= 10:
        raise ValueError(f"an interval needs 2 to 10 draws; got {len(values)}")
    x = torch.tensor(values, dtype=torch.float64)
    half = _T95[len(values) - 2] * x.std().item() / len(values) ** 0.5
    return x.mean().item(), x.mean().item() - half, x.mean().item() + half


_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t at 97.5 %, for 1 to 9 degrees of freedom."""
