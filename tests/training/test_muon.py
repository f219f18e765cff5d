"""Muon beside AdamW: which parameters each has, what an update of Muon is, and that a run can be resumed."""

import dataclasses

import pytest
import torch

from course.models.gpt import GPT, GPTConfig
from course.training.muon import muon
from course.training.trainer import Trainer, TrainingConfig

CONFIG = TrainingConfig(
    steps=6, peak_lr=1e-2, warmup=2, decay="cosine", weight_decay=0.01, log_every=2, save_every=2
)


def tiny() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=11, d_model=8, n_heads=2, n_layers=2, max_length=6, dropout=0.0))


def batches(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(11, (4, 7), generator=torch.Generator().manual_seed(step))
    return ids[:, :-1], ids[:, 1:]


def names(model: GPT, groups: list[dict]) -> set[str]:
    known = {id(parameter): name for name, parameter in model.named_parameters()}
    return {known[id(parameter)] for group in groups for parameter in group["params"]}


def test_each_parameter_has_one_optimiser_and_matrices_of_blocks_have_muon():
    model = tiny()
    matrices, rest = muon(model, CONFIG).optimizers
    inside = names(model, matrices.param_groups)
    assert inside and all(name.startswith("blocks.") and name.endswith("weight") for name in inside)
    outside = names(model, rest.param_groups)
    assert not inside & outside and inside | outside == {name for name, _ in model.named_parameters()}
    assert {"embedding.weight", "blocks.0.norm1.weight", "blocks.0.self_attention.q_proj.bias"} <= outside


def test_an_update_has_every_direction_alike_and_the_size_of_adams():
    """Five rounds of Newton and Schulz leave singular values near 1, 0.7 to 1.2, in units of 0.2 √d · lr."""
    model = tiny()
    matrix = model.blocks[0].self_attention.q_proj.weight
    optimizer, before = muon(model, dataclasses.replace(CONFIG, weight_decay=0.0)), matrix.detach().clone()
    model.loss(*batches(0)).backward()
    spread = torch.linalg.svdvals(matrix.grad)
    optimizer.step()
    sizes = torch.linalg.svdvals(before - matrix.detach()) / (CONFIG.peak_lr * 0.2 * 8**0.5)
    large = sizes[: int((spread > 0.05 * spread[0]).sum())]  # rounding rules where there is hardly a gradient
    assert len(large) >= 3 and large.min() > 0.6 and large.max() < 1.3


def test_the_learning_rate_is_set_in_both():
    optimizer = muon(tiny(), CONFIG)
    for group in optimizer.param_groups:
        group["lr"] = 0.25
    assert {group["lr"] for part in optimizer.optimizers for group in part.param_groups} == {0.25}


class Stop(Exception):
    pass


def stopping(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    if step == 5:
        raise Stop
    return batches(step)


def test_a_run_goes_on_bit_for_bit(tmp_path):
    whole = Trainer(tiny(), batches, CONFIG, tmp_path / "whole", optimizer=muon).run(progress=False)
    with pytest.raises(Stop):
        Trainer(tiny(), stopping, CONFIG, tmp_path / "part", optimizer=muon).run(progress=False)
    resumed = Trainer(tiny(), batches, CONFIG, tmp_path / "part", optimizer=muon)
    assert resumed.step == 4
    for name, value in resumed.run(progress=False).state_dict().items():
        assert torch.equal(value, whole.state_dict()[name]), name
