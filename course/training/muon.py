"""Muon for the matrices of a model's blocks, AdamW for the rest: fewer steps where a skill is slow to come.

Muon gives every direction of a matrix the same share of an update, where Adam's follows the few in which
gradients are largest. The learning rate is the same for both, since Muon's updates are scaled to the size of
Adam's.

Source: Jordan et al. 2024 (Muon); Liu et al. 2025 (Muon is Scalable for LLM Training), §2.2, for the scale.
"""

from __future__ import annotations

import torch
from torch import nn

from course.training.trainer import TrainingConfig, adamw

IN_A_CARD = "; Muon for the blocks' matrices, AdamW for the rest"
"""What a card says behind the settings of a training by ``muon``."""


class Together:
    """Several optimisers, each with parameters of its own, that go as one.

    Args:
        optimizers: whose groups of parameters ``param_groups`` lists one after the other.
    """

    def __init__(self, *optimizers: torch.optim.Optimizer):
        self.optimizers = optimizers

    @property
    def param_groups(self) -> list[dict]:
        """Of all of them; what is changed in one is changed."""
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def zero_grad(self) -> None:
        """Forget every gradient."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self) -> None:
        """One update of every parameter."""
        for optimizer in self.optimizers:
            optimizer.step()

    def state_dict(self) -> dict[str, list[dict]]:
        """All that the next steps depend on."""
        return {"optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state: dict[str, list[dict]]) -> None:
        """Go on from a ``state_dict``."""
        for optimizer, own in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(own)


def muon(model: nn.Module, config: TrainingConfig) -> Together:
    """Muon for every matrix in ``model.blocks``; AdamW for embeddings, input, output, norms and biases."""
    inside = [parameter for parameter in model.blocks.parameters() if parameter.dim() == 2]
    ours = {id(parameter) for parameter in inside}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in ours]
    matrices = torch.optim.Muon(
        inside, lr=config.peak_lr, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw"
    )
    return Together(matrices, adamw(rest, config))
