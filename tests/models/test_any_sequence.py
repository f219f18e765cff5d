"""The encoder for any sequence: its class token, rollout, sets without positions, its files."""

import pytest
import torch
from equality import assert_same, randomise
from hypothesis import given, settings
from hypothesis import strategies as st

from course.models.any_sequence import (
    Linear,
    SequenceConfig,
    SequenceEncoder,
    as_sequence,
    attention_rollout,
    n_parameters,
)

CONFIG = SequenceConfig(5, 7, 3, d_model=16, n_heads=2, d_ff=24, n_layers=2)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return randomise(SequenceEncoder(CONFIG)).eval()


def test_the_class_token_is_at_position_0_of_every_sequence():
    tokens, first, positions = torch.randn(2, 3, 4, 6), torch.randn(6), torch.randn(5, 6)
    found = as_sequence(tokens, first, positions)
    assert torch.equal(found[..., 0, :], (first + positions[0]).expand(2, 3, -1))
    assert torch.equal(found[..., 1:, :], tokens + positions[1:])
    assert torch.equal(as_sequence(tokens[0, 0], first, positions), found[0, 0])


def test_as_many_positions_as_tokens_and_one():
    with pytest.raises(ValueError, match="4 tokens and the class token need 5 positions; got 4"):
        as_sequence(torch.zeros(4, 6), torch.zeros(6), torch.zeros(4, 6))


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 6), st.sampled_from([(), (2,), (2, 3)]))
def test_every_row_of_a_rollout_sums_to_one(layers, heads, n, batch):
    weights = torch.randn(layers, *batch, heads, n, n).softmax(-1)
    flow = attention_rollout(weights)
    assert flow.shape == (*batch, n, n) and (flow >= 0).all()
    assert_same(flow.sum(-1), torch.ones(*batch, n))


def test_a_rollout_follows_a_path_through_the_layers():
    """First 1 looks at 2, then 0 at 1: a quarter of 2 arrives at 0. In the other order none does."""
    eye = torch.eye(3)
    first, second = eye.clone(), eye.clone()
    first[1], second[0] = eye[2], eye[1]
    assert attention_rollout(torch.stack([first, second])[:, None])[0].tolist() == [0.5, 0.25, 0.25]
    assert attention_rollout(torch.stack([second, first])[:, None])[0, 2] == 0


def test_without_positions_it_reads_a_set(encoder):
    x = torch.randn(4, 7, 5)
    order = torch.randperm(7)
    assert not torch.allclose(encoder(x), encoder(x[:, order]), atol=1e-3)
    with torch.no_grad():
        encoder.positions.zero_()
    assert_same(encoder(x), encoder(x[:, order]).detach())


def test_it_looks_and_is_not_changed_by_looking(encoder):
    x = torch.randn(3, 7, 5)
    encoder.train()
    out, weights = encoder.look(x)
    assert encoder.training and weights.shape == (2, 3, 2, 8, 8) and not weights.requires_grad
    assert_same(weights.sum(-1), torch.ones(2, 3, 2, 8))
    assert_same(out, encoder.eval()(x).detach())


def test_classes_are_learned_by_cross_entropy_and_numbers_by_squares(encoder):
    x = torch.randn(6, 7, 5)
    labels, numbers = torch.arange(6) % 3, torch.randn(6, 3)
    assert_same(encoder.loss(x, labels), torch.nn.functional.cross_entropy(encoder(x), labels).detach())
    assert_same(encoder.loss(x, numbers), (encoder(x) - numbers).square().mean().detach())
    assert encoder.accuracy(x, encoder.predict(x)) == 1.0


def test_what_is_saved_comes_back_and_another_kind_is_refused(tmp_path, encoder):
    encoder.save(tmp_path)
    x = torch.randn(2, 7, 5)
    assert torch.equal(SequenceEncoder.from_pretrained(tmp_path)(x), encoder(x))
    (tmp_path / "config.json").write_text('{"side": 28}')
    with pytest.raises(ValueError, match="another kind of model: SequenceConfig has no 'side'"):
        SequenceEncoder.from_pretrained(tmp_path)


def test_the_linear_reader_is_one_map():
    model = Linear(35, 3)
    assert n_parameters(model) == 35 * 3 + 3
    x = torch.randn(2, 7, 5)
    assert_same(model(2 * x) - model(x), (model(x) - model(0 * x)).detach())
