"""The duplication task, and copiers that attend in every way."""

import pytest
import torch

from course.models.seq2seq import fit
from course.studies.duplicating import SYMBOLS, WAYS, Copier, duplication, share_right


def test_the_hidden_half_is_the_first_half_again():
    ids, wanted = duplication(16, 5, torch.Generator().manual_seed(0))
    assert torch.equal(ids[:, :8], wanted) and (ids[:, 8:] == SYMBOLS).all()
    assert (wanted[:, 0] == 0).all() and wanted[:, 1:].min() > 0 and wanted.max() < SYMBOLS


@pytest.mark.parametrize("way", WAYS)
def test_every_way_reads_and_learns_a_little(way):
    torch.manual_seed(0)
    copier = Copier(16, way)
    losses = fit(copier, lambda step: duplication(16, 8, torch.Generator().manual_seed(step % 2)), 12, 1e-2)
    assert losses[-1] < losses[0]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in copier.parameters())
    assert 0 <= share_right(copier, 4) <= 1


def test_one_model_may_be_made_to_look_in_another_way():
    copier = Copier(16, "full")
    ids, _ = duplication(16, 2, torch.Generator().manual_seed(0))
    full = copier(ids)
    copier.way = "LSH-1"
    assert copier(ids).shape == full.shape and not torch.allclose(copier(ids), full)
    with pytest.raises(ValueError, match="'sparse'"):
        Copier(16, "sparse")
