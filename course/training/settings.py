"""The settings of a training run."""

import json
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

from course.training.schedule import cosine, inverse_square_root, stable


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

    DECAYS: ClassVar = ("inverse_square_root", "cosine")
    LENGTH: ClassVar = ("steps",)

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
        if self.decay not in self.DECAYS:
            raise ValueError(f"decay must be {' or '.join(map(repr, self.DECAYS))}; got {self.decay!r}")

    def lr(self, step: int) -> float:
        """The learning rate of a step, counted from 1."""
        if self.decay == "cosine":
            return self.peak_lr * cosine(step, self.warmup, self.steps)
        return self.peak_lr * inverse_square_root(step, self.warmup)

    def is_averaged(self, step: int) -> bool:
        """Whether the weights after this step are one of the last ``average`` snapshots."""
        left = self.steps - step
        return left % self.average_every == 0 and left // self.average_every < self.average

    def is_open(self, step: int) -> bool:
        """Whether nothing up to this step depended on ``steps``: from here a run may become a longer one."""
        return False

    def goes_on(self, stored: str, step: int) -> bool:
        """Whether a run of these settings may go on at this step of one whose settings are ``stored``.

        How often it writes may differ; and how long it is, as long as nothing has depended on that.
        """
        found = json.loads(stored)
        if found.keys() != asdict(self).keys():
            return False
        theirs = type(self)(**found)
        ours = {name: getattr(self, name) for name in (*self.LENGTH, "log_every", "save_every")}
        as_long = all(getattr(theirs, name) == ours[name] for name in self.LENGTH)
        same = as_text(replace(theirs, **ours)) == as_text(self)
        return same and (as_long or (theirs.is_open(step) and self.is_open(step)))


@dataclass(frozen=True)
class OpenEnded(TrainingConfig):
    """Settings of a run that can become a longer one: the rate is level until the last ``cooldown`` steps.

    Raises:
        ValueError: if the cool-down is longer than the run, or the mean is of weights from before it.

    Source: Hu et al. 2024 (MiniCPM), §4; Hägele et al. 2024.
    """

    DECAYS: ClassVar = ("stable",)
    LENGTH: ClassVar = ("steps", "cooldown")

    decay: str = "stable"
    cooldown: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.average - 1) * self.average_every < self.cooldown <= self.steps:
            raise ValueError(
                "the cool-down is a part of the run, and the mean of snapshots is of weights in it; got "
                f"{self.cooldown} of {self.steps} steps, {self.average} snapshots {self.average_every} apart"
            )

    def lr(self, step: int) -> float:
        """The learning rate of a step, counted from 1."""
        return self.peak_lr * stable(step, self.warmup, self.cooldown, self.steps)

    def is_open(self, step: int) -> bool:
        """Whether the rate has not begun to fall."""
        return step <= self.steps - self.cooldown


def as_text(config: TrainingConfig) -> str:
    """As JSON in a line."""
    return json.dumps(asdict(config))
