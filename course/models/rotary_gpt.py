"""A GPT with rotary positions: what its heads compare is how far apart two tokens are, not where they stand.

A prompt's examples are alike wherever they stand in it. Learned positions have to find that out for every
place; rotary ones know it from the start, and a small model learns several times as fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course import checkpoints
from course.blocks import KeyValueCache
from course.checkpoints.reading import build, check_layers, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.heads import merge_heads, split_heads
from course.models.gpt import GPT, PARTS, GPTConfig
from course.models.writing import ship
from course.positions import rotary


class RotaryProjection(nn.Linear):
    """A linear map to queries or keys, each head's then turned by its position: ``start``, ``start + 1``, ...

    Source: Su et al. 2021 (RoFormer), equation 16.
    """

    def __init__(self, d_model: int, n_heads: int):
        super().__init__(d_model, d_model)
        self.n_heads, self.start = n_heads, 0

    def forward(self, x: Float[Tensor, "*batch n d_model"]) -> Float[Tensor, "*batch n d_model"]:
        """Project, then turn."""
        heads = split_heads(super().forward(x), self.n_heads)  # [*batch, heads, n, d_head]
        places = torch.arange(self.start, self.start + x.shape[-2], device=x.device)
        return merge_heads(rotary(heads, places))


class StepReader:
    """Reads a prompt, then token after token, by the model's own ``step``, which turns queries and keys.

    (``course.models.gpt_reader.Reader`` knows linear projections alone.)
    """

    def __init__(self, model: RotaryGPT):
        self.model, self.caches = model, model.caches()

    def __len__(self) -> int:
        """The number of tokens read so far."""
        return len(self.caches[0])

    def __call__(self, ids: Sequence[int]) -> Float[Tensor, "vocab"]:
        """Read on: the logits of the next token."""
        return self.model.step(torch.tensor([ids], device=self.model.embedding.weight.device), self.caches)[0]


class RotaryGPT(GPT):
    """``GPT`` with rotary positions in place of learned ones; all else, writing included, is GPT's.

    Raises:
        ValueError: if the sizes do not fit one another.
    """

    def __init__(self, config: GPTConfig):
        super().__init__(config)
        del self.positions
        for block in self.blocks:
            for name in ("q_proj", "k_proj"):
                turned = RotaryProjection(config.d_model, config.n_heads)
                turned.load_state_dict(getattr(block.self_attention, name).state_dict())
                setattr(block.self_attention, name, turned)

    def embed(self, ids: Int[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        """The tokens' vectors alone.

        Raises:
            ValueError: if there are more positions than ``max_length``.
        """
        if start + ids.shape[-1] > self.config.max_length:
            raise ValueError(
                f"this model reads at most {self.config.max_length} tokens; got {start + ids.shape[-1]}"
            )
        return self.embedding(ids)

    def step(
        self, ids: Int[Tensor, "*batch new"], caches: Sequence[KeyValueCache]
    ) -> Float[Tensor, "*batch vocab"]:
        """As ``GPT.step``: the new tokens' positions go on from those in the caches."""
        with self._positions_from(len(caches[0])):
            return super().step(ids, caches)

    def _parts(self) -> dict[str, type]:
        return _PARTS

    def _reader(self, length: int) -> StepReader:
        return StepReader(self)

    @contextmanager
    def _positions_from(self, start: int) -> Iterator[None]:
        turned = [module for module in self.modules() if isinstance(module, RotaryProjection)]
        for module in turned:
            module.start = start
        try:
            yield
        finally:
            for module in turned:
                module.start = 0

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors, under the names used here; GPT-2 has no such positions."""
        settings = {"model_type": "rotary_gpt"} | asdict(self.config)
        write_checkpoint(folder, settings, self.state_dict(), dtype)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> RotaryGPT:
        """A shipped checkpoint by its name, or one of yours by its folder, ready to write.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        settings = read_settings(file)
        if (kind := settings.pop("model_type", None)) != "rotary_gpt":
            raise ValueError(f"{file.parent} holds no GPT with rotary positions, but {kind!r}")
        config, weights = configured(GPTConfig, settings, file), read_weights(weights_file)
        check_layers(config.n_layers, weights, weights_file)
        return build(lambda: cls(config), weights, weights_file)


_PARTS = {name: kind for name, kind in PARTS.items() if not name.startswith("positions")} | {
    "": RotaryGPT,
    "blocks.*.self_attention.q_proj": RotaryProjection,
    "blocks.*.self_attention.k_proj": RotaryProjection,
}

ship(_PARTS.values())
