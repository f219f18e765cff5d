"""What a checkpoint's files hold, checked before anything is built: a fault names the file and what to do."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

Config = TypeVar("Config")
Model = TypeVar("Model", bound=nn.Module)

MOST = 2**31
"""No size of a model is as great as this."""


# --------------------------------------------------------------------------------------------------
# Settings
# --------------------------------------------------------------------------------------------------


def read_settings(path: str | Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ValueError: if it holds anything else.
    """
    path = Path(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"{path} {_kind(path) or f'is no JSON{where}'}: {AGAIN}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds {_named(found)}, and should hold an object of settings: {AGAIN}")
    return found


def configured(
    kind: type[Config], found: Mapping[str, Any], path: str | Path, names: Mapping[str, str] | None = None
) -> Config:
    """A dataclass of settings, each of its kind and in range.

    Args:
        names: what the file calls a setting, where that differs.

    Raises:
        ValueError: naming the file, the setting and what was found.
    """
    hints, known = get_type_hints(kind), {field.name for field in fields(kind)}
    if unknown := sorted(set(found) - known):
        raise ValueError(
            f"{path} is of another kind of model: {kind.__name__} has no {', '.join(map(repr, unknown[:3]))}"
        )
    for name, value in found.items():
        if problem := _problem(name, value, hints[name]):
            raise ValueError(f"{path}: {(names or {}).get(name, name)} {problem}; it is {value!r}")
    try:
        return kind(**found)
    except TypeError as error:  # a setting without a default is missing
        raise ValueError(f"{path} lacks settings of {kind.__name__}: {error}") from error


def _problem(name: str, value: Any, hint: Any) -> str | None:
    """What is wrong with a setting, None if nothing is."""
    kinds = get_args(hint) or (hint,)
    if value is None:
        return None if NoneType in kinds else "should be given"
    if int in kinds:
        least = 0 if name.endswith("_id") else 1
        fits = isinstance(value, Integral) and not isinstance(value, bool) and least <= value < MOST
        return None if fits else f"should be a whole number, {least} or more"
    if float in kinds:
        fits = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
        return None if fits else "should be a number, 0 or more"
    for plain, said in ((bool, "true or false"), (str, "a text")):
        if plain in kinds and not isinstance(value, plain):
            return f"should be {said}"
    return None


# --------------------------------------------------------------------------------------------------
# Weights
# --------------------------------------------------------------------------------------------------


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors in a safetensors file: numbers, and nothing that runs.

    Raises:
        ValueError: if it is no such file, or holds weights that are no numbers.
    """
    path = Path(path)
    try:
        weights = load_file(path)
    except (SafetensorError, ValueError, RuntimeError) as error:
        found = _kind(path) or f"is cut off or damaged ({error})"
        raise ValueError(f"{path} {found}: {AGAIN}") from error
    for name, tensor in weights.items():  # what is counted, such as position_ids, may be whole numbers
        if not tensor.is_floating_point() and name.endswith(("weight", "weights")):
            raise ValueError(f"{path}: {name} is of {tensor.dtype}, and weights are floating point numbers")
        if not tensor.isfinite().all():
            raise ValueError(
                f"{path}: {name} holds NaN or infinite numbers. Training had gone wrong when it was saved: "
                "take an earlier checkpoint"
            )
    return weights


def build(make: Callable[[], Model], weights: Mapping[str, Tensor], path: str | Path) -> Model:
    """A model with these weights, ready to use; their names and sizes are compared before it takes any room.

    Raises:
        ValueError: if a weight is missing, is left over or has another size than the model's.
    """
    draft = sketch(make, path)
    try:
        draft.load_state_dict({name: tensor.to("meta") for name, tensor in weights.items()})
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit the config.json beside it: {_in_short(error)}") from error
    model = make()
    model.load_state_dict(dict(weights))
    return model.eval()


def sketch(make: Callable[[], Model], path: str | Path) -> Model:
    """A model of the same sizes without values, which takes no room.

    Raises:
        ValueError: if the sizes do not fit one another.
    """
    try:
        with torch.device("meta"):
            return make()
    except (RuntimeError, ValueError, AssertionError) as error:
        raise ValueError(f"the config.json beside {path} describes no model: {_in_short(error)}") from error


def check_layers(n: int, weights: Mapping[str, Tensor], path: str | Path) -> None:
    """A layer has at least one weight: more layers than weights need not be built to be refused.

    Raises:
        ValueError: if there are more.
    """
    if n > len(weights):
        raise ValueError(
            f"{path} holds {len(weights)} weights, and config.json says that there are {n} layers"
        )


def check_vocabulary(tokens: int, vocab_size: int, where: str | Path) -> None:
    """Whether a tokenizer is that of the model beside it.

    Raises:
        ValueError: if they differ in size.
    """
    if tokens != vocab_size:
        raise ValueError(
            f"{where}: its vocabulary has {tokens} tokens, and the model was trained on {vocab_size}: it is "
            "another model's"
        )


def _in_short(error: Exception) -> str:
    """torch's report without its first line, or its message, of a length that can be read."""
    lines = [line.strip() for line in str(error).splitlines()]
    text = " ".join(lines[1:] if lines[0].startswith("Error(s) in loading") else lines)
    return text if len(text) <= 500 else f"{text[:500]}…"


# --------------------------------------------------------------------------------------------------
# What a file is
# --------------------------------------------------------------------------------------------------

AGAIN = "copy or download it again"
_KINDS = {
    b"version https://git-lfs": "is a pointer of Git LFS, and not the file (git lfs pull fetches it)",
    b"<": "is a web page, and not the file (a server's error, perhaps)",
    b"\x80": "is a pickle, which can run code when it is opened and is never read here",
    b"PK": "is an archive, such as torch.save writes, which can run code and is never read here",
    b"\x1f\x8b": "is compressed by gzip (unpack it)",
}


def _kind(path: Path) -> str | None:
    """What a file that cannot be read is, where its first bytes tell."""
    with path.open("rb") as file:
        first = file.read(64)
    if not first:
        return "is empty (0 bytes)"
    return next((said for begin, said in _KINDS.items() if first.lstrip().startswith(begin)), None)


def _named(value: Any) -> str:
    names = {list: "a list", str: "a text", NoneType: "null", bool: "true or false"}
    return names.get(type(value), "a number")
