"""Google's translator of 2016 in small: a stack of LSTMs on either side, and attention from the bottom of
one.

The encoder's first layer reads both ways, the others from left to right. The decoder's bottom layer asks;
what it found at a step goes to every layer. From the third layer on either side, a layer adds to what it
was given.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course.attention import additive_score
from course.models.attention_seq2seq import AskingSeq2Seq, SteppingDecoder
from course.models.seq2seq import Memory, Seq2SeqConfig

FIRST_RESIDUAL = 2
"""The number of the first layer that adds, from 0: the third from the bottom (Wu et al. 2016, figure 1)."""


class GnmtEncoder(nn.Module):
    """One layer both ways, then ``n_layers - 1`` one way, adding from the third on.

    Source: Wu et al. 2016, §3 and figures 1 and 3; lecture row L1.7.c.
    """

    def __init__(self, config: Seq2SeqConfig, n_layers: int):
        super().__init__()
        d = config.d_hidden
        self.bidirectional = nn.LSTM(config.d_embedding, d // 2, batch_first=True, bidirectional=True)
        self.layers = nn.ModuleList(nn.LSTM(d, d, batch_first=True) for _ in range(n_layers - 1))

    def forward(self, embedded: Float[Tensor, "batch source d_embedding"], mask: Tensor) -> Memory:
        """Read padded sources; here each layer is done before the next begins, which need not be so."""
        lengths = mask.sum(dim=-1).cpu()
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        x, _ = pad_packed_sequence(
            self.bidirectional(packed)[0], batch_first=True, total_length=embedded.shape[1]
        )
        for number, layer in enumerate(self.layers, start=1):
            out, _ = layer(x)  # padding stands behind the end and reaches no real place
            x = x + out if number >= FIRST_RESIDUAL else out
        last = x[torch.arange(len(x)), lengths.to(x.device) - 1]
        return Memory(x, mask, last)


class GnmtState(NamedTuple):
    """Every layer's output and cell, bottom first, and where the decoder has just looked."""

    hidden: tuple[Float[Tensor, "rows d_hidden"], ...]
    cell: tuple[Float[Tensor, "rows d_hidden"], ...]
    weights: Float[Tensor, "rows source"]


def gnmt_step(
    x: Float[Tensor, "rows d_in"],
    context: Float[Tensor, "rows d_context"],
    hidden: tuple[Float[Tensor, "rows d_hidden"], ...],
    cell: tuple[Float[Tensor, "rows d_hidden"], ...],
    layers: nn.ModuleList,
) -> tuple[Float[Tensor, "rows d_hidden"], tuple[Tensor, ...], tuple[Tensor, ...]]:
    """One step of the decoder's stack: every layer is given what is below it *and* the same context.

    From the third layer on, a layer's output is added to what it was given from below (not to the context).

    Args:
        x: the embedding of the word before.
        context: c_i, which the bottom layer's last output has asked for.
        hidden, cell: each layer's last output (its own, before adding) and cell.
        layers: an ``nn.LSTMCell`` for each.

    Returns:
        What the top gives, and each layer's new output and cell.

    Source: Wu et al. 2016, §3.1 (residual, equation 6), §3.2 and figure 1; lecture row L1.7.c.
    """
    new_hidden, new_cell = [], []
    for number, layer in enumerate(layers):
        h, c = layer(torch.cat([x, context], dim=-1), (hidden[number], cell[number]))
        x = x + h if number >= FIRST_RESIDUAL else h
        new_hidden.append(h)
        new_cell.append(c)
    return x, tuple(new_hidden), tuple(new_cell)


class GnmtDecoder(SteppingDecoder):
    """A stack of LSTMs whose bottom layer asks the source; all of them are given what it found.

    Only the bottom layer waits for the attention; a layer above can work on word i while the bottom is at i
    + 1.

    Source: Wu et al. 2016, §3 and figure 1; lecture row L1.7.c.
    """

    def __init__(self, config: Seq2SeqConfig, n_layers: int):
        super().__init__()
        d, half = config.d_hidden, config.d_hidden // 2
        below = [config.d_embedding, *[d] * (n_layers - 1)]
        self.layers = nn.ModuleList(nn.LSTMCell(width + d, d) for width in below)
        self.w_query, self.w_key = nn.Parameter(torch.empty(half, d)), nn.Parameter(torch.empty(half, d))
        self.v = nn.Parameter(torch.empty(half))
        self.readout = nn.Linear(d, config.d_embedding)
        for weight in (self.w_query, self.w_key):
            nn.init.xavier_uniform_(weight)
        nn.init.normal_(self.v, std=half**-0.5)

    def start(self, memory: Memory) -> GnmtState:
        """Zeros: all that it will know of the source, it asks for."""
        nothing = tuple(torch.zeros_like(memory.context) for _ in self.layers)
        return GnmtState(nothing, nothing, memory.mask.to(memory.context.dtype))

    def score(
        self, query: Float[Tensor, "rows 1 d_hidden"], states: Float[Tensor, "rows source d_hidden"]
    ) -> Float[Tensor, "rows 1 source"]:
        """An MLP with one hidden layer, asked by the bottom layer's last output."""
        return additive_score(query, states, self.w_query, self.w_key, self.v)

    def step(
        self, embedded: Float[Tensor, "rows d_embedding"], state: GnmtState, memory: Memory
    ) -> tuple[Float[Tensor, "rows d_embedding"], GnmtState]:
        """See ``course.models.seq2seq.Decoder``."""
        state = GnmtState(*state)
        context, weights = self.ask(state.hidden[0], memory)
        top, hidden, cell = gnmt_step(embedded, context, state.hidden, state.cell, self.layers)
        return self.readout(top).tanh(), GnmtState(hidden, cell, weights)


class Gnmt(AskingSeq2Seq):
    """The whole: ``N_LAYERS`` on either side, the fewest with a layer that adds; Google's had eight.

    Source: Wu et al. 2016; lecture row L1.7.c.
    """

    N_LAYERS = 3

    def __init__(self, config: Seq2SeqConfig, tokenizer=None):
        super().__init__(config, tokenizer)
        self.encoder = GnmtEncoder(config, self.N_LAYERS)
        for name, parameter in self.named_parameters():
            if (
                "bias_ih" in name
            ):  # gates in the order i, f, g, o: remember, to begin with (Jozefowicz et al. 2015)
                nn.init.ones_(parameter.data.chunk(4)[1])

    @classmethod
    def decoder_type(cls, config: Seq2SeqConfig) -> nn.Module:
        """The decoder of as many layers."""
        return GnmtDecoder(config, cls.N_LAYERS)
