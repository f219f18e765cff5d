"""Kill ``check`` and ``train`` at random moments, and count what a learner loses: nothing should be lost.

    python benchmarks/kills.py [KILLS]

Each run is a process of its own that is killed (SIGKILL) after a random part of the time that a whole run
takes, and started again. Counted as lost: a byte of a notebook; results that are neither the old nor the new
ones; a checkpoint that goes back behind one that was there; a finished run that is not bit for bit the one
that nothing interrupted; a kernel that outlives its check by more than ten seconds.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import nbformat
import torch

import course.exercises  # noqa: F401  (it knows the banks)
from course.models.transformer import Transformer, TransformerConfig
from course.training import resuming
from course.training.batches import PairBatches
from course.training.trainer import Trainer, TrainingConfig
from course.workbook.grading import run_checks
from course.workbook.record import find
from course.workbook.stub import solved

CPU, MARK = torch.device("cpu"), f"COURSE_KILLS={os.getpid()}"
SETTINGS = TrainingConfig(steps=300, peak_lr=3e-3, warmup=5, average=3, log_every=1, save_every=1)


def run(work: Callable[[], object], seconds: float = 600) -> float | None:
    """Do the work in a process of its own; gives back how long it took, None where it was killed first."""
    start, child = time.perf_counter(), os.fork()
    if child == 0:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            work()
        os._exit(0)
    while time.perf_counter() - start < seconds:
        if os.waitpid(child, os.WNOHANG)[0]:
            return time.perf_counter() - start
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def trainer(folder: Path) -> Trainer:
    """A tiny Transformer with dropout, on random pairs."""
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(20, 8, 2, 16, 1, 1, dropout=0.2, norm="pre"))
    generator = torch.Generator().manual_seed(1)
    pairs = [
        tuple(torch.randint(3, 20, (n,), generator=generator).tolist() for n in (i % 7 + 1, i % 5 + 1))
        for i in range(60)
    ]
    return Trainer(model, PairBatches(pairs, tokens=60, seed=0), SETTINGS, folder)


def left_by(folder: Path) -> tuple[dict, list]:
    """The averaged weights of a finished run, and its log without the clock."""
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return resuming.load(folder, CPU)["average"][1], [{**entry, "seconds": 0} for entry in log]


def same(one: tuple[dict, list], other: tuple[dict, list]) -> bool:
    return one[1] == other[1] and all(torch.equal(one[0][name], other[0][name]) for name in one[0])


def train_killed(folder: Path, kills: int, chance: random.Random) -> dict[str, int]:
    """Runs that save at every step, each killed several times until it ends."""
    whole = run(lambda: trainer(folder / "whole").run(progress=False))
    lost, done, runs = 0, 0, 0
    while done < kills:
        runs, own, step = runs + 1, folder / str(runs), 0
        while run(lambda own=own: trainer(own).run(progress=False), chance.uniform(0, whole / 2)) is None:
            done += 1
            state = resuming.load(own, CPU) if own.exists() else None
            reached = state["progress"][0] if state else 0
            lost, step = lost + (reached < step), reached
        lost += not same(left_by(own), left_by(folder / "whole"))
    return {"kills": done, "runs": runs, "lost": lost}


def kernels() -> set[str]:
    """The kernels that these checks have started and that still live (on Linux)."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_kernel = b"ipykernel_launcher" in (process / "cmdline").read_bytes()
            if is_kernel and MARK.encode() in (process / "environ").read_bytes():
                found.add(process.name)
        except OSError:  # it has ended meanwhile
            continue
    return found


def check_killed(folder: Path, kills: int, chance: random.Random) -> dict[str, int]:
    """Checks of two notebooks with answers."""
    first = "from course import check, exercise\nimport torch"
    cells = [
        nbformat.v4.new_code_cell(c) for c in (first, solved(find("0.1")), 'check("0.1")', "notes = 'mine'")
    ]
    paths = [folder / "00_mine.ipynb", folder / "00 copy.ipynb"]
    for path in paths:
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    results = folder / "results.json"

    def seen() -> list[str]:
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]

    def checking() -> None:
        run_checks(paths, results)

    whole, notebooks, lost = run(checking), seen(), 0
    right = json.loads(results.read_text())
    for _ in range(kills):
        run(checking, chance.uniform(0, whole))
        lost += seen() != notebooks or json.loads(results.read_text()) != right
    end = time.perf_counter() + 10
    while (outlived := kernels()) and time.perf_counter() < end:
        time.sleep(0.5)
    run(checking)
    lost += json.loads(results.read_text()) != right
    return {"kills": kills, "lost": lost, "kernels that outlived their check": len(outlived)}


def main() -> None:
    kills, chance = int(sys.argv[1]) if len(sys.argv) > 1 else 50, random.Random(0)
    torch.set_num_threads(1)
    os.environ.update([MARK.split("=")])  # what these checks start has it, too
    for work in (train_killed, check_killed):
        with tempfile.TemporaryDirectory() as folder:
            found = work(Path(folder), kills, chance)
            print(work.__name__, ", ".join(f"{name} {count}" for name, count in found.items()), flush=True)


if __name__ == "__main__":
    main()
