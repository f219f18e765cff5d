"""Recurrent translators that ask the source anew at every word: Bahdanau's decoder and Luong's.

Reader, loop and writing are those of ``course.models.seq2seq``, whose decoder is given one fixed context.
Here ``BahdanauDecoder`` asks before each word, with the state that it is in; ``LuongDecoder`` after each
step, with the state that it has reached.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.attention import additive_score, cosine_score, general_score, softmax_attention
from course.models.attention_pass import AttentionPass
from course.models.seq2seq import Memory, Seq2Seq, Seq2SeqConfig, State
from course.models.transformer import evaluating
from course.text.plain import plain_text
from course.text.tokenizers import BOS, EOS


class Asking(NamedTuple):
    """A decoder's state: its memory, what it is to be given next (Luong), and where it has just looked."""

    hidden: Float[Tensor, "rows d_hidden"]
    found: Float[Tensor, "rows d_embedding"]
    weights: Float[Tensor, "rows source"]


class SteppingDecoder(nn.Module):
    """A decoder that asks the source at each step; its state keeps the last step's ``weights``.

    The next state needs what this one found, so that no library can run through all the steps at once.
    """

    def score(
        self, query: Float[Tensor, "rows 1 d_hidden"], states: Float[Tensor, "rows source d_hidden"]
    ) -> Float[Tensor, "rows 1 source"]:
        """F(H, h_j) for every source state h_j."""
        raise NotImplementedError

    def ask(
        self, hidden: Float[Tensor, "rows d_hidden"], memory: Memory
    ) -> tuple[Float[Tensor, "rows d_hidden"], Float[Tensor, "rows source"]]:
        """The context c = Σ_j a_j h_j and the weights a; padding gets none."""
        scores = self.score(hidden[:, None], memory.states)
        context, weights = softmax_attention(scores, memory.states, memory.mask[:, None])
        return context[:, 0], weights[:, 0]

    def step(
        self, embedded: Float[Tensor, "rows d_embedding"], state: State, memory: Memory
    ) -> tuple[Float[Tensor, "rows d_embedding"], State]:
        """See ``course.models.seq2seq.Decoder``."""
        raise NotImplementedError

    def follow(
        self, embedded: Float[Tensor, "batch target d_embedding"], memory: Memory
    ) -> tuple[Float[Tensor, "batch target d_embedding"], Float[Tensor, "batch target source"]]:
        """``step`` for all words of targets that are known, with the weights of each."""
        state, features, weights = self.start(memory), [], []
        for word in embedded.unbind(dim=1):
            feature, state = self.step(word, state, memory)
            features.append(feature)
            weights.append(state.weights)
        return torch.stack(features, dim=1), torch.stack(weights, dim=1)

    def forward(
        self, embedded: Float[Tensor, "batch target d_embedding"], memory: Memory
    ) -> Float[Tensor, "batch target d_embedding"]:
        """See ``course.models.seq2seq.Decoder``."""
        return self.follow(embedded, memory)[0]


class AskingDecoder(SteppingDecoder):
    """What Bahdanau's and Luong's have in common besides: the first state."""

    def __init__(self, config: Seq2SeqConfig):
        super().__init__()
        self.d_embedding = config.d_embedding
        self.start_proj = nn.Linear(config.d_hidden, config.d_hidden)

    def start(self, memory: Memory) -> Asking:
        """tanh(W C): the fixed context is where it begins, and no more than that."""
        hidden = self.start_proj(memory.context).tanh()
        return Asking(hidden, hidden.new_zeros(len(hidden), self.d_embedding), memory.mask.to(hidden.dtype))


class BahdanauDecoder(AskingDecoder):
    """s_i = f(s_{i-1}, y_{i-1}, c_i): before each word the last state asks all source states.

    e_ij = vᵀ tanh(W s_{i-1} + U h_j), a_i = softmax(e_i), c_i = Σ_j a_ij h_j.

    Source: Bahdanau et al. 2015, §3 and appendix A; lecture rows L1.7.a, L1.7.b (F as an MLP).
    """

    def __init__(self, config: Seq2SeqConfig):
        super().__init__(config)
        d, half = config.d_hidden, config.d_hidden // 2
        self.w_query, self.w_key = nn.Parameter(torch.empty(half, d)), nn.Parameter(torch.empty(half, d))
        self.v = nn.Parameter(torch.empty(half))
        self.cell = nn.GRUCell(config.d_embedding + d, d)
        self.readout = nn.Linear(config.d_embedding + 2 * d, config.d_embedding)
        for weight in (self.w_query, self.w_key):
            nn.init.xavier_uniform_(weight)
        nn.init.normal_(self.v, std=half**-0.5)

    def score(
        self, query: Float[Tensor, "rows 1 d_hidden"], states: Float[Tensor, "rows source d_hidden"]
    ) -> Float[Tensor, "rows 1 source"]:
        """An MLP with one hidden layer."""
        return additive_score(query, states, self.w_query, self.w_key, self.v)

    def step(
        self, embedded: Float[Tensor, "rows d_embedding"], state: Asking, memory: Memory
    ) -> tuple[Float[Tensor, "rows d_embedding"], Asking]:
        """Ask, take in what was found, write."""
        state = Asking(*state)
        context, weights = self.ask(state.hidden, memory)
        hidden = self.cell(torch.cat([embedded, context], dim=-1), state.hidden)
        feature = self.readout(torch.cat([embedded, hidden, context], dim=-1)).tanh()
        return feature, Asking(hidden, state.found, weights)


class LuongDecoder(AskingDecoder):
    """The state reached asks, and what it finds is joined with it: h̃_i = tanh(W_c [c_i; h_i]).

    What was found is given to the next step ("input feeding"), so that the decoder knows where it has looked.

    Source: Luong et al. 2015, §3.1 ("general") and §3.3; lecture row L1.3.c.
    """

    def __init__(self, config: Seq2SeqConfig):
        super().__init__(config)
        self.weight = nn.Parameter(torch.empty(config.d_hidden, config.d_hidden))
        self.cell = nn.GRUCell(2 * config.d_embedding, config.d_hidden)
        self.combine = nn.Linear(2 * config.d_hidden, config.d_embedding)
        nn.init.xavier_uniform_(self.weight)

    def score(
        self, query: Float[Tensor, "rows 1 d_hidden"], states: Float[Tensor, "rows source d_hidden"]
    ) -> Float[Tensor, "rows 1 source"]:
        """A learned bilinear form."""
        return general_score(query, states, self.weight)

    def step(
        self, embedded: Float[Tensor, "rows d_embedding"], state: Asking, memory: Memory
    ) -> tuple[Float[Tensor, "rows d_embedding"], Asking]:
        """Move on, ask, write."""
        state = Asking(*state)
        hidden = self.cell(torch.cat([embedded, state.found], dim=-1), state.hidden)
        context, weights = self.ask(hidden, memory)
        feature = self.combine(torch.cat([context, hidden], dim=-1)).tanh()
        return feature, Asking(hidden, feature, weights)


class CosineDecoder(LuongDecoder):
    """Luong's decoder with F the cosine, times a learned sharpness: cosines alone lie in [-1, 1].

    Source: Graves et al. 2014 (Neural Turing Machine), equations 5 and 6; lecture row L1.7.b (F as a cosine).
    """

    def __init__(self, config: Seq2SeqConfig):
        super().__init__(config)
        self.sharpness = nn.Parameter(torch.tensor(8.0))

    def score(
        self, query: Float[Tensor, "rows 1 d_hidden"], states: Float[Tensor, "rows source d_hidden"]
    ) -> Float[Tensor, "rows 1 source"]:
        """β cos(W H, h_j)."""
        return self.sharpness * cosine_score(query @ self.weight, states)


class AskingSeq2Seq(Seq2Seq):
    """A translator whose decoder has weights to look at: ``explore(model.attend(text))``."""

    def attend(self, text: str, written: str | None = None) -> AttentionPass:
        """The weights a_ij for a sentence and a translation of it; None means the model's own.

        Rows are the tokens written, <eos> last; columns those of the source.

        Raises:
            ValueError: as ``translate``.
        """
        source = self.source_ids(text)
        if written is None:
            ids = self.translate_ids(source[None], beam=4)[0]
        else:
            ids = [*self.tokenizer.encode(plain_text(written)), EOS]
        return AttentionPass(
            self.tokenizer.pieces(ids),
            self.weights(source, ids)[None, None],
            key_tokens=self.tokenizer.pieces(source.tolist()),
        )

    def pieces(self, ids: list[int]) -> list[str]:
        """Each token as a person can read it."""
        return self.tokenizer.pieces(ids)

    @torch.no_grad()
    def weights(self, source: Int[Tensor, "source"], ids: list[int]) -> Float[Tensor, "target source"]:
        """a_ij while these ids are written: row i is where the decoder looks for the i-th of them."""
        with evaluating(self):
            given = torch.tensor([[BOS, *ids[:-1]]], device=source.device)
            return self.decoder.follow(self.embed(given), self.encode(source[None]))[1][0]


class Bahdanau(AskingSeq2Seq):
    """A translator with Bahdanau's attention."""

    decoder_type = BahdanauDecoder


class Luong(AskingSeq2Seq):
    """A translator with Luong's global attention, score "general"."""

    decoder_type = LuongDecoder


class Cosine(AskingSeq2Seq):
    """The same with a cosine for a score."""

    decoder_type = CosineDecoder
