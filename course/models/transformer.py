"""The Transformer: an encoder that reads a whole sentence, a decoder that writes another, token by token."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course import checkpoints
from course.blocks import DecoderBlock, EncoderBlock, FeedForward, LayerNorm
from course.checkpoints.reading import build, check_layers, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.heads import MultiHeadAttention
from course.masks import causal_mask, is_known_true
from course.models.writing import ship, steps_are_its_own
from course.positions import sinusoidal_positions
from course.text.decoding import Step
from course.text.tokenizers import PAD


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes of a Transformer; the defaults but the vocabulary are the paper's base model.

    Args:
        vocab_size: number of tokens; source and target share them.
        norm: "post" (the paper) or "pre", which adds a last norm to either stack.
        max_length: the longest source or target, in tokens, <bos> or <eos> included.
        inner_dropout: the rate for attention weights and hidden units; None means ``dropout``, which is that
            of embeddings and sublayers.

    Source: Vaswani et al. 2017, table 3 and §5.4.
    """

    vocab_size: int
    d_model: int = 512
    n_heads: int = 8
    d_ff: int = 2048
    n_encoder_layers: int = 6
    n_decoder_layers: int = 6
    dropout: float = 0.1
    norm: str = "post"
    activation: str = "relu"
    label_smoothing: float = 0.1
    max_length: int = 256
    inner_dropout: float | None = None


class Encoder(nn.Module):
    """A stack of encoder blocks (Vaswani et al. 2017, figure 1, left)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.layers = nn.ModuleList(EncoderBlock(*_block(config)) for _ in range(config.n_encoder_layers))
        self.norm = LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()

    def forward(
        self, x: Float[Tensor, "batch source d_model"], mask: Bool[Tensor, "batch 1 source"] | None
    ) -> Float[Tensor, "batch source d_model"]:
        """Every block in turn, and the last norm where the blocks norm first."""
        for block in self.layers:
            x = block(x, mask)
        return self.norm(x)


class Decoder(nn.Module):
    """A stack of decoder blocks (Vaswani et al. 2017, figure 1, right)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.layers = nn.ModuleList(DecoderBlock(*_block(config)) for _ in range(config.n_decoder_layers))
        self.norm = LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()

    def forward(
        self,
        x: Float[Tensor, "batch target d_model"],
        memory: Float[Tensor, "batch source d_model"],
        mask: Bool[Tensor, "target target"],
        memory_mask: Bool[Tensor, "batch 1 source"] | None,
    ) -> Float[Tensor, "batch target d_model"]:
        """Every block in turn, each with the same memory, and the last norm where the blocks norm first."""
        for block in self.layers:
            x = block(x, memory, mask, memory_mask)
        return self.norm(x)


class Transformer(nn.Module):
    """Reads token ids, writes the logits of the tokens that come next (``Translator`` makes text of them).

    One matrix embeds the tokens of both languages and, transposed, turns the decoder's output into logits.
    The state dict of ``torch.nn.Transformer`` loads into it (with ``strict=False``, or with our embedding
    beside it).

    Raises:
        ValueError: if the sizes do not fit one another.

    Source: Vaswani et al. 2017, figure 1 and §3.4; lecture rows L1.4.e, L2.6.a.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        self.dropout = nn.Dropout(config.dropout)
        positions = sinusoidal_positions(config.max_length, config.d_model)
        self.register_buffer("positions", positions, persistent=False)
        if config.inner_dropout is not None:
            _set_inner_dropout(self, config.inner_dropout)
        _initialise(self)

    # -- from ids to logits --

    def embed(self, ids: Int[Tensor, "batch n"], start: int = 0) -> Float[Tensor, "batch n d_model"]:
        """√d_model times the tokens' vectors, plus those of the positions ``start``, ``start + 1``, ...

        Raises:
            ValueError: if there are more positions than ``max_length``.

        Source: Vaswani et al. 2017, §3.4 and §3.5.
        """
        n = ids.shape[-1]
        _check_positions(start + n, self.config.max_length)
        x = self.embedding(ids) * math.sqrt(self.config.d_model) + self.positions[start : start + n]
        return self.dropout(x)

    def encode(
        self, source: Int[Tensor, "batch source"]
    ) -> tuple[Float[Tensor, "batch source d_model"], Bool[Tensor, "batch 1 source"] | None]:
        """Read the sources: the memory, and the mask that hides their padding (None where there is none)."""
        real = (source != PAD).unsqueeze(1)  # [batch, 1, source]
        mask = None if is_known_true(real) else real
        return self.encoder(self.embed(source), mask), mask

    def decode(
        self,
        target: Int[Tensor, "batch target"],
        memory: Float[Tensor, "batch source d_model"],
        memory_mask: Bool[Tensor, "batch 1 source"] | None = None,
    ) -> Float[Tensor, "batch target d_model"]:
        """What the decoder makes of each position of the targets, given the memory and what stands before.

        Padding behind a target needs no mask: no position looks ahead.
        """
        mask = causal_mask(target.shape[-1]).to(target.device)
        return self.decoder(self.embed(target), memory, mask, memory_mask)

    def logits(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch vocab"]:
        """The decoder's output against every token's embedding."""
        return F.linear(x, self.embedding.weight)

    def forward(
        self, source: Int[Tensor, "batch source"], target: Int[Tensor, "batch target"]
    ) -> Float[Tensor, "batch target vocab"]:
        """Logits: at each position of the target, of the token that comes next.

        Args:
            source: ids, <eos> last, then padding.
            target: <bos>, then what is written so far, then padding.
        """
        return self.logits(self.decode(target, *self.encode(source)))

    def loss(
        self, source: Int[Tensor, "batch source"], target: Int[Tensor, "batch target"]
    ) -> Float[Tensor, ""]:
        """The label-smoothed cross-entropy of whole targets (<bos>, ..., <eos>, padding), in nats a token.

        Each token is predicted from those before it as they stand in the target: teacher forcing.
        """
        inputs, labels = teacher_forcing(target)
        x = self.decode(inputs, *self.encode(source))
        real = labels != PAD  # only there are the logits worth their cost
        logits = self.logits(x[real]).float()  # in mixed precision bfloat16, too coarse for ln p
        return label_smoothed_loss(logits, labels[real], self.config.label_smoothing)

    # -- writing --

    @torch.no_grad()
    def writer(self, source: Int[Tensor, "sentences source"], beam: int = 1, cache: bool = True) -> Step:
        """A ``Step`` for ``greedy_search`` and ``beam_search`` that writes translations of the sources.

        Args:
            cache: keep the keys and values of what was written; without, or where a block or an attention
                layer is no longer as shipped (subclassed, hooked, patched), compute them anew at every step.
        """
        memory, mask = (_repeat(x, beam) for x in self.encode(source))
        cache = cache and steps_are_its_own(self.decoder.layers, DecoderBlock, MultiHeadAttention)
        return self._cached_writer(memory, mask) if cache else self._plain_writer(memory, mask)

    def _plain_writer(self, memory: Tensor, mask: Tensor | None) -> Step:
        written = torch.empty(len(memory), 0, dtype=torch.long, device=memory.device)

        @torch.no_grad()
        def step(tokens: Int[Tensor, "rows"], parents: Int[Tensor, "rows"]) -> Float[Tensor, "rows vocab"]:
            nonlocal written
            tokens, parents = tokens.to(memory.device), parents.to(memory.device)
            written = torch.cat([written[parents], tokens[:, None]], dim=-1)
            return self.logits(self.decode(written, memory, mask)[:, -1]).log_softmax(dim=-1)

        return step

    def _cached_writer(self, memory: Tensor, mask: Tensor | None) -> Step:
        caches = [block.cache(memory) for block in self.decoder.layers]
        mask = None if mask is None else mask.unsqueeze(1)  # [rows, 1, 1, source]
        position = 0

        @torch.no_grad()
        def step(tokens: Int[Tensor, "rows"], parents: Int[Tensor, "rows"]) -> Float[Tensor, "rows vocab"]:
            nonlocal position
            x = self.embed(tokens.to(memory.device)[:, None], start=position)  # [rows, 1, d_model]
            for block, cache in zip(self.decoder.layers, caches, strict=True):
                cache.select(parents.to(memory.device))
                x = block.step(x, cache, mask)
            position += 1
            return self.logits(self.decoder.norm(x)[:, 0]).log_softmax(dim=-1)

        return step

    # -- files --

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors.

        Args:
            dtype: what to store the weights as; ``torch.float16`` takes half the space. None: as they are.
        """
        write_checkpoint(folder, asdict(self.config), self.state_dict(), dtype)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> Self:
        """A model that ``save`` wrote to a folder, or a shipped one by its name, without dropout.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        config = configured(TransformerConfig, read_settings(file), file)
        weights = read_weights(weights_file)
        check_layers(max(config.n_encoder_layers, config.n_decoder_layers), weights, weights_file)
        return build(lambda: cls(config), weights, weights_file)


def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    """What the decoder is given, and what it should answer: every token but the last, and all but the first.

    At each place it is given the right token that stands there, whatever it would have written itself, and
    asked for the one behind it.

    Args:
        target: <bos>, the tokens, <eos>, then padding; it is not changed.

    Source: Williams and Zipser 1989; Vaswani et al. 2017, §3.1 ("shifted right"); lecture row L1.4.e.
    """
    return target[:, :-1], target[:, 1:]


def label_smoothed_loss(
    logits: Float[Tensor, "*batch vocab"],
    labels: Int[Tensor, "*batch"],
    smoothing: float = 0.0,
    padding: int = PAD,
) -> Float[Tensor, ""]:
    """The mean, over the labels that are not padding, of -(1 - ε) ln p(label) - ε · mean over v of ln p(v).

    It is the cross-entropy against 1 - ε on the label and ε spread evenly over the whole vocabulary, in nats.

    Args:
        logits: any real numbers, hundreds too.
        smoothing: ε.
        padding: what stands where there is no label; any number, of a token or not (-100). At least one label
            is no padding.

    Source: Szegedy et al. 2016, §7; Vaswani et al. 2017, §5.4.
    """
    real = labels != padding
    log_p = logits[real].log_softmax(dim=-1)  # [labels, vocab]
    of_label = log_p.gather(-1, labels[real].unsqueeze(-1)).squeeze(-1)  # [labels]
    return (-(1 - smoothing) * of_label - smoothing * log_p.mean(dim=-1)).mean()


# --------------------------------------------------------------------------------------------------
# Small parts
# --------------------------------------------------------------------------------------------------


def _block(config: TransformerConfig) -> tuple:
    return config.d_model, config.n_heads, config.d_ff, config.dropout, config.norm, config.activation


def _initialise(model: Transformer) -> None:
    """Glorot's uniform weights; embeddings of variance 1 / d_model, so that ``embed`` makes it 1."""
    for name, parameter in model.named_parameters():
        if name == "embedding.weight":
            nn.init.normal_(parameter, std=model.config.d_model**-0.5)
        elif parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def _set_inner_dropout(model: Transformer, rate: float) -> None:
    """Another rate for the weights of every attention and the hidden layer of every feed-forward network."""
    for module in model.modules():
        if isinstance(module, MultiHeadAttention | FeedForward):
            module.dropout.p = rate


def _repeat(x: Tensor | None, beam: int) -> Tensor | None:
    """Each row ``beam`` times, next to one another."""
    return x if x is None or beam == 1 else x.repeat_interleave(beam, dim=0)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Without dropout, and then as before."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _check_positions(n: int, max_length: int) -> None:
    if n > max_length:
        raise ValueError(f"this model has {max_length} positions (max_length); got {n} tokens")


ship([DecoderBlock, MultiHeadAttention, nn.Dropout])
