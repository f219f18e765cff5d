"""What the recipes of other sequences share: the encoder, several seeds of it, plain readers, a card."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from course.models.any_sequence import SequenceConfig, SequenceEncoder, n_parameters
from course.training.report import write_report
from course.training.trainer import Batches, Trainer, TrainingConfig, device_name

CARD = """\
# {title}

The encoder for any sequence (`course.models.any_sequence`), {parameters:,} parameters, stored as float16.

- Data: {data}
- Sizes: `{sizes}`
- Training: `{settings}`, {batch} a step
- Cost: {last[step]} steps in {last[seconds]:.0f} seconds on {device}; shipped is seed 0's

Right, of {tested:,} ({tested_on}); chance is {chance:.0%}:

| | right |
|---|---:|
{rows}
"""


@dataclass(frozen=True)
class SequenceRecipe:
    """One kind of sequence: where batches come from, what is tested, and what stands beside.

    Args:
        batches: for a seed, the batch of each step.
        tested: sequences and their classes.
        beside: further rows of the table; each is given the encoder of seed 0, and gives the shares right of
            its seeds, or the one share that it has.
    """

    title: str
    data: str
    tested_on: str
    model: SequenceConfig
    training: TrainingConfig
    batch: int
    batches: Callable[[int], Batches]
    tested: Callable[[], tuple[Tensor, Tensor]]
    beside: Mapping[str, Callable[[SequenceEncoder], list[float]]]
    seeds: tuple[int, ...] = (0, 1, 2)

    def train(self, folder: str | Path, device: str = "cpu", progress: bool = True) -> SequenceEncoder:
        """Repeat the recipe, or go on with it, in ``folder``; other seeds than the first in folders of it."""
        folder, tested = Path(folder), self.tested()
        found = []
        for seed in self.seeds:
            own = folder if seed == self.seeds[0] else folder / f"seed-{seed}"
            torch.manual_seed(seed)
            model, settings = SequenceEncoder(self.model), replace(self.training, seed=seed)
            judge = lambda m: {"accuracy": m.accuracy(*tested)}  # noqa: E731
            Trainer(model, self.batches(seed), settings, own, device, judge).run(progress).save(
                own / "model", torch.float16
            )
            found.append(SequenceEncoder.from_pretrained(own / "model").accuracy(*tested))
        model = SequenceEncoder.from_pretrained(folder / "model")
        scores = {"encoder": found} | {name: of(model) for name, of in self.beside.items()}
        scores = {name: [round(x, 4) for x in values] for name, values in scores.items()}
        write_report(folder, scores | {"tested": len(tested[1])}, self.card(folder, scores, device))
        return model

    def card(self, folder: Path, scores: Mapping[str, list[float]], device: str) -> str:
        """What was trained on what, and how well it and the others do."""
        last = json.loads((folder / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
        return CARD.format(
            title=self.title,
            parameters=n_parameters(SequenceEncoder(self.model)),
            data=self.data,
            sizes=json.dumps(asdict(self.model)),
            settings=json.dumps(asdict(self.training)),
            batch=self.batch,
            last=last,
            device=device_name(device),
            tested=len(self.tested()[1]),
            tested_on=self.tested_on,
            chance=1 / self.model.n_out,
            rows="\n".join(f"| {name} | {span(of)} |" for name, of in scores.items()),
        )


def span(values: list[float]) -> str:
    """A mean and, of several seeds, the lowest and the highest."""
    mean = f"{sum(values) / len(values):.1%}"
    return f"{mean} ({min(values):.1%}–{max(values):.1%}, {len(values)} seeds)" if len(values) > 1 else mean


def drawn(x: Tensor, labels: Tensor, batch: int, seed: int, change: Callable | None = None) -> Batches:
    """Batches from examples that are all there: which depends on the step and the seed alone."""

    def of(step: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(1_000_003 * seed + step)
        chosen = torch.randint(len(labels), (batch,), generator=generator)
        return (change(x[chosen], generator) if change else x[chosen]), labels[chosen]

    return of
