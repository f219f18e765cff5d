"""One trainer for every model of the course: a loop that can be killed and goes on as if it had not been."""

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_iter
from tqdm.auto import tqdm

from course.files import Busy, Lock
from course.studies.measured import step_cost
from course.training import resuming
from course.training.errors import Diverged, OtherSettings, RunError
from course.training.log import Log
from course.training.processes import device_of, processes, share_of, sum_over_processes
from course.training.schedule import cosine, inverse_square_root

Batches = Callable[[int], tuple[Tensor, ...]]
"""The batch of a step (from 0), for ``model.loss(*batch)``; the same every time that it is asked for."""


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training run.

    Args:
        steps: number of updates.
        peak_lr: the learning rate after ``warmup`` steps.
        decay: "inverse_square_root" or "cosine" (``course.training.schedule``).
        weight_decay: AdamW's, on matrices alone.
        clip: the largest norm that the gradient may have.
        average: the model trained is the mean of this many snapshots, ...
        average_every: ... so many steps apart, the last of them at the end.
        log_every: steps between lines of the log; each line holds means over these steps.
        save_every: steps between checkpoints, a multiple of ``log_every``.
        bfloat16: compute the loss in bfloat16 where that is safe on a CPU too (on a GPU it always is).

    Raises:
        ValueError: if a number is out of range, or the decay is unknown.
    """

    steps: int
    peak_lr: float
    warmup: int = 1000
    decay: str = "inverse_square_root"
    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = 1e-9
    weight_decay: float = 0.0
    clip: float = 1.0
    average: int = 1
    average_every: int = 100
    log_every: int = 50
    save_every: int = 250
    seed: int = 0
    bfloat16: bool = False

    def __post_init__(self) -> None:
        for name in ("steps", "warmup", "average", "average_every", "log_every", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more; got {getattr(self, name)}")
        if self.save_every % self.log_every:
            raise ValueError(
                f"save_every must be a multiple of log_every = {self.log_every}; got {self.save_every}"
            )
        if self.decay not in ("inverse_square_root", "cosine"):
            raise ValueError(f"decay must be 'inverse_square_root' or 'cosine'; got {self.decay!r}")

    def lr(self, step: int) -> float:
        """The learning rate of a step, counted from 1."""
        if self.decay == "cosine":
            return self.peak_lr * cosine(step, self.warmup, self.steps)
        return self.peak_lr * inverse_square_root(step, self.warmup)

    def is_averaged(self, step: int) -> bool:
        """Whether the weights after this step are one of the last ``average`` snapshots."""
        left = self.steps - step
        return left % self.average_every == 0 and left // self.average_every < self.average


class Trainer:
    """Trains a model that has a ``loss``, and writes ``log.jsonl`` and ``resume.pt`` into a folder.

    What happens in a step depends on the step's number and the seed alone (the batch, the dropout) and on
    what ``resume.pt`` holds (weights, optimiser, average). So a run that was killed, made again with the
    same settings and the same folder, goes on from its last checkpoint and ends, on the same processor with
    the same number of threads, bit for bit where it would have ended. On a GPU, and on a CPU if the settings
    say so, the loss is computed in bfloat16 where that is safe.

    The first line of the log says what the first batch takes: ``flops`` and ``peak_bytes``, see ``_cost``.

    Several processes (``course.training.processes``) make the same updates as one, but for rounding and for
    what dropout drops, and the first of them alone writes: each computes the gradient of its share of a
    batch, and these are summed, each weighted by its part of all the terms that the loss is the mean of.

    Args:
        model: its ``loss(*batch)`` gives a scalar.
        batches: see ``Batches``.
        folder: where the run is kept; made if need be.
        device: "cpu", "cuda", ...
        evaluate: called with the model, in evaluation mode, at every checkpoint; what it gives is logged.
        optimizer: makes what updates the model's weights, all at the learning rate of the settings. By
            default ``adamw``; ``course.training.muon`` has another.
        terms: of how many terms is the loss of this batch the mean? By default, of as many as it has rows.
        tokens: how many tokens of this batch does the model read? By default, all of the first tensor:
            others hold labels, or say more of the same tokens. The log counts them, padding included.

    Raises:
        RunError: if the folder holds a run with other settings or none that is whole, or another process
            trains in it.
    """

    def __init__(
        self,
        model: nn.Module,
        batches: Batches,
        config: TrainingConfig,
        folder: str | Path,
        device: str = "cpu",
        evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
        terms: Callable[..., int] = lambda *batch: len(batch[0]),
        optimizer: Callable[[nn.Module, TrainingConfig], torch.optim.Optimizer] | None = None,
        tokens: Callable[..., int] = lambda *batch: batch[0].numel(),
    ):
        self.processes = processes(device)
        self.device, self.folder = device_of(self.processes, device), Path(folder)
        self.model, self.batches, self.config = model.to(self.device), batches, config
        self.evaluate, self.terms, self.count = evaluate, terms, tokens
        self.optimizer = optimizer(model, config) if optimizer else adamw(model.parameters(), config)
        self.average = WeightAverage()
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = Log(self.folder / "log.jsonl")
        self.lock = _alone_in(self.folder) if self.is_first else None
        self._resume()
        if self.is_first:
            self.log.cut_after(self.step)

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.processes.is_main_process

    def run(self, progress: bool = True) -> nn.Module:
        """Train to the end, from the start or the last checkpoint; gives back the averaged model.

        Raises:
            Diverged: if the loss or its gradient is no longer finite.
            RunError: if the log or a checkpoint cannot be written; what was written before is whole.
        """
        shown = progress and self.is_first
        with tqdm(
            total=self.config.steps, initial=self.step, unit="step", mininterval=1, disable=not shown
        ) as bar:
            cost = self._cost() if self.step == 0 and self.is_first else {}
            while self.step < self.config.steps:
                entry = self._interval(bar) | cost
                if cost:
                    entry["peak_bytes"] += self._kept_bytes()
                    cost = {}
                bar.set_postfix(loss=f"{entry['loss']:.3f}", lr=f"{entry['lr']:.1e}")
                if self.is_first:
                    self._write(entry)
        self.model.load_state_dict(self.average.mean)
        return self.model.eval()

    def _interval(self, bar: tqdm) -> dict[str, float]:
        """Steps up to the next line of the log; gives back that line."""
        first, start = self.step, time.perf_counter()
        loss, norm = torch.zeros(2, device=self.device)
        each = []
        while self.step < self.config.steps and (self.step == first or self.step % self.config.log_every):
            losses = self._step()
            loss, norm = loss + losses[0], norm + losses[1]
            each.append(torch.stack(losses))
            bar.update()
        self.seconds += time.perf_counter() - start
        loss, norm = loss.item() / (self.step - first), norm.item() / (self.step - first)
        _check_finite(torch.stack(each).tolist(), first, self.config)
        return {
            "step": self.step,
            "loss": loss,
            "gradient_norm": norm,
            "lr": self.config.lr(self.step),
            "tokens": self.tokens,
            "seconds": round(self.seconds, 2),
        }

    def _write(self, entry: dict[str, float]) -> None:
        """A line of the log, and where one is due a checkpoint."""
        at_checkpoint = self.step % self.config.save_every == 0 or self.step == self.config.steps
        if at_checkpoint and self.evaluate:
            entry |= self._evaluation()
        try:
            self.log.write(entry)
            if at_checkpoint:
                self._save()
        except OSError as error:
            raise RunError(
                f"step {self.step} could not be written into {self.folder} ({error.strerror}): make room or "
                "mend that, and start the run again; it goes on from its last checkpoint, which is whole"
            ) from error

    def _step(self) -> tuple[Tensor, Tensor]:
        """One update; gives back the loss and the norm of its gradient."""
        batch = [x.to(self.device) for x in self.batches(self.step)]
        self.step += 1
        self.tokens += self.count(*batch)
        own = 500_009 * self.processes.process_index  # each process drops out other units
        torch.manual_seed(1_000_003 * self.config.seed + self.step + own)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr(self.step)
        self.model.train()
        share, weight = share_of(batch, self.terms, self.processes)
        self.optimizer.zero_grad()  # before the pass, so that old gradients take no room beside it
        with self._precision():
            loss = weight * self.model.loss(*share)
        loss.backward()
        loss, gradients = loss.detach(), [p.grad for p in self.model.parameters() if p.grad is not None]
        sum_over_processes([loss, *gradients], self.processes)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        if self.config.is_averaged(self.step):
            self.average.add(self.model)
        return loss, norm

    def _cost(self) -> dict[str, int]:
        """What the first batch takes, forward and backward, in a rehearsal that changes nothing.

        ``flops``: floating-point operations of its matrix products. ``peak_bytes``: what it has in memory at
        most; weights and what the optimiser keeps are added when the first steps have been done.
        """
        batch = [x.to(self.device) for x in self.batches(0)]
        self.model.train()
        share, _ = share_of(batch, self.terms, self.processes)

        def loss() -> Tensor:
            torch.manual_seed(self.config.seed)
            with self._precision():
                return self.model.loss(*share)

        counted, peak = step_cost(loss, self.model.parameters())
        return {"flops": counted, "peak_bytes": peak}

    def _kept_bytes(self) -> int:
        """The weights and what the optimiser keeps of them."""
        kept = tree_iter((dict(self.model.named_parameters()), self.optimizer.state_dict()))
        return sum(x.numel() * x.element_size() for x in kept if isinstance(x, Tensor))

    def _precision(self) -> torch.autocast:
        mixed = self.config.bfloat16 or self.device.type == "cuda"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=mixed)

    @torch.no_grad()
    def _evaluation(self) -> dict[str, float]:
        return self.evaluate(self.model.eval())

    def _save(self) -> None:
        """All that the next steps depend on, in one file that is whole or not there."""
        state = {
            "config": _as_text(self.config),
            "progress": (self.step, self.tokens, self.seconds),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": (self.average.count, self.average.mean),
        }
        resuming.save(self.folder, state)

    def _resume(self) -> None:
        state = resuming.load(self.folder, self.device)
        if state is None:
            return
        if state["config"] != _as_text(self.config):
            raise OtherSettings(
                f"{self.folder} holds a run with other settings:\n  {state['config']}, not\n"
                f"  {_as_text(self.config)}. Choose another folder, or delete this one"
            )
        self.step, self.tokens, self.seconds = state["progress"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.count, self.average.mean = state["average"]


class WeightAverage:
    """The mean of the weights of a model at several times, kept without keeping them all.

    Source: Vaswani et al. 2017, §6.1 (the last 5 or 20 checkpoints); Izmailov et al. 2018.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: dict[str, Tensor] = {}

    @torch.no_grad()
    def add(self, model: nn.Module) -> None:
        """Count these weights in: mean + (weights - mean) / count."""
        self.count += 1
        for name, tensor in model.state_dict().items():
            if self.count == 1:
                self.mean[name] = tensor.clone()
            else:
                self.mean[name].lerp_(tensor, 1 / self.count)


def device_name(device: str) -> str:
    """What a run on this device runs on, for its card."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return "one CPU thread" if threads == 1 else f"{threads} CPU threads"


def adamw(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019) that decays matrices, and neither biases nor norms."""
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.peak_lr, betas=config.betas, eps=config.eps, fused=True)


def _as_text(config: TrainingConfig) -> str:
    return json.dumps(asdict(config))


def _check_finite(steps: list[list[float]], first: int, config: TrainingConfig) -> None:
    """Raise Diverged if a loss or its gradient's norm, of the steps after ``first``, is not finite."""
    for step, (loss, norm) in enumerate(steps, start=first + 1):
        name, value = ("loss", loss) if not math.isfinite(loss) else ("gradient's norm", norm)
        if not math.isfinite(value):
            raise Diverged(
                f"the {name} is {value} at step {step}: a lower peak_lr than {config.peak_lr} or a longer "
                f"warm-up than {config.warmup} steps may keep it finite. The settings: {_as_text(config)}"
            )


def _alone_in(folder: Path) -> Lock:
    try:
        return Lock(folder / "lock")
    except Busy as error:
        raise RunError(
            f"another process{f' (number {error})' if str(error) else ''} trains in {folder}: wait until it "
            "has ended, or choose another folder"
        ) from None
