"""The duplication task: 0 w 0, and then w once more from memory. Who finds a place half a text away?

As an encoder sees it: the second half is hidden, and each hidden place has to say what stands half a text
before. So that all ways can be compared, in each of them a key is its query, of length 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.blocks import FeedForward, LayerNorm
from course.heads import merge_heads, split_heads
from course.models.efficient.bigbird import bigbird_blocks, block_sparse_attention
from course.models.efficient.linformer import linformer_attention
from course.models.efficient.reformer import draw_rotations, lsh_attention, shared_qk_attention

SYMBOLS = 32
WAYS = ("full", "LSH-1", "LSH-2", "LSH-4", "LSH-8", "BigBird", "Linformer")


def duplication(n: int, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Texts of ``n`` ids, and what belongs at the hidden second half: ``[batch, n / 2]``.

    A text is 0, a word w of n/2 - 1 symbols from 1 to 31, and n/2 hidden places (id 32): 0 w once more.

    Source: Kitaev et al. 2020, §5, "synthetic task"; Nalisnick et al. 2018.
    """
    half = torch.randint(1, SYMBOLS, (batch, n // 2), generator=generator)
    half[:, 0] = 0
    return torch.cat([half, torch.full_like(half, SYMBOLS)], dim=1), half


class Copier(nn.Module):
    """Two layers of one of ``WAYS``, two heads, learned positions.

    Args:
        n: the length of the texts; blocks, chunks and Linformer's rank are an eighth of it.
        way: how it attends. ``copier.way`` may be set to another one that has no weights of its own.
    """

    def __init__(self, n: int, way: str, d: int = 64, layers: int = 2):
        super().__init__()
        if way not in WAYS:
            raise ValueError(f"a way is one of {', '.join(WAYS)}; got {way!r}")
        self.n, self.way, self.size = n, way, max(n // 8, 4)
        self.embedding, self.positions = nn.Embedding(SYMBOLS + 1, d), nn.Parameter(0.5 * torch.randn(n, d))
        self.layers = nn.ModuleList(
            nn.ModuleDict({
                "norm1": LayerNorm(d), "qk": nn.Linear(d, d), "v": nn.Linear(d, d), "out": nn.Linear(d, d),
                "norm2": LayerNorm(d), "feed": FeedForward(d, 2 * d, "gelu"),
            })
            for _ in range(layers)
        )  # fmt: skip
        self.norm, self.say = LayerNorm(d), nn.Linear(d, SYMBOLS)
        if way == "Linformer":
            self.e = nn.Parameter(torch.randn(self.size, n) / self.size**0.5)
            self.f = nn.Parameter(torch.randn(self.size, n) / self.size**0.5)
        self.register_buffer("blocks", bigbird_blocks(n // self.size * 2, 1, 1, 2), persistent=False)

    def attend(self, qk: Float[Tensor, "*batch n d"], value: Tensor) -> Float[Tensor, "*batch n d"]:
        """One head after the other way: the keys are the queries, of length 1, and no √d."""
        if self.way == "full":
            return shared_qk_attention(qk, value)
        if self.way.startswith("LSH-"):
            rotations = draw_rotations(int(self.way[4:]), qk.shape[-1], 2 * (self.n // self.size))
            return lsh_attention(qk, value, rotations.to(qk), self.size)
        key = F.normalize(qk, dim=-1) * qk.shape[-1] ** 0.5
        if self.way == "BigBird":
            return block_sparse_attention(qk, key, value, self.blocks)
        return linformer_attention(qk, key, value, self.e, self.f)[0]

    def forward(self, ids: Int[Tensor, "batch n"]) -> Float[Tensor, "batch half symbols"]:
        """Logits for the hidden half."""
        x = self.embedding(ids) + self.positions
        for layer in self.layers:
            y = layer["norm1"](x)
            found = self.attend(split_heads(layer["qk"](y), 2), split_heads(layer["v"](y), 2))
            x = x + layer["out"](merge_heads(found))
            x = x + layer["feed"](layer["norm2"](x))
        return self.say(self.norm(x[:, self.n // 2 :]))

    def loss(self, ids: Int[Tensor, "batch n"], wanted: Int[Tensor, "batch half"]) -> Float[Tensor, ""]:
        """The mean cross-entropy at the hidden places, in nats."""
        return F.cross_entropy(self(ids).flatten(0, 1), wanted.flatten())


@torch.no_grad()
def share_right(copier: Copier, texts: int = 64, seed: int = 10**6) -> float:
    """The share of hidden symbols (not the 0) of new texts that are named right; chance is 1 in 31."""
    ids, wanted = duplication(copier.n, texts, torch.Generator().manual_seed(seed))
    return (copier(ids).argmax(-1) == wanted)[:, 1:].float().mean().item()
