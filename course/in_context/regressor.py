"""A decoder-only transformer over numbers: it reads pairs (x, y), and predicts each y from those before."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from course import checkpoints
from course.blocks import LayerNorm
from course.checkpoints.reading import build, check_layers, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.in_context.regression import POINTS, WIDTH
from course.masks import causal_mask
from course.models.gpt import GPTBlock, GPTConfig
from course.positions import LearnedPositions


@dataclass(frozen=True)
class RegressorConfig:
    """The sizes of an ``InContextRegressor``.

    Args:
        width: numbers in an x; a prompt of fewer dimensions has zeros behind them.
        points: pairs in the longest prompt.
    """

    width: int = WIDTH
    points: int = POINTS
    d_model: int = 96
    n_heads: int = 4
    n_layers: int = 5


class InContextRegressor(nn.Module):
    """GPT's blocks between two linear maps: numbers are read in and read out, and no token is embedded.

    Position k reads the question x_k and the pair just completed, (x_{k-1}, y_{k-1}), and answers with y_k;
    it sees the earlier positions by causal attention. (Garg et al. give x and y a position each, twice as
    many.)

    Source: Garg et al. 2022, §3.1 and appendix A.1; lecture row L1.6.d.
    """

    def __init__(self, config: RegressorConfig):
        super().__init__()
        self.config = config
        sizes = GPTConfig(
            d_model=config.d_model, n_heads=config.n_heads, n_layers=config.n_layers, dropout=0.0
        )
        self.read_in = nn.Linear(2 * config.width + 1, config.d_model)
        self.positions = LearnedPositions(config.points, config.d_model)
        self.blocks = nn.ModuleList(GPTBlock(sizes) for _ in range(config.n_layers))
        self.norm = LayerNorm(config.d_model)
        self.read_out = nn.Linear(config.d_model, 1)
        nn.init.normal_(self.positions.embedding.weight, std=0.02)

    def forward(
        self, x: Float[Tensor, "batch points width"], y: Float[Tensor, "batch points"]
    ) -> Float[Tensor, "batch points"]:
        """Every y predicted from its x and the pairs before; the last y is not read at all.

        Raises:
            ValueError: if there are more points than ``config.points``, or x has another width.
        """
        if x.shape[-1] != self.config.width:
            raise ValueError(
                f"this model reads x of width {self.config.width}, with zeros behind a shorter one; "
                f"got {x.shape[-1]}"
            )
        pairs = torch.cat([x, y[..., None]], dim=-1)  # [batch, points, width + 1]
        before = torch.cat([torch.zeros_like(pairs[:, :1]), pairs[:, :-1]], dim=1)
        h = self.read_in(torch.cat([x, before], dim=-1)) + self.positions(x.shape[1])
        mask = causal_mask(x.shape[1]).to(x.device)
        for block in self.blocks:
            h = block(h, mask)
        return self.read_out(self.norm(h)).squeeze(-1)

    def loss(
        self, x: Float[Tensor, "batch points width"], y: Float[Tensor, "batch points"]
    ) -> Float[Tensor, ""]:
        """The mean squared error over every number of shots at once.

        Source: Garg et al. 2022, equation 2.
        """
        return (self(x, y) - y).square().mean()

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors; ``torch.float16`` takes half the space."""
        write_checkpoint(folder, asdict(self.config), self.state_dict(), dtype)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> InContextRegressor:
        """A shipped checkpoint by its name, or one of yours by its folder, ready to predict.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        config, weights = configured(RegressorConfig, read_settings(file), file), read_weights(weights_file)
        check_layers(config.n_layers, weights, weights_file)
        return build(lambda: cls(config), weights, weights_file)
