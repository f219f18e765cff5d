"""DeBERTa: what a token means and where it stands are kept apart, and attention asks for both.

BERT adds a position's vector to a token's, once, below the first block. DeBERTa adds none. In every head each
pair of tokens gets three scores: content to content, as ever; content to position ("do I want somebody who
stands two places to my left?"); position to content ("does what stands here want to be read from there?").
Positions are relative, and one table of their vectors serves all blocks.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course.attention import masked_softmax, weighted_sum
from course.heads import MultiHeadAttention, merge_heads, split_heads
from course.models.bert import Bert, BertConfig
from course.models.bert_heads import BertForMaskedLM

KINDS = ("c2p", "p2c")
"""Content to position and position to content, as transformers calls them."""


def relative_distances(n: int, span: int) -> Int[Tensor, "query key"]:
    """For query i and key j the row of the table of relative positions: i - j + span, from 0 to 2·span - 1.

    Row ``span`` is the token itself, rows above it are keys to the left. What is further away than the table
    reaches shares its outermost row.

    Args:
        span: how far the table reaches to either side; it has 2·span rows.

    Source: He et al. 2021 (DeBERTa), equation 3; lecture row L1.6.j.
    """
    places = torch.arange(n)
    return (places.unsqueeze(-1) - places + span).clamp(0, 2 * span - 1)


def relative_buckets(n: int, span: int, furthest: int) -> Int[Tensor, "query key"]:
    """``relative_distances``, but a table of the same size tells distances apart up to ``furthest``.

    Those of up to span / 2 each have a row of their own; further away more and more distances share one.

    Raises:
        ValueError: unless 2 <= span < furthest.

    Source: He et al. 2023 (DeBERTaV3), and the authors' code ("log bucket").
    """
    if not 2 <= span < furthest:
        raise ValueError(f"buckets need 2 <= span < furthest; got span {span}, furthest {furthest}")
    places, middle = torch.arange(n), span // 2
    distance = places.unsqueeze(-1) - places  # i - j
    reach = torch.tensor((furthest - 1) / middle).log()  # in float32, as the authors' code rounds
    steps = (distance.abs().clamp_min(middle) / middle).log() / reach
    far = (steps * (middle - 1)).ceil().long() + middle
    near = distance.abs() <= middle
    return (distance.where(near, distance.sign() * far) + span).clamp(0, 2 * span - 1)


def disentangled_score(
    query: Float[Tensor, "*batch n d_head"],
    key: Float[Tensor, "*batch n d_head"],
    distances: Int[Tensor, "n n"],
    relative_key: Float[Tensor, "*#batch rows d_head"] | None = None,
    relative_query: Float[Tensor, "*#batch rows d_head"] | None = None,
) -> Float[Tensor, "*batch n n"]:
    """The sum of the scores' parts, over the square root of d_head times their number.

    Content to content is q_i · k_j. With keys of relative positions q_i · (relative key of the distance of i
    and j) is added, content to position; with queries of them k_j · (relative query of that distance),
    position to content.

    Args:
        distances: the row of the table for each query and key; see ``relative_distances``.
        relative_key, relative_query: a table for each head, or one for all.

    Source: He et al. 2021 (DeBERTa), equations 2 and 4; lecture row L1.6.j. Equation 4 looks the
    relative query up at the distance of j and i; the authors' code, transformers and this at that of i and j.
    """
    scores, parts = query @ key.mT, 1
    if relative_key is not None:
        of_rows = query @ relative_key.mT  # [*batch, i, rows]
        scores, parts = scores + of_rows.gather(-1, distances.expand_as(scores)), parts + 1
    if relative_query is not None:
        of_rows = key @ relative_query.mT  # [*batch, j, rows]
        scores, parts = scores + of_rows.gather(-1, distances.mT.expand_as(scores)).mT, parts + 1
    return scores / math.sqrt(parts * query.shape[-1])


class DisentangledAttention(MultiHeadAttention):
    """Multi-head attention with the scores of ``disentangled_score``.

    Args:
        d_model, n_heads: as in ``MultiHeadAttention``.
        relative: the table of relative positions, ``[2·span, d_model]``; attentions may share it.
        kinds: which scores there are beside content to content: "c2p", "p2c".
        furthest: None, or how far ``relative_buckets`` tell distances apart.
        share: whether positions go through the maps that make queries and keys of contents (DeBERTa-v3), or
            through maps of their own.
        dropout: of weights, in training.

    Raises:
        ValueError: if ``d_model`` is not divisible by ``n_heads``, or a kind is unknown.

    Source: He et al. 2021 (DeBERTa), §3.1; lecture row L1.6.j.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        relative: nn.Embedding,
        kinds: tuple[str, ...] = KINDS,
        furthest: int | None = None,
        share: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__(d_model, n_heads, dropout=dropout)
        if not set(kinds) <= set(KINDS):
            raise ValueError(f"kinds of scores are {', '.join(KINDS)}; got {', '.join(kinds)}")
        self.relative, self.kinds, self.furthest = relative, kinds, furthest
        own = not share
        self.relative_k_proj = nn.Linear(d_model, d_model) if own and "c2p" in kinds else None
        self.relative_q_proj = nn.Linear(d_model, d_model) if own and "p2c" in kinds else None

    def forward(
        self,
        query: Float[Tensor, "batch n d_model"],
        key: None = None,
        value: None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "batch n d_model"], Float[Tensor, "batch heads n n"] | None]:
        """Self-attention; arguments and results are those of ``MultiHeadAttention``."""
        q, k, v, mask = self._prepare(query, key, value, mask)
        q, k, v = self.q_proj(q), self.k_proj(k), self.v_proj(v)
        relative_key, relative_query = self.relative_maps()
        sizes = q.shape[-2], self.relative.num_embeddings // 2
        distances = relative_buckets(*sizes, self.furthest) if self.furthest else relative_distances(*sizes)
        scores = disentangled_score(
            split_heads(q, self.n_heads),
            split_heads(k, self.n_heads),
            distances.to(q.device),
            relative_key,
            relative_query,
        )
        weights = self.dropout(masked_softmax(scores, mask))
        output = weighted_sum(weights, split_heads(v, self.n_heads))
        return self.out_proj(merge_heads(output)), weights if need_weights else None

    def relative_maps(self) -> tuple[Float[Tensor, "heads rows d_head"] | None, ...]:
        """The keys and the queries that each head makes of the relative positions; None without that kind."""
        maps = {"c2p": self.relative_k_proj or self.k_proj, "p2c": self.relative_q_proj or self.q_proj}
        return tuple(
            split_heads(maps[kind](self.relative.weight), self.n_heads) if kind in self.kinds else None
            for kind in KINDS
        )


class Deberta(Bert):
    """BERT's encoder with disentangled attention in every block, and without positions below them.

    The paper's decoder for masked tokens, which adds absolute positions at the end, is left out.

    Args:
        span: how far the table of relative positions reaches.
        kinds, furthest, share: see ``DisentangledAttention``.

    Source: He et al. 2021 (DeBERTa), §3; lecture row L1.6.j.
    """

    def __init__(
        self,
        config: BertConfig,
        pooler: bool = True,
        span: int = 32,
        kinds: tuple[str, ...] = KINDS,
        furthest: int | None = None,
        share: bool = False,
    ):
        super().__init__(config, pooler)
        self.positions = None
        self.relative = nn.Embedding(2 * span, config.d_model)
        nn.init.normal_(self.relative.weight, std=0.02)
        for block in self.layers:
            sizes = config.d_model, config.n_heads
            attention = DisentangledAttention(
                *sizes, self.relative, kinds, furthest, share, config.attention_dropout
            )
            for module in attention.children():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, std=0.02)
                    nn.init.zeros_(module.bias)
            block.self_attention = attention

    def embed(
        self, ids: Int[Tensor, "batch n"], segments: Int[Tensor, "batch n"] | None = None
    ) -> Float[Tensor, "batch n d_model"]:
        """The sum of the vectors of token and segment, normalised: no position is in it."""
        segment = self.segments.weight[0] if segments is None else self.segments(segments)
        return self.dropout(self.norm(self.tokens(ids) + segment))


class DebertaForMaskedLM(BertForMaskedLM):
    """A DeBERTa that restores masked tokens, with BERT's head."""

    def __init__(self, config: BertConfig, **changes):
        super().__init__(config)
        self.bert = Deberta(config, pooler=False, **changes)
