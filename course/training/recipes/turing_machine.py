"""A Neural Turing Machine that copies bits, from several random starts, and a larger LSTM beside it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from statistics import mean

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from course.models.seq2seq import fit
from course.models.turing_machine import TuringConfig, TuringMachine
from course.studies.copying_bits import LONGEST, Copying, CopyLSTM, copy_losses, drawn, wrong_bits
from course.training import resuming
from course.training.log import Log
from course.training.report import wrapped
from course.training.side_by_side import apart, clip_each, side_by_side

SEEDS = {"machine": range(5), "LSTM": range(3)}
STEPS, BATCH, SLOTS, LR, SAVED = 3000, 8, 24, 2e-3, 200
GROWS = 100
"""Steps after which the longest sequence in training becomes one longer, from 3 on."""
LENGTHS = (1, 2, 3, 5, 8, 10, 12, 15, 18, 20, 25, 30, 40, 50, 60)
TESTED, ROOM = 50, 72
"""Sequences of each length in the test, and the memory's slots there: more than in training."""

CARD = """\
# A Neural Turing Machine that copies

`course.models.turing_machine`: an LSTM of {hidden} units, {parameters:,} parameters, with one head that reads
and one that writes; slots of {width} numbers. It reads up to {longest} rows of eight random bits, then says
them once more. The data are drawn bits, CC0.

- Training: {steps:,} steps of {batch} sequences, all of one length; at first up to 3 rows, one more every
{grows} steps up to {longest}; Adam at {lr}, falling to a tenth; gradients cut to norm 1; {slots} slots; on
one CPU thread of a shared machine. The memory starts the same everywhere, the reading head spread evenly.
- Seeds: {of} of them, and {learned} learned to copy (no wrong bit at any tested length to {longest}, {tested}
new sequences each). Shipped is the median of those, by wrong bits beyond {longest} rows: seed {shipped}.
All are in `scores.json`, and each one's course in `log.jsonl`.
- The LSTM beside it has {hidden_lstm} units, {parameters_lstm:,} parameters; as many steps on the same
sequences.

Wrong bits in a hundred, {room} slots (chance 50):

{table}
"""


def train(folder: str | Path, device: str = "cpu") -> dict:
    """Train what the log in ``folder`` lacks; leaves the median machine, the log, scores and a card."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    log = Log(folder / "log.jsonl")
    if not any(line["model"] == "machine" for line in log.read()):
        for line in machines(folder):
            log.write(line)
    for seed in SEEDS["LSTM"]:
        if ("LSTM", seed) not in {(line["model"], line["seed"]) for line in log.read()}:
            log.write(larger_lstm(seed))
    scores = summary(log.read())
    machine = TuringMachine.from_pretrained(folder / f"machine-{scores['shipped']}")
    machine.save(folder / "model", torch.float16)
    shutil.copyfile(folder / "log.jsonl", folder / "model" / "log.jsonl")
    text = json.dumps(scores, indent=1) + "\n"
    (folder / "model" / "scores.json").write_text(text, encoding="utf-8", newline="\n")
    text = wrapped(card(scores, machine))
    (folder / "model" / "README.md").write_text(text, encoding="utf-8", newline="\n")
    return scores


def machines(folder: Path) -> list[dict]:
    """Machines from several random starts, trained side by side, each saved; what came of each."""
    made = []
    for seed in SEEDS["machine"]:
        torch.manual_seed(seed)
        made.append(TuringMachine(TuringConfig()))
    together = side_by_side(made)
    losses, seconds = fit_together(together, len(made), folder)
    apart(together, made)
    for seed, machine in zip(SEEDS["machine"], made, strict=True):
        machine.save(folder / f"machine-{seed}")
    return [
        line_of("machine", seed, Copying(machine, ROOM), curve, seconds / len(made))
        for seed, machine, curve in zip(SEEDS["machine"], made, losses.mT.tolist(), strict=True)
    ]


def fit_together(
    together: TuringMachine, n: int, folder: Path
) -> tuple[Float[Tensor, "steps machine"], float]:
    """Train ``n`` machines side by side, each with its own gradient's norm; goes on where it was stopped.

    Returns:
        Every step's losses, and the CPU seconds it took.
    """
    weights = list(together.parameters())
    optimizer, losses, seconds = torch.optim.Adam(weights, LR), [], 0.0
    if state := resuming.load(folder, torch.device("cpu")):
        together.load_state_dict(state["weights"])
        optimizer.load_state_dict(state["optimizer"])
        losses, seconds = list(state["losses"]), state["seconds"]
    start = time.process_time() - seconds
    for step in tqdm(range(len(losses), STEPS), initial=len(losses), total=STEPS):
        optimizer.param_groups[0]["lr"] = LR * (1 - 0.9 * step / STEPS)
        inputs, bits = (x.unflatten(0, (n, BATCH)) for x in drawn(step, 0, longest(step), n * BATCH))
        each = copy_losses(together(inputs, SLOTS), bits)
        optimizer.zero_grad()
        each.sum().backward()
        clip_each(weights, 1.0)
        optimizer.step()
        losses.append(each.detach())
        if (step + 1) % SAVED == 0:
            done = {"weights": together.state_dict(), "optimizer": optimizer.state_dict()}
            resuming.save(
                folder, done | {"losses": torch.stack(losses), "seconds": time.process_time() - start}
            )
    return torch.stack(losses), time.process_time() - start


def larger_lstm(seed: int) -> dict:
    """An LSTM trained on as many steps of as many sequences, and what came of it."""
    torch.manual_seed(seed)
    model, start = Copying(CopyLSTM()), time.process_time()
    losses = fit(model, lambda step: drawn(step, seed, longest(step), BATCH), STEPS, LR)
    return line_of("LSTM", seed, model, losses, time.process_time() - start)


def line_of(kind: str, seed: int, model: Copying, losses: list[float], seconds: float) -> dict:
    """A line of the log: how one model learned, and its wrong bits at each length."""
    every = max(1, len(losses) // 60)
    wrong = wrong_bits(model, LENGTHS, TESTED)
    return {
        "model": kind,
        "seed": seed,
        "step": STEPS,
        "parameters": sum(p.numel() for p in model.parameters()),
        "cpu_seconds": round(seconds, 1),
        "losses": [round(mean(losses[i : i + every]), 4) for i in range(0, len(losses), every)],
        "wrong": dict(zip(map(str, LENGTHS), (round(w, 5) for w in wrong), strict=True)),
    }


def longest(step: int) -> int:
    """The longest sequence of a step."""
    return min(LONGEST, 3 + step // GROWS)


def has_learned(line: dict) -> bool:
    """Whether no bit was wrong at any length seen in training."""
    return all(wrong == 0 for length, wrong in line["wrong"].items() if int(length) <= LONGEST)


def beyond(line: dict) -> float:
    """The mean share of wrong bits at lengths not seen in training."""
    return mean(wrong for length, wrong in line["wrong"].items() if int(length) > LONGEST)


def summary(log: list[dict]) -> dict:
    """Every seed's wrong bits, who learned, and the seed that is shipped: the (lower) median of those."""
    of = {kind: [line for line in log if line["model"] == kind] for kind in SEEDS}
    learned = sorted((line for line in of["machine"] if has_learned(line)), key=beyond)
    if not learned:
        raise RuntimeError(f"none of {len(of['machine'])} seeds learned to copy: train longer")
    return {
        "trained_to": LONGEST,
        "steps": STEPS,
        "learned": sorted(line["seed"] for line in learned),
        "shipped": learned[(len(learned) - 1) // 2]["seed"],
        "parameters": {kind: lines[0]["parameters"] for kind, lines in of.items() if lines},
        "wrong": {kind: {str(line["seed"]): line["wrong"] for line in lines} for kind, lines in of.items()},
    }


def card(scores: dict, machine: TuringMachine) -> str:
    """What was trained, how each seed did, and which is shipped."""
    names = [(kind, seed) for kind, seeds in scores["wrong"].items() for seed in seeds]
    rows = ["| rows | " + " | ".join(f"{kind} {seed}" for kind, seed in names) + " |"]
    rows += ["|---:|" + "---:|" * len(names)]
    for length in map(str, LENGTHS):
        shown = (f"{100 * scores['wrong'][kind][seed][length]:.2f}" for kind, seed in names)
        rows.append(f"| {length} | {' | '.join(shown)} |")
    return CARD.format(
        hidden=machine.config.hidden, width=machine.config.width, parameters=scores["parameters"]["machine"],
        steps=STEPS, batch=BATCH, grows=GROWS, longest=LONGEST, lr=LR, slots=SLOTS, tested=TESTED, room=ROOM,
        of=len(scores["wrong"]["machine"]), learned=len(scores["learned"]), shipped=scores["shipped"],
        hidden_lstm=CopyLSTM().lstm.hidden_size, parameters_lstm=scores["parameters"]["LSTM"],
        table="\n".join(rows),
    )  # fmt: skip
