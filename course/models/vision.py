"""Seeing: a picture is cut into patches, and the patches are a sequence (the Vision Transformer).

Read from the top: patches, then the model that is ``SequenceEncoder`` behind them, then a small convolutional
network to set beside it. A film is the same with one more axis: patches of every frame, one after another.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from course import checkpoints
from course.checkpoints.reading import build, configured, read_settings, read_weights
from course.models import vision_files
from course.models.any_sequence import Saved, SequenceConfig, SequenceEncoder

# --------------------------------------------------------------------------------------------------
# Patches
# --------------------------------------------------------------------------------------------------


def patches(
    images: Float[Tensor, "*batch channel height width"], size: int
) -> Float[Tensor, "*batch patch channel*size*size"]:
    """Cut pictures into squares of ``size`` × ``size`` points, row by row; each becomes one row of numbers.

    The squares do not overlap. In a patch's row the first channel's points come first, then the second's; of
    each channel row by row. So a linear map of patches is a convolution whose stride is its width.

    Raises:
        ValueError: if height or width is no multiple of the size, or the size is less than 1.

    Source: Dosovitskiy et al. 2021 (ViT), §3.1; lecture row L1.1.b.
    """
    _check_divides(size, *images.shape[-2:])
    grid = images.unflatten(-1, (-1, size)).unflatten(-3, (-1, size))  # [..., rows, size, columns, size]
    return grid.movedim((-4, -2), (-5, -4)).flatten(-3).flatten(-3, -2)


def from_patches(
    rows: Float[Tensor, "*batch patch channel*size*size"], size: int, width: int, channels: int = 1
) -> Float[Tensor, "*batch channel height width"]:
    """The pictures again: the inverse of ``patches``, for pictures so many points wide."""
    grid = rows.unflatten(-1, (channels, size, size)).unflatten(-4, (-1, width // size))
    return grid.movedim((-5, -4), (-4, -2)).flatten(-4, -3).flatten(-2)


def film_patches(
    films: Float[Tensor, "*batch frame channel height width"], size: int, frames: int = 1
) -> Float[Tensor, "*batch token frames*channel*size*size"]:
    """The patches of every frame, one frame after another: a sequence over space and time.

    With ``frames`` above 1 a token is a tubelet: the same square in so many frames that follow one another,
    the earliest first. So it holds how that square changes.

    Raises:
        ValueError: as ``patches``; if a film has no multiple of so many frames.

    Source: Arnab et al. 2021 (ViViT), §3.2 and figures 2 and 3; lecture row L1.2.g.
    """
    if frames < 1 or films.shape[-4] % frames:
        raise ValueError(f"a film of {films.shape[-4]} frames cannot be cut into stretches of {frames}")
    stacked = films.unflatten(-4, (-1, frames)).flatten(-4, -3)  # [*batch, stretch, frames * channel, h, w]
    return patches(stacked, size).flatten(-3, -2)


# --------------------------------------------------------------------------------------------------
# Models
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ViTConfig:
    """Sizes of a Vision Transformer for square pictures of ``side`` points, cut into patches of ``patch``."""

    side: int = 28
    patch: int = 4
    channels: int = 1
    n_classes: int = 10
    d_model: int = 64
    n_heads: int = 4
    d_ff: int = 128
    n_layers: int = 4
    dropout: float = 0.0
    eps: float = 1e-5


class ViT(Saved):
    """Patches, and the encoder for any sequence behind them. Nothing else in it knows of pictures.

    Source: Dosovitskiy et al. 2021 (ViT), figure 1 and equations 1 to 4; lecture rows L1.1.b, L3.6.g.
    """

    config_type = ViTConfig

    def __init__(self, config: ViTConfig):
        super().__init__()
        _check_divides(config.patch, config.side, config.side)
        self.config = config
        self.encoder = SequenceEncoder(_encoder_sizes(config))

    @property
    def grid(self) -> int:
        """How many patches stand side by side."""
        return self.config.side // self.config.patch

    def forward(self, images: Float[Tensor, "batch channel side side"]) -> Float[Tensor, "batch class"]:
        """Logits.

        Raises:
            ValueError: if the pictures have another size than the model's.
        """
        return self.encoder(self.tokens(images))

    def features(self, images: Float[Tensor, "batch channel side side"]) -> Float[Tensor, "batch d_model"]:
        """The class token's vector: what the logits are a linear map of."""
        return self.encoder.features(self.tokens(images))

    def tokens(self, images: Float[Tensor, "batch channel side side"]) -> Float[Tensor, "batch patch d_in"]:
        """The pictures' patches, before anything is learned."""
        wanted = (self.config.channels, self.config.side, self.config.side)
        if tuple(images.shape[-3:]) != wanted:
            raise ValueError(f"this model sees pictures of {list(wanted)}; got {list(images.shape)}")
        return patches(images, self.config.patch)

    @classmethod
    def from_transformers(cls, name: str | Path) -> ViT:
        """A Vision Transformer that transformers' ``ViTForImageClassification`` saved, or one from the hub.

        Raises:
            OSError: if there is no such checkpoint, or it cannot be downloaded now.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        config = configured(ViTConfig, vision_files.sizes(read_settings(file)), file)
        weights = vision_files.renamed(read_weights(weights_file))
        return build(lambda: cls(config), weights, weights_file)


class SmallCNN(Saved):
    """A convolutional network to set beside: two layers of 3 × 3 filters, each pooled by 2, and a linear map.

    What it brings and attention does not: that neighbours belong together, and that a stroke is the same
    stroke wherever it stands.

    Args:
        side: of the pictures, a multiple of 4.
        width: filters of the first layer; the second has twice as many.

    Source: after LeCun et al. 1998.
    """

    def __init__(self, side: int, n_classes: int = 10, channels: int = 1, width: int = 16):
        super().__init__()
        _check_divides(4, side, side)
        self.see = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.head = nn.Linear(2 * width * (side // 4) ** 2, n_classes)

    def forward(self, images: Float[Tensor, "batch channel side side"]) -> Float[Tensor, "batch class"]:
        """Logits."""
        return self.head(self.see(images).flatten(1))


def _encoder_sizes(config: ViTConfig) -> SequenceConfig:
    shared = {k: v for k, v in asdict(config).items() if k in SequenceConfig.__dataclass_fields__}
    n_tokens = (config.side // config.patch) ** 2
    return SequenceConfig(config.channels * config.patch**2, n_tokens, config.n_classes, **shared)


def _check_divides(size: int, height: int, width: int) -> None:
    if size < 1 or height % size or width % size:
        raise ValueError(
            f"a picture of {height} × {width} points cannot be cut into squares of {size} × {size}: "
            "height and width must be multiples of the size"
        )
