"""Handwritten digits: 10,000 of MNIST's, 2,000 of which ship, and 1,797 small ones of 8 × 8 points.

Credits and licences: ``seen_and_heard/README.md``.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from course.data.download import path

FOLDER = Path(__file__).with_name("seen_and_heard")
SIDE, SMALL, ACROSS = 28, 8, 50
"""Points a side of MNIST's pictures and of the small ones; pictures in a row of a shipped sheet."""
HELD_OUT = (range(4_000, 5_000), range(9_000, 10_000))
"""Of the 10,000: the last thousand of each half, for the halves are of other writers and not equally hard."""
SMALL_TRAINED = 1_400


class Digits(NamedTuple):
    """Pictures, ink 1 on a ground of 0, and what they show."""

    images: Float[Tensor, "picture 1 side side"]
    labels: Int[Tensor, "picture"]

    def of(self, *digits: int) -> Digits:
        """Those of these digits alone."""
        chosen = torch.isin(self.labels, torch.tensor(digits))
        return Digits(self.images[chosen], self.labels[chosen])


def held_out() -> Digits:
    """The 2,000 of MNIST's test pictures that no recipe of the course trains on; they ship with it."""
    return _sheet("mnist.png", SIDE, 255)


def trained() -> Digits:
    """The other 8,000, downloaded where they are not here yet.

    Raises:
        DownloadError: if they have to be downloaded and cannot be.
    """
    every = mnist()
    keep = torch.ones(len(every.labels), dtype=torch.bool)
    for span in HELD_OUT:
        keep[span.start : span.stop] = False
    return Digits(every.images[keep], every.labels[keep])


def mnist() -> Digits:
    """All of MNIST's 10,000 test pictures, in the order of the file.

    Raises:
        DownloadError: as ``trained``.
    """
    packed = [gzip.decompress(path("mnist_t10k", f"t10k-{of}-ubyte.gz").read_bytes()) for of in _FILES]
    pixels = np.frombuffer(packed[0], np.uint8, offset=16).reshape(-1, 1, SIDE, SIDE)
    labels = np.frombuffer(packed[1], np.uint8, offset=8)
    return Digits(torch.tensor(pixels) / 255, torch.tensor(labels).long())


def small(part: str) -> Digits:
    """The small digits: the first 1,400 for "train", the other 397, of other writers, for "test".

    Raises:
        ValueError: if the part is neither.
    """
    parts = {"train": slice(SMALL_TRAINED), "test": slice(SMALL_TRAINED, None)}
    if part not in parts:
        raise ValueError(f"part must be 'train' or 'test'; got {part!r}")
    every = _sheet("small_digits.png", SMALL, 16)
    return Digits(every.images[parts[part]], every.labels[parts[part]])


def shifted(images: Float[Tensor, "picture c h w"], reach: int, generator: torch.Generator) -> Tensor:
    """Each picture moved by up to ``reach`` points each way, what leaves on one side lost."""
    n, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, [reach] * 4)
    y, x = torch.randint(2 * reach + 1, (2, n, 1), generator=generator)
    rows, columns = y + torch.arange(height), x + torch.arange(width)
    return padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None]].movedim(-1, 1)


_FILES = ("images-idx3", "labels-idx1")


@cache
def _sheet(name: str, side: int, full: int) -> Digits:
    """A shipped sheet; the labels are in its file, as a text."""
    sheet = Image.open(FOLDER / name)
    labels = torch.tensor([int(digit) for digit in sheet.text["labels"]])
    pixels = np.asarray(sheet)
    tiles = pixels.reshape(-1, side, pixels.shape[1] // side, side).swapaxes(1, 2).reshape(-1, 1, side, side)
    return Digits(torch.tensor(tiles[: len(labels)]) / full, labels)


def _write_sheet(name: str, pixels: np.ndarray, labels: np.ndarray) -> None:
    """What ``_sheet`` reads: how the two shipped sheets were made."""
    from PIL.PngImagePlugin import PngInfo

    n, side, _ = pixels.shape
    blank = np.zeros((-n % ACROSS, side, side), np.uint8)
    tiles = np.concatenate([pixels.astype(np.uint8), blank]).reshape(-1, ACROSS, side, side)
    said = PngInfo()
    said.add_text("labels", "".join(map(str, labels.tolist())))
    sheet = tiles.swapaxes(1, 2).reshape(-1, ACROSS * side)
    Image.fromarray(sheet).save(FOLDER / name, pnginfo=said, optimize=True)
