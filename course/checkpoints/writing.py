"""What a model's ``save`` writes: settings and weights, as ``course.checkpoints.reading`` reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor


def write_checkpoint(
    folder: str | Path,
    settings: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    dtype: torch.dtype | None = None,
    *,
    indent: int | None = 2,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write config.json and model.safetensors, and give back the folder.

    Args:
        dtype: what to store the weights as; ``torch.float16`` takes half the space. None: as they are.
        indent: of the settings; None puts them on one line, where they hold a list of words, say.
        metadata: what the file of weights says of itself; transformers asks for ``{"format": "pt"}``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(settings, indent=indent, ensure_ascii=False) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8", newline="\n")
    stored = {name: tensor.to(dtype or tensor.dtype) for name, tensor in weights.items()}
    save_file(stored, folder / "model.safetensors", metadata=metadata)
    return folder
