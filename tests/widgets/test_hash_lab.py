"""The hash lab: buckets, orders and recall are those of the course's functions, in the browser too."""

import math

import pytest
import torch

from course.models.efficient.reformer import same_chunk
from course.widgets import HashLab
from course.widgets.hash_lab import rotations

SETTINGS = [
    {},
    {"rounds": 4, "n_buckets": 16, "chunk": 4, "point": 63, "draw": 5},
    {"rounds": 8, "n_buckets": 2, "chunk": 32, "point": 0, "draw": 11},
]


def test_neighbours_are_the_nearest_on_the_circle():
    widget = HashLab()
    near = widget.neighbours()
    turn = 2 * math.pi * torch.tensor(widget.angles)
    cosine = (turn[:, None] - turn).cos().fill_diagonal_(-2)
    for i, of in enumerate(near.tolist()):
        assert set(of) == set(cosine[i].topk(4).indices.tolist())


def test_found_are_those_that_share_a_chunk_or_stand_in_the_one_before():
    widget = HashLab(rounds=3)
    seen = same_chunk(widget.order(), widget.chunk)
    for i, of in enumerate(widget.neighbours().tolist()):
        assert widget.found()[:, i].tolist() == seen[:, i, of].tolist()


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_browser_finds_the_same(call, settings):
    widget = HashLab(**settings)
    matrices = rotations()[widget.draw, : widget.rounds, :, : widget.n_buckets // 2].tolist()
    buckets = call("hash_lab", "hash", [[widget.angles, matrix] for matrix in matrices])
    assert buckets == widget.buckets().tolist()
    orders = call("hash_lab", "sorted", [[b] for b in buckets])
    assert orders == widget.order().tolist()
    (near,) = call("hash_lab", "neighbours", [[widget.angles, 4]])
    assert near == widget.neighbours().tolist()
    seen = call("hash_lab", "looks", [[order, widget.chunk] for order in orders])
    (told,) = call("hash_lab", "recall", [[seen, near, widget.point]])
    found = widget.found()
    assert told["p"] == pytest.approx(found.double().mean().item())
    assert told["all"] == pytest.approx(found.any(0).double().mean().item())
    assert (
        told["found"] == found.any(0)[widget.point].sum() and f"{told['looks']} points" in widget.describe()
    )


def test_more_rounds_find_more():
    recall = [HashLab(rounds=r).found().any(0).float().mean().item() for r in (1, 2, 4, 8)]
    assert recall == sorted(recall) and recall[-1] > recall[0]


def test_it_stands_still():
    assert HashLab(rounds=2).png().startswith(b"\x89PNG")
