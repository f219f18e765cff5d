"""The tokens of one sequence, out of strings, ids or what a tokenizer returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from course.models.attention_outputs import as_tensor
from course.text.readable import readable


class Words(NamedTuple):
    """The tokens of one sequence, or of several, as a batch."""

    sequences: list[list[str]]
    real: list[list[bool]] | None = None
    """For each token whether it is one, and not padding; None where nothing tells."""

    def of(self, sequence: int | None, name: str) -> tuple[list[str], list[bool] | None]:
        """Those of one sequence, and which of them are real."""
        if sequence is None and len(self.sequences) > 1:
            raise ValueError(
                f"{name} are of a batch of {len(self.sequences)}. Say which sequence: "
                f"sequence=0 to {len(self.sequences) - 1}"
            )
        at = 0 if len(self.sequences) == 1 else sequence or 0
        if at >= len(self.sequences):
            raise ValueError(f"sequence={at}: {name} are of a batch of {len(self.sequences)}")
        return self.sequences[at], None if self.real is None else self.real[at]


def is_tokenizer(value: Any) -> bool:
    """Whether it turns ids into tokens, as those of transformers and of the course do."""
    return hasattr(value, "convert_ids_to_tokens") or (hasattr(value, "pieces") and hasattr(value, "encode"))


def as_words(tokens: Any, name: str, tokenizer: Any = None, attention_mask: Any = None) -> Words:
    """The tokens as people read them.

    Args:
        tokens: strings; ids with a tokenizer; what a tokenizer of transformers or tokenizers returned; or,
            of a batch, a list of one of these for each sequence.
        attention_mask: 1 for a token, 0 for padding; ``[n]`` or ``[batch, n]``.

    Raises:
        TypeError: if it is no sequence of strings, naming what to give instead.
        ValueError: if the mask does not fit.
    """
    if isinstance(tokens, Mapping) or hasattr(tokens, "input_ids"):
        attention_mask = tokens.get("attention_mask") if attention_mask is None else attention_mask
        sequences = _of_encoding(tokens, name, tokenizer)
    elif isinstance(getattr(tokens, "tokens", None), list):  # tokenizers.Encoding
        attention_mask = tokens.attention_mask if attention_mask is None else attention_mask
        sequences = [readable(tokens.tokens)]
    else:
        sequences = _of_sequence(tokens, name, tokenizer)
    return Words(sequences, None if attention_mask is None else _real(attention_mask, sequences))


def pieces(ids: Sequence[int], tokenizer: Any) -> list[str]:
    """The tokens of ids, as people read them.

    Raises:
        ValueError: if the tokenizer has no token of such an id: it is another model's.
    """
    if hasattr(tokenizer, "convert_ids_to_tokens"):
        found = tokenizer.convert_ids_to_tokens([int(id) for id in ids])
    else:
        found = tokenizer.pieces([int(id) for id in ids])
    unknown = [int(id) for id, token in zip(ids, found, strict=True) if token is None]
    if unknown:
        raise ValueError(f"this tokenizer has no token with the id {unknown[0]}: it is that of another model")
    return readable(found)


def _of_encoding(encoding: Any, name: str, tokenizer: Any) -> list[list[str]]:
    if getattr(encoding, "encodings", None):  # a fast tokenizer's knows its tokens
        return [readable(each.tokens) for each in encoding.encodings]
    if "input_ids" not in encoding:
        raise TypeError(f"{name} is a dictionary without input_ids: {sorted(map(str, encoding))}")
    return _of_sequence(encoding["input_ids"], name, tokenizer)


def _of_sequence(tokens: Any, name: str, tokenizer: Any) -> list[list[str]]:
    if isinstance(tokens, (str, bytes)) or tokens is None or isinstance(tokens, (Set, Mapping)):
        without_order = " A set has no order." if isinstance(tokens, Set) else ""
        raise TypeError(f"{name} is a list of strings, one a position; got {tokens!r}.{without_order}")
    if isinstance(tokens, (Tensor, np.ndarray)):
        tokens = as_tensor(tokens, name).tolist() if isinstance(tokens, Tensor) else tokens.tolist()
    if not hasattr(tokens, "__iter__"):
        raise TypeError(f"{name} is a list of strings, one a position; got {type(tokens).__name__}")
    tokens = list(tokens)
    if tokens and all(not isinstance(t, (str, bytes)) and hasattr(t, "__iter__") for t in tokens):
        return [_one(each, name, tokenizer) for each in tokens]
    return [_one(tokens, name, tokenizer)]


def _one(tokens: Any, name: str, tokenizer: Any) -> list[str]:
    tokens = tokens.tolist() if isinstance(tokens, (Tensor, np.ndarray)) else list(tokens)
    if tokens and all(_is_id(token) for token in tokens):
        if tokenizer is None:
            raise TypeError(
                f"{name} are ids, {tokens[:3]}…: give their text. tokenizer=tokenizer looks them up, as does "
                f"{name}=tokenizer.convert_ids_to_tokens(ids)"
            )
        return pieces(tokens, tokenizer)
    for token in tokens:
        if not isinstance(token, (str, bytes)):
            raise TypeError(f"{name} is a list of strings, one a position; got {token!r} among them")
    return readable(tokens)


def _is_id(token: Any) -> bool:
    if isinstance(token, Tensor):
        return token.ndim == 0 and not token.is_floating_point()
    return isinstance(token, (int, np.integer)) and not isinstance(token, bool)


def _real(mask: Any, sequences: list[list[str]]) -> list[list[bool]]:
    rows = torch.as_tensor(mask).cpu()
    shape = tuple(rows.shape)
    rows = rows[None] if rows.ndim == 1 else rows
    wanted = (len(sequences), len(sequences[0]))
    if rows.ndim != 2 or rows.shape[1] != wanted[1] or rows.shape[0] not in (1, wanted[0]):
        raise ValueError(
            f"attention_mask has shape {shape}; it should be one number a token, {list(wanted)}: 1, or 0 for "
            "padding"
        )
    if not ((rows == 0) | (rows == 1)).all():
        raise ValueError("attention_mask should hold 1 for a token and 0 for padding, and nothing else")
    return rows.expand(wanted[0], -1).bool().tolist()
