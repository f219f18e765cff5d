"""Factored attention: no place sees itself, and the table of couplings says the same as the layer."""

import torch
import torch.nn.functional as F

from course.models.factored_attention import FactoredAttention, FactoredConfig


def small() -> FactoredAttention:
    torch.manual_seed(0)
    layer = FactoredAttention(FactoredConfig(columns=9, n_heads=3, d_head=4, states=5))
    torch.nn.init.normal_(layer.bias)
    torch.nn.init.normal_(layer.value)
    return layer


def test_it_is_the_sum_that_its_paper_writes():
    layer, letters = small(), torch.randint(5, (6, 9))
    weights = layer.weights()
    expected = layer.bias.expand(6, 9, 5).clone()
    for head in range(3):
        for j in range(9):
            told = layer.value[head, letters[:, j]] * (letters[:, j] > 0)[:, None]
            expected += weights[head, :, j, None] * told[:, None]
    torch.testing.assert_close(layer(letters), expected)


def test_no_place_is_told_its_own_letter_and_rows_sum_to_one():
    layer, letters = small(), torch.randint(1, 5, (2, 9))
    assert torch.allclose(layer.weights().sum(-1), torch.ones(3, 9))
    assert (layer.weights().diagonal(dim1=-2, dim2=-1) == 0).all()
    changed = letters.clone()
    changed[:, 4] = changed[:, 4] % 4 + 1
    difference = (layer(letters) - layer(changed)).abs().amax((0, 2))
    assert difference[4] == 0 and (difference[:4] > 0).all()


def test_couplings_give_the_same_logits():
    layer, letters = small(), torch.randint(5, (6, 9))
    hot = F.one_hot(letters, 5).float()
    told = torch.einsum("iajb,njb->nia", layer.couplings(), hot) + layer.bias
    torch.testing.assert_close(told, layer(letters))


def test_the_loss_is_a_weighted_mean_of_cross_entropies():
    layer, letters, weights = small(), torch.randint(5, (4, 9)), torch.tensor([1.0, 0.5, 0.25, 0.0])
    nats = -layer(letters).log_softmax(-1).gather(-1, letters[..., None])[..., 0]
    counted = weights[:, None] * (letters > 0)
    torch.testing.assert_close(layer.loss(letters, weights), (nats * counted).sum() / counted.sum())
    torch.testing.assert_close(layer.loss(letters[:3], weights[:3]), layer.loss(letters, weights))


def test_it_is_saved_and_read_again(tmp_path):
    layer = small()
    layer.save(tmp_path)
    again = FactoredAttention.from_pretrained(tmp_path)
    assert again.config == layer.config and torch.equal(again.couplings(), layer.couplings())
