"""Lin's hops: rows that sum to one, a penalty that is nought for hops apart, padding that nobody looks at."""

import pytest
import torch

from course.models.hops import HopsClassifier, HopsConfig, attention_hops, hops_penalty

WORDS = ["<pad>", "<unknown>", "a", "good", "bad", "film", "plot"]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return HopsClassifier(HopsConfig(len(WORDS), d_embedding=6, d_states=8, d_hidden=5, hops=3), WORDS)


def test_each_hop_is_a_weighted_sum_of_the_states():
    states, w1, w2 = torch.randn(2, 7, 4), torch.randn(5, 4), torch.randn(3, 5)
    sums, weights = attention_hops(states, w1, w2)
    assert weights.shape == (2, 3, 7) and torch.allclose(weights.sum(-1), torch.ones(2, 3))
    assert torch.allclose(sums[1, 2], weights[1, 2] @ states[1], atol=1e-6)


def test_the_penalty_is_nought_exactly_for_one_word_a_hop_each_its_own():
    apart = torch.eye(6)[[3, 0, 5]]
    assert hops_penalty(apart).item() == 0
    assert hops_penalty(torch.eye(4)[[1, 1]]).item() == pytest.approx(2)  # both off-diagonal entries are 1
    even = torch.full((2, 4), 0.25)  # A Aᵀ is 1/4 everywhere
    assert hops_penalty(even).item() == pytest.approx(2 * 0.75**2 + 2 * 0.25**2)


def test_padding_changes_nothing(model):
    model.eval()
    short = model.ids("a good film")[None]
    long = torch.cat([short, torch.zeros(1, 3, dtype=torch.long)], dim=1)
    for a, b in zip(model(short), model(long), strict=True):
        assert torch.allclose(a, b[..., : a.shape[-1]], atol=1e-6)
    assert (model(long)[1][..., 3:] == 0).all()


def test_the_loss_counts_the_penalty(model):
    model.eval()
    ids, labels = model.ids("a bad plot")[None], torch.tensor([0])
    penalty = hops_penalty(model(ids)[1]).mean()
    assert torch.allclose(model.loss(ids, labels, 0.5), model.loss(ids, labels) + 0.5 * penalty)


def test_what_is_saved_is_read_again(model, tmp_path):
    model.save(tmp_path)
    again = HopsClassifier.from_pretrained(tmp_path)
    words, weights, chances = again.look("A good film!")
    assert words == ["a", "good", "film", "!"] and torch.allclose(weights, model.look("A good film!")[1])
    assert chances.sum().item() == pytest.approx(1)
    with pytest.raises(ValueError, match="no word"):
        again.ids(" ")
