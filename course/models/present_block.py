"""The decoder block of 2017 becomes a present one, part by part: each part adds one change to those before.

    for part in PARTS:
        model = PresentGPT(vocab_size, part)

All have about as many parameters: what a change saves, the feed-forward network gets.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course.blocks import FeedForward, LayerNorm, residual
from course.heads import merge_heads, split_heads
from course.masks import causal_mask
from course.models.efficient.grouped import grouped_attention
from course.positions import rotary, sinusoidal_positions

PARTS = ("2017", "pre-norm", "RMSNorm", "rotary positions", "SwiGLU", "grouped queries")
HEADS, GROUPS = 4, 1


def has(part: str, change: str) -> bool:
    """Whether a block that has come to ``part`` has this change.

    Raises:
        ValueError: if there is no such part.
    """
    for name in (part, change):
        if name not in PARTS:
            raise ValueError(f"a part is one of {', '.join(PARTS)}; got {name!r}")
    return PARTS.index(change) <= PARTS.index(part)


def rms_norm(
    x: Float[Tensor, "*batch d"], weight: Float[Tensor, "d"], eps: float = 1e-5
) -> Float[Tensor, "*batch d"]:
    """Give each vector's entries the mean square 1, then scale them: a layer norm that centres nothing.

    Source: Zhang and Sennrich 2019, equation 4; lecture row L1.7.d.
    """
    return x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + eps) * weight


class RMSNorm(nn.Module):
    """``rms_norm`` with a learned weight (from 1)."""

    def __init__(self, d_model: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Scale each vector by its own size, then by ``self.weight``."""
        return rms_norm(x, self.weight)


class SwiGLU(nn.Module):
    """A feed-forward network whose hidden units are opened by a gate: (silu(x W) ⊙ x V) W₂, without biases.

    Source: Shazeer 2020, equation 6; lecture row L1.7.d.
    """

    def __init__(self, d_model: int, d_ff: int):
        super().__init__()
        self.gate, self.up = (nn.Linear(d_model, d_ff, bias=False) for _ in range(2))
        self.down = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Each position alone."""
        return self.down(F.silu(self.gate(x)) * self.up(x))


class GroupedHeads(nn.Module):
    """Causal self-attention of ``heads`` heads that share ``groups`` heads of keys and values.

    Args:
        turned: rotary positions, on queries and keys.

    Source: Ainslie et al. 2023, §2.2; Su et al. 2021, equation 16; lecture row L1.7.d.
    """

    def __init__(self, d_model: int, heads: int, groups: int, turned: bool):
        super().__init__()
        self.heads, self.groups, self.turned = heads, groups, turned
        shared = d_model // heads * groups
        self.query, self.out = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.key, self.value = nn.Linear(d_model, shared), nn.Linear(d_model, shared)

    def forward(
        self, x: Float[Tensor, "*batch n d"], mask: Bool[Tensor, "n n"]
    ) -> Float[Tensor, "*batch n d"]:
        """Project, turn where that is asked for, attend, put the heads together."""
        query = split_heads(self.query(x), self.heads)
        key, value = (split_heads(part(x), self.groups) for part in (self.key, self.value))
        if self.turned:
            places = torch.arange(x.shape[-2], device=x.device)
            query, key = rotary(query, places), rotary(key, places)
        return self.out(merge_heads(grouped_attention(query, key, value, mask)))


class PresentBlock(nn.Module):
    """A decoder block without cross-attention, with every change of ``PARTS`` up to ``part``."""

    def __init__(self, d_model: int, part: str):
        super().__init__()
        norm = RMSNorm if has(part, "RMSNorm") else LayerNorm
        self.pre = has(part, "pre-norm")
        self.norm1, self.norm2 = norm(d_model), norm(d_model)
        groups = GROUPS if has(part, "grouped queries") else HEADS
        self.attention = GroupedHeads(d_model, HEADS, groups, has(part, "rotary positions"))
        hidden = 4 * d_model + (d_model - d_model // HEADS * groups)  # what smaller keys and values save
        gated = has(part, "SwiGLU")
        self.feed_forward = SwiGLU(d_model, 2 * hidden // 3) if gated else FeedForward(d_model, hidden)

    def forward(
        self, x: Float[Tensor, "*batch n d"], mask: Bool[Tensor, "n n"]
    ) -> Float[Tensor, "*batch n d"]:
        """Both sublayers in turn, inside ``residual``."""
        x = residual(x, lambda y: self.attention(y, mask), self.norm1, pre=self.pre)
        return residual(x, self.feed_forward, self.norm2, pre=self.pre)


class PresentGPT(nn.Module):
    """A GPT of such blocks; one matrix embeds the tokens and gives the logits.

    Args:
        part: how far the block has come, one of ``PARTS``.

    Raises:
        ValueError: as ``has``.

    Source: lecture row L1.7.d; all of the changes together: Touvron et al. 2023 (LLaMA), §2.2.
    """

    def __init__(self, vocab_size: int, part: str, d_model: int = 128, layers: int = 4):
        super().__init__()
        self.part = part
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.blocks = nn.ModuleList(PresentBlock(d_model, part) for _ in range(layers))
        self.norm = self.blocks[0].norm1.__class__(d_model) if has(part, "pre-norm") else nn.Identity()
        nn.init.normal_(self.embedding.weight, std=d_model**-0.5)

    def forward(self, ids: Int[Tensor, "*batch n"]) -> Float[Tensor, "*batch n vocab"]:
        """Logits of the next token at each position."""
        x = self.embedding(ids) * self.embedding.embedding_dim**0.5
        if not has(self.part, "rotary positions"):
            x = x + sinusoidal_positions(ids.shape[-1], x.shape[-1]).to(x)
        mask = causal_mask(ids.shape[-1]).to(ids.device)
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x) @ self.embedding.weight.mT

    def loss(self, ids: Int[Tensor, "batch n"], wanted: Int[Tensor, "batch n"]) -> Float[Tensor, ""]:
        """The mean cross-entropy, in nats a token."""
        return F.cross_entropy(self(ids).flatten(0, 1), wanted.flatten())
