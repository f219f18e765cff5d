"""The model of prompts and its score: exact match, the same in one pass as letter by letter."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course.in_context.few_shot import FewShotModel, exact_matches, fingerprint, wilson_interval
from course.in_context.prompts import CHARACTERS, Format, encode, write_prompt
from course.in_context.tasks import TASKS, Example
from course.masking import IGNORED
from course.models.gpt import GPT, GPTConfig

FORMAT = Format("=")
SUMS = TASKS["addition"].draw(np.random.default_rng(0), 5, False)


def predicting(targets: torch.Tensor) -> torch.Tensor:
    """Logits that are sure of these targets, and of character 0 where there is none."""
    return F.one_hot(targets.clamp(min=0), len(CHARACTERS)).float()


def test_what_is_predicted_right_matches_and_one_wrong_character_spoils_one_example():
    encoded = encode([(SUMS, FORMAT)] * 2, 70)
    assert exact_matches(predicting(encoded.targets), encoded).tolist() == [[True] * 5] * 2
    for place in (encoded.targets[1] != IGNORED).nonzero().squeeze(-1).tolist():
        logits = predicting(encoded.targets)
        logits[1, place] = logits[1, place].roll(1)
        spoilt = int(encoded.shots[1, place])
        expected = [[True] * 5, [number != spoilt for number in range(5)]]
        assert exact_matches(logits, encoded).tolist() == expected


def test_what_is_predicted_of_questions_does_not_count():
    encoded = encode([(SUMS, FORMAT)], 70)
    logits = predicting(encoded.targets)
    logits[encoded.targets == IGNORED] = torch.randn(len(CHARACTERS))
    assert exact_matches(logits, encoded).all()


def test_columns_that_a_prompt_has_no_room_for_are_left_out():
    encoded = encode([(SUMS, FORMAT), (SUMS[:3], FORMAT)], 70)
    assert exact_matches(predicting(encoded.targets), encoded).shape == (2, 3)


@pytest.fixture(scope="module")
def memoriser() -> FewShotModel:
    """A tiny GPT that has learned two texts of copying by heart, not always rightly."""
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(len(CHARACTERS), 32, 2, 1, max_length=24, dropout=0.0))
    examples = [Example("ab", "ab"), Example("cd", "cd"), Example("ef", "ef")]
    encoded = encode([(examples, FORMAT), (examples[::-1], FORMAT)], 24)
    optimizer = torch.optim.Adam(gpt.parameters(), 1e-2)
    for _ in range(25):
        optimizer.zero_grad()
        gpt.loss(encoded.ids, encoded.targets).backward()
        optimizer.step()
    return FewShotModel(gpt.eval())


def test_in_one_pass_it_is_right_where_it_writes_the_answer_itself(memoriser):
    """Over every order of three of four examples: some right, some wrong, and each the same both ways."""
    every = [Example(q, q) for q in ("ab", "cd", "ef", "gh")]
    prompts = [[every[i] for i in np.random.default_rng(seed).permutation(4)[:3]] for seed in range(12)]
    right = memoriser.is_right(prompts, FORMAT)
    assert right.shape == (12, 3) and 0 < right.double().mean() < 1
    for examples, row in zip(prompts, right.tolist(), strict=True):
        for k, (question, answer) in enumerate(examples):
            written = memoriser.answer(write_prompt(examples[:k], question, FORMAT), longest=4)
            assert (written == answer) == row[k]


def test_digits_are_answered_in_their_usual_order(monkeypatch, memoriser):
    seen = []

    def generate(ids, *_, **__):
        seen.append(CHARACTERS.decode(ids))
        return CHARACTERS.encode("975;")

    monkeypatch.setattr(memoriser.gpt, "generate", generate)
    assert memoriser.answer("100+23=123;123+456=") == "579"
    assert seen == ["100+23=321;123+456="]


def test_a_prompt_that_cannot_be_read_is_refused(memoriser):
    with pytest.raises(ValueError, match="not in this vocabulary: 'A'"):
        memoriser.answer("A=")
    with pytest.raises(ValueError, match="prompt is empty"):
        memoriser.answer("")
    with pytest.raises(ValueError, match="at most 24"):
        memoriser.answer("ab=" * 9)


def test_the_fingerprint_is_of_every_bit_and_reading_leaves_it_alone(memoriser):
    before = fingerprint(memoriser.gpt)
    memoriser.answer("ab=")
    assert fingerprint(memoriser.gpt) == before and len(before) == 16
    torch.manual_seed(0)
    one, other = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
    other.load_state_dict(one.state_dict())
    assert fingerprint(one) == fingerprint(other)
    with torch.no_grad():
        other.bias[2] = torch.nextafter(other.bias[2], torch.tensor(9.0))
    assert fingerprint(one) != fingerprint(other)


def test_wilsons_interval_is_the_solution_of_its_equation():
    """Its ends are the shares p from which the observed share is just z standard deviations away."""
    for right, asked in ((0, 10), (3, 10), (99, 100), (10, 10)):
        low, high = wilson_interval(right, asked)
        assert 0 <= low < high <= 1
        for p in {low, high} - {0.0, 1.0}:
            assert (right / asked - p) ** 2 == pytest.approx(1.96**2 * p * (1 - p) / asked, rel=1e-9)
    for right, asked in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match=f"got {right} of {asked}"):
            wilson_interval(right, asked)
