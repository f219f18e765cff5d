"""The Transformer: an encoder that reads a whole sentence, a decoder that writes another, token by token."""

import json
import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from operator import index
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from course import checkpoints
from course.attention import MultiHeadAttention, record_attention, split_heads
from course.blocks import DecoderBlock, EncoderBlock, FeedForward, LayerNorm
from course.masks import causal_mask
from course.models.attention_pass import AttentionPass
from course.models.interventions import intervene
from course.positions import sinusoidal_positions
from course.text.decoding import Hypothesis, Step, beam_search
from course.text.plain import plain_text
from course.text.tokenizers import BOS, EOS, PAD, Tokenizer


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


@dataclass(frozen=True)
class Translation:
    """What ``translate`` wrote, and how.

    ``tokens`` are as a person reads them, <eos> included where the sentence ``ended``; ``score`` is ln P over
    the length penalty. ``attention`` is the cross-attention of every layer and head: the row of a token is
    what the decoder looked at when it wrote it.
    """

    text: str
    tokens: list[str]
    source_tokens: list[str]
    ids: list[int]
    score: float
    ended: bool
    attention: AttentionPass


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
    """Reads token ids, writes the logits of the tokens that come next; translates text if it has a tokenizer.

    One matrix embeds the tokens of both languages and, transposed, turns the decoder's output into logits.
    The state dict of ``torch.nn.Transformer`` loads into it (with ``strict=False``, or with our embedding
    beside it).

    Raises:
        ValueError: if the sizes do not fit one another.

    Source: Vaswani et al. 2017, figure 1 and §3.4; lecture rows L1.4.e, L2.6.a.
    """

    def __init__(self, config: TransformerConfig, tokenizer: Tokenizer | None = None):
        super().__init__()
        self.config, self.tokenizer = config, tokenizer
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
        mask = None if real.all() else real
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
            cache: keep the keys and values of what was written; without, compute them anew at every step.
        """
        memory, mask = (_repeat(x, beam) for x in self.encode(source))
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

    def translate(
        self,
        text: str | Sequence[int],
        beam: int = 4,
        alpha: float = 0.6,
        max_length: int | None = None,
        cache: bool = True,
    ) -> Translation:
        """Translate one sentence, a text or the ids of its tokens, and show what the decoder looked at.

        Args:
            beam: how many hypotheses to keep; 1 is greedy search.
            alpha: the exponent of ``course.text.decoding.length_penalty``.
            max_length: the most tokens to write; None means 50 more than the source has (Vaswani et al.
                2017, §6.1). A translation cut off there has not ``ended``.
            cache: see ``writer``; the translation is the same.

        Raises:
            TypeError: if it is neither text nor ids.
            ValueError: if there is nothing to translate, or more than the model's ``max_length`` tokens.
        """
        source = self.source_ids(text)
        best = self._search(source[None], beam, alpha, max_length, cache)[0][0]
        attention = self._attention(source, best.ids, "cross")
        return Translation(
            text=self._text(best.ids),
            tokens=list(attention.tokens),
            source_tokens=list(attention.columns),
            ids=best.ids,
            score=best.score(alpha),
            ended=best.ended,
            attention=attention,
        )

    def translate_all(
        self, texts: Sequence[str], beam: int = 4, alpha: float = 0.6, batch_size: int = 64
    ) -> list[str]:
        """The translations of many sentences, as text, those of like length written together.

        Raises:
            TypeError, ValueError: as ``translate``.
        """
        sources = [self.source_ids(text) for text in texts]
        order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
        translations: dict[int, str] = {}
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            batch = pad_sequence([sources[i] for i in chosen], batch_first=True, padding_value=PAD)
            found = self._search(batch, beam, alpha, max_length=None, cache=True)
            translations |= {i: self._text(best[0].ids) for i, best in zip(chosen, found, strict=True)}
        return [translations[i] for i in range(len(texts))]

    def check_sources(self, texts: Sequence[str]) -> None:
        """Raise, as ``translate`` would, if one of these texts cannot be translated."""
        for text in texts:
            self.source_ids(text)

    def attend(self, text: str, written: str | None = None, part: str = "cross") -> AttentionPass:
        """The attention of every layer and head for a sentence and a translation of it, for the explorer.

        Args:
            written: a translation to follow, right or wrong; None means the model's own.
            part: "cross" (rows: the tokens as they are written; columns: the source), "encoder", or
                "decoder" (rows and columns: the tokens as they are read back).

        Raises:
            TypeError, ValueError: as ``translate``; or if ``part`` is none of the three.
        """
        source = self.source_ids(text)
        if written is None:
            return self._attention(source, self.translate(text).ids, part)
        return self._attention(source, [*self._encode(written), EOS], part)

    def _search(
        self, source: Tensor, beam: int, alpha: float, max_length: int | None, cache: bool
    ) -> list[list[Hypothesis]]:
        limit = source.shape[-1] + 50 if max_length is None else max_length
        limit = min(limit, self.config.max_length)
        with evaluating(self):
            step = self.writer(source, beam, cache)
            return beam_search(step, len(source), BOS, EOS, limit, beam, alpha)

    @torch.no_grad()
    def _attention(self, source: Tensor, ids: Sequence[int], part: str) -> AttentionPass:
        """One pass over a source and all that was written, recorded."""
        stack, kind = _part(part)
        target = torch.tensor([BOS, *ids[:-1]], device=source.device)
        with evaluating(self), record_attention(self) as weights, _record_projections(self) as vectors:
            self(source[None], target[None])
        names = [name for name in weights if name.startswith(stack) and name.endswith(kind)]
        columns = target if part == "decoder" else source
        return AttentionPass(
            tokens=self.pieces(ids if part == "cross" else columns),
            key_tokens=self.pieces(columns),
            weights=torch.cat([weights[name] for name in names]).cpu(),
            query=torch.cat([vectors[f"{name}.q_proj"] for name in names]).cpu(),
            key=torch.cat([vectors[f"{name}.k_proj"] for name in names]).cpu(),
            mask=causal_mask(len(target))[None, None] if part == "decoder" else None,
        )

    # -- text --

    def source_ids(self, text: str | Sequence[int]) -> Int[Tensor, "source"]:
        """The ids of what there is to read, text or ids, <eos> last, on the model's device.

        Raises:
            TypeError, ValueError: as ``translate``.
        """
        ids = self._encode(text) if isinstance(text, str) else _checked_ids(text, self.config.vocab_size)
        if not ids:
            raise ValueError(f"there is nothing to translate in {text!r}")
        _check_source(text, len(ids) + 1, self.config.max_length)
        return torch.tensor([*ids, EOS], device=self.embedding.weight.device)

    def _encode(self, text: str) -> list[int]:
        if self.tokenizer is None:
            raise ValueError("this model has no tokenizer: give it ids, or load it with from_pretrained")
        return self.tokenizer.encode(plain_text(text))

    def _text(self, ids: Sequence[int]) -> str:
        return self.tokenizer.decode(ids).strip() if self.tokenizer else " ".join(map(str, ids))

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each token as a person can read it; without a tokenizer, its number."""
        ids = [int(id) for id in ids]
        return self.tokenizer.pieces(ids) if self.tokenizer else [str(id) for id in ids]

    # -- files --

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json, model.safetensors and, if there is one, tokenizer.json.

        Args:
            dtype: what to store the weights as; ``torch.float16`` takes half the space. None: as they are.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self.config), indent=2) + "\n"
        (folder / "config.json").write_text(text, encoding="utf-8", newline="\n")
        weights = {name: tensor.to(dtype or tensor.dtype) for name, tensor in self.state_dict().items()}
        save_file(weights, folder / "model.safetensors")
        if self.tokenizer:
            self.tokenizer.save(folder / "tokenizer.json")

    @classmethod
    def from_pretrained(cls, name: str | Path) -> "Transformer":
        """A model that ``save`` wrote to a folder, or a shipped one by its name, ready to translate.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
        """
        folder = checkpoints.find(name)
        config = TransformerConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
        tokenizer = folder / "tokenizer.json"
        model = cls(config, Tokenizer.load(tokenizer) if tokenizer.is_file() else None)
        model.load_state_dict(load_file(folder / "model.safetensors"))
        return model.eval()


class LiveTranslator:
    """A translator for ``explore_model``: what it looks at as the text, the temperature or its heads change.

    Args:
        model: one with a tokenizer.
        part: which attention to show and to change: "cross", "encoder" or "decoder".
    """

    masks = ()

    def __init__(self, model: Transformer, part: str = "cross"):
        stack, kind = _part(part)
        self.model, self.part = model, part
        self.layers = [
            module for name, module in model.named_modules() if name.startswith(stack) and name.endswith(kind)
        ]

    def __call__(
        self,
        text: str,
        *,
        temperature: float = 1.0,
        mask: None = None,
        ablate: Collection[tuple[int, int]] = (),
    ) -> AttentionPass:
        """Translate the text, and show the attention with which that was done.

        Raises:
            ValueError: if there is nothing to translate, or too much.
        """
        with intervene(self.layers, temperature, ablate):
            return self.model.attend(text, part=self.part)


def teacher_forcing(
    target: Int[Tensor, "batch n"],
) -> tuple[Int[Tensor, "batch n-1"], Int[Tensor, "batch n-1"]]:
    """What the decoder is given, and what it should answer: every token but the last, and all but the first.

    At each place it is given the right token that stands there, whatever it would have written itself, and
    asked for the one behind it.

    Args:
        target: <bos>, the tokens, <eos>, then padding.

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

    Source: Szegedy et al. 2016, §7; Vaswani et al. 2017, §5.4.
    """
    log_p = logits.log_softmax(dim=-1)
    of_label = log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)  # [*batch]
    loss = -(1 - smoothing) * of_label - smoothing * log_p.mean(dim=-1)
    return loss[labels != padding].mean()


# --------------------------------------------------------------------------------------------------
# Small parts
# --------------------------------------------------------------------------------------------------

PARTS = {  # what the names of their attention layers begin and end with
    "encoder": ("encoder.", "self_attention"),
    "decoder": ("decoder.", "self_attention"),
    "cross": ("decoder.", "cross_attention"),
}


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


@contextmanager
def _record_projections(model: nn.Module) -> Iterator[dict[str, Float[Tensor, "batch heads n d_head"]]]:
    """Collect the queries and keys of every attention inside a model while it runs."""
    vectors: dict[str, Tensor] = {}
    hooks = [
        getattr(module, projection).register_forward_hook(
            lambda _, __, out, name=f"{name}.{projection}", heads=module.n_heads: vectors.update(
                {name: split_heads(out, heads)}
            )
        )
        for name, module in model.named_modules()
        if isinstance(module, MultiHeadAttention)
        for projection in ("q_proj", "k_proj")
    ]
    try:
        yield vectors
    finally:
        for hook in hooks:
            hook.remove()


def _part(part: str) -> tuple[str, str]:
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(map(repr, PARTS))}; got {part!r}")
    return PARTS[part]


def _checked_ids(ids: Sequence[int], vocab_size: int) -> list[int]:
    if isinstance(ids, bytes):
        raise TypeError("translate takes a text or token ids; got bytes: decode them, if they are text")
    try:
        ids = [index(id) for id in ids]
    except TypeError as error:
        raise TypeError(f"translate takes a text or token ids; got {type(ids).__name__} ({error})") from None
    for id in ids:
        if not EOS < id < vocab_size:
            raise ValueError(f"a token's id lies between {EOS + 1} and {vocab_size - 1}; got {id}")
    return ids


def _check_source(text: str | Sequence[int], tokens: int, max_length: int) -> None:
    if tokens > max_length:
        raise ValueError(
            f"what begins with {text[:30]!r} is too long: {tokens} tokens with <eos>, and this model reads "
            f"at most {max_length}. Translate it sentence by sentence"
        )


def _check_positions(n: int, max_length: int) -> None:
    if n > max_length:
        raise ValueError(f"this model has {max_length} positions (max_length); got {n} tokens")
