"""Are the budget's formulas true? The recipe of every shipped GPT, some steps of it again.

The logged run behind notebook 13's table. Random tokens stand for the data, which change nothing in the cost;
sizes, batch, precision and optimiser are the recipe's own. One thread, and this process's own seconds, so
that what else the machine does counts for little.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import NamedTuple

import torch

from course.models.gpt import GPT, GPTConfig
from course.studies import budget
from course.studies.measured import expected_seconds, machine, seconds_a_step, step_cost
from course.training.muon import muon
from course.training.recipes import docstrings, shakespeare_char, stories
from course.training.report import wrapped
from course.training.trainer import TrainingConfig, adamw

STEPS = {"shakespeare-char": 20, "gpt-stories": 20, "gpt-docstring": 6}
HOW = (
    "Whole steps, one CPU thread, the median of this process's own seconds; products and an addition of the "
    "same sizes were timed just before, and no number was fitted to these runs. Other work was running. "
    "gpt-docstring has dropout and is trained by Muon, whose own products the formula leaves out."
)

CARD = """\
# The budget, checked

No model, but measurements: for each GPT that ships, a step with the sizes, batch, precision
and optimiser of its recipe, on random tokens. {how}

| | parameters | 10⁹ operations: formula, counted | MB at the peak | seconds a step: expected, taken |
|---|---:|---:|---:|---:|
{rows}
"""


class Run(NamedTuple):
    """A recipe: the model's sizes, windows a batch, settings, whether Muon trains it."""

    config: GPTConfig
    batch: int
    training: TrainingConfig
    muon: bool


RUNS = {
    "shakespeare-char": Run(
        GPTConfig(65, **shakespeare_char.RECIPE.model),
        shakespeare_char.RECIPE.batch,
        shakespeare_char.RECIPE.training,
        False,
    ),
    **{
        name: Run(GPTConfig(2048, **r.model), r.batch, r.training, r.muon)
        for name, r in {"gpt-stories": stories.RECIPE, "gpt-docstring": docstrings.RECIPE}.items()
    },
}


def train(folder: str | Path, device: str = "cpu", steps: dict[str, int] = STEPS) -> dict:
    """Measure every run; leaves ``scores.json`` and a card in ``folder``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    scores = {"how": HOW, "runs": []}
    for name, run in RUNS.items():
        scores["runs"].append({"name": name} | measured(run, steps[name]) | {"steps": steps[name]})
        print(json.dumps(scores["runs"][-1]), flush=True)
    (folder / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(wrapped(card(scores)), encoding="utf-8", newline="\n")
    return scores


def measured(run: Run, steps: int = 20) -> dict[str, float]:
    """A run's operations, bytes and seconds, by the formulas and as they are, and the formulas' errors."""
    torch.manual_seed(0)
    model, sizes = GPT(run.config).train(), budget.sizes_of(run.config)
    ids = torch.randint(run.config.vocab_size, (run.batch, run.config.max_length))
    half = run.training.bfloat16

    def loss() -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            return model.loss(ids, ids)

    cost = step_cost(loss, model.parameters())
    memory = budget.training_memory(sizes, run.batch, half)
    optimizer = muon(model, run.training) if run.muon else adamw(model.parameters(), run.training)
    here = machine(sizes, run.batch, half, clock=time.process_time)
    seconds = seconds_a_step(model, lambda: model.loss(ids, ids), steps, half, time.process_time, optimizer)
    kept = sum(
        x.numel() * x.element_size()
        for x in torch.utils._pytree.tree_iter((dict(model.named_parameters()), optimizer.state_dict()))
        if isinstance(x, torch.Tensor)
    )
    found = {
        "parameters": budget.parameters(sizes),
        "formula_flops": budget.training_flops(sizes, ids.numel()),
        "flops": cost.flops,
        "formula_bytes": memory.peak,
        "peak_bytes": kept + max(cost.bytes, memory.gradients),
        "formula_seconds": round(expected_seconds(sizes, run.batch, here, half), 4),
        "seconds": round(seconds, 4),
    }
    errors = {
        f"{what}_error": round(
            found[f"formula_{what}"] / found["peak_bytes" if what == "bytes" else what] - 1, 4
        )
        for what in ("flops", "bytes", "seconds")
    }
    return found | errors


def card(scores: dict) -> str:
    """The README."""
    rows = []
    for r in scores["runs"]:
        cells = [f"{r['parameters']:,}"]
        columns = ("flops", "flops", 1e9), ("bytes", "peak_bytes", 1e6), ("seconds", "seconds", 1)
        for what, measured_as, unit in columns:
            pair = f"{r[f'formula_{what}'] / unit:.3g}, {r[measured_as] / unit:.3g}"
            cells.append(f"{pair} ({r[f'{what}_error']:+.1%})")
        rows.append(f"| {r['name']} | {' | '.join(cells)} |")
    return CARD.format(how=scores["how"], rows="\n".join(rows))
