"""The budget: formulas against what torch counts and weighs, and against papers."""

import pytest
import torch

from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining
from course.models.gpt import GPT, GPTConfig
from course.studies import budget
from course.studies.budget import PUBLISHED, Sizes, bill, sizes_of
from course.studies.measured import Machine, expected_seconds, machine, peak_bytes, seconds_a_step, step_cost

CONFIGS = [
    GPTConfig(300, 32, 2, 3, max_length=24, dropout=0.0),
    GPTConfig(2048, 176, 4, 4, max_length=256, dropout=0.0),
    GPTConfig(65, 128, 4, 4, d_ff=200, max_length=64, dropout=0.0),
]


@pytest.mark.parametrize(
    "config", [*CONFIGS, GPTConfig(), BertConfig(), BertConfig(100, 16, 2, 40, 2)], ids=str
)
def test_parameters_are_those_of_the_model(config):
    with torch.device("meta"):
        model = GPT(config) if isinstance(config, GPTConfig) else BertForPreTraining(config)
    assert budget.parameters(sizes_of(config)) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@pytest.mark.parametrize("bfloat16", [False, True])
def test_operations_are_exact_and_memory_is_near(config, bfloat16):
    torch.manual_seed(0)
    model, ids = GPT(config).train(), torch.randint(config.vocab_size, (3, config.max_length))

    def loss():
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return model.loss(ids, ids)

    cost, sizes = step_cost(loss, model.parameters()), sizes_of(config)
    assert cost.flops == budget.training_flops(sizes, ids.numel())
    flops = (sizes.n_layers, sizes.d_model, sizes.ff, sizes.vocab_size, sizes.length)
    assert budget.gpt_training_flops(*flops, ids.numel()) == cost.flops
    memory = budget.training_memory(sizes, 3, bfloat16)
    kept = 12 * budget.parameters(sizes)
    assert memory.peak == pytest.approx(kept + max(cost.bytes, memory.gradients), rel=0.2)
    assert all(p.grad is None for p in model.parameters())


def test_rehearsing_a_step_changes_nothing():
    torch.manual_seed(0)
    model = GPT(CONFIGS[0]).train()
    ids = torch.randint(300, (2, 24))
    model.loss(ids, ids).backward()
    before = [p.grad.clone() for p in model.parameters()]
    torch.manual_seed(5)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    step_cost(lambda: model.loss(ids, ids) * torch.rand(()), model.parameters())
    assert torch.equal(torch.rand(3), drawn)
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), before, strict=True))


def test_the_scale_weighs_what_is_alive_at_once():
    given = torch.ones(1000)
    with peak_bytes() as peak:
        a = given + 1  # 4,000 bytes
        b = a * 2  # and 4,000 more
        del a
        c = b.view(10, 100) + 1  # a view is no new memory; b and c are alive
    assert peak() == 8000 and c.shape == (10, 100)


def test_published_runs():
    by_name = {run.name: run for run in PUBLISHED}
    for run in PUBLISHED:
        assert budget.parameters(run.sizes) == pytest.approx(run.parameters, rel=0.08), run.name
        if run.flops and run.name != "GPT-3 small":
            assert budget.training_flops(run.sizes, run.tokens) == pytest.approx(run.flops, rel=0.03)
    small = by_name["GPT-3 small"]  # where attention is half as much as all else
    assert budget.training_flops(small.sizes, small.tokens) / small.flops == pytest.approx(1.29, abs=0.01)
    assert 6 * small.parameters * small.tokens == pytest.approx(small.flops, rel=0.001)
    chinchilla = by_name["Chinchilla"].sizes
    relative = chinchilla.n_layers * chinchilla.d_model**2
    assert budget.parameters(chinchilla) + relative == pytest.approx(70e9, rel=0.005)
    gpt2 = by_name["GPT-2 small"].sizes
    assert budget.training_flops(gpt2, 1024) / 3 == pytest.approx(291.65e9, rel=1e-5)  # nanoGPT's own count


def test_a_bill_is_the_formulas_together():
    sizes = Sizes(2, 64, 500, 32)
    found = bill(sizes, 1e6, 2e9, batch=4, watts=20)
    assert found.flops == budget.training_flops(sizes, 1e6)
    assert found.seconds == found.flops / 2e9
    assert found.kilowatt_hours == pytest.approx(found.seconds * 20 / 3_600_000)
    assert found.memory.peak < sum(found.memory)
    with pytest.raises(ValueError, match="watts must be above 0; got 0"):
        bill(sizes, 1e6, 2e9, watts=0)


def test_bert_base_in_short_and_long_texts():
    short = budget.training_flops(PUBLISHED[-1].sizes, 1e6, 128)
    assert short < budget.training_flops(PUBLISHED[-1].sizes, 1e6, 512)
    assert budget.bert_base_flops() == pytest.approx(2.4e19, rel=0.02)


def test_time_is_products_and_passes():
    sizes = Sizes(2, 64, 500, 32)
    flops, activations = budget.training_flops(sizes, 4 * 32), budget.training_memory(sizes, 4).activations
    expected = expected_seconds(sizes, 4, Machine(1e9, 1e9))
    assert expected == pytest.approx((flops + 6 * activations) / 1e9)


def test_a_machine_does_something():
    here = machine(Sizes(1, 32, 100, 16), 2, rounds=3)
    assert here.flops > 1e6 and here.bytes > 1e6
    torch.manual_seed(0)
    model, ids = GPT(CONFIGS[0]).train(), torch.randint(300, (2, 24))
    before = model.embedding.weight.clone()
    assert seconds_a_step(model, lambda: model.loss(ids, ids), rounds=2) > 0
    assert not torch.equal(before, model.embedding.weight)
