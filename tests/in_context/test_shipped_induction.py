"""The shipped model with induction heads: as its card says, born in training, and needed for copying."""

import json

import pytest
import torch

from course import checkpoints
from course.in_context.induction import (
    attention_weights,
    copying_score,
    loss_without,
    moments,
    prefix_matching_score,
    previous_token_score,
    repeated_tokens,
    token_losses,
)
from course.models.gpt import GPT
from course.training.recipes import induction

FOLDER = checkpoints.SHIPPED / "induction"
IDS = repeated_tokens(50, 25, 50, generator=torch.Generator().manual_seed(9))


@pytest.fixture(scope="module")
def gpt() -> GPT:
    return GPT.from_pretrained("induction")


def matching(gpt: GPT) -> list[tuple[int, int]]:
    """The heads that give most of their attention to what followed."""
    found = prefix_matching_score(attention_weights(gpt, IDS), IDS) > 0.5
    return [(layer, head) for layer, head in found.nonzero().tolist()]


def test_card_log_and_recipe_agree(gpt):
    card = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    log = [json.loads(line) for line in (FOLDER / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    scores = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))
    assert log[-1]["step"] == induction.TRAINING.steps and gpt.config == induction.MODEL
    assert f"{log[-1]['step']} steps in {log[-1]['seconds']:.0f} seconds" in card
    assert f"{scores['repeat_loss']:.4f} nats" in card and "CC0" in card
    assert induction.evaluate(gpt)["repeat_loss"] == pytest.approx(scores["repeat_loss"], abs=1e-4)
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 4e6


def test_the_heads_of_the_second_layer_match_prefixes_and_copy(gpt):
    assert matching(gpt) and all(layer == 1 for layer, _ in matching(gpt))
    assert all(copying_score(gpt, *pair) > 0.5 for pair in matching(gpt))


def test_a_head_of_the_first_layer_looks_at_the_token_before(gpt):
    assert previous_token_score(attention_weights(gpt, IDS)).mean(0)[0].max() > 0.5


def test_without_these_heads_nothing_is_copied(gpt):
    assert token_losses(gpt, IDS)[:, 25:].mean() < 0.05
    assert loss_without(gpt, IDS, matching(gpt))[:, 25:].mean() > 2


def test_they_are_born_in_training():
    kept = moments()
    expected = range(0, induction.TRAINING.steps + 1, induction.TRAINING.save_every)
    assert [moment.step for moment in kept] == list(expected)
    assert kept[0].loss > 4 and kept[-1].loss < 0.05
    assert matching(kept[0].gpt) == [] != matching(kept[-1].gpt)
