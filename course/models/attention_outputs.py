"""Where the weights are in what other libraries give: one output's layers, or the steps of ``generate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

OUTPUTS = {
    "self": "attentions",
    "encoder": "encoder_attentions",
    "decoder": "decoder_attentions",
    "cross": "cross_attentions",
}
NOTHING = (
    "this output holds no attention. Call the model with output_attentions=True; where it still "
    'comes back empty, load the model with attn_implementation="eager": fused kernels (sdpa, flash) never '
    "hold the weights. A BERT's last field is an empty cross_attentions: take output.attentions"
)


class Found(NamedTuple):
    """Weights, and what else the output tells of them."""

    weights: Float[Tensor, "layer head query key"]
    ids: list[int] | None = None
    """Those that ``generate`` wrote, with the prompt where there is one, in the order of the rows."""
    note: str = ""
    """What was guessed, in words for the reader."""


def find_weights(
    attention: Any, part: str | None = None, sequence: int | None = None, batch: int | None = None
) -> Found:
    """The weights of one sequence: of a tensor, a list of layers, an output or what ``generate`` returned.

    Args:
        part: of an output that holds several kinds: "self", "encoder", "decoder" or "cross".
        sequence: which of a batch.
        batch: how many sequences there are, where the tokens tell.

    Raises:
        ValueError, TypeError: naming what was found, and what to give instead.
    """
    part, chosen = _unwrapped(attention, part)
    if _are_steps(chosen):
        return _joined(chosen, attention, part, sequence)
    note = ""
    if isinstance(chosen, (list, tuple)) and any(layer is None for layer in chosen):
        without = [str(number) for number, layer in enumerate(chosen) if layer is None]
        chosen = [layer for layer in chosen if layer is not None]
        note = f"Layers {', '.join(without)} of the model have no attention and are left out."
    found = _one_sequence(chosen, sequence, batch)
    return found._replace(note=found.note or note)


def is_output(value: Any) -> bool:
    """Whether it is a model's output, which holds attention under one of the known names."""
    return any(_field(value, name) is not None or _has(value, name) for name in OUTPUTS.values())


# --------------------------------------------------------------------------------------------------
# Out of an output
# --------------------------------------------------------------------------------------------------


def _unwrapped(attention: Any, part: str | None) -> tuple[str | None, Any]:
    """The layers (or steps) inside an output, and which of its parts they are; anything else as it is."""
    if attention is None:
        raise ValueError(NOTHING)
    if is_output(attention):
        return _part(attention, part)
    if part is not None and not isinstance(attention, tuple):
        raise ValueError(f"part={part!r} is not in this output; it holds none")
    if isinstance(attention, (list, tuple)):
        if _is_empty(attention):
            raise ValueError(NOTHING)
        if any(isinstance(entry, (list, tuple)) or hasattr(entry, "shape") for entry in attention):
            return part, _out_of_a_tuple(attention)
    return part, attention


def _part(output: Any, part: str | None) -> tuple[str, Any]:
    found = {name: _field(output, field) for name, field in OUTPUTS.items()}
    found = {name: layers for name, layers in found.items() if not _is_empty(layers)}
    if not found:
        raise ValueError(NOTHING)
    if part is None and len(found) > 1:
        raise ValueError(f"this output holds several kinds of attention; say part= one of {sorted(found)}")
    if part is not None and part not in found:
        raise ValueError(f"part={part!r} is not in this output; it holds {sorted(found)}")
    part = part or next(iter(found))
    return part, found[part]


def _out_of_a_tuple(entries: Sequence) -> Any:
    """A list of layers as it is; of a whole output as a tuple (``return_dict=False``), the layers inside."""
    shaped = [entry for entry in entries if hasattr(entry, "shape")]
    others = [entry for entry in entries if entry is not None and not hasattr(entry, "shape")]
    if not others and len({len(entry.shape) for entry in shaped}) == 1 and not _is_with_output(shaped):
        return entries
    if not shaped and _are_steps(entries):
        return entries
    if not shaped and all(isinstance(entry, list) for entry in entries):
        return entries  # nested lists of numbers
    inside = [entry for entry in others if _are_layers(entry)]
    if len(inside) == 1:
        return inside[0]
    if len(shaped) == 2 and not others:
        raise ValueError(
            "this is a tuple of an output and weights, as torch's nn.MultiheadAttention returns: give its "
            "second part, [1], computed with average_attn_weights=False to see every head"
        )
    raise ValueError(
        f"this is a whole output as a tuple of {len(entries)}, and {len(inside) or 'none'} look like "
        "attention: call the model with return_dict=True and output_attentions=True, or give the layers alone"
    )


def _is_with_output(shaped: Sequence) -> bool:
    """Whether these two are an output ``[batch, query, d_model]`` and weights ``[batch, query, key]``."""
    if len(shaped) != 2 or len(shaped[0].shape) > 3:
        return False
    first, second = (tuple(entry.shape) for entry in shaped)
    return first[:-1] == second[:-1] and first != second


def _are_layers(entry: Any) -> bool:
    """Whether it is a tuple of square-ended tensors with a head axis (hidden states have three axes)."""
    return (
        isinstance(entry, (list, tuple))
        and len(entry) > 0
        and all(hasattr(layer, "shape") and len(layer.shape) == 4 for layer in entry)
    )


def _has(value: Any, name: str) -> bool:
    return name in value if isinstance(value, Mapping) else hasattr(value, name)


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _is_empty(layers: Any) -> bool:
    """None, nothing, or nothing but such: what fused kernels leave."""
    if layers is None:
        return True
    return isinstance(layers, (list, tuple)) and all(_is_empty(layer) for layer in layers)


# --------------------------------------------------------------------------------------------------
# One sequence
# --------------------------------------------------------------------------------------------------


def as_tensor(value: Any, name: str) -> Tensor:
    """A tensor, an array, a list of layers or nested lists, as a detached dense tensor on the CPU.

    Raises:
        TypeError: if it is none of these, or has no values (a meta tensor).
        ValueError: if layers differ in shape.
    """
    if isinstance(value, (list, tuple)) and value and all(hasattr(layer, "shape") for layer in value):
        layers = [as_tensor(layer, name) for layer in value]
        if len({layer.shape for layer in layers}) > 1:
            raise ValueError(f"the layers of {name} differ in shape: {[tuple(x.shape) for x in layers]}")
        return torch.stack(layers)
    if isinstance(value, np.ndarray) and value.dtype.kind not in "fbiu":
        raise TypeError(f"{name} is an array of {value.dtype}, not of numbers")
    try:
        tensor = torch.as_tensor(value).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} is no tensor, array or list of layers: {type(value).__name__}") from error
    if tensor.is_meta:
        raise TypeError(
            f"{name} is on the device 'meta', where tensors have a shape and no values: load them"
        )
    tensor = tensor.to_dense() if tensor.layout != torch.strided else tensor
    one_byte = tensor.is_floating_point() and tensor.element_size() == 1  # float8 knows no arithmetic
    return (tensor.float() if one_byte else tensor).cpu()


def _one_sequence(value: Any, sequence: int | None, batch: int | None) -> Found:
    tensor = as_tensor(value, "attention")
    shape, listed = tuple(tensor.shape), isinstance(value, (list, tuple))
    if tensor.ndim == 5:  # [layer, batch, head, ·, ·]
        return Found(tensor[:, _chosen(sequence, shape[1], f"attention has shape {shape}")])
    if not 2 <= tensor.ndim <= 4:
        raise ValueError(f"attention has shape {shape}; it should be [layer, head, query, key]")
    if tensor.ndim == 4 and not listed:
        if sequence is not None or (batch is not None and batch > 1):  # [batch, head, query, key], one layer
            at = _chosen(sequence, shape[0], f"attention has shape {shape}, one layer")
            return Found(tensor[at : at + 1])
        if shape[0] > 1:
            note = (
                f"Read as {shape[0]} layers of one sequence. If these are {shape[0]} sequences of one layer, "
                f"say which: sequence=0 to {shape[0] - 1}."
            )
            return Found(tensor, note=note)
    if sequence:
        raise ValueError(f"sequence={sequence}: attention has shape {shape}, which is of one sequence")
    return Found(tensor.reshape(*[1] * (4 - tensor.ndim), *shape))


def _chosen(sequence: int | None, batch: int, where: str) -> int:
    if sequence is None and batch == 1:
        return 0
    if sequence is None:
        raise ValueError(f"{where}: a batch of {batch}. Say which sequence: sequence=0 to {batch - 1}")
    if isinstance(sequence, bool) or not isinstance(sequence, (int, np.integer)) or not 0 <= sequence < batch:
        raise ValueError(f"sequence={sequence!r}: {where}, a batch of {batch}, so 0 to {batch - 1}")
    return int(sequence)


# --------------------------------------------------------------------------------------------------
# The steps of generate
# --------------------------------------------------------------------------------------------------


def _are_steps(value: Any) -> bool:
    """Whether it is a tuple with, for each token that was written, a tuple of layers."""
    return isinstance(value, (list, tuple)) and len(value) > 0 and all(_are_layers(step) for step in value)


def _joined(steps: Sequence[Sequence[Tensor]], output: Any, part: str | None, sequence: int | None) -> Found:
    """The steps as one pass: the first step's queries, then a row for each token read since.

    With beams, each step's row is that of the beam which the sequence was written by.

    Source: transformers' ``generate(output_attentions=True, return_dict_in_generate=True)``.
    """
    ids, beams = _field(output, "sequences"), _field(output, "beam_indices")
    rows = steps[0][0].shape[0]
    known = rows if ids is None else len(ids)
    at = _chosen(sequence, known, f"these are the {len(steps)} steps of generate")
    if beams is None and known != rows:
        raise ValueError(
            f"{rows} beams wrote {known} sequences, and which beam each token came from is not said here: "
            "give all that generate returned, with return_dict_in_generate=True and output_scores=True"
        )
    sources = [at] * len(steps) if beams is None else beams[at].tolist()[: len(steps)]
    kept = [(step, row) for step, row in zip(steps, sources, strict=False) if row >= 0]  # -1: it had ended
    weights = _stacked_rows(kept, _attends_to_itself(steps, part))
    return Found(weights, None if ids is None else ids[at, : weights.shape[-2]].tolist())


def _attends_to_itself(steps: Sequence[Sequence[Tensor]], part: str | None) -> bool:
    """Whether the keys are the tokens written, one more a step, and not a source's."""
    if part is not None:
        return part != "cross"
    queries, keys = steps[0][0].shape[-2:]
    return queries == keys or len({step[0].shape[-1] for step in steps}) > 1


def _stacked_rows(
    kept: Sequence[tuple[Sequence[Tensor], int]], itself: bool
) -> Float[Tensor, "layer head query key"]:
    """All steps' rows under one another; what came after a row has weight 0 in it."""
    first = kept[0][0]
    _, heads, prompt, keys = first[0].shape
    rows = prompt + len(kept) - 1
    out = torch.zeros(len(first), heads, rows, rows if itself else keys)
    for number, (step, row) in enumerate(kept):
        new = slice(0, prompt) if number == 0 else slice(prompt + number - 1, prompt + number)
        seen = new.stop if itself else keys  # the keys that there are by now
        for layer, weights in enumerate(step):
            of_new = (
                weights[row].detach().float().cpu()[:, new.start - new.stop :, :seen]
            )  # static caches: more
            out[layer, :, new, seen - of_new.shape[-1] : seen] = of_new  # a sliding window: the newest alone
    return out
