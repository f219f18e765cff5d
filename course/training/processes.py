"""Training in several processes: what belongs to the first alone, and how their gradients become one.

    accelerate launch --multi_gpu --num_processes 2 -m course train translator

starts two, on graphics cards or, where there are none, on the CPU. Started otherwise there is one.
"""

from collections.abc import Callable, Sequence

import torch
from accelerate import PartialState
from accelerate.utils import reduce
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters


def processes(device: str | torch.device) -> PartialState:
    """How many processes train together, which of them this is, and its device, one of that kind."""
    return PartialState(cpu=torch.device(device).type == "cpu")


def device_of(state: PartialState, device: str | torch.device) -> torch.device:
    """Where this process computes: where it is told to, or, one of several on cards, on its own card."""
    on_its_own = state.num_processes > 1 and torch.device(device).type != "cpu"
    return torch.device(state.device if on_its_own else device)


def share_of(
    batch: Sequence[Tensor], terms: Callable[..., int], state: PartialState
) -> tuple[Sequence[Tensor], float]:
    """This process's rows of a batch, every n-th of n, and their weight in the loss of the whole batch.

    Args:
        terms: of how many terms the loss of a batch is the mean.
    """
    if state.num_processes == 1:
        return batch, 1.0
    share = [x[state.process_index :: state.num_processes] for x in batch]
    weight = terms(*share) / terms(*batch)
    return (share, weight) if weight else (batch, 0.0)  # no terms have no mean: one that counts for nothing


def sum_over_processes(tensors: Sequence[Tensor], state: PartialState) -> None:
    """Put into these tensors the sums of what every process has in them."""
    if state.num_processes > 1:
        vector_to_parameters(reduce(parameters_to_vector(tensors), reduction="sum"), tensors)
