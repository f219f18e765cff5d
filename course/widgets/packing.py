"""What travels to the explorer in the browser: headings as JSON, weights and vectors as one binary buffer."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from course.models.attention_pass import AttentionPass
from course.text.readable import sound

FLOAT16_UP_TO = 1_000_000
"""As many weights travel as float16 (12 × 12 heads at 83 tokens); more travel as one byte each."""


def pack(passes: dict[str, AttentionPass], precision: str | None = None) -> tuple[list[dict], bytes]:
    """Headings that JSON can carry, and one buffer that their arrays lie in."""
    headings, chunks, size = [], [], 0
    for name, p in passes.items():
        places = {}
        for field, array in _arrays(p, precision).items():
            places[field] = {"start": size, "dtype": str(array.dtype), "shape": list(array.shape)}
            chunks += [array.tobytes(), bytes(-array.nbytes % 8)]  # every array begins at a multiple of 8
            size += array.nbytes + len(chunks[-1])
        headings.append(
            {
                "name": name,
                "rows": [sound(t) for t in p.tokens],
                "columns": [sound(t) for t in p.columns],
                "padding": _padding(p) if p.has_padding else None,
                "note": p.note,
                "self": p.key_tokens is None,
                "scale": p.scale,
                "arrays": places,
            }
        )
    return headings, b"".join(chunks)


def _padding(p: AttentionPass) -> dict[str, list[int]]:
    """The places of padding among the rows and among the columns."""
    of_keys = p.real if p.key_tokens is None else p.key_real
    sides = {"rows": p.real or (), "columns": of_keys or ()}
    return {side: [i for i, real in enumerate(known) if not real] for side, known in sides.items()}


def _arrays(p: AttentionPass, precision: str | None) -> dict[str, np.ndarray]:
    arrays = encode(p.weights, precision)
    if p.mask is not None:
        arrays["mask"] = p.mask.to(torch.uint8).numpy()
    if p.query is not None:
        arrays |= {"query": p.query.float().numpy(), "key": p.key.float().numpy()}
    return arrays


def encode(weights: Tensor, precision: str | None = None) -> dict[str, np.ndarray]:
    """Weights as they travel: float16, or, for many, bytes b that stand for ``row_max`` · (b / 255)².

    The root keeps small weights: the least that is not sent as 0 is 4e-6 of its row's largest.

    Raises:
        ValueError: if the precision is none of "float16", "byte" and None, which goes by how many there are.
    """
    if precision not in (None, "float16", "byte"):
        raise ValueError(f'precision is "float16", "byte" or None; got {precision!r}')
    if precision == "float16" or (precision is None and weights.numel() <= FLOAT16_UP_TO):
        return {"weights": weights.half().numpy()}
    weights = weights.float().clamp_min(0)
    row_max = weights.amax(-1, keepdim=True)
    levels = (weights / row_max.clamp_min(1e-30)).sqrt_().mul_(255).round_().to(torch.uint8)
    return {"weights": levels.numpy(), "row_max": row_max.squeeze(-1).numpy()}
