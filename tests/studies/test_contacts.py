"""Contacts from relatives: each count is what its definition says, and a planted pair is found."""

import math
from itertools import pairwise

import pytest
import torch

from course.studies.contacts import (
    STATES,
    agreement,
    apc,
    contact_precision,
    contacts,
    coupling_norms,
    far_pairs,
    frequencies,
    information_scores,
    mean_field_couplings,
    mean_field_scores,
    mutual_information,
    relative_weights,
    shuffled,
)


def rand(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def letters(relatives=300, columns=12, seed=0):
    return torch.randint(STATES, (relatives, columns), generator=torch.Generator().manual_seed(seed))


def coupled(relatives=400, columns=14, chain=(2, 8, 13), share=0.75, seed=0):
    """A family in which each place of a chain copies the one before it so often."""
    x = letters(relatives, columns, seed)
    for a, b in pairwise(chain):
        copies = rand(relatives, seed=seed + b) < share
        x[copies, b] = x[copies, a]
    return x


def test_near_copies_count_as_one():
    family = letters(4, 20)
    family[1], family[2] = family[0], family[0]
    family[2, :4] = (family[0, :4] + 1) % STATES  # four of five letters are the same: 80 %
    assert relative_weights(family).tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])
    family[2, 4] = (family[0, 4] + 1) % STATES
    assert relative_weights(family).tolist() == pytest.approx([1 / 2, 1 / 2, 1, 1])


def test_frequencies_are_shares_that_agree_with_one_another():
    family, weights = letters(), rand(300) + 0.1
    for pseudocount in (0.0, 0.5):
        single, pair = frequencies(family, weights, pseudocount)
        torch.testing.assert_close(single.sum(-1), torch.ones(12))
        torch.testing.assert_close(pair.sum(-1), single[:, :, None].expand(-1, -1, 12))
        torch.testing.assert_close(pair, pair.permute(2, 3, 0, 1))
        itself = torch.arange(12)
        torch.testing.assert_close(pair[itself, :, itself], torch.diag_embed(single))
    here = weights[(family[:, 3] == 5) & (family[:, 7] == 11)].sum() / weights.sum()
    torch.testing.assert_close(frequencies(family, weights)[1][3, 5, 7, 11], here)


def test_information_is_entropy_where_one_column_copies_another_and_none_where_they_are_independent():
    n = 420
    x = torch.arange(n) % STATES
    family = torch.stack([x, (x + 3) % STATES, torch.arange(n) // STATES % 20], dim=1)
    found = mutual_information(*frequencies(family, torch.ones(n)))
    assert found[0, 1].item() == pytest.approx(math.log(STATES), abs=1e-4)
    assert found[0, 2].item() == pytest.approx(0, abs=1e-4)


def test_the_inverse_links_what_is_linked_directly():
    """A chain a–b–c: a and c vary together, but only by way of b; the inverse gives that less weight."""
    family = coupled(1500, share=0.5)
    information = information_scores(family)
    direct = coupling_norms(mean_field_couplings(*frequencies(family, torch.ones(1500), 0.5)))
    others = [(i, j) for i, j in far_pairs(14, 1).T.tolist() if not {i, j} <= {2, 8, 13}]

    def share_of_the_ends(scores):
        noise = sum(scores[i, j].item() for i, j in others) / len(others)
        links = min(scores[2, 8].item(), scores[8, 13].item())
        return (scores[2, 13].item() - noise) / (links - noise)

    assert 0 < share_of_the_ends(direct) < 0.6 * share_of_the_ends(information) < 0.6


def test_couplings_are_minus_the_inverse_and_the_last_letter_has_none():
    single, pair = frequencies(letters(), torch.ones(300), 0.5)
    found = mean_field_couplings(single, pair)
    covariance = (pair - single[:, :, None, None] * single)[:, :20, :, :20].reshape(240, 240)
    product = covariance @ -found[:, :20, :, :20].reshape(240, 240)
    torch.testing.assert_close(product, torch.eye(240), atol=1e-3, rtol=0)
    assert not found[:, 20].any() and not found[..., 20].any()


def test_norms_do_not_see_what_makes_no_difference_to_the_model():
    couplings = torch.randn(5, STATES, 5, STATES, generator=torch.Generator().manual_seed(0))
    same = couplings + rand(5, STATES, 5, 1) + rand(5, 1, 5, STATES, seed=1)
    torch.testing.assert_close(coupling_norms(same), coupling_norms(couplings), atol=1e-4, rtol=1e-4)
    moved = couplings.clone()
    moved[..., 0] += 1  # gaps: they shift the means of the others, and are not in the norm themselves
    assert coupling_norms(couplings).shape == (5, 5) and not torch.equal(moved, couplings)


def test_apc_takes_away_what_is_a_product_of_the_places_alone():
    places = rand(40) + 0.5
    background = places[:, None] * places
    pair = torch.zeros(40, 40)
    pair[3, 20] = pair[20, 3] = 2.0
    corrected = apc(background + pair)
    assert corrected.argmax() in (3 * 40 + 20, 20 * 40 + 3)
    assert corrected.abs().flatten().sort().values[-3].item() < 0.5 and torch.equal(corrected, corrected.mT)
    assert not corrected.diagonal().any()
    torch.testing.assert_close(apc(background + 50 * torch.eye(40)), apc(background))
    with pytest.raises(ValueError, match="square"):
        apc(rand(3, 4))


def test_precision_is_a_share_of_pairs_far_enough():
    scores, touching = torch.zeros(10, 10), torch.zeros(10, 10, dtype=torch.bool)
    scores[0, 7], scores[1, 8], scores[2, 3], scores[9, 0] = 3, 2, 9, 9
    touching[0, 7] = touching[2, 3] = True
    assert contact_precision(scores, touching, 1) == 1 and contact_precision(scores, touching, 2) == 0.5
    everything = contact_precision(scores, touching, 10)
    assert everything == 0.1 and far_pairs(10).shape == (2, 10)
    with pytest.raises(ValueError, match="there are 10 pairs 6 or more apart; the best 11 of them"):
        contact_precision(scores, touching, 11)


def test_places_touch_when_they_are_near():
    places = torch.tensor([[0.0, 0, 0], [0, 0, 7.9], [0, 8.1, 0]])
    assert contacts(places).tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_shuffling_keeps_columns_and_breaks_pairs():
    family = coupled()
    broken = shuffled(family)
    assert torch.equal(broken.sort(0).values, family.sort(0).values)
    assert torch.equal(shuffled(family), broken) and not torch.equal(shuffled(family, 1), broken)
    assert mean_field_scores(family).argmax() in (2 * 14 + 8, 8 * 14 + 2, 8 * 14 + 13, 13 * 14 + 8)
    assert information_scores(broken)[2, 8] < 0.6 * information_scores(family)[2, 8]


def test_agreement_is_a_share_of_the_best():
    a = rand(20, 20)
    assert agreement(a, 3 * a + 1, 20) == 1 and agreement(a, -a, 20) == 0
