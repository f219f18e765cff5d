"""Sequence to sequence with one fixed context: a reader's last state is all that the writer ever gets.

The reader (``Encoder``), the loop and the writing are the same whatever the decoder. A decoder that asks the
source again at every word makes a subclass of ``Seq2Seq`` with another ``decoder_type``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from course import checkpoints
from course.checkpoints.reading import build, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.models.transformer import evaluating, label_smoothed_loss, teacher_forcing
from course.text.decoding import Step, beam_search
from course.text.plain import plain_text
from course.text.tokenizers import BOS, EOS, PAD, Tokenizer

State = Any  # a tensor [rows, ...], or a tuple of such


@dataclass(frozen=True)
class Seq2SeqConfig:
    """The sizes of a recurrent translator.

    Args:
        vocab_size: number of tokens; source and target share them.
        d_embedding: width of a token's vector, and of what is compared with every token at the end.
        d_hidden: width of the decoder's state and of the context; each way of the encoder has half of it.
        max_length: the longest source, <eos> included.
    """

    vocab_size: int
    d_embedding: int = 256
    d_hidden: int = 256
    dropout: float = 0.1
    label_smoothing: float = 0.1
    max_length: int = 256


class Memory(NamedTuple):
    """What the encoder leaves: a state for every token, which of them are real, and one vector of all."""

    states: Float[Tensor, "batch source d_hidden"]
    mask: Bool[Tensor, "batch source"]
    context: Float[Tensor, "batch d_hidden"]


class Encoder(nn.Module):
    """A GRU that reads both ways; what it knows at its two ends is the context.

    Source: Cho et al. 2014, §2.2; Bahdanau et al. 2015, §3.2 (both ways).
    """

    def __init__(self, config: Seq2SeqConfig):
        super().__init__()
        if config.d_hidden % 2:
            raise ValueError(f"d_hidden is shared by two directions, so it is even; got {config.d_hidden}")
        self.gru = nn.GRU(config.d_embedding, config.d_hidden // 2, batch_first=True, bidirectional=True)

    def forward(
        self, embedded: Float[Tensor, "batch source d_embedding"], mask: Bool[Tensor, "batch source"]
    ) -> Memory:
        """Read padded sources; what stands behind an end changes nothing."""
        lengths = mask.sum(dim=-1).cpu()
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        outputs, ends = self.gru(packed)
        states, _ = pad_packed_sequence(outputs, batch_first=True, total_length=embedded.shape[1])
        return Memory(states, mask, torch.cat([ends[0], ends[1]], dim=-1))


class Decoder(Protocol):
    """What ``Seq2Seq`` asks of a decoder: whole targets in training, step by step in writing."""

    def start(self, memory: Memory) -> State:
        """The state before the first word."""

    def step(
        self, embedded: Float[Tensor, "rows d_embedding"], state: State, memory: Memory
    ) -> tuple[Float[Tensor, "rows d_embedding"], State]:
        """Given the word before, what is to be compared with every token's vector, and the next state."""

    def __call__(
        self, embedded: Float[Tensor, "batch target d_embedding"], memory: Memory
    ) -> Float[Tensor, "batch target d_embedding"]:
        """``step`` for all words of targets that are known."""


class FixedContextDecoder(nn.Module):
    """A GRU that is given the same context C at every word: y_i from (y_{i-1}, s_i, C).

    Source: Cho et al. 2014, equations 2 to 4; lecture row L1.7.a.
    """

    def __init__(self, config: Seq2SeqConfig):
        super().__init__()
        self.start_proj = nn.Linear(config.d_hidden, config.d_hidden)
        self.gru = nn.GRU(config.d_embedding + config.d_hidden, config.d_hidden, batch_first=True)
        self.readout = nn.Linear(config.d_embedding + 2 * config.d_hidden, config.d_embedding)

    def start(self, memory: Memory) -> Float[Tensor, "batch d_hidden"]:
        """tanh(W C)."""
        return self.start_proj(memory.context).tanh()

    def forward(
        self, embedded: Float[Tensor, "batch target d_embedding"], memory: Memory
    ) -> Float[Tensor, "batch target d_embedding"]:
        """See ``Decoder``: the context does not depend on the state, so torch can run through at once."""
        context = memory.context[:, None].expand(-1, embedded.shape[1], -1)
        outputs, _ = self.gru(torch.cat([embedded, context], dim=-1), self.start(memory)[None])
        return self.readout(torch.cat([embedded, outputs, context], dim=-1)).tanh()

    def step(
        self,
        embedded: Float[Tensor, "rows d_embedding"],
        state: Float[Tensor, "rows d_hidden"],
        memory: Memory,
    ) -> tuple[Float[Tensor, "rows d_embedding"], Float[Tensor, "rows d_hidden"]]:
        """See ``Decoder``."""
        inputs = torch.cat([embedded, memory.context], dim=-1)
        state = self.gru(inputs[:, None], state[None])[1][0]
        return self.readout(torch.cat([embedded, state, memory.context], dim=-1)).tanh(), state


class Seq2Seq(nn.Module):
    """Reads token ids, writes the logits of the tokens that come next; translates text if it has a tokenizer.

    One matrix embeds the tokens of both languages and, transposed, turns the decoder's output into logits.

    Source: Cho et al. 2014; Sutskever et al. 2014; lecture rows L1.2.a, L1.7.a.
    """

    decoder_type: Callable[[Seq2SeqConfig], nn.Module] = FixedContextDecoder

    def __init__(self, config: Seq2SeqConfig, tokenizer: Tokenizer | None = None):
        super().__init__()
        self.config, self.tokenizer = config, tokenizer
        self.embedding = nn.Embedding(config.vocab_size, config.d_embedding)
        nn.init.normal_(self.embedding.weight, std=config.d_embedding**-0.5)
        self.encoder, self.decoder = Encoder(config), self.decoder_type(config)
        self.dropout = nn.Dropout(config.dropout)

    # -- from ids to logits --

    def embed(self, ids: Int[Tensor, "*batch n"]) -> Float[Tensor, "*batch n d_embedding"]:
        """The tokens' vectors, of variance about 1."""
        return self.dropout(self.embedding(ids) * self.config.d_embedding**0.5)

    def encode(self, source: Int[Tensor, "batch source"]) -> Memory:
        """Read the sources: ids, <eos> last, then padding."""
        return self.encoder(self.embed(source), source != PAD)

    def logits(self, features: Float[Tensor, "*batch d_embedding"]) -> Float[Tensor, "*batch vocab"]:
        """The decoder's output against every token's vector."""
        return F.linear(self.dropout(features), self.embedding.weight)

    def forward(
        self, source: Int[Tensor, "batch source"], target: Int[Tensor, "batch target"]
    ) -> Float[Tensor, "batch target vocab"]:
        """Logits: at each position of the target (<bos> first), of the token that comes next."""
        return self.logits(self.decoder(self.embed(target), self.encode(source)))

    def loss(
        self, source: Int[Tensor, "batch source"], target: Int[Tensor, "batch target"]
    ) -> Float[Tensor, ""]:
        """The label-smoothed cross-entropy of whole targets (<bos>, ..., <eos>, padding), in nats a token."""
        inputs, labels = teacher_forcing(target)
        features = self.decoder(self.embed(inputs), self.encode(source))
        real = labels != PAD  # only there are the logits worth their cost
        return label_smoothed_loss(
            self.logits(features[real]).float(), labels[real], self.config.label_smoothing
        )

    # -- writing --

    @torch.no_grad()
    def writer(self, source: Int[Tensor, "sentences source"], beam: int = 1) -> Step:
        """A ``Step`` for ``greedy_search`` and ``beam_search`` that writes translations of the sources."""
        memory = Memory(*(part.repeat_interleave(beam, dim=0) for part in self.encode(source)))
        state = self.decoder.start(memory)

        @torch.no_grad()
        def step(tokens: Int[Tensor, "rows"], parents: Int[Tensor, "rows"]) -> Float[Tensor, "rows vocab"]:
            nonlocal state
            state = _rows(state, parents.to(source.device))
            features, state = self.decoder.step(self.embed(tokens.to(source.device)), state, memory)
            return self.logits(features).log_softmax(dim=-1)

        return step

    def translate_ids(
        self, source: Int[Tensor, "sentences source"], beam: int = 1, alpha: float = 0.6
    ) -> list[list[int]]:
        """For each padded source the best translation's ids, <eos> included where it ended."""
        with evaluating(self):
            limit = source.shape[-1] + 50
            found = beam_search(self.writer(source, beam), len(source), BOS, EOS, limit, beam, alpha)
        return [hypotheses[0].ids for hypotheses in found]

    def translate(self, text: str, beam: int = 4, alpha: float = 0.6) -> str:
        """The translation of one sentence.

        Raises:
            ValueError: if there is no tokenizer, nothing to translate, or more than ``max_length`` tokens.
        """
        return self.translate_all([text], beam, alpha)[0]

    def translate_all(
        self, texts: Sequence[str], beam: int = 4, alpha: float = 0.6, batch_size: int = 64
    ) -> list[str]:
        """The translations of many sentences, as text, those of like length written together.

        Raises:
            ValueError: as ``translate``.
        """
        sources = [self.source_ids(text) for text in texts]
        order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
        found: dict[int, str] = {}
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            batch = pad_sequence([sources[i] for i in chosen], batch_first=True, padding_value=PAD)
            ids = self.translate_ids(batch, beam, alpha)
            found |= {i: self.tokenizer.decode(row).strip() for i, row in zip(chosen, ids, strict=True)}
        return [found[i] for i in range(len(texts))]

    def source_ids(self, text: str) -> Int[Tensor, "source"]:
        """The ids of a text, <eos> last, on the model's device.

        Raises:
            ValueError: as ``translate``.
        """
        if self.tokenizer is None:
            raise ValueError("this model has no tokenizer: give ids to translate_ids, or load it by name")
        ids = self.tokenizer.encode(plain_text(text))
        if not 0 < len(ids) < self.config.max_length:
            raise ValueError(
                f"a sentence to translate has 1 to {self.config.max_length - 1} tokens; got {len(ids)} "
                f"in what begins with {text[:30]!r}"
            )
        return torch.tensor([*ids, EOS], device=self.embedding.weight.device)

    def check_sources(self, texts: Sequence[str]) -> None:
        """Raise, as ``translate`` would, if one of these texts cannot be translated."""
        for text in texts:
            self.source_ids(text)

    # -- files --

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json, model.safetensors and, if there is one, tokenizer.json.

        Args:
            dtype: what to store the weights as; ``torch.float16`` takes half the space. None: as they are.
        """
        folder = write_checkpoint(folder, asdict(self.config), self.state_dict(), dtype)
        if self.tokenizer:
            self.tokenizer.save(folder / "tokenizer.json")

    @classmethod
    def from_pretrained(cls, name: str | Path) -> Seq2Seq:
        """A model that ``save`` wrote to a folder, or a shipped one by its name, ready to translate.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        config, weights = configured(Seq2SeqConfig, read_settings(file), file), read_weights(weights_file)
        vocabulary = file.with_name("tokenizer.json")
        tokenizer = Tokenizer.load(vocabulary) if vocabulary.is_file() else None
        return build(lambda: cls(config, tokenizer), weights, weights_file)


def fit(
    model: nn.Module,
    batches: Callable[[int], tuple[Tensor, ...]],
    steps: int,
    lr: float = 2e-3,
    clip: float = 1.0,
    watch: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Train a model that has a ``loss``: the shortest loop that works; gives the loss at each step.

    For a run that is logged and can be interrupted there is ``course.training.trainer``.

    Args:
        batches: the batch of a step, from 0, for ``model.loss``.
        lr: Adam's learning rate; it falls in a straight line to a tenth.
        clip: the largest norm that the gradient may have.
        watch: called after each step with its number and loss.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr)
    losses = []
    model.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * (1 - 0.9 * step / steps)
        loss = model.loss(*batches(step))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        losses.append(loss.item())
        if watch:
            watch(step, losses[-1])
    model.eval()
    return losses


def _rows(state: State, rows: Int[Tensor, "rows"]) -> State:
    return tuple(_rows(part, rows) for part in state) if isinstance(state, tuple) else state[rows]
