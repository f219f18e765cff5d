"""What a model that writes is asked for, checked; and whether it is still as it was shipped."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

# --------------------------------------------------------------------------------------------------
# What is asked for
# --------------------------------------------------------------------------------------------------


def checked_prompt(prompt: Any, vocab_size: int, max_length: int) -> list[int]:
    """The ids of a prompt, given as a sequence, a tensor or an array of them, or as a batch of one such.

    Raises:
        TypeError: if it is not a sequence of ids.
        ValueError: if it is empty or too long, a batch of several, or holds no token's id.
    """
    if isinstance(prompt, Mapping) or hasattr(prompt, "input_ids"):
        raise TypeError(
            "a prompt is a sequence of token ids; of what a tokenizer returned, give its input_ids"
        )
    if isinstance(prompt, (str, bytes)) or not hasattr(prompt, "__iter__"):
        raise TypeError(f"a prompt is a sequence of token ids; got {type(prompt).__name__}")
    ids = _unbatched(prompt.tolist() if hasattr(prompt, "tolist") else list(prompt))
    ids = [_whole(id, "a prompt is a sequence of token ids, whole numbers") for id in ids]
    if not ids:
        raise ValueError("the prompt is empty: give at least one token to go on from")
    if len(ids) > max_length:
        raise ValueError(
            f"the prompt has {len(ids)} tokens, and this model sees at most {max_length}: shorten it"
        )
    for id in ids:
        if not 0 <= id < vocab_size:
            raise ValueError(f"a token's id lies between 0 and {vocab_size - 1}; got {id}")
    return ids


def checked_stop(stop: Any) -> set[int]:
    """The tokens that end a text: one id, or several.

    Raises:
        TypeError: if it is anything else, such as a text.
    """
    said = "stop is a token's id, or several; of a text, give those that the vocabulary encodes it as"
    if isinstance(stop, (str, bytes)):
        raise TypeError(f"{said}; got {stop!r}")
    stop = stop.tolist() if hasattr(stop, "tolist") else stop
    return {_whole(id, said) for id in (stop if hasattr(stop, "__iter__") else [stop])}


def checked_count(n: Any, name: str) -> int:
    """A whole number, 1 or more.

    Raises:
        TypeError, ValueError: if it is not.
    """
    n = _whole(n, f"{name} is a whole number")
    if n < 1:
        raise ValueError(f"{name} must be 1 or more; got {n}")
    return n


def generator(seed: Any) -> torch.Generator | None:
    """Where chance comes from; None for torch's own.

    Raises:
        TypeError: if the seed is no whole number.
    """
    if seed is None:
        return None
    return torch.Generator().manual_seed(_whole(seed, "a seed is a whole number, or None"))


def _unbatched(ids: list) -> list:
    if not ids or not isinstance(ids[0], (list, tuple, Tensor)) or getattr(ids[0], "ndim", 1) == 0:
        return ids
    if len(ids) > 1:
        raise ValueError(
            f"a batch of {len(ids)} prompts; one text is written at a time: give them one by one"
        )
    return ids[0].tolist() if isinstance(ids[0], Tensor) else list(ids[0])


def _whole(value: Any, said: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{said}; got {value!r}") from None


# --------------------------------------------------------------------------------------------------
# As it was shipped
# --------------------------------------------------------------------------------------------------


def is_as_shipped(model: nn.Module, parts: Mapping[str, type]) -> bool:
    """Whether every module is exactly of the class it was built with, and nothing hooks or patches it.

    What is subclassed, swapped (LoRA, int8), hooked (an intervention, a recording), parametrised or patched
    does something else than its class says: only its own ``forward`` knows what.

    Args:
        parts: the class of each module by its name, with "*" for a number; "" is the model.
    """
    if torch_module._global_forward_hooks or torch_module._global_forward_pre_hooks:
        return False
    for name, module in model.named_modules():
        wanted = parts.get(re.sub(r"\b\d+\b", "*", name))
        if type(module) is not wanted or not _is_untouched(module):
            return False
    return all(type(parameter) is nn.Parameter for parameter in model.parameters())


def steps_are_its_own(blocks: Iterable[nn.Module], kind: type, attention: type) -> bool:
    """Whether a block's ``step`` does what its ``forward`` does: both call norms, projections and networks.

    ``step`` calls neither the block, nor its attention layers, nor dropout: those have to be as shipped.
    """
    for block in blocks:
        layers = [block.self_attention, block.cross_attention] if type(block) is kind else []
        if not layers or any(type(layer) is not attention for layer in layers):
            return False
        drops = [block.dropout, *(layer.dropout for layer in layers)]
        if any(type(drop) is not nn.Dropout for drop in drops):
            return False
        if not all(map(_is_untouched, [block, *layers, *drops])):
            return False
    return True


def _is_untouched(module: nn.Module) -> bool:
    kind = type(module)
    hooked = module._forward_hooks or module._forward_pre_hooks
    patched = any(callable(getattr(kind, name, None)) for name in vars(module))
    whole = getattr(module, "max_norm", None) is None  # an embedding that shrinks what it looks up
    if isinstance(module, nn.Linear):
        whole = module.bias is not None
    return (
        not hooked and not patched and whole and _methods(kind) == _SHIPPED.setdefault(kind, _methods(kind))
    )


def _methods(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if callable(value)}


_SHIPPED: dict[type, dict[str, Any]] = {}
"""The methods of each class as they were when the course was imported: a class may be patched, too."""


def ship(parts: Iterable[type]) -> None:
    """Remember these classes' methods."""
    for kind in parts:
        _SHIPPED[kind] = _methods(kind)


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Every module in evaluation mode, and then each as it was, without gradients meanwhile."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True
