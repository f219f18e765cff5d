"""Path lengths by search agree with networks whose links are known, and with where gradients arrive."""

import pytest
import torch
from torch import nn

from course.masks import causal_mask, window_mask
from course.studies.path_length import convolutions, dilated_hops, gradient_reach, hops, recurrent_links


def test_the_four_of_the_papers_table():
    n = 17
    assert hops(torch.ones(n, n, dtype=torch.bool)).max() == 1
    assert hops(recurrent_links(n))[-1, 0] == n - 1 and hops(recurrent_links(n))[0, -1] == -1
    assert hops(window_mask(n, 2)).max() == 8
    assert hops(causal_mask(n))[3].tolist() == [1, 1, 1, 0] + [-1] * (n - 4)
    assert [dilated_hops(n, 2) for n in (1, 2, 3, 4, 5, 64)] == [0, 1, 2, 2, 3, 6]


def test_hops_are_those_of_powers():
    torch.manual_seed(3)
    links = torch.rand(12, 12) < 0.12
    power, wanted = torch.eye(12), torch.where(torch.eye(12, dtype=torch.bool), 0, -1)
    for step in range(1, 13):
        power = ((links.float() @ power) > 0).float()
        wanted = torch.where((wanted < 0) & (power > 0), step, wanted)
    assert torch.equal(hops(links), wanted) and (wanted == -1).any() and wanted.max() > 2


def test_what_is_no_table_of_links_is_refused():
    with pytest.raises(TypeError, match="boolean"):
        hops(torch.eye(3))
    with pytest.raises(ValueError, match="square"):
        hops(torch.ones(3, 4, dtype=torch.bool))


@pytest.mark.parametrize("dilated", [False, True])
def test_a_gradient_arrives_where_links_lead(dilated):
    layers, width, n = 3, 2, 12
    model = convolutions(4, width, layers, dilated)
    reach = gradient_reach(model, torch.randn(n, 4))
    seen = sum((width - 1) * (width**layer if dilated else 1) for layer in range(layers)) + 1
    assert (reach > 0).tolist() == [False] * (n - seen) + [True] * seen


def test_the_reach_is_the_norm_of_the_jacobian():
    w = torch.randn(3, 3)
    reach = gradient_reach(lambda x: x.cumsum(0) @ w, torch.randn(5, 3), place=2)
    torch.testing.assert_close(reach, torch.tensor([1.0, 1, 1, 0, 0]) * w.norm())
    rnn = nn.RNN(3, 3)
    assert (gradient_reach(lambda x: rnn(x)[0], torch.randn(6, 3)) > 0).all()
