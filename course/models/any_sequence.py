"""One encoder for any sequence: rows of numbers in, whatever they are of; a class token answers.

The block is notebook 04's (``course.blocks.EncoderBlock``), and nothing in this file knows what a token is.
A word, a patch of a picture, a hundredth of a second of speech, a letter of a protein, a day of a price: each
comes as a row of numbers and passes one linear map.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course import checkpoints
from course.blocks import EncoderBlock, LayerNorm
from course.checkpoints.reading import build, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.heads import record_attention

# --------------------------------------------------------------------------------------------------
# Functions
# --------------------------------------------------------------------------------------------------


def as_sequence(
    tokens: Float[Tensor, "*batch n d_model"],
    class_token: Float[Tensor, "d_model"],
    positions: Float[Tensor, "n+1 d_model"],
) -> Float[Tensor, "*batch n+1 d_model"]:
    """Put the class token in front of every sequence, then add to each place the vector of its position.

    The class token is the same for every sequence and stands at position 0; the first token is at position 1.
    What is given is not changed.

    Raises:
        ValueError: if there is not one position for each token and one for the class token.

    Source: Dosovitskiy et al. 2021 (ViT), equation 1; lecture row L1.1.b.
    """
    if len(positions) != tokens.shape[-2] + 1:
        raise ValueError(
            f"{tokens.shape[-2]} tokens and the class token need {tokens.shape[-2] + 1} positions; "
            f"got {len(positions)}"
        )
    first = class_token.expand(*tokens.shape[:-2], 1, -1)
    return torch.cat([first, tokens], dim=-2) + positions


def attention_rollout(weights: Float[Tensor, "layer *batch head n n"]) -> Float[Tensor, "*batch n n"]:
    """How much of each token's start has come through all layers into each place, if attention were all.

    In each layer a place keeps one half of itself (the residual connection) and takes the other half by the
    mean of its heads' weights: Â = (mean of heads + I) / 2. The layers follow one another: Â_L ... Â_2 Â_1.
    Every row sums to 1. It leaves out what values, the MLP and the norms do: a picture, not a proof.

    Args:
        weights: of all layers, the first layer first; row: who asks, column: who is asked.

    Source: Abnar and Zuidema 2020, equations 1 and 2; lecture row L1.1.b.
    """
    kept = torch.eye(weights.shape[-1], dtype=weights.dtype, device=weights.device)
    layers = (weights.mean(dim=-3) + kept) / 2  # [layer, *batch, n, n]
    flow = layers[0]
    for layer in layers[1:]:
        flow = layer @ flow
    return flow


# --------------------------------------------------------------------------------------------------
# The encoder
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SequenceConfig:
    """Sizes of an encoder.

    Args:
        d_in: how many numbers a token is, as it comes.
        n_tokens: how many tokens a sequence has, the class token not counted.
        n_out: how many numbers are answered: a logit for each class, or a forecast.
        eps: of every norm.
    """

    d_in: int
    n_tokens: int
    n_out: int
    d_model: int = 64
    n_heads: int = 4
    d_ff: int = 128
    n_layers: int = 4
    dropout: float = 0.0
    eps: float = 1e-5


START = 0.3
"""How large positions begin: about as large as a token behind its linear map, so that both are heard. (The
ViT has 0.02 for both. With 0.02 for positions alone, 150 steps on small digits came to 79 %; so, to 91 %.)"""

Own = TypeVar("Own", bound="Saved")


class Saved(nn.Module):
    """What the models here share: a ``config``, files, a loss, and looking at their own attention."""

    config_type: type

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors."""
        write_checkpoint(folder, asdict(self.config), self.state_dict(), dtype)

    @classmethod
    def from_pretrained(cls: type[Own], name: str | Path) -> Own:
        """A model that ``save`` wrote, or a shipped one by its name.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        config = configured(cls.config_type, read_settings(file), file)
        return build(lambda: cls(config), read_weights(weights_file), weights_file)

    def loss(self, x: Float[Tensor, "batch ..."], wanted: Tensor) -> Float[Tensor, ""]:
        """Cross-entropy for classes (whole numbers), squared error for numbers; the mean of the batch."""
        out = self(x)
        return F.mse_loss(out, wanted) if wanted.is_floating_point() else F.cross_entropy(out, wanted)

    @torch.no_grad()
    def accuracy(self, x: Float[Tensor, "example ..."], labels: Int[Tensor, "example"]) -> float:
        """The share of the examples whose largest logit is the right one's."""
        return (self.predict(x) == labels).float().mean().item()

    @torch.no_grad()
    def predict(self, x: Float[Tensor, "example ..."], batch: int = 500) -> Int[Tensor, "example"]:
        """The class of each example, without dropout."""
        was, _ = self.training, self.eval()
        found = torch.cat([self(part).argmax(-1) for part in x.split(batch)])
        self.train(was)
        return found

    @torch.no_grad()
    def look(self, x: Float[Tensor, "batch ..."]) -> tuple[Tensor, Float[Tensor, "layer batch head n n"]]:
        """What it answers, and the weights of every layer, the first layer first; without dropout."""
        was, _ = self.training, self.eval()
        with record_attention(self) as weights:
            out = self(x)
        self.train(was)
        return out, torch.stack(list(weights.values()))


class SequenceEncoder(Saved):
    """A linear map, a class token, learned positions, blocks with the norm first, and an answer.

    Source: Dosovitskiy et al. 2021 (ViT), equations 1 to 4; lecture rows L1.1.b, L1.2.g, L1.2.h.
    """

    config_type = SequenceConfig

    def __init__(self, config: SequenceConfig):
        super().__init__()
        self.config, d = config, config.d_model
        self.embed = nn.Linear(config.d_in, d)
        self.class_token = nn.Parameter(torch.zeros(d))
        self.positions = nn.Parameter(torch.zeros(config.n_tokens + 1, d))
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(_block(config) for _ in range(config.n_layers))
        self.norm = LayerNorm(d, config.eps)
        self.head = nn.Linear(d, config.n_out)
        for table in (self.class_token, self.positions):
            nn.init.normal_(table, std=START)

    def states(self, tokens: Float[Tensor, "batch n d_in"]) -> Float[Tensor, "batch n+1 d_model"]:
        """What the last block makes of the class token (place 0) and of every token, normalised."""
        x = self.dropout(as_sequence(self.embed(tokens), self.class_token, self.positions))
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def features(self, tokens: Float[Tensor, "batch n d_in"]) -> Float[Tensor, "batch d_model"]:
        """The class token's vector: what the answer is a linear map of."""
        return self.states(tokens)[:, 0]

    def forward(self, tokens: Float[Tensor, "batch n d_in"]) -> Float[Tensor, "batch n_out"]:
        """The answer.

        Raises:
            ValueError: if there are not as many tokens as the encoder has positions for.
        """
        return self.head(self.features(tokens))


class Linear(Saved):
    """The plainest reader: one linear map of all the numbers at once, no hidden layer, no attention.

    Args:
        d_in: how many numbers an example has.
        n_out: how many are answered.
    """

    def __init__(self, d_in: int, n_out: int):
        super().__init__()
        self.map = nn.Linear(d_in, n_out)

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch n_out"]:
        """The answer: a weighted sum of the numbers, for each class."""
        return self.map(x.flatten(1))


def n_parameters(model: nn.Module) -> int:
    """How many numbers it learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def _block(config: SequenceConfig) -> EncoderBlock:
    sizes = config.d_model, config.n_heads, config.d_ff
    block = EncoderBlock(*sizes, config.dropout, norm="pre", activation="gelu")
    block.norm1.eps = block.norm2.eps = config.eps
    return block
