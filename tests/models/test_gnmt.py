"""GNMT's structure: where it adds, what every layer is given, and that the bottom needs none above it."""

import torch

from course.models.gnmt import FIRST_RESIDUAL, Gnmt, gnmt_step
from course.models.seq2seq import Seq2SeqConfig
from course.text.tokenizers import BOS, EOS


def small():
    torch.manual_seed(0)
    return Gnmt(Seq2SeqConfig(20, 6, 8, dropout=0.0)).eval()


def test_layers_add_from_the_third_on():
    model = small()
    layers = model.decoder.layers
    x, context = torch.randn(2, 6), torch.randn(2, 8)
    state = tuple(torch.randn(2, 8) for _ in layers)
    top, hidden, cell = gnmt_step(x, context, state, state, layers)
    assert len(hidden) == len(cell) == Gnmt.N_LAYERS
    assert torch.allclose(top, sum(hidden[FIRST_RESIDUAL - 1 :]), atol=1e-6)


def test_the_context_goes_to_every_layer():
    model = small()
    x, context = torch.randn(1, 6), torch.randn(1, 8, requires_grad=True)
    state = tuple(torch.zeros(1, 8) for _ in model.decoder.layers)
    for layer in model.decoder.layers:
        layer.weight_ih.data[:, : layer.weight_ih.shape[1] - 8] = 0  # what comes from below is not heard
    _, hidden, _ = gnmt_step(x, context, state, state, model.decoder.layers)
    for h in hidden:
        assert torch.autograd.grad(h.sum(), context, retain_graph=True)[0].abs().sum() > 0


def test_where_it_looks_does_not_wait_for_the_layers_above():
    model, source = small(), torch.tensor([[5, 9, 4, EOS]])
    given = torch.tensor([[BOS, 6, 11, 4]])
    before = model.decoder.follow(model.embed(given), model.encode(source))[1]
    for layer in model.decoder.layers[1:]:
        for parameter in layer.parameters():
            parameter.data.add_(torch.randn_like(parameter))
    after = model.decoder.follow(model.embed(given), model.encode(source))[1]
    assert torch.equal(before, after)


def test_only_the_first_encoder_layer_reads_backwards():
    model = small()
    x = torch.randn(1, 5, 6)
    changed = x.clone()
    changed[:, 4] += 1
    assert not torch.allclose(
        model.encoder.bidirectional(x)[0][:, 0], model.encoder.bidirectional(changed)[0][:, 0]
    )
    assert not any(layer.bidirectional for layer in model.encoder.layers)
