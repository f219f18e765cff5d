"""A Transformer with its vocabulary: text in, text out, and the attention with which that was done."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Self

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from course import checkpoints
from course.checkpoints.reading import check_vocabulary
from course.heads import MultiHeadAttention, record_attention, split_heads
from course.masks import causal_mask
from course.models.attention_pass import AttentionPass
from course.models.interventions import intervene
from course.models.transformer import Transformer, TransformerConfig, evaluating
from course.text.decoding import Hypothesis, beam_search
from course.text.plain import plain_text
from course.text.tokenizers import BOS, EOS, PAD, Tokenizer


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


class Translator(Transformer):
    """A Transformer that translates text, or without a tokenizer the ids of tokens.

    Source: Vaswani et al. 2017, §6.1; lecture rows L1.4.e, L2.6.a.
    """

    def __init__(self, config: TransformerConfig, tokenizer: Tokenizer | None = None):
        super().__init__(config)
        self.tokenizer = tokenizer

    # -- writing --

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
        """Write config.json, model.safetensors and, if there is one, tokenizer.json."""
        super().save(folder, dtype)
        if self.tokenizer:
            self.tokenizer.save(Path(folder) / "tokenizer.json")

    @classmethod
    def from_pretrained(cls, name: str | Path) -> Self:
        """A model that ``save`` wrote to a folder, or a shipped one by its name, ready to translate.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the others.
        """
        model = super().from_pretrained(name)
        tokenizer = checkpoints.find(name) / "tokenizer.json"
        model.tokenizer = Tokenizer.load(tokenizer) if tokenizer.is_file() else None
        if model.tokenizer:
            check_vocabulary(len(model.tokenizer), model.config.vocab_size, tokenizer)
        return model


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


# --------------------------------------------------------------------------------------------------
# Small parts
# --------------------------------------------------------------------------------------------------

PARTS = {  # what the names of their attention layers begin and end with
    "encoder": ("encoder.", "self_attention"),
    "decoder": ("decoder.", "self_attention"),
    "cross": ("decoder.", "cross_attention"),
}


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
