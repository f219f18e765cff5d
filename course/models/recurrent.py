"""RNN, LSTM and GRU: one step of each as a function, and a thin module that takes it through a sequence.

Weights have torch's names and shapes, so that state dicts go both ways: ``weight_ih_l0`` is
``[gates · hidden, input]``, the gates of an LSTM stand in the order input, forget, candidate, output, those
of a GRU in the order reset, update, candidate.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

State = tuple[Float[Tensor, "layers batch hidden"], ...]

# --------------------------------------------------------------------------------------------------
# One step
# --------------------------------------------------------------------------------------------------


def rnn_step(
    x: Float[Tensor, "*batch input"],
    h: Float[Tensor, "*batch hidden"],
    w_ih: Float[Tensor, "hidden input"],
    w_hh: Float[Tensor, "hidden hidden"],
    b_ih: Float[Tensor, "hidden"],
    b_hh: Float[Tensor, "hidden"],
) -> Float[Tensor, "*batch hidden"]:
    """tanh(W_x x + b_x + W_h h + b_h): the new state from the input and the state before.

    Torch has two biases where one would do; both are kept, so that weights can be exchanged.

    Source: Elman 1990; lecture row L2.4.a.
    """
    return torch.tanh(x @ w_ih.mT + b_ih + h @ w_hh.mT + b_hh)


class Gates(NamedTuple):
    """What an LSTM decides at one step: all but the ``candidate`` lie between 0 and 1."""

    input: Float[Tensor, "*batch hidden"]
    forget: Float[Tensor, "*batch hidden"]
    candidate: Float[Tensor, "*batch hidden"]
    output: Float[Tensor, "*batch hidden"]


def lstm_gates(
    x: Float[Tensor, "*batch input"],
    h: Float[Tensor, "*batch hidden"],
    w_ih: Float[Tensor, "4*hidden input"],
    w_hh: Float[Tensor, "4*hidden hidden"],
    b_ih: Float[Tensor, "4*hidden"],
    b_hh: Float[Tensor, "4*hidden"],
) -> Gates:
    """The four gates of every cell, from the input and what the cells said last.

    Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000 (the forget gate).
    """
    i, f, g, o = (x @ w_ih.mT + b_ih + h @ w_hh.mT + b_hh).chunk(4, dim=-1)
    return Gates(i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid())


def lstm_step(
    x: Float[Tensor, "*batch input"],
    h: Float[Tensor, "*batch hidden"],
    c: Float[Tensor, "*batch hidden"],
    w_ih: Float[Tensor, "4*hidden input"],
    w_hh: Float[Tensor, "4*hidden hidden"],
    b_ih: Float[Tensor, "4*hidden"],
    b_hh: Float[Tensor, "4*hidden"],
) -> tuple[Float[Tensor, "*batch hidden"], Float[Tensor, "*batch hidden"]]:
    """c' = f · c + i · g and h' = o · tanh(c'): the new (h, c).

    In the weights the gates stand in the order i, f, g, o; g goes through tanh, the others through a sigmoid.

    Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000; lecture row L1.2.a.
    """
    gates = lstm_gates(x, h, w_ih, w_hh, b_ih, b_hh)
    c = gates.forget * c + gates.input * gates.candidate
    return gates.output * c.tanh(), c


def gru_step(
    x: Float[Tensor, "*batch input"],
    h: Float[Tensor, "*batch hidden"],
    w_ih: Float[Tensor, "3*hidden input"],
    w_hh: Float[Tensor, "3*hidden hidden"],
    b_ih: Float[Tensor, "3*hidden"],
    b_hh: Float[Tensor, "3*hidden"],
) -> Float[Tensor, "*batch hidden"]:
    """n = tanh(W_n x + b + r · (U_n h + b')), then h' = (1 - z) · n + z · h.

    This is torch's convention and cuDNN's: the reset gate r acts behind the product, and the update gate z
    says how much of the old state stays. ``gru_step_reset_first`` is the paper's. In the weights the gates
    stand in the order r, z, n.

    Source: Cho et al. 2014; lecture row L1.2.a.
    """
    r_x, z_x, n_x = (x @ w_ih.mT + b_ih).chunk(3, dim=-1)
    r_h, z_h, n_h = (h @ w_hh.mT + b_hh).chunk(3, dim=-1)
    r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
    n = (n_x + r * n_h).tanh()
    return (1 - z) * n + z * h


def gru_step_reset_first(
    x: Float[Tensor, "*batch input"],
    h: Float[Tensor, "*batch hidden"],
    w_ih: Float[Tensor, "3*hidden input"],
    w_hh: Float[Tensor, "3*hidden hidden"],
    b_ih: Float[Tensor, "3*hidden"],
    b_hh: Float[Tensor, "3*hidden"],
) -> Float[Tensor, "*batch hidden"]:
    """``gru_step``, but n = tanh(W_n x + b + U_n (r · h) + b'): the reset gate acts before the product.

    Source: Cho et al. 2014, equation 8.
    """
    r_x, z_x, n_x = (x @ w_ih.mT + b_ih).chunk(3, dim=-1)
    w_r, w_z, w_n = w_hh.chunk(3, dim=0)
    b_r, b_z, b_n = b_hh.chunk(3, dim=-1)
    r, z = (r_x + h @ w_r.mT + b_r).sigmoid(), (z_x + h @ w_z.mT + b_z).sigmoid()
    n = (n_x + (r * h) @ w_n.mT + b_n).tanh()
    return (1 - z) * n + z * h


def update_gate_renamed(weight: Float[Tensor, "3*hidden *rest"]) -> Float[Tensor, "3*hidden *rest"]:
    """A GRU's weights or biases for the other name of z: σ(-a) = 1 - σ(a), so its rows change their sign.

    A GRU that computes h' = z · n + (1 - z) · h with these is one that computes (1 - z) · n + z · h with the
    weights given. For the place of the reset gate there is no such map: those are two functions.
    """
    r, z, n = weight.chunk(3, dim=0)
    return torch.cat([r, -z, n])


# --------------------------------------------------------------------------------------------------
# A sequence
# --------------------------------------------------------------------------------------------------


class Recurrent(nn.Module):
    """Layers of one kind of cell, one way or both; ``RNN``, ``LSTM`` and ``GRU`` say which.

    Args:
        input_size, hidden_size: width of the inputs, and of each state.
        num_layers: how many stand on one another.
        bidirectional: whether each layer reads from the end, too; its outputs stand side by side.
        dropout: the rate between layers, in training.

    The state dict is that of ``torch.nn.RNN``, ``LSTM``, ``GRU`` with ``batch_first=True``.
    """

    gates = 1
    parts = 1  # tensors in a state

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.suffixes = ("", "_reverse") if bidirectional else ("",)
        self.dropout = nn.Dropout(dropout)
        rows = self.gates * hidden_size
        for layer in range(num_layers):
            width = hidden_size * len(self.suffixes) if layer else input_size
            for suffix in self.suffixes:
                shapes = {"weight_ih": (rows, width), "weight_hh": (rows, hidden_size),
                          "bias_ih": (rows,), "bias_hh": (rows,)}  # fmt: skip
                for name, shape in shapes.items():
                    parameter = nn.Parameter(torch.empty(shape))
                    nn.init.uniform_(parameter, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))
                    self.register_parameter(f"{name}_l{layer}{suffix}", parameter)

    def step(self, x: Tensor, state: tuple[Tensor, ...], *weights: Tensor) -> tuple[Tensor, ...]:
        """The next state of one layer; its first tensor is what the layer gives out."""
        raise NotImplementedError

    def weights(self, layer: int = 0, suffix: str = "") -> list[Tensor]:
        """W_ih, W_hh, b_ih and b_hh of a layer; ``suffix`` "_reverse" is the one that reads from the end."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [getattr(self, f"{name}_l{layer}{suffix}") for name in names]

    def forward(
        self,
        x: Float[Tensor, "batch time input"],
        state: State | Tensor | None = None,
        lengths: Int[Tensor, "batch"] | None = None,
    ) -> tuple[Float[Tensor, "batch time directions*hidden"], State | Tensor]:
        """Read sequences; gives what the last layer said at every step, and the last state of every layer.

        Args:
            state: where to begin: h ``[layers · directions, batch, hidden]``, for an LSTM (h, c); None is 0.
            lengths: how long each sequence is, where they were padded. What stands behind a sequence's end
                is not read: outputs there are 0, the last state is that at the end, and the way back begins
                there. The same as packing them for torch.

        Raises:
            ValueError: if the input is not batched or of another width, the state has another shape, or a
                length is not between 1 and the number of steps.
        """
        self._check(x, lengths)
        alive = None if lengths is None else torch.arange(x.shape[1], device=x.device) < lengths[:, None]
        state = self._start(x, state)
        last = []
        for layer in range(self.num_layers):
            x = self.dropout(x) if layer else x
            outputs = []
            for direction, suffix in enumerate(self.suffixes):
                begin = tuple(part[layer * len(self.suffixes) + direction] for part in state)
                output, end = self._scan(x, begin, self.weights(layer, suffix), alive, suffix == "_reverse")
                outputs.append(output)
                last.append(end)
            x = torch.cat(outputs, dim=-1)
        ends = tuple(torch.stack(part) for part in zip(*last, strict=True))
        return x, ends if self.parts > 1 else ends[0]

    def _scan(
        self,
        x: Float[Tensor, "batch time input"],
        state: tuple[Tensor, ...],
        weights: list[Tensor],
        alive: Bool[Tensor, "batch time"] | None,
        backwards: bool,
    ) -> tuple[Float[Tensor, "batch time hidden"], tuple[Tensor, ...]]:
        """One layer in one direction. Where a sequence is not ``alive``, its state waits."""
        if alive is not None:
            x = x.masked_fill(~alive[..., None], 0.0)  # whatever stands there, even nan, has no gradient
        outputs: list[Tensor] = [x] * x.shape[1]
        for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
            new = self.step(x[:, t], state, *weights)
            if alive is not None:
                new = tuple(torch.where(alive[:, t, None], a, b) for a, b in zip(new, state, strict=True))
            outputs[t], state = new[0], new
        output = torch.stack(outputs, dim=1)
        return output if alive is None else output.masked_fill(~alive[..., None], 0.0), state

    def _start(self, x: Tensor, state: State | Tensor | None) -> State:
        shape = (self.num_layers * len(self.suffixes), x.shape[0], self.hidden_size)
        if state is None:
            return (x.new_zeros(shape),) * self.parts
        state = state if isinstance(state, tuple) else (state,)
        if len(state) != self.parts or any(part.shape != shape for part in state):
            found = [list(part.shape) for part in state]
            raise ValueError(f"a state has {self.parts} tensor(s) of shape {list(shape)}; got {found}")
        return state

    def _check(self, x: Tensor, lengths: Tensor | None) -> None:
        if x.dim() != 3 or x.shape[-1] != self.input_size or not x.shape[1]:
            raise ValueError(
                f"the input has shape [batch, time, {self.input_size}], with one step or more; "
                f"got {list(x.shape)}"
            )
        if lengths is not None and (
            lengths.shape != x.shape[:1] or lengths.min() < 1 or lengths.max() > x.shape[1]
        ):
            raise ValueError(
                f"each of {len(x)} sequences has a length between 1 and {x.shape[1]}; got {lengths.tolist()}"
            )


class RNN(Recurrent):
    """``rnn_step`` over a sequence (Elman 1990)."""

    def step(self, x, state, *weights):
        """See ``Recurrent.step``."""
        return (rnn_step(x, *state, *weights),)


class LSTM(Recurrent):
    """``lstm_step`` over a sequence (Hochreiter and Schmidhuber 1997; Gers et al. 2000)."""

    gates, parts = 4, 2

    def step(self, x, state, *weights):
        """See ``Recurrent.step``."""
        return lstm_step(x, *state, *weights)


class GRU(Recurrent):
    """``gru_step`` over a sequence (Cho et al. 2014)."""

    gates = 3

    def step(self, x, state, *weights):
        """See ``Recurrent.step``."""
        return (gru_step(x, *state, *weights),)


def read_in_chunks(
    module: Recurrent, x: Float[Tensor, "batch time input"], chunk: int
) -> tuple[Float[Tensor, "batch time directions*hidden"], State | Tensor]:
    """Read a long sequence ``chunk`` steps at a time: the state goes on, the gradient does not.

    Outputs and last state are those of one reading. But each chunk begins with a state that counts as given
    (``detach``), so that a gradient goes back through ``chunk`` steps at most, which bounds time and memory.

    Raises:
        ValueError: if a chunk has less than one step.

    Source: Williams and Peng 1990 (truncated backpropagation through time).
    """
    if chunk < 1:
        raise ValueError(f"a chunk has 1 step or more; got {chunk}")
    outputs, state = [], None
    for part in x.split(chunk, dim=1):
        output, state = module(part, state)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        outputs.append(output)
    return torch.cat(outputs, dim=1), state


@torch.no_grad()
def set_forget_bias(lstm: nn.Module, value: float = 1.0) -> None:
    """Start the forget gates of an LSTM, ours or torch's, at σ(value): open, where torch's begin half shut.

    Torch adds two biases; the second quarter of ``bias_ih`` becomes ``value`` and that of ``bias_hh`` 0, in
    every layer and direction. All else stays as it is.

    Source: Gers et al. 2000; Jozefowicz et al. 2015, §2.2 and §5.
    """
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias_"):
            parameter.chunk(4)[1].fill_(value if name.startswith("bias_ih") else 0.0)


def last_states(
    outputs: Float[Tensor, "batch time 2*hidden"], lengths: Int[Tensor, "batch"]
) -> Float[Tensor, "batch 2*hidden"]:
    """What a reader of both directions knows at its two ends, side by side.

    From left to right the end is the last real step, from right to left it is step 0; padding, and what the
    way back has seen of one token alone, stay out.

    Args:
        outputs: of the last layer, forward features first, then those of the way back.
        lengths: real steps of each sequence, 1 or more.
    """
    forward, backward = outputs.chunk(2, dim=-1)
    rows = torch.arange(len(outputs), device=outputs.device)
    return torch.cat([forward[rows, lengths - 1], backward[:, 0]], dim=-1)
