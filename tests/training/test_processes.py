"""Several processes train what one does: losses and weights are equal, and only the first process writes."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from accelerate import PartialState
from test_recipes import RECIPE
from test_trainer import CONFIG, Stop, assert_identical, make_trainer, outcome, stop_at

from course.training.processes import share_of, sum_over_processes
from course.training.recipes.translation import predicted
from course.training.trainer import Log

SHORT = dataclasses.replace(
    RECIPE, training=dataclasses.replace(RECIPE.training, steps=12, log_every=1, save_every=6)
)
OPTIONS = ["--multi_gpu", "--num_processes=2", "--mixed_precision=no"]
SCRIPT = "import sys\nsys.path[:0] = sys.argv[2:]\nimport test_processes\n"
SCRIPT += "test_processes.call(sys.argv[1])\n"


def train_recipe(folder: str | Path) -> None:
    """In float64, in which sums in another order differ by little, and without dropout."""
    torch.set_default_dtype(torch.float64)
    try:
        SHORT.train(folder, progress=False)
    finally:
        torch.set_default_dtype(torch.float32)


def train(folder: str | Path) -> None:
    """With dropout, to the end."""
    trainer = make_trainer(folder, terms=predicted)
    trainer.run(progress=False)
    if trainer.is_first:
        torch.save(outcome(trainer), Path(folder) / "outcome.pt")


def train_and_stop(folder: str | Path) -> None:
    """The same, interrupted between two checkpoints, and again soon after the second."""
    for step in (9, 13):
        trainer = make_trainer(folder, terms=predicted)
        stop_at(trainer, step)
        with pytest.raises(Stop):
            trainer.run(progress=False)
        trainer.processes.wait_for_everyone()


def call(asked: str) -> None:
    """In each of the two processes: functions of this module, one after another, each with its folder."""
    for function, folder in json.loads(asked):
        globals()[function](folder)


def in_two_processes(*asked: tuple[Callable, Path]) -> None:
    """Run functions of this module with folders in two processes, as ``accelerate launch`` starts them."""
    for _, folder in asked:
        folder.mkdir(exist_ok=True)
    script = asked[0][1].parent / "child.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = [sys.executable, "-m", "accelerate.commands.launch", *OPTIONS, "--main_process_port", str(port)]
    names = json.dumps([(function.__name__, str(folder)) for function, folder in asked])
    arguments = [str(script), names, os.path.dirname(__file__)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    subprocess.run([*launch, *arguments], check=True, env=environment)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Folders of trainings in two processes. To go on where one stopped takes new processes, as it must."""
    folder = tmp_path_factory.mktemp("two-processes")
    two, whole, torn = (folder / name for name in ("two", "whole", "torn"))
    in_two_processes((train_recipe, two), (train, whole), (train_and_stop, torn))
    assert Log(torn / "log.jsonl").read()[-1]["step"] == 12
    in_two_processes((train, torn))
    return folder


@pytest.mark.slow
def test_two_processes_train_what_one_does(runs, tmp_path):
    one, two = tmp_path / "one", runs / "two"
    train_recipe(one)
    for ours, theirs in zip(Log(one / "log.jsonl").read(), Log(two / "log.jsonl").read(), strict=True):
        for name in ours.keys() - {"seconds"}:
            close = pytest.approx(ours[name], rel=1e-6)  # the log sums in float32
            assert theirs[name] == close, (ours["step"], name)
    weights = [torch.load(run / "resume.pt", weights_only=True)["model"] for run in (one, two)]
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-8, atol=1e-9)
    assert weights[0]["embedding.weight"].dtype == torch.float64
    assert sorted(f.name for f in two.rglob("*")) == sorted(f.name for f in one.rglob("*"))


@pytest.mark.slow
def test_interrupted_and_resumed_in_two_processes_equals_uninterrupted(runs, tmp_path):
    whole, torn = runs / "whole", runs / "torn"
    expected, actual = (torch.load(run / "outcome.pt", weights_only=True) for run in (whole, torn))
    assert_identical(actual, expected)
    alone = make_trainer(tmp_path / "alone", terms=predicted)
    alone.run(progress=False)
    weights = expected["embedding.weight"]
    assert not torch.equal(alone.model.embedding.weight, weights)  # the second drops out other units
    assert Log(whole / "log.jsonl").read()[-1]["tokens"] == alone.tokens and alone.step == CONFIG.steps


@dataclasses.dataclass
class Place:
    process_index: int
    num_processes: int


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_shares_are_the_batch_and_their_weights_make_its_mean(rows, n):
    batch = (torch.arange(rows) + 1, torch.randn(rows, dtype=torch.float64))
    terms = lambda counts, _: int(counts.sum())  # noqa: E731
    mean = lambda counts, values: (counts * values).sum() / counts.sum()  # noqa: E731
    shares = [share_of(batch, terms, Place(i, n)) for i in range(n)]
    assert sum(weight for _, weight in shares) == pytest.approx(1)
    torch.testing.assert_close(sum(weight * mean(*share) for share, weight in shares), mean(*batch))
    whole = torch.cat([share[0] for share, weight in shares if weight])
    assert whole.sort().values.equal(batch[0])


def test_in_one_process_there_is_nothing_to_sum():
    tensors = [torch.ones(2), torch.ones(3)]
    sum_over_processes(tensors, PartialState(cpu=True))
    assert [x.tolist() for x in tensors] == [[1, 1], [1, 1, 1]]
