"""What a step of training costs, measured as it runs: operations counted, bytes alive, time (L3.6.f)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple
from weakref import finalize

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from course.models.gpt import GPT, GPTConfig
from course.studies.budget import sizes_of, training_flops
from course.studies.cost import explicitly, flops


class StepCost(NamedTuple):
    """Of one step: floating-point operations of its matrix products, and bytes that it has alive at most.

    ``bytes`` counts what forward and backward make (activations, gradients), not what was there before.
    """

    flops: int
    bytes: int


def step_cost(loss: Callable[[], Tensor], parameters: Iterable[nn.Parameter]) -> StepCost:
    """Run a step's forward and backward twice, once to count and once to weigh; nothing is updated.

    The gradients that there were are put back, and so is torch's chance.

    Args:
        loss: runs the model on the step's batch.
    """
    kept = [(p, p.grad) for p in parameters]

    def run() -> None:
        for p, _ in kept:
            p.grad = None
        loss().backward()

    try:
        with torch.random.fork_rng(devices=[]):
            with explicitly():  # a fused kernel's products are not seen
                counted = flops(run)
            with peak_bytes(p for p, _ in kept) as peak:
                run()
    finally:
        for p, grad in kept:
            p.grad = grad
    return StepCost(counted, peak())


@contextmanager
def peak_bytes(known: Iterable[Tensor] = ()) -> Iterator[Callable[[], int]]:
    """Weigh what torch's operations make inside: the most bytes of it that were alive at once.

    Each block of memory counts once, however many tensors show it, until the last of them is gone. What a
    kernel uses for itself while it runs is not seen.

    Args:
        known: tensors that were there before and do not count.
    """
    scale = _Scale(known)
    with scale:
        yield lambda: scale.peak


class _Scale(TorchDispatchMode):
    def __init__(self, known: Iterable[Tensor]):
        super().__init__()
        self.alive, self.peak = 0, 0
        self.seen = {t.untyped_storage()._cdata for t in known}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for given in tree_iter((args, kwargs)):
            if isinstance(given, Tensor):  # what comes from outside was there before
                self.seen.add(given.untyped_storage()._cdata)
        result = func(*args, **(kwargs or {}))
        for made in tree_iter(result):
            if isinstance(made, Tensor):
                self._weigh(made)
        return result

    def _weigh(self, made: Tensor) -> None:
        storage = made.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self.seen:
            return
        self.seen.add(key)
        self.alive += size
        self.peak = max(self.peak, self.alive)
        finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self.seen.discard(key)
        self.alive -= size


def training_rate(
    config: GPTConfig | None = None, batch: int = 8, bfloat16: bool = False, rounds: int = 5
) -> float:
    """What this machine sustains in training: floating-point operations a second of the clock.

    A GPT of the given sizes (by default small ones) learns from random tokens, whole updates by AdamW; the
    median over rounds after one that does not count. The operations are those of the formula. Other sizes run
    at other rates: large products make better use of a processor than small ones.
    """
    config = config or GPTConfig(2048, 256, 4, 2, max_length=256, dropout=0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = GPT(config).train()
        ids = torch.randint(config.vocab_size, (batch, config.max_length))
    seconds = seconds_a_step(model, lambda: model.loss(ids, ids), rounds, bfloat16)
    return training_flops(sizes_of(config), ids.numel()) / seconds


def seconds_a_step(
    model: nn.Module,
    loss: Callable[[], Tensor],
    rounds: int = 20,
    bfloat16: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """The median time of a whole update: forward, backward, AdamW. The model is trained by it.

    Args:
        clock: ``time.process_time`` counts this process's work alone, where others use the machine too.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    found = []
    for _ in range(rounds + 1):
        start = clock()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            value = loss()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        found.append(clock() - start)
    return median(found[1:])
