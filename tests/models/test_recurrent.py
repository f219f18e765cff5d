"""RNN, LSTM and GRU against torch's: values and every gradient; and what tells GRUs apart."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course.models.recurrent import (
    GRU,
    LSTM,
    RNN,
    gru_step,
    gru_step_reset_first,
    last_states,
    lstm_gates,
    lstm_step,
    read_in_chunks,
    rnn_step,
    set_forget_bias,
    update_gate_renamed,
)

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-10}  # largest difference
KINDS = [(RNN, nn.RNN), (LSTM, nn.LSTM), (GRU, nn.GRU)]
kinds = pytest.mark.parametrize(
    "ours, theirs", KINDS, ids=lambda kind: kind.__module__.split(".")[0] + kind.__name__
)
dtypes = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
BATCH, TIME, INPUT, HIDDEN = 5, 7, 3, 4
LENGTHS = torch.tensor([4, 7, 1, 7, 2])


def pair(ours, theirs, dtype, **settings):
    torch.manual_seed(1)
    reference = theirs(INPUT, HIDDEN, batch_first=True, **settings).to(dtype)
    module = ours(INPUT, HIDDEN, **settings).to(dtype)
    module.load_state_dict(reference.state_dict())
    return module, reference


def flat(output, state) -> list[torch.Tensor]:
    return [output, *(state if isinstance(state, tuple) else (state,))]


def assert_same(run_ours, run_theirs, ours, theirs, x, states):
    """Outputs, last states, and the gradients of a random combination of them all."""
    inputs = [[t.clone().requires_grad_() for t in (x, *states)] for _ in range(2)]
    found = [flat(*run(*own)) for run, own in zip((run_ours, run_theirs), inputs, strict=True)]
    directions = [torch.randn_like(t) for t in found[1]]
    for one in found:
        torch.autograd.backward(one, directions)
    grads = [[p.grad for p in module.parameters()] for module in (ours, theirs)]
    both = zip(
        found[0] + [t.grad for t in inputs[0]] + grads[0],
        found[1] + [t.grad for t in inputs[1]] + grads[1],
        strict=True,
    )
    for number, (actual, expected) in enumerate(both):
        # relative to the size of a gradient summed over batch and time, absolute below 1
        bound = TOLERANCE[x.dtype] * max(1.0, expected.abs().max().item())
        assert (actual - expected).abs().max() <= bound, number


def as_given(h):
    return h if len(h) > 1 else h[0]


@dtypes
@kinds
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("both_ways", [False, True], ids=["one way", "both ways"])
def test_a_module_is_torchs(ours, theirs, dtype, layers, both_ways):
    module, reference = pair(ours, theirs, dtype, num_layers=layers, bidirectional=both_ways)
    x = torch.randn(BATCH, TIME, INPUT, dtype=dtype)
    states = [torch.randn(layers * (1 + both_ways), BATCH, HIDDEN, dtype=dtype) for _ in range(ours.parts)]
    assert_same(
        lambda x, *h: module(x, as_given(h)),
        lambda x, *h: reference(x, as_given(h)),
        module,
        reference,
        x,
        states,
    )


@dtypes
@kinds
@pytest.mark.parametrize("both_ways", [False, True], ids=["one way", "both ways"])
def test_lengths_do_what_packing_does(ours, theirs, dtype, both_ways):
    module, reference = pair(ours, theirs, dtype, num_layers=2, bidirectional=both_ways)
    x = torch.randn(BATCH, TIME, INPUT, dtype=dtype)
    states = [torch.randn(2 * (1 + both_ways), BATCH, HIDDEN, dtype=dtype) for _ in range(ours.parts)]

    def packed(x, *h):
        output, state = reference(
            pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False), as_given(h)
        )
        return pad_packed_sequence(output, batch_first=True)[0], state

    assert_same(lambda x, *h: module(x, as_given(h), LENGTHS), packed, module, reference, x, states)


@kinds
def test_what_stands_in_padding_is_never_read(ours, theirs):
    module, _ = pair(ours, theirs, torch.float32, bidirectional=True)
    x = torch.randn(BATCH, TIME, INPUT)
    x[torch.arange(TIME) >= LENGTHS[:, None]] = torch.nan
    outputs, _ = module(x, lengths=LENGTHS)
    outputs.square().sum().backward()
    assert outputs.isfinite().all() and all(p.grad.isfinite().all() for p in module.parameters())
    alone, _ = module(x[:1, :4])
    torch.testing.assert_close(outputs[:1, :4], alone, rtol=0, atol=1e-6)


@kinds
def test_weights_go_to_torch_and_come_back(ours, theirs):
    module, reference = (
        ours(INPUT, HIDDEN, 2, True),
        theirs(INPUT, HIDDEN, 2, bidirectional=True, batch_first=True),
    )
    reference.load_state_dict(module.state_dict())
    x = torch.randn(BATCH, TIME, INPUT)
    torch.testing.assert_close(module(x)[0], reference(x)[0], rtol=0, atol=1e-6)
    assert list(module.state_dict()) == list(reference.state_dict())
    # torch's own start: uniform within 1 / √hidden
    assert all(p.abs().max() <= HIDDEN**-0.5 for p in module.parameters())


@dtypes
def test_single_steps_are_torchs_cells(dtype):
    x, h, c = torch.randn(BATCH, INPUT, dtype=dtype), *torch.randn(2, BATCH, HIDDEN, dtype=dtype)
    for step, cell, parts in (
        (rnn_step, nn.RNNCell, (h,)),
        (gru_step, nn.GRUCell, (h,)),
        (lstm_step, nn.LSTMCell, (h, c)),
    ):
        reference = cell(INPUT, HIDDEN).to(dtype)
        found, expected = step(x, *parts, *reference.parameters()), reference(x, as_given(parts))
        for actual, wanted in zip(
            found if len(parts) > 1 else [found], expected if len(parts) > 1 else [expected], strict=True
        ):
            assert (actual - wanted).abs().max() <= TOLERANCE[dtype]
        one = step(x[0], *(part[0] for part in parts), *reference.parameters())  # without a batch
        torch.testing.assert_close(
            one[0] if len(parts) > 1 else one, (found[0] if len(parts) > 1 else found)[0]
        )


def test_the_gates_are_those_of_the_step():
    cell = nn.LSTMCell(INPUT, HIDDEN)
    x, h, c = torch.randn(BATCH, INPUT), *torch.randn(2, BATCH, HIDDEN)
    gates = lstm_gates(x, h, *cell.parameters())
    torch.testing.assert_close(
        lstm_step(x, h, c, *cell.parameters())[1], gates.forget * c + gates.input * gates.candidate
    )
    assert all(((gate > 0) & (gate < 1)).all() for gate in (gates.input, gates.forget, gates.output))


def test_the_update_gates_two_names_are_one_function_and_the_resets_two_places_are_not():
    weights = [p.double() for p in nn.GRUCell(INPUT, HIDDEN).parameters()]
    x, h = torch.randn(BATCH, INPUT).double(), torch.randn(BATCH, HIDDEN).double()

    def z_says_what_is_new(x, h, w_ih, w_hh, b_ih, b_hh):
        (r_x, z_x, n_x), (r_h, z_h, n_h) = (
            (x @ w_ih.mT + b_ih).chunk(3, -1),
            (h @ w_hh.mT + b_hh).chunk(3, -1),
        )
        z, n = (z_x + z_h).sigmoid(), (n_x + (r_x + r_h).sigmoid() * n_h).tanh()
        return z * n + (1 - z) * h

    renamed = z_says_what_is_new(x, h, *map(update_gate_renamed, weights))
    torch.testing.assert_close(renamed, gru_step(x, h, *weights), rtol=0, atol=1e-12)
    assert (gru_step_reset_first(x, h, *weights) - gru_step(x, h, *weights)).abs().max() > 1e-3


def test_the_resets_two_places_agree_where_the_matrix_is_diagonal_and_has_no_bias():
    w_ih, w_hh, b_ih, b_hh = (p.detach().clone() for p in nn.GRUCell(INPUT, HIDDEN).parameters())
    w_hh[2 * HIDDEN :] = torch.diag(torch.randn(HIDDEN))
    b_hh[2 * HIDDEN :] = 0
    x, h = torch.randn(BATCH, INPUT), torch.randn(BATCH, HIDDEN)
    weights = (w_ih, w_hh, b_ih, b_hh)
    torch.testing.assert_close(
        gru_step_reset_first(x, h, *weights), gru_step(x, h, *weights), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    "lstm",
    [LSTM(INPUT, HIDDEN, 2, True), nn.LSTM(INPUT, HIDDEN, 2, bidirectional=True)],
    ids=["ours", "torch's"],
)
def test_the_forget_bias_is_set_once_and_nothing_else(lstm):
    before = {name: p.clone() for name, p in lstm.named_parameters()}
    set_forget_bias(lstm, 1.5)
    for name, parameter in lstm.named_parameters():
        quarter = torch.arange(len(parameter)) // HIDDEN == 1
        if name.startswith("bias_"):
            assert (parameter[quarter] == (1.5 if "ih" in name else 0)).all()
        assert torch.equal(
            parameter[~quarter] if "bias" in name else parameter,
            before[name][~quarter] if "bias" in name else before[name],
        )


def test_last_states_are_what_the_reader_ends_with():
    module = GRU(INPUT, HIDDEN, bidirectional=True)
    outputs, state = module(torch.randn(BATCH, TIME, INPUT), lengths=LENGTHS)
    assert torch.equal(last_states(outputs, LENGTHS), torch.cat([state[0], state[1]], dim=-1))


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda m: m(torch.zeros(TIME, INPUT)), r"\[batch, time, 3\].*got \[7, 3\]"),
        (lambda m: m(torch.zeros(2, 0, INPUT)), "one step or more"),
        (lambda m: m(torch.zeros(2, 4, INPUT), torch.zeros(2, 3)), r"shape \[1, 2, 4\]; got \[\[2, 3\]\]"),
        (lambda m: m(torch.zeros(2, 4, INPUT), lengths=torch.tensor([0, 4])), r"between 1 and 4; got \[0"),
        (lambda m: m(torch.zeros(2, 4, INPUT), lengths=torch.tensor([5, 4])), r"between 1 and 4; got \[5"),
    ],
)  # fmt: skip
def test_what_it_cannot_read_is_refused_in_words(call, says):
    with pytest.raises(ValueError, match=says):
        call(GRU(INPUT, HIDDEN))


@kinds
def test_chunks_change_no_value_and_cut_the_gradient(ours, theirs):
    module, _ = pair(ours, theirs, torch.float64, num_layers=2)
    x = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64, requires_grad=True)
    whole, end = module(x)
    outputs, state = read_in_chunks(module, x, 3)  # 3, 3 and 1 steps
    torch.testing.assert_close(outputs, whole, rtol=0, atol=1e-12)
    for part, expected in zip(flat(outputs, state)[1:], flat(whole, end)[1:], strict=True):
        torch.testing.assert_close(part, expected, rtol=0, atol=1e-12)
        assert not part.requires_grad
    for step, first in ((2, 0), (4, 3), (6, 6)):
        (gradient,) = torch.autograd.grad(outputs[:, step].sum(), x, retain_graph=True)
        reached = gradient.abs().sum((0, 2)) > 0
        assert reached.nonzero().flatten().tolist() == list(range(first, step + 1))
    with pytest.raises(ValueError, match="1 step or more; got 0"):
        read_in_chunks(module, x, 0)
