"""Offline decisions on five random graphs: a Decision Transformer, behaviour cloning and its best tenth."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import torch
from torch import Tensor

from course.in_context.few_shot import wilson_interval
from course.models.decision_transformer import DecisionTransformer
from course.studies.shortest_paths import (
    BATCH,
    GOAL,
    MOVES,
    NODES,
    SPARSITY,
    WALKS,
    ask,
    best_tenth,
    decider,
    distances,
    followed,
    outcome,
    planned,
    random_graph,
    random_walks,
    train_on,
)
from course.training.log import Log
from course.training.report import wrapped

SEEDS, STEPS, LR, MORE = range(5), 400, 3e-3, 3
SHIPPED = 2
"""The seed that ships, chosen before any was trained: on its graph half of the walks arrive."""

CARD = """\
# Deciding: the shortest way, from random walks alone

`course.models.decision_transformer` on the toy of its paper (`course.studies.shortest_paths`): {nodes} nodes,
an edge from each to each with chance {sparsity}, {walks:,} walks of at most {moves} moves by somebody who
takes any edge. A move that does not end at the goal costs 1. Graphs and walks are drawn, CC0.

- Training: {steps} steps of {batch} walks, Adam at {lr}, falling to a tenth, on one CPU thread of a shared
machine, about {seconds:.0f} CPU seconds; {parameters:,} parameters. Behaviour cloning is the same network
without the returns.
- Seeds: {of}, each with a graph, walks and weights of its own. Shipped is seed {shipped}, chosen before
any was trained.

From {starts} starts, always the likeliest move; "shortest" is as short as any way can be.

{table}

All seeds together, shortest ways: {together}.
"""


def train(folder: str | Path, device: str = "cpu") -> dict:
    """Train every seed that the log in ``folder`` lacks; leaves one model, the log, scores and a card."""
    folder = Path(folder)
    (folder / "model").mkdir(parents=True, exist_ok=True)

    def run(seed: int) -> dict:
        model, found = cell(seed)
        if seed == SHIPPED:
            model.save(folder / "model", torch.float16)
        return found

    scores = summary(Log(folder / "log.jsonl").fill(("seed",), ((seed,) for seed in SEEDS), run))
    shutil.copyfile(folder / "log.jsonl", folder / "model" / "log.jsonl")
    for name, text in (
        ("scores.json", json.dumps(scores, indent=1) + "\n"),
        ("README.md", wrapped(card(scores))),
    ):
        (folder / "model" / name).write_text(text, encoding="utf-8", newline="\n")
    return scores


def cell(seed: int) -> tuple[DecisionTransformer, dict]:
    """One graph, its walks, three models trained on them, and how each does from all starts."""
    edges = random_graph(seed)
    walks = random_walks(edges, seed=seed)
    model, clone, tenth = decider(seed), decider(seed), decider(seed)
    start = time.process_time()
    losses = train_on(model, walks, STEPS, seed, lr=LR)
    seconds = time.process_time() - start
    train_on(clone, walks, STEPS, seed, blind=True, lr=LR)
    train_on(tenth, best_tenth(walks), STEPS, seed, blind=True, lr=LR)
    starts, fewest = torch.arange(1, NODES), distances(edges)[1:] - 1
    far = fewest > 0

    def found(wanted: Tensor, rows: Tensor = fewest >= 0) -> dict:
        paths = ask(model, edges, starts[rows], -wanted[rows])
        return {"of": int(rows.sum()), **outcome(paths, edges)._asdict()}

    def cloned(one: DecisionTransformer) -> dict:
        paths = ask(one, edges, starts, torch.zeros(len(starts)), blind=True)
        return {"of": len(starts), **outcome(paths, edges)._asdict()}

    every = {str(k): found(torch.full_like(fewest, k))["returned"] for k in range(MOVES + 1)}
    return model, {
        "step": STEPS,
        "cpu_seconds": round(seconds, 1),
        "parameters": sum(p.numel() for p in model.parameters()),
        "loss": round(sum(losses[-50:]) / 50, 4),
        "fewest": (-fewest.float().mean()).item(),
        "walks": {
            "arrived": int((walks.returns[:, 0] > -MOVES).sum()),
            "returned": walks.returns[:, 0].mean().item(),
        },
        "shortest": found(fewest),
        "long": found((fewest + MORE).clamp(max=MOVES - 1)),
        "impossible": found(torch.zeros_like(fewest), far),
        "cloned": cloned(clone),
        "cloned tenth": cloned(tenth),
        "planned": {"of": len(starts), **outcome(followed(planned(walks), edges), edges)._asdict()},
        "asked": every,
    }  # fmt: skip


ROWS = {
    "shortest": "asked for the fewest stops",
    "long": f"asked for {MORE} stops more than that",
    "impossible": "asked for none, where one is needed",
    "cloned": "behaviour cloning",
    "cloned tenth": "behaviour cloning, best tenth of the walks",
    "planned": "a table of single moves (Q)",
}


def summary(log: list[dict]) -> dict:
    """Every seed's outcomes, and for each row of the table the shortest ways of all seeds together."""
    log = sorted(log, key=lambda line: line["seed"])
    together = {}
    for row in ROWS:
        right, of = sum(line[row]["shortest"] for line in log), sum(line[row]["of"] for line in log)
        interval = [round(bound, 3) for bound in wilson_interval(right, of)]
        together[row] = {"shortest": right, "of": of, "interval": interval}
    return {"seeds": log, "together": together, "shipped": SHIPPED, "more": MORE, "goal": GOAL}


def card(scores: dict) -> str:
    """What was trained, on what, and how each seed did."""
    log = scores["seeds"]
    head = "| | " + " | ".join(f"seed {line['seed']}" for line in log) + " |"
    table = [head, "|---|" + "---|" * len(log)]
    for row, said in ROWS.items():
        shown = [
            "{arrived} of {of} arrive, {shortest} shortest, return {returned:.1f}".format(**line[row])
            for line in log
        ]
        table.append(f"| {said} | {' | '.join(shown)} |")
    together = "; ".join(
        f"{ROWS[row]} {x['shortest']} of {x['of']} (95 %: {x['interval'][0]:.2f} to {x['interval'][1]:.2f})"
        for row, x in scores["together"].items()
    )
    return CARD.format(
        nodes=NODES, sparsity=SPARSITY, walks=WALKS, moves=MOVES, steps=STEPS, batch=BATCH, lr=LR,
        of=len(log), seconds=sum(line["cpu_seconds"] for line in log) / len(log),
        parameters=log[0]["parameters"],
        shipped=scores["shipped"], starts=NODES - 1, table="\n".join(table), together=together,
    )  # fmt: skip
