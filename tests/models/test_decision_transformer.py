"""The Decision Transformer equals transformers', values and gradients; it sees nothing it is to predict."""

import pytest
import torch
from equality import assert_same, randomise
from hypothesis import given
from hypothesis import strategies as st
from transformers import DecisionTransformerConfig, DecisionTransformerModel

from course.models.decision_transformer import (
    DecisionConfig,
    DecisionTransformer,
    interleave,
    returns_to_go,
    weights_from_transformers,
)

SIZES = {"d_state": 5, "d_action": 3, "d_model": 16, "n_heads": 2, "n_layers": 2, "max_steps": 9}


def small(**more) -> DecisionTransformer:
    return randomise(DecisionTransformer(DecisionConfig(**SIZES | more))).eval()


def trajectory(batch=2, time=4):
    return torch.randn(batch, time), torch.randn(batch, time, 5), torch.randn(batch, time, 3)


@pytest.mark.parametrize("activation, theirs_called", [("relu", "relu"), ("gelu_tanh", "gelu_new")])
def test_it_is_transformers_own(activation, theirs_called):
    config = DecisionTransformerConfig(
        state_dim=5, act_dim=3, hidden_size=16, n_head=2, n_layer=2, max_ep_len=9, action_tanh=False,
        activation_function=theirs_called, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        attn_implementation="eager",
    )  # fmt: skip
    theirs = randomise(DecisionTransformerModel(config)).eval()
    ours = DecisionTransformer(DecisionConfig(**SIZES, activation=activation, dropout=0.0)).eval()
    ours.load_state_dict(weights_from_transformers(theirs.state_dict(), 2), strict=False)
    returns, states, actions = trajectory()
    steps = torch.tensor([[0, 1, 2, 3], [4, 5, 6, 7]])  # a window that begins later
    given_ours, given_theirs = (
        [x.clone().requires_grad_() for x in (returns, states, actions)] for _ in "ab"
    )
    found = ours(*given_ours, steps)
    r, s, a = given_theirs
    expected = theirs(
        states=s, actions=a, rewards=None, returns_to_go=r[..., None], timesteps=steps
    ).action_preds
    assert_same(found, expected)
    way = torch.randn_like(expected)
    found.backward(way)
    expected.backward(way)
    for name, x, y in zip(("returns", "states", "actions"), given_ours, given_theirs, strict=True):
        assert_same(x.grad, y.grad, f"gradient of {name}")
    theirs_grads = {
        n: torch.zeros_like(p) if p.grad is None else p.grad for n, p in theirs.named_parameters()
    }
    theirs_grads["encoder.wpe.weight"] = torch.zeros_like(theirs.encoder.wpe.weight)  # is part of a bias here
    expected_grads = weights_from_transformers(theirs_grads, 2)
    unpacked = DecisionTransformer(ours.config)
    unpacked.load_state_dict(expected_grads)
    named = dict(unpacked.named_parameters())
    for name, parameter in ours.named_parameters():
        assert_same(parameter.grad, named[name], f"gradient of {name}")


@given(st.integers(1, 6), st.integers(0, 99))
def test_returns_to_go_fall_by_the_reward_that_was_got(n, seed):
    rewards = torch.randn(3, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    left = returns_to_go(rewards)
    torch.testing.assert_close(left[:, 0], rewards.sum(-1))
    torch.testing.assert_close(left[:, :-1] - rewards[:, :-1], left[:, 1:])
    torch.testing.assert_close(left[:, -1], rewards[:, -1])


def test_interleaved_tokens_stand_where_they_belong():
    parts = [torch.randn(2, 4, 6) for _ in range(4)]
    out = interleave(*parts)
    assert out.shape == (2, 12, 6)
    for i in range(3):
        torch.testing.assert_close(out[:, i::3], parts[i] + parts[3])


def test_a_choice_sees_the_past_and_not_itself():
    model, (returns, states, actions) = small(), trajectory()
    before = model(returns, states, actions)
    for name, change, unmoved in (
        ("this step's action", (returns, states, torch.cat([actions[:, :2], actions[:, 2:] + 1], 1)), 3),
        ("the next state", (returns, torch.cat([states[:, :3], states[:, 3:] + 1], 1), actions), 3),
        ("the next return", (torch.cat([returns[:, :3], returns[:, 3:] + 1], 1), states, actions), 3),
    ):
        after = model(*change)
        assert torch.equal(after[:, :unmoved], before[:, :unmoved]), name
        assert not torch.allclose(after[:, unmoved], before[:, unmoved]), name


def test_a_step_is_the_same_for_its_three_tokens_and_counts_from_0():
    model, given = small(), trajectory()
    assert torch.equal(model(*given), model(*given, torch.arange(4).expand(2, 4)))
    assert not torch.allclose(model(*given), model(*given, torch.arange(1, 5).expand(2, 4)))


def test_it_is_saved_and_comes_back(tmp_path):
    model, given = small(), trajectory()
    model.save(tmp_path)
    again = DecisionTransformer.from_pretrained(tmp_path)
    assert torch.equal(again(*given), model(*given)) and again.config == model.config
