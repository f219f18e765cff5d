"""A run that is interrupted, even killed, ends bit for bit where it would have ended."""

import dataclasses
import errno
import math
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from course import files
from course.models.transformer import Transformer, TransformerConfig
from course.training import resuming
from course.training.batches import PairBatches
from course.training.errors import Diverged, RunError
from course.training.trainer import Log, Trainer, TrainingConfig, WeightAverage

CONFIG = TrainingConfig(
    steps=24, peak_lr=3e-3, warmup=5, weight_decay=0.01, average=3, average_every=4, log_every=2, save_every=6
)


def make_trainer(folder, config: TrainingConfig = CONFIG, **options) -> Trainer:
    """A tiny Transformer with dropout, on random pairs."""
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(20, 8, 2, 16, 1, 1, dropout=0.2, norm="pre"))
    generator = torch.Generator().manual_seed(1)
    pairs = [
        tuple(torch.randint(3, 20, (n,), generator=generator).tolist() for n in (i % 7 + 1, i % 5 + 1))
        for i in range(60)
    ]
    return Trainer(model, PairBatches(pairs, tokens=60, seed=config.seed), config, folder, **options)


def outcome(trainer: Trainer) -> dict[str, torch.Tensor]:
    """Everything a run leaves: the averaged model, the optimiser's state, the log without its clock."""
    trained = dict(trainer.model.state_dict())
    for number, state in trainer.optimizer.state_dict()["state"].items():
        trained |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
    for entry in trainer.log.read():
        trained |= {
            f"log.{entry['step']}.{name}": value for name, value in entry.items() if name != "seconds"
        }
    return trained


def assert_identical(actual: dict, expected: dict) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        same = torch.equal(actual[name], value) if isinstance(value, torch.Tensor) else actual[name] == value
        assert same, name


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict:
    trainer = make_trainer(tmp_path_factory.mktemp("run"))
    trainer.run(progress=False)
    return outcome(trainer)


class Stop(Exception):
    pass


def stop_at(trainer: Trainer, step: int) -> None:
    batches = trainer.batches

    def stopping(n: int):
        if n == step:
            raise Stop
        return batches(n)

    trainer.batches = stopping


@pytest.mark.parametrize("steps", [[3], [6], [13], [7, 14, 23]], ids=str)
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, uninterrupted, steps):
    for step in steps:
        trainer = make_trainer(tmp_path)
        stop_at(trainer, step)
        with pytest.raises(Stop):
            trainer.run(progress=False)
        torch.rand(5)  # whatever chance did meanwhile
    resumed = make_trainer(tmp_path)
    assert resumed.step == steps[-1] // CONFIG.save_every * CONFIG.save_every
    resumed.run(progress=False)
    assert_identical(outcome(resumed), uninterrupted)


CHILD = """
import sys, time
sys.path[:0] = sys.argv[2:]
from test_trainer import make_trainer
trainer = make_trainer(sys.argv[1])
batches = trainer.batches
def slowly(step):
    if step > 14:
        time.sleep(60)
    return batches(step)
trainer.batches = slowly
trainer.run(progress=False)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_and_resumed_equals_uninterrupted(tmp_path, uninterrupted):
    command = [sys.executable, "-c", CHILD, str(tmp_path), os.path.dirname(__file__)]
    with subprocess.Popen(
        command, env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    ) as child:
        log = Log(tmp_path / "log.jsonl")
        while not (entries := log.read()) or entries[-1]["step"] < 14:
            assert child.poll() is None, "the run ended by itself"
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
    with log.path.open("a", encoding="utf-8") as file:
        file.write('{"step": 16, "lo')  # as if killed while writing
    resumed = make_trainer(tmp_path)
    assert resumed.step == 12 and [entry["step"] for entry in log.read()] == [2, 4, 6, 8, 10, 12]
    resumed.run(progress=False)
    assert_identical(outcome(resumed), uninterrupted)


def test_a_finished_run_is_not_run_again(tmp_path, uninterrupted):
    make_trainer(tmp_path).run(progress=False)
    again = make_trainer(tmp_path)
    stop_at(again, 0)
    again.run(progress=False)
    assert_identical(outcome(again), uninterrupted)


def test_another_seed_gives_another_outcome(tmp_path, uninterrupted):
    trainer = make_trainer(tmp_path, dataclasses.replace(CONFIG, seed=1))
    trainer.run(progress=False)
    assert not torch.equal(trainer.model.embedding.weight, uninterrupted["embedding.weight"])


def test_a_folder_with_other_settings_is_refused(tmp_path):
    make_trainer(tmp_path).run(progress=False)
    with pytest.raises(ValueError, match="other settings") as refusal:
        make_trainer(tmp_path, dataclasses.replace(CONFIG, peak_lr=1.0))
    assert '"peak_lr": 0.003' in str(refusal.value) and '"peak_lr": 1.0' in str(refusal.value)


def test_the_log_has_a_line_an_interval_and_the_evaluation_at_checkpoints(tmp_path):
    modes = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        modes.append((model.training, torch.is_grad_enabled()))
        return {"validation_loss": 1.5}

    config = dataclasses.replace(CONFIG, steps=9)
    trainer = make_trainer(tmp_path, config, evaluate=evaluate)
    trainer.run(progress=False)
    entries = trainer.log.read()
    assert [entry["step"] for entry in entries] == [2, 4, 6, 8, 9]
    assert [entry["step"] for entry in entries if "validation_loss" in entry] == [6, 9]
    assert modes == [(False, False)] * 2
    for entry in entries:
        assert math.isfinite(entry["loss"]) and entry["gradient_norm"] > 0
        assert entry["lr"] == config.lr(entry["step"])
    sizes = [trainer.batches(step)[0].numel() for step in range(9)]  # what the model reads, no labels
    assert [entry["tokens"] for entry in entries] == [sum(sizes[:n]) for n in (2, 4, 6, 8, 9)]


def test_the_progress_bar_shows_the_loss(tmp_path, capsys):
    make_trainer(tmp_path).run()
    assert "24/24" in (shown := capsys.readouterr().err) and "loss=" in shown


class Falling(nn.Module):
    """A model whose one weight the gradient of 1 moves down, whatever the batch."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def loss(self, value: torch.Tensor) -> torch.Tensor:
        return self.weight.sum() * value.sum()


def test_the_model_is_the_mean_of_the_last_snapshots(tmp_path):
    config = TrainingConfig(steps=10, peak_lr=0.1, warmup=1, average=3, average_every=2, save_every=50)
    weights = []
    trainer = Trainer(Falling(), lambda step: (torch.ones(1),), config, tmp_path)
    step = trainer._step
    trainer._step = lambda: (step(), weights.append(trainer.model.weight.item()))[0]
    trainer.run(progress=False)
    assert trainer.model.weight.item() == pytest.approx((weights[5] + weights[7] + weights[9]) / 3)
    assert weights == sorted(weights, reverse=True) and len(set(weights)) == 10


def test_a_mean_of_weights_is_their_mean():
    average, models = WeightAverage(), [nn.Linear(3, 2) for _ in range(5)]
    for model in models:
        average.add(model)
    torch.testing.assert_close(
        average.mean["weight"], torch.stack([m.weight for m in models]).mean(0).detach()
    )


def test_a_loss_that_is_not_finite_stops_the_run_and_says_what_may_help(tmp_path):
    trainer = Trainer(Falling(), lambda step: (torch.tensor([math.inf]),), CONFIG, tmp_path)
    with pytest.raises(FloatingPointError, match=r"is nan at step 1: a lower peak_lr than 0\.003"):
        trainer.run(progress=False)


def test_gradients_are_clipped(tmp_path):
    config = dataclasses.replace(CONFIG, clip=1e-3, steps=2)
    trainer = make_trainer(tmp_path, config)
    trainer.run(progress=False)
    norm = torch.stack([parameter.grad.norm() for parameter in trainer.model.parameters()]).norm()
    assert norm.item() == pytest.approx(1e-3, rel=1e-3)
    assert trainer.log.read()[0]["gradient_norm"] > 0.1  # before clipping


def test_matrices_decay_and_biases_and_norms_do_not(tmp_path):
    trainer = make_trainer(tmp_path)
    decays = {
        id(p): group["weight_decay"] for group in trainer.optimizer.param_groups for p in group["params"]
    }
    for name, parameter in trainer.model.named_parameters():
        assert decays[id(parameter)] == (0.01 if parameter.dim() == 2 else 0.0), name


@pytest.mark.parametrize(
    "harm", [lambda content: b"", lambda content: content[:-7], lambda content: b"\0" * 99]
)
def test_a_damaged_checkpoint_is_named_and_the_one_before_ends_alike(tmp_path, uninterrupted, harm, capsys):
    trainer = make_trainer(tmp_path)
    stop_at(trainer, 14)
    with pytest.raises(Stop):
        trainer.run(progress=False)
    newest = tmp_path / "resume.pt"
    newest.write_bytes(harm(newest.read_bytes()))
    with trainer.log.path.open("ab") as file:
        file.write(b"\0\0\0\0\n")  # as after a power cut
    resumed = make_trainer(tmp_path)
    said = capsys.readouterr().err
    assert resumed.step == 6 and f"{newest} is damaged" in said and "goes on from resume.before.pt" in said
    assert "line 8 cannot be read" in said
    resumed.run(progress=False)
    assert_identical(outcome(resumed), uninterrupted)


def test_a_full_disk_is_told_and_costs_nothing(tmp_path, uninterrupted, monkeypatch):
    trainer = make_trainer(tmp_path)
    with (
        monkeypatch.context() as patch,
        pytest.raises(RunError, match=r"step 12 .*No space left.* room") as told,
    ):
        patch.setattr(resuming, "write_through", disk_full_after(1))
        trainer.run(progress=False)
    assert str(tmp_path) in str(told.value) and not (tmp_path / "resume.part").exists()
    resumed = make_trainer(tmp_path)
    assert resumed.step == 6
    resumed.run(progress=False)
    assert_identical(outcome(resumed), uninterrupted)


def disk_full_after(writes: int):
    left = [writes]

    def write(path, content):
        left[0] -= 1
        if left[0] < 0:
            path.write_bytes(bytes(content)[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        files.write_through(path, content)

    return write


SECOND = """
import sys
sys.path[:0] = sys.argv[2:]
from test_trainer import make_trainer
make_trainer(sys.argv[1])
"""


def test_a_second_process_is_kept_out_of_the_folder(tmp_path):
    trainer = make_trainer(tmp_path)
    command = [sys.executable, "-c", SECOND, str(tmp_path), os.path.dirname(__file__)]
    refused = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert f"RunError: another process (number {os.getpid()}) trains in {tmp_path}: wait" in refused.stderr
    make_trainer(tmp_path)  # in this process it may be opened again
    trainer.lock.release()


def test_a_gradient_that_is_not_finite_stops_the_run_with_step_and_settings(tmp_path):
    trainer = make_trainer(tmp_path)
    loss = trainer.model.loss

    def breaking(*batch):
        value = loss(*batch)
        return value + (value - value.detach()).abs().sqrt() if trainer.step == 3 else value  # 0 / 0 backward

    trainer.model.loss = breaking
    with pytest.raises(Diverged, match=r"gradient's norm is (nan|inf) at step 3: .*\"peak_lr\": 0\.003"):
        trainer.run(progress=False)
    assert not (tmp_path / "resume.pt").exists()


def test_the_first_line_of_the_log_says_what_a_batch_takes(tmp_path):
    trainer = make_trainer(tmp_path)
    trainer.run(progress=False)
    first, *others = trainer.log.read()
    weights = sum(p.numel() * p.element_size() for p in trainer.model.parameters())
    assert first["flops"] > 6 * first["tokens"] / first["step"]  # a multiplication and more for each token
    assert first["peak_bytes"] > 4 * weights  # weights, gradients, two moments
    assert not any("flops" in entry or "peak_bytes" in entry for entry in others)


def test_a_rehearsal_leaves_no_trace(tmp_path, uninterrupted, monkeypatch):
    """Without it every weight and every moment is the same."""
    monkeypatch.setattr(Trainer, "_cost", lambda self: {})
    trainer = make_trainer(tmp_path)
    trainer.run(progress=False)
    without = {
        name: value for name, value in uninterrupted.items() if not name.endswith((".flops", "_bytes"))
    }
    assert_identical(outcome(trainer), without)
