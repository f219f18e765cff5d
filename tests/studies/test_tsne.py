"""t-SNE: the gradient is autograd's, the affinities have the perplexity asked for, groups stay groups."""

import torch

from course.studies.tsne import affinities, gradient, tsne


def groups(n=12, d=10):
    generator = torch.Generator().manual_seed(0)
    centres = 6 * torch.randn(3, d, generator=generator)
    return torch.cat([c + torch.randn(n, d, generator=generator) for c in centres])


def test_the_gradient_is_autograds():
    p = affinities(groups(5).double(), 4.0)
    y = torch.randn(15, 2, generator=torch.Generator().manual_seed(1)).double().requires_grad_()
    heavy = 1 / (1 + ((y[:, None] - y[None]) ** 2).sum(-1))
    heavy = heavy * (1 - torch.eye(15))
    q = heavy / heavy.sum()
    off = ~torch.eye(15, dtype=torch.bool)
    (p[off] * (p[off] / q[off]).log()).sum().backward()
    torch.testing.assert_close(gradient(p, y.detach()), y.grad, rtol=1e-6, atol=1e-9)


def test_affinities_sum_to_one_and_no_point_is_its_own_neighbour():
    p = affinities(groups(), 8.0)
    torch.testing.assert_close(p.sum(), torch.tensor(1.0))
    assert torch.equal(p, p.mT) and (p.diagonal() == 0).all()


def test_groups_stay_groups():
    y = tsne(groups(), perplexity=6.0, steps=250)
    near = torch.cdist(y, y).fill_diagonal_(torch.inf).argmin(1)
    assert (near // 12 == torch.arange(36) // 12).all()
    assert torch.equal(y, tsne(groups(), perplexity=6.0, steps=250))
