"""Counts by the definition, GloVe's loss by autograd, PPMI by hand, SVD by torch's own."""

import math

import pytest
import torch

from course.text.cooccurrence import (
    GloveSettings,
    cooccurrence,
    glove_loss,
    glove_weight,
    ppmi,
    svd_vectors,
    train_glove,
)

SENTENCES = [[0, 1, 2, 1], [3], [2, 3, 0]]


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def by_definition(sentences, n, window):
    counts = torch.zeros(n, n)
    for sentence in sentences:
        for i, a in enumerate(sentence):
            for j, b in enumerate(sentence):
                if i != j and abs(i - j) <= window:
                    counts[a, b] += 1 / abs(i - j)
    return counts


@pytest.mark.parametrize("window", [1, 2, 5])
def test_counts_are_those_of_the_definition(window):
    counts = cooccurrence(SENTENCES, 4, window)
    torch.testing.assert_close(counts, by_definition(SENTENCES, 4, window))
    assert torch.equal(counts, counts.mT)


def test_glove_s_loss_leaves_out_what_was_never_seen():
    counts = torch.tensor([0.0, 3.0, 40.0])
    a, b = randn(3, 4).requires_grad_(), randn(3, 4, seed=1)
    loss = glove_loss(a, b, torch.ones(3), torch.zeros(3), counts, x_max=10)
    error = (a * b).sum(-1) + 1
    wanted = 0.3**0.75 * (error[1] - math.log(3)) ** 2 + (error[2] - math.log(40)) ** 2
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    assert torch.isfinite(a.grad).all() and (a.grad[0] == 0).all()
    assert glove_weight(counts).tolist() == pytest.approx([0, 0.3**0.75, 1])


def test_glove_learns_the_counts():
    counts, losses = cooccurrence([[i % 7, (3 * i) % 7, (i * i) % 7] for i in range(300)], 7, 2), []
    vectors = train_glove(
        counts, GloveSettings(d=6, epochs=60, batch=16), lambda e, loss: losses.append(loss)
    )
    assert vectors.shape == (7, 6) and losses[-1] < 0.05 * losses[0]


def test_one_step_of_glove_goes_down_its_gradient():
    """AdaGrad's first step is along the gradient of ``glove_loss`` where the sums are still near 1."""
    counts = torch.tensor([[0.0, 4.0], [4.0, 0.0]])
    settings = GloveSettings(d=3, epochs=1, lr=1e-4, batch=2)
    before = train_glove(counts, settings._replace(lr=0.0))
    moved = train_glove(counts, settings) - before
    start = (torch.rand(2, 2, 5, generator=torch.Generator().manual_seed(0)) - 0.5) / 3
    w, c = start.requires_grad_()
    i, j = torch.tensor([0, 1]), torch.tensor([1, 0])
    (gradient,) = torch.autograd.grad(
        glove_loss(w[i, :3], c[j, :3], w[i, 3], c[j, 4], torch.tensor([4.0, 4.0])) / 2, start
    )
    step = gradient / (1 + gradient**2).sqrt()
    torch.testing.assert_close(moved, -1e-4 * (step[0] + step[1])[:, :3], rtol=1e-2, atol=1e-8)


def test_ppmi_by_hand():
    counts = torch.tensor([[0.0, 8.0], [8.0, 4.0]])
    plain = ppmi(counts, power=1.0)
    assert plain[0, 1].item() == pytest.approx(math.log((8 / 20) / ((8 / 20) * (12 / 20))))
    assert plain[1, 1] == 0 and plain[0, 0] == 0  # less than chance; never seen
    unseen = torch.nn.functional.pad(counts, (0, 1, 0, 1))
    torch.testing.assert_close(ppmi(unseen, power=1.0), torch.nn.functional.pad(plain, (0, 1, 0, 1)))


def test_svd_is_torchs_to_the_sign():
    matrix = randn(40, 40) * torch.linspace(3, 0.1, 40)
    u, s, _ = torch.linalg.svd(matrix)
    found = svd_vectors(matrix, 5, power=1.0)
    torch.testing.assert_close(found.abs(), (u[:, :5] * s[:5]).abs(), rtol=1e-3, atol=1e-3)
