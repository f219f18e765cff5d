"""What one forward pass attended to, in one form, whatever it came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course.models.attention_outputs import Found, as_tensor, find_weights
from course.models.attention_tokens import Words, as_words, is_tokenizer, pieces


@dataclass(frozen=True)
class AttentionPass:
    """The attention of every head of one forward pass over one sequence.

    ``query`` and ``key`` are the projected vectors whose scaled dot products the weights come from; with
    them a picture can show the arithmetic of one weight. ``scale`` is the factor of the scores, 1/√d_k
    when None. ``mask`` is True where a query may attend; a size of 1 stands for every layer or head.
    ``real`` and ``key_real`` are False for padding, None where there is none; ``note`` is for the reader.

    Raises:
        ValueError: sizes that do not fit each other, or weights that are no weights.
    """

    tokens: Sequence[str]
    weights: Float[Tensor, "layer head query key"]
    key_tokens: Sequence[str] | None = None
    query: Float[Tensor, "layer head query d_k"] | None = None
    key: Float[Tensor, "layer head key d_k"] | None = None
    mask: Bool[Tensor, "#layer #head query key"] | None = None
    scale: float | None = None
    real: Sequence[bool] | None = None
    key_real: Sequence[bool] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        _check_tokens(self)
        _check_weights(self.weights)
        _check_vectors(self)
        _check_mask(self)
        _check_padding(self)

    @property
    def columns(self) -> Sequence[str]:
        """The tokens attended to: ``key_tokens``, or ``tokens`` for self-attention."""
        return self.tokens if self.key_tokens is None else self.key_tokens

    @property
    def has_padding(self) -> bool:
        """Whether some token is padding."""
        return not all(self.real or ()) or not all(self.key_real or ())

    def without_padding(self) -> AttentionPass:
        """The same without the rows and columns of padding."""
        rows = _places(self.real, len(self.tokens))
        columns = rows if self.key_tokens is None else _places(self.key_real, len(self.columns))
        return replace(
            self,
            tokens=[self.tokens[i] for i in rows],
            key_tokens=None if self.key_tokens is None else [self.columns[i] for i in columns],
            weights=self.weights[..., rows, :][..., columns],
            query=None if self.query is None else self.query[..., rows, :],
            key=None if self.key is None else self.key[..., columns, :],
            mask=None if self.mask is None else self.mask[..., rows, :][..., columns],
            real=None,
            key_real=None,
        )


def as_pass(
    attention: Any,
    tokens: Any = None,
    key_tokens: Any = None,
    *,
    query: Any = None,
    key: Any = None,
    mask: Any = None,
    scale: float | None = None,
    part: str | None = None,
    sequence: int | None = None,
    tokenizer: Any = None,
    attention_mask: Any = None,
    key_attention_mask: Any = None,
) -> AttentionPass:
    """Bring attention from anywhere into one :class:`AttentionPass`.

    Args:
        attention: an AttentionPass; or weights ``[layer, head, query, key]`` as a tensor, an array, or one
            tensor a layer (``[head, query, key]`` is one layer, ``[query, key]`` one head); or a transformers
            output, of which ``part`` ("self", "encoder", "decoder", "cross") is taken; or what ``generate``
            returned with attentions, whose steps are joined; or one of the course's models, with a text in
            place of the tokens.
        tokens: strings; ids, with a tokenizer; what a tokenizer returned; for what ``generate`` returned also
            the tokenizer alone, or strings with the last one written, which nothing attends from.
        mask: ``[query, key]``, or ``[layer, head, query, key]`` with 1 for "every"; True = may attend.
        sequence: which of a batch, from 0. With it, a tensor ``[batch, head, query, key]`` is one layer of
            several sequences.
        tokenizer: looks up tokens and key tokens that are given as ids.
        attention_mask, key_attention_mask: 1 for a token, 0 for padding; what a tokenizer returned has them.

    Raises:
        ValueError, TypeError: naming the shapes and the token counts seen.
    """
    if callable(attention) and isinstance(tokens, str):
        attention, tokens = _read(attention, tokens), None
    if isinstance(attention, AttentionPass):
        return attention if mask is None else replace(attention, mask=_four(mask, "mask", sequence))
    words = _words(tokens, "tokens", tokenizer, attention_mask)
    found = find_weights(attention, part, sequence, words and len(words.sequences))
    rows, real = _tokens_of(found, words, tokens, sequence)
    columns, key_real = None, real
    if key_tokens is not None:
        key_tokens = found.ids if is_tokenizer(key_tokens) and found.ids else key_tokens
        of_keys = _words(key_tokens, "key_tokens", tokenizer or tokens, key_attention_mask)
        columns, key_real = of_keys.of(sequence, "key_tokens")
    return AttentionPass(
        tokens=rows,
        weights=found.weights,
        key_tokens=columns,
        query=None if query is None else _four(query, "query", sequence),
        key=None if key is None else _four(key, "key", sequence),
        mask=None if mask is None else _four(mask, "mask", sequence),
        scale=_checked_scale(scale),
        real=real,
        key_real=key_real,
        note=found.note or _of_dropout(found.weights),
    )


def _words(tokens: Any, name: str, tokenizer: Any, attention_mask: Any) -> Words | None:
    """The tokens, or None for a tokenizer, whose tokens are those of the ids that an output holds."""
    if is_tokenizer(tokens):
        return None
    return as_words(tokens, name, tokenizer if is_tokenizer(tokenizer) else None, attention_mask)


def _tokens_of(
    found: Found, words: Words | None, tokenizer: Any, sequence: int | None
) -> tuple[list[str], list[bool] | None]:
    if words is None and found.ids is None:
        raise TypeError(
            "a tokenizer alone does not tell which tokens these are: give what it returned for the text "
            "(tokens=tokenizer(text)), or ids with tokenizer=tokenizer"
        )
    if words is None:
        return pieces(found.ids, tokenizer), None
    rows, real = words.of(sequence, "tokens")
    if found.ids is not None and len(rows) == found.weights.shape[-2] + 1:
        return rows[:-1], real and real[:-1]  # the last token that generate wrote was not read
    return rows, real


def _read(model: Any, text: str) -> Any:
    """What a model attends to while it reads a text."""
    if hasattr(model, "translate"):
        return model.attend(text)
    if isinstance(model, torch.nn.Module):
        raise TypeError(
            f"{type(model).__name__} reads token ids, not text. Put a reader of texts around it, as "
            "course.models.language_model.LanguageModel is for a GPT, or give its attention and the tokens"
        )
    return model(text)


def _four(value: Any, name: str, sequence: int | None = None) -> Tensor:
    """``value`` as a detached tensor ``[layer, head, ·, ·]`` on the CPU."""
    tensor = as_tensor(value, name)
    shape = tuple(tensor.shape)
    if tensor.ndim == 5 and (shape[1] == 1 or sequence is not None):
        tensor = tensor[:, 0 if shape[1] == 1 else sequence]  # [layer, batch, head, ·, ·]
    if not 2 <= tensor.ndim <= 4:
        raise ValueError(f"{name} has shape {shape}; it should be [layer, head, query, key]")
    return tensor.reshape(*[1] * (4 - tensor.ndim), *tensor.shape)


def _checked_scale(scale: Any) -> float | None:
    try:
        value = None if scale is None else float(scale)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(
            f"scale is a number, what the dot products were multiplied by; got {scale!r}"
        ) from error
    if value is not None and not math.isfinite(value):
        raise ValueError(f"scale is a finite number, what the dot products were multiplied by; got {scale!r}")
    return value


def _places(real: Sequence[bool] | None, n: int) -> list[int]:
    return [i for i in range(n) if real is None or real[i]]


def _check_tokens(p: AttentionPass) -> None:
    if p.weights.ndim != 4:
        raise ValueError(
            f"weights have shape {tuple(p.weights.shape)}; they should be [layer, head, query, key]"
        )
    queries, keys = p.weights.shape[-2:]
    if (queries, keys) == (len(p.tokens), len(p.columns)) and p.weights.numel():
        return
    hint = ""
    if p.key_tokens is None and queries == len(p.tokens) != keys:
        hint = ". For cross-attention give key_tokens, the tokens attended to"
        if keys % 2 and keys < queries:
            hint += f"; weights over a window of {keys} neighbours (Longformer) cannot be shown"
    raise ValueError(
        f"weights have shape {tuple(p.weights.shape)}, so {queries} queries and {keys} keys, but there are "
        f"{len(p.tokens)} tokens and {len(p.columns)} key tokens{hint}"
    )


def _check_weights(weights: Tensor) -> None:
    if not weights.dtype.is_floating_point:
        raise TypeError(f"weights should be floating point, not {weights.dtype}")
    low, high = weights.aminmax()
    if not (torch.isfinite(low) and torch.isfinite(high)):
        raise ValueError(f"{int((~torch.isfinite(weights)).sum())} weights are not finite (NaN or infinite)")
    if low >= 0 and high > 1 + 1e-3 and bool((weights == 0).any()):
        raise ValueError(
            f"weights lie between 0 and {high:.4g}, and some are dropped: the model is training, and dropout "
            "zeroes weights and enlarges the others. Call model.eval() first"
        )
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(
            f"weights lie between {low:.4g} and {high:.4g}, not between 0 and 1: are these scores before the "
            "softmax? (Dropout, in a model that trains, enlarges weights too: call model.eval())"
        )


def _of_dropout(weights: Tensor) -> str:
    """A note where rows sum to more than 1 and some weights are 0: no softmax does that, dropout does."""
    sums, between = weights.float().sum(-1), (weights > 0) & (weights < 1)
    if not ((sums > 1.01).any() and between.any() and (weights == 0).any()):
        return ""
    return (
        f"Rows sum to between {sums.min():.2f} and {sums.max():.2f}, and some are 0, as dropout leaves them: "
        "was this model in training mode? model.eval() turns that off."
    )


def _check_vectors(p: AttentionPass) -> None:
    if (p.query is None) != (p.key is None):
        raise ValueError("query and key belong together: give both or neither")
    if p.query is None:
        return
    layers, heads, queries, keys = p.weights.shape
    for name, vectors in (("query", p.query), ("key", p.key)):
        if not vectors.is_floating_point() or not vectors.isfinite().all():
            kind = vectors.dtype if not vectors.is_floating_point() else "NaN or infinite numbers"
            raise ValueError(f"{name} should hold finite floating point numbers; it holds {kind}")
    d_k = p.query.shape[-1]
    expected = (layers, heads, queries, d_k), (layers, heads, keys, d_k)
    if (tuple(p.query.shape), tuple(p.key.shape)) != expected:
        raise ValueError(
            f"for weights {tuple(p.weights.shape)} query should be {expected[0]} and key {expected[1]}; "
            f"got {tuple(p.query.shape)} and {tuple(p.key.shape)}"
        )


def _check_mask(p: AttentionPass) -> None:
    if p.mask is None:
        return
    if p.mask.dtype != torch.bool:
        raise TypeError(f"the mask should be boolean, True = may attend, not {p.mask.dtype}")
    fits = all(m in (1, w) for m, w in zip(p.mask.shape[:-2], p.weights.shape[:-2], strict=True))
    if not fits or p.mask.shape[-2:] != p.weights.shape[-2:]:
        raise ValueError(f"a mask {tuple(p.mask.shape)} does not fit weights {tuple(p.weights.shape)}")


def _check_padding(p: AttentionPass) -> None:
    for name, real, tokens in (("real", p.real, p.tokens), ("key_real", p.key_real, p.columns)):
        if real is not None and len(real) != len(tokens):
            raise ValueError(f"{name} has {len(real)} entries, and there are {len(tokens)} tokens")
        if real is not None and not any(real):
            raise ValueError("the attention mask marks every token as padding: 1 is a token, 0 is padding")
