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
from course.studies.budget import Sizes, sizes_of, training_flops, training_memory
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


class Machine(NamedTuple):
    """What a machine does in a second, for products of one size: operations, and bytes read and written."""

    flops: float
    bytes: float


PASSES = 6
"""How often a step goes over its activations, besides the products: they are written and read, and so are
their gradients on the way back; two more for what lies between. A round number, not a fit."""


@torch.no_grad()
def machine(
    sizes: Sizes,
    batch: int,
    bfloat16: bool = False,
    rounds: int = 7,
    clock: Callable[[], float] = time.perf_counter,
) -> Machine:
    """Measure this machine: the products of a feed-forward network of these sizes, and a plain addition.

    No model is run. Medians over rounds, with as many threads as torch has now.
    """
    kind, rows = torch.bfloat16 if bfloat16 else torch.float32, batch * sizes.length
    shapes = (rows, sizes.d_model), (sizes.d_model, sizes.ff), (sizes.ff, sizes.d_model)
    x, up, down = (torch.randn(*shape).to(kind) for shape in shapes)
    wide = torch.randn(4_000_000)
    products = _median_seconds(lambda: (x @ up) @ down, rounds, clock)
    addition = _median_seconds(lambda: wide + 1.0, rounds, clock)
    return Machine(4 * rows * sizes.d_model * sizes.ff / products, 8 * wide.numel() / addition)


def expected_seconds(sizes: Sizes, batch: int, here: Machine, bfloat16: bool = False) -> float:
    """How long a step should take: its products, and ``PASSES`` times over its activations."""
    products = training_flops(sizes, batch * sizes.length) / here.flops
    return products + PASSES * training_memory(sizes, batch, bfloat16).activations / here.bytes


def training_rate(rounds: int = 5) -> float:
    """What this machine sustains when a small GPT is trained: operations a second of the clock.

    Of 2 layers, 256 wide, 8 windows of 256 tokens, whole updates by AdamW in float32; the median over rounds.
    Other sizes run at other rates: large products make better use of a processor than small ones.
    """
    config = GPTConfig(2048, 256, 4, 2, max_length=256, dropout=0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, ids = GPT(config).train(), torch.randint(2048, (8, 256))
    seconds = seconds_a_step(model, lambda: model.loss(ids, ids), rounds)
    return training_flops(sizes_of(config), ids.numel()) / seconds


def _median_seconds(call: Callable[[], Tensor], rounds: int, clock: Callable[[], float]) -> float:
    found = []
    for _ in range(rounds + 1):
        start = clock()
        call()
        found.append(clock() - start)
    return median(found[1:])


def seconds_a_step(
    model: nn.Module,
    loss: Callable[[], Tensor],
    rounds: int = 20,
    bfloat16: bool = False,
    clock: Callable[[], float] = time.perf_counter,
    optimizer: torch.optim.Optimizer | None = None,
) -> float:
    """The median time of a whole update: forward, backward, by default AdamW. The model is trained by it.

    Args:
        clock: ``time.process_time`` counts this process's work alone, where others use the machine too.
    """
    optimizer = optimizer or torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
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
