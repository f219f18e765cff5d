"""One amount of compute for every vocabulary: it is what torch counts, and scores do not depend on tokens."""

import json
import math

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from course.models.gpt import GPT, GPTConfig
from course.text.tokenizers import Tokenizer
from course.training.log import Log
from course.training.recipes import vocabularies
from course.training.recipes.characters import whole_loss
from course.training.recipes.texts import stream

TEXT = "the cat sat on the mat and the dog sat on the log. " * 40
SMALL = {"d_model": 16, "n_heads": 2, "n_layers": 1, "max_length": 16, "dropout": 0.0}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(vocabularies.fairy_tales, "texts", lambda: [TEXT, TEXT[::-1]])
    for name, value in {"SIZES": (259, 280), "SEEDS": range(2), "BUDGETS": (5e7, 1e8), "BODY": SMALL}.items():
        monkeypatch.setattr(vocabularies, name, value)
    monkeypatch.setattr(vocabularies, "HELD_OUT", 0.2)


def test_every_run_is_logged_once_and_a_second_call_adds_none(tmp_path, small):
    scores = vocabularies.train(tmp_path)
    log = Log(tmp_path / "log.jsonl").read()
    runs = [(line["seed"], line["flops"], line["vocabulary"]) for line in log]
    assert runs == [(seed, flops, size) for seed in (0, 1) for flops in (5e7, 1e8) for size in (259, 280)]
    assert vocabularies.train(tmp_path) == scores == json.loads((tmp_path / "scores.json").read_text())
    assert Log(tmp_path / "log.jsonl").read() == log
    for row in scores:
        same = [x for x in log if (x["flops"], x["vocabulary"]) == (row["flops"], row["vocabulary"])]
        bits = [line["bits"] for line in same]
        assert row["bits"] == pytest.approx([sum(bits) / 2, min(bits), max(bits)], abs=1e-4)
        assert {line["steps"] for line in same} == {row["steps"]}
    small_budget, larger, *_ = (row["steps"] for row in scores[::2])
    assert larger == pytest.approx(2 * small_budget, abs=1)
    assert scores[0]["characters a token"] < 1 < scores[1]["characters a token"]  # <eos> is a token, too
    assert scores[0]["steps"] >= scores[1]["steps"]
    assert f"| 280 | {scores[1]['parameters']:,} |" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("size", [259, 8192])
def test_a_step_takes_what_torch_counts(size):
    config = GPTConfig(size, **vocabularies.BODY)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        GPT(config)(torch.zeros(vocabularies.BATCH, config.max_length, dtype=torch.long))
    assert vocabularies.step_flops(config) == 3 * counter.get_total_flops()


def test_the_parts_are_the_whole_and_what_is_held_out_is_the_end(small):
    trained, held_out = vocabularies.parts()
    assert [a + b for a, b in zip(trained, held_out, strict=True)] == [TEXT, TEXT[::-1]]
    assert [len(b) / len(a + b) for a, b in zip(trained, held_out, strict=True)] == pytest.approx(
        [0.2] * 2, abs=1e-3
    )


def test_a_uniform_guess_has_as_many_bits_a_character_by_any_vocabulary_as_its_tokens_say(small):
    texts = vocabularies.parts()[1]
    for size in vocabularies.SIZES:
        tokenizer = Tokenizer.train(texts, size)
        ids = stream(tokenizer, texts)
        nats = math.log(len(tokenizer))
        model = GPT(GPTConfig(len(tokenizer), **SMALL)).eval()
        torch.nn.init.zeros_(model.embedding.weight)  # its logits are all 0
        assert whole_loss(model, ids) == pytest.approx(nats, rel=1e-5)
        characters = sum(map(len, texts))
        assert vocabularies.bits(nats, ids, texts) == pytest.approx(
            math.log2(len(tokenizer)) * len(ids) / characters
        )
