"""Squares of pictures and their codes: nothing is lost in cutting, and the nearest is the nearest."""

import pytest
import torch

from course.models.picture_codes import from_patches, kmeans, nearest_codes, to_patches


def rand(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_pasting_undoes_cutting():
    pictures = rand(2, 3, 3, 12, 12)
    patches = to_patches(pictures)
    assert patches.shape == (2, 3, 9, 48)
    assert torch.equal(from_patches(patches), pictures)
    assert torch.equal(patches[0, 0, 5], pictures[0, 0, :, 4:8, 8:].flatten())  # second row, third column


def test_what_cannot_be_cut_or_pasted_is_refused():
    with pytest.raises(ValueError, match="10 × 12 cannot be cut into squares of 4 × 4"):
        to_patches(rand(3, 10, 12))
    with pytest.raises(ValueError, match="8 patches do not fill a square"):
        from_patches(rand(8, 48))


def test_the_nearest_code_is_the_one_at_the_least_distance():
    patches, codes = rand(4, 50, 7), rand(20, 7, seed=1)
    distance = torch.cdist(patches, codes, compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.equal(nearest_codes(patches, codes), distance.argmin(-1))


def test_kmeans_finds_separate_heaps_and_never_gets_worse():
    heaps = rand(5, 3, seed=2) * 100
    points = (heaps[:, None] + rand(5, 40, 3)).flatten(0, 1)
    book = kmeans(points, 5)
    assert torch.cdist(book, points.unflatten(0, (5, 40)).mean(1)).min(-1).values.max() < 1e-4
    spread = [
        (kmeans(points, 9, rounds=r)[nearest_codes(points, kmeans(points, 9, rounds=r))] - points)
        .square()
        .sum()
        for r in (0, 1, 3, 30)
    ]
    assert spread == sorted(spread, reverse=True) and spread[-1] < spread[0]
    assert torch.equal(kmeans(points, 9, seed=4), kmeans(points, 9, seed=4))


def test_as_many_codes_as_there_are_different_patches_are_all_of_them():
    points = rand(6, 4).repeat(3, 1)
    assert torch.cdist(kmeans(points, 6), points[:6]).sort(-1).values[:, 0].max() < 1e-6
    assert len(set(torch.cdist(kmeans(points, 6), points[:6]).argmin(-1).tolist())) == 6
    with pytest.raises(ValueError, match="only 6 different patches"):
        kmeans(points, 7)
