"""What one forward pass attended to, in one form, whatever it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

OUTPUTS = {
    "self": "attentions",
    "encoder": "encoder_attentions",
    "decoder": "decoder_attentions",
    "cross": "cross_attentions",
}


@dataclass(frozen=True)
class AttentionPass:
    """The attention of every head of one forward pass over one sequence.

    ``query`` and ``key`` are the projected vectors whose scaled dot products the weights come from; with
    them a picture can show the arithmetic of one weight. ``scale`` is the factor of the scores, 1/√d_k
    when None. ``mask`` is True where a query may attend; a size of 1 stands for every layer or head.

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

    def __post_init__(self) -> None:
        _check_tokens(self)
        _check_weights(self.weights)
        _check_vectors(self)
        _check_mask(self)

    @property
    def columns(self) -> Sequence[str]:
        """The tokens attended to: ``key_tokens``, or ``tokens`` for self-attention."""
        return self.tokens if self.key_tokens is None else self.key_tokens


def as_pass(
    attention: Any,
    tokens: Sequence[str] | None = None,
    key_tokens: Sequence[str] | None = None,
    *,
    query: Any = None,
    key: Any = None,
    mask: Any = None,
    scale: float | None = None,
    part: str | None = None,
) -> AttentionPass:
    """Bring attention from anywhere into one :class:`AttentionPass`.

    Args:
        attention: an AttentionPass; or weights ``[layer, head, query, key]`` as a tensor, an array, or one
            tensor a layer (a batch of one is squeezed; ``[head, query, key]`` is one layer, ``[query, key]``
            one head); or a transformers output, of which ``part`` ("self", "encoder", "decoder", "cross")
            is taken; or one of the course's models, with a text in place of the tokens.
        mask: ``[query, key]``, or ``[layer, head, query, key]`` with 1 for "every"; True = may attend.

    Raises:
        ValueError, TypeError: naming the shapes and the token counts seen.
    """
    if callable(attention) and isinstance(tokens, str):
        attention, tokens = _read(attention, tokens), None
    if isinstance(attention, AttentionPass):
        return attention if mask is None else replace(attention, mask=_four(mask, "mask"))
    if isinstance(tokens, str) or tokens is None:
        raise TypeError(f"tokens is a list of strings, one a position; got {tokens!r}")
    return AttentionPass(
        tokens=[str(t) for t in tokens],
        weights=_four(_choose(attention, part), "attention"),
        key_tokens=None if key_tokens is None else [str(t) for t in key_tokens],
        query=None if query is None else _four(query, "query"),
        key=None if key is None else _four(key, "key"),
        mask=None if mask is None else _four(mask, "mask"),
        scale=scale,
    )


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


def _choose(attention: Any, part: str | None) -> Any:
    """The weights inside a transformers output; anything else as it is."""
    found = {name: getattr(attention, field, None) for name, field in OUTPUTS.items()}
    found = {name: layers for name, layers in found.items() if layers and layers[0] is not None}
    if not found and any(hasattr(attention, field) for field in OUTPUTS.values()):
        raise ValueError(
            "this output holds no attention. Call the model with output_attentions=True; where it still "
            'comes back empty, load the model with attn_implementation="eager"'
        )
    if part is None and len(found) > 1:
        raise ValueError(f"this output holds several kinds of attention; say part= one of {sorted(found)}")
    if part is not None and part not in found:
        raise ValueError(f"part={part!r} is not in this output; it holds {sorted(found) or 'none'}")
    return found[part] if part else next(iter(found.values()), attention)


def _four(value: Any, name: str) -> Tensor:
    """``value`` as a detached tensor ``[layer, head, ·, ·]`` on the CPU."""
    if isinstance(value, (list, tuple)) and value and all(hasattr(layer, "shape") for layer in value):
        layers = [torch.as_tensor(layer) for layer in value]
        if len({layer.shape for layer in layers}) > 1:
            raise ValueError(f"the layers of {name} differ in shape: {[tuple(x.shape) for x in layers]}")
        value = torch.stack(layers)
    try:
        tensor = torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} is no tensor, array or list of layers: {type(value).__name__}") from error
    shape = tuple(tensor.shape)
    if tensor.ndim == 5 and shape[1] == 1:
        tensor = tensor.squeeze(1)  # [layer, batch of one, head, ·, ·] -> [layer, head, ·, ·]
    if tensor.ndim == 5:
        raise ValueError(
            f"{name} has shape {shape}: a batch of {shape[1]}. Choose one sequence, [:, 0] for example"
        )
    if not 2 <= tensor.ndim <= 4:
        raise ValueError(f"{name} has shape {shape}; it should be [layer, head, query, key]")
    return tensor.reshape(*[1] * (4 - tensor.ndim), *tensor.shape)


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
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(
            f"weights lie between {low:.4g} and {high:.4g}, not between 0 and 1: "
            "are these scores before the softmax?"
        )


def _check_vectors(p: AttentionPass) -> None:
    if (p.query is None) != (p.key is None):
        raise ValueError("query and key belong together: give both or neither")
    if p.query is None:
        return
    layers, heads, queries, keys = p.weights.shape
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
