"""From words to pictures: a GPT reads a caption and writes the tokens of a picture, row by row.

Source: Ramesh et al. 2021 (DALL·E), §2: text tokens, then image tokens, one sequence, one decoder.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors.torch import save_file
from torch import Tensor

from course import checkpoints
from course.checkpoints.reading import read_weights
from course.data.shapes import draw, split_words, vocabulary
from course.heads import record_attention
from course.masking import IGNORED
from course.models.gpt import GPT
from course.models.picture_codes import from_patches, nearest_codes, to_patches

CAPTION, PICTURE = 32, 81
"""Places for a caption's words, and for a picture's tokens."""


@dataclass(frozen=True)
class Reading:
    """A caption as the model reads it: words that it knows, their ids, and those that it does not know."""

    words: list[str]
    ids: list[int]
    unknown: list[str]


@dataclass(frozen=True)
class Drawn:
    """A picture's tokens, how likely each was, and where the model looked before it wrote each.

    ``to_words`` and ``to_picture`` are parts of the same rows of weights: on the caption's words, and on the
    tokens written before; what is missing to 1 lies on padding and on the sign that a picture begins.
    """

    reading: Reading
    codes: Int[Tensor, "81"]
    chances: Float[Tensor, "81"]
    to_words: Float[Tensor, "layer head 81 words"]
    to_picture: Float[Tensor, "layer head 81 81"]


class PictureWriter:
    """A GPT over a codebook of image tokens and a list of words.

    A token below ``len(codebook)`` is a code; the next is padding, then comes the sign that a picture begins,
    then the words. A caption is padded to 32 places, so that a picture's tokens are always at the same ones.

    Args:
        gpt: with as many tokens as these are.
        codebook: one square of points a code.
        words: those that it knows.

    Raises:
        ValueError: if the sizes do not fit.
    """

    def __init__(
        self, gpt: GPT, codebook: Float[Tensor, "codes numbers"], words: Sequence[str] | None = None
    ):
        self.gpt, self.codebook = gpt, codebook
        self.words = list(vocabulary() if words is None else words)
        self.pad, self.begin = len(codebook), len(codebook) + 1
        self.number = {word: self.begin + 1 + i for i, word in enumerate(self.words)}
        if gpt.config.vocab_size != self.tokens(len(codebook), len(self.words)):
            raise ValueError(
                f"{len(codebook)} codes and {len(self.words)} words are "
                f"{self.tokens(len(codebook), len(self.words))} tokens; the GPT has {gpt.config.vocab_size}"
            )

    @staticmethod
    def tokens(codes: int, words: int) -> int:
        """How many tokens so many codes and words need."""
        return codes + 2 + words

    # -- captions --

    def read(self, caption: str) -> Reading:
        """The words of a caption that the model knows, and the others, which it can only leave out.

        Raises:
            ValueError: if no word is known, or more are than it has places for.
        """
        words = split_words(caption)
        known = [word for word in words if word in self.number]
        unknown = [word for word in words if word not in self.number]
        if not [word for word in known if word != ","]:
            raise ValueError(f"none of these words is known; it knows {', '.join(self.words[1:])}")
        if len(known) > CAPTION:
            raise ValueError(f"{len(known)} words, and there are places for {CAPTION}: say it in fewer")
        return Reading(known, [self.number[word] for word in known], unknown)

    def near(self, word: str) -> str | None:
        """A known word that is spelled like this one."""
        return next(iter(difflib.get_close_matches(word, self.words, 1)), None)

    def prompt(self, reading: Reading) -> Int[Tensor, "33"]:
        """The caption at its 32 places, and the sign that a picture begins."""
        padding = [self.pad] * (CAPTION - len(reading.ids))
        return torch.tensor([*reading.ids, *padding, self.begin])

    # -- pictures --

    def encode(self, pictures: Float[Tensor, "*batch 3 36 36"]) -> Int[Tensor, "*batch 81"]:
        """The tokens of pictures: of each square the nearest code."""
        return nearest_codes(to_patches(pictures), self.codebook)

    def decode(self, codes: Int[Tensor, "*batch 81"]) -> Float[Tensor, "*batch 3 36 36"]:
        """The picture that these tokens are."""
        return from_patches(self.codebook[codes])

    def scene_codes(self, scenes: Int[Tensor, "*batch 9"]) -> Int[Tensor, "*batch 81"]:
        """The tokens of drawn scenes."""
        return self.encode(draw(scenes))

    # -- writing --

    @torch.no_grad()
    def write(
        self,
        prompts: Int[Tensor, "batch 33"],
        temperature: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Int[Tensor, "batch 81"]:
        """Write pictures, all of them at once, token by token; temperature 0 takes the likeliest."""
        caches, new, written = self.gpt.caches(), prompts, []
        for _ in range(PICTURE):
            logits = self.gpt.step(new, caches)[:, : len(self.codebook)]
            if temperature:
                chances = (logits / temperature).softmax(-1)
                new = torch.multinomial(chances, 1, generator=generator)
            else:
                new = logits.argmax(-1, keepdim=True)
            written.append(new)
        return torch.cat(written, dim=-1)

    @torch.no_grad()
    def draw(self, caption: str, temperature: float = 0.0, seed: int | None = None) -> Drawn:
        """A picture for a caption, and the attention of every token of it.

        Raises:
            ValueError: as ``read``.
        """
        reading = self.read(caption)
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        codes = self.write(self.prompt(reading)[None], temperature, generator)[0]
        ids = torch.cat([self.prompt(reading), codes[:-1]])
        with record_attention(self.gpt) as weights:
            logits = self.gpt(ids[None])[0, CAPTION:, : len(self.codebook)]
        looks = torch.cat(list(weights.values()))[:, :, CAPTION:]  # [layer, head, 81, 32 + 1 + 80]
        earlier = torch.zeros(*looks.shape[:3], PICTURE)
        earlier[..., : PICTURE - 1] = looks[..., CAPTION + 1 :]
        chances = logits.softmax(-1).gather(-1, codes[:, None])[:, 0]
        return Drawn(reading, codes, chances, looks[..., : len(reading.ids)], earlier)

    # -- files --

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write the GPT as ``GPT.save`` does, and beside it the codebook; the words are the course's own."""
        self.gpt.save(folder, dtype)
        stored = {"codebook": self.codebook.to(dtype or self.codebook.dtype).contiguous()}
        save_file(stored, Path(folder) / "codebook.safetensors")

    @classmethod
    def from_pretrained(cls, name: str | Path) -> PictureWriter:
        """A writer from a folder or the name of a shipped checkpoint.

        Raises:
            OSError, ValueError: as ``GPT.from_pretrained``.
        """
        codebook = read_weights(checkpoints.find_file(name, "codebook.safetensors"))["codebook"].float()
        return cls(GPT.from_pretrained(name), codebook)


def training_rows(
    prompts: Int[Tensor, "batch 33"], codes: Int[Tensor, "batch 81"]
) -> tuple[Int[Tensor, "batch 113"], Int[Tensor, "batch 113"]]:
    """Ids and targets for ``GPT.loss``: predictions count where they are of a picture's token.

    (DALL·E weighs its captions' tokens by an eighth; here they do not count: the learner writes them.)

    Source: Ramesh et al. 2021, §2.2.
    """
    ids = torch.cat([prompts, codes[:, :-1]], dim=-1)
    targets = torch.full_like(ids, IGNORED)
    targets[:, CAPTION:] = codes
    return ids, targets
