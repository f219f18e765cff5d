"""A language model of characters on one layer of LSTM, whose gates can be watched while it reads."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course import checkpoints
from course.checkpoints.reading import build, configured, read_settings, read_weights
from course.checkpoints.writing import write_checkpoint
from course.models.recurrent import Gates, lstm_gates, set_forget_bias
from course.text.characters import Characters


@dataclass(frozen=True)
class CharacterLSTMConfig:
    """The sizes: characters, width of a character's vector, cells."""

    vocab_size: int
    d_embedding: int = 48
    hidden_size: int = 192


@dataclass(frozen=True)
class Reading:
    """What every cell did at every character of a text.

    ``gates`` are those with which a character was taken in, ``cells`` and ``outputs`` what was held and said
    right after, ``surprise`` what the character cost before it was seen, in nats (nan for the first).
    """

    characters: list[str]
    gates: Gates
    cells: Float[Tensor, "time hidden"]
    outputs: Float[Tensor, "time hidden"]
    surprise: Float[Tensor, "time"]


class CharacterLSTM(nn.Module):
    """Reads characters, gives logits of the next one. Torch's kernel trains it; ``read`` takes our own steps.

    Source: Graves 2013, §2; Karpathy et al. 2015 (cells that can be read); lecture row L1.2.a.
    """

    def __init__(self, config: CharacterLSTMConfig, characters: Characters | None = None):
        super().__init__()
        self.config, self.characters = config, characters
        self.embedding = nn.Embedding(config.vocab_size, config.d_embedding)
        self.lstm = nn.LSTM(config.d_embedding, config.hidden_size, batch_first=True)
        self.to_logits = nn.Linear(config.hidden_size, config.vocab_size)
        set_forget_bias(self.lstm)

    def forward(self, ids: Int[Tensor, "batch n"]) -> Float[Tensor, "batch n vocab"]:
        """Logits, at each character, of the one that comes next; the state before the first is 0."""
        return self.to_logits(self.lstm(self.embedding(ids))[0])

    def loss(self, ids: Int[Tensor, "batch n"], targets: Int[Tensor, "batch n"]) -> Float[Tensor, ""]:
        """The mean cross-entropy of the targets, in nats a character."""
        return F.cross_entropy(self(ids).flatten(0, -2).float(), targets.flatten())

    def encode(self, text: str) -> list[int]:
        """The ids of a text in lower case.

        Raises:
            ValueError: if there is no character, no vocabulary, or one of the characters is unknown to it.
        """
        if self.characters is None:
            raise ValueError("this model has no vocabulary: load it with from_pretrained")
        if not text:
            raise ValueError("type at least one character")
        return self.characters.encode(text.lower())

    @torch.no_grad()
    def read(self, text: str) -> Reading:
        """Every gate, cell and output at every character of a text.

        Raises:
            ValueError: as ``encode``.
        """
        ids = torch.tensor(self.encode(text), device=self.embedding.weight.device)
        h = c = self.embedding.weight.new_zeros(self.config.hidden_size)
        gates, cells, outputs = [], [], []
        for x in self.embedding(ids):
            now = lstm_gates(x, h, *self.lstm.parameters())
            c = now.forget * c + now.input * now.candidate
            h = now.output * c.tanh()
            gates, cells, outputs = [*gates, now], [*cells, c], [*outputs, h]
        log_p = self.to_logits(torch.stack(outputs)).log_softmax(dim=-1)
        cost = -log_p[:-1].gather(-1, ids[1:, None])[:, 0]
        stacked = Gates(*map(torch.stack, zip(*gates, strict=True)))
        pieces = self.characters.pieces(ids.tolist())
        first = cost.new_full((1,), torch.nan)
        return Reading(pieces, stacked, torch.stack(cells), torch.stack(outputs), torch.cat([first, cost]))

    @torch.no_grad()
    def write(self, prompt: str, n: int = 200, temperature: float = 0.7, seed: int = 0) -> str:
        """A prompt and ``n`` characters drawn behind it, one at a time.

        Raises:
            ValueError: as ``encode``, or if the temperature is not above 0.
        """
        if temperature <= 0:
            raise ValueError(f"the temperature must be above 0; got {temperature}")
        ids, state = self.encode(prompt), None
        generator, new = torch.Generator().manual_seed(seed), torch.tensor([ids])
        for _ in range(n):
            output, state = self.lstm(self.embedding(new), state)
            p = (self.to_logits(output[0, -1]) / temperature).softmax(dim=-1)
            new = torch.multinomial(p, 1, generator=generator)[None]
            ids.append(int(new))
        return self.characters.decode(ids)

    def save(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json, model.safetensors (as ``dtype``, if given) and characters.json."""
        folder = write_checkpoint(folder, asdict(self.config), self.state_dict(), dtype)
        if self.characters:
            self.characters.save(folder / "characters.json")

    @classmethod
    def from_pretrained(cls, name: str | Path) -> CharacterLSTM:
        """A model that ``save`` wrote to a folder, or a shipped one by its name.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another kind, or a file is damaged or does not fit the other.
        """
        file, weights_file = (checkpoints.find_file(name, f) for f in ("config.json", "model.safetensors"))
        config = configured(CharacterLSTMConfig, read_settings(file), file)
        vocabulary = file.with_name("characters.json")
        characters = Characters.load(vocabulary) if vocabulary.is_file() else None
        return build(lambda: cls(config, characters), read_weights(weights_file), weights_file)


def half_life(forget: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Steps after which half of what a cell holds is left, if its forget gate stays as it is: ln ½ / ln f.

    A gate of 0.5 halves at every step; one of 0.99 keeps half for 69 steps.
    """
    return math.log(0.5) / forget.clamp(1e-12, 1 - 1e-7).log()
