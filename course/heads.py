"""Many heads: attention several times side by side, each in a subspace of its own."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from course.attention import (
    fused_attention,
    masked_softmax,
    scaled_dot_score,
    scaled_dot_weights,
    weighted_sum,
)
from course.masks import check_boolean, check_mask
from course.recording import watch_functional, watch_torch_layers


def split_heads(
    x: Float[Tensor, "*batch sequence d_model"], n_heads: int
) -> Float[Tensor, "*batch heads sequence d_head"]:
    """Cut each vector into ``n_heads`` consecutive pieces of d_head = d_model / n_heads, one a head.

    Head h holds the entries h · d_head, ..., (h + 1) · d_head - 1 of every vector in the sequence.

    Raises:
        ValueError: if the width is not divisible by ``n_heads``.

    Source: Vaswani et al. 2017, §3.2.2; lecture rows L1.3.i, L2.7.c.
    """
    _check_divisible(x.shape[-1], n_heads)
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)


def merge_heads(x: Float[Tensor, "*batch heads sequence d_head"]) -> Float[Tensor, "*batch sequence d_model"]:
    """Concatenate the heads' vectors, position by position: the inverse of ``split_heads``.

    Source: "Concat" in Vaswani et al. 2017, §3.2.2 and figure 2 (right); lecture row L2.7.c.
    """
    return x.transpose(-3, -2).flatten(-2)


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each in its own subspace: Concat(head_1, ..., head_h) W^O.

    The weights of the three projections are kept apart for reading. ``load_state_dict`` also takes the
    state dict of ``torch.nn.MultiheadAttention``, and ``torch_state_dict`` gives one back.

    Args:
        d_model: width of queries, keys, values and output.
        n_heads: number of heads, each of width d_model / n_heads.
        bias: whether the four linear maps have one.
        dropout: probability with which a weight is dropped in training.

    Raises:
        ValueError: if ``d_model`` is not divisible by ``n_heads``.

    Source: Vaswani et al. 2017, §3.2.2 and figure 2 (right); lecture rows L1.3.g, L1.3.i, L2.7.c.
    """

    def __init__(self, d_model: int, n_heads: int, bias: bool = True, dropout: float = 0.0):
        super().__init__()
        _check_divisible(d_model, n_heads)
        self.d_model, self.n_heads = d_model, n_heads
        self.q_proj = nn.Linear(d_model, d_model, bias)
        self.k_proj = nn.Linear(d_model, d_model, bias)
        self.v_proj = nn.Linear(d_model, d_model, bias)
        self.out_proj = nn.Linear(d_model, d_model, bias)
        self.dropout = nn.Dropout(dropout)
        self.register_load_state_dict_pre_hook(_unpack_projections)

    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        need_weights: bool = True,
    ) -> tuple[Float[Tensor, "*batch query d_model"], Float[Tensor, "*batch heads query key"] | None]:
        """Project, split into heads, attend in each, merge the heads, project.

        The parts are ``self.q_proj``, ``k_proj``, ``v_proj`` and ``out_proj``, ``self.dropout`` for the
        weights, and the numbers ``self.d_model`` and ``self.n_heads``.

        Args:
            query: what asks, ``[batch, query, d_model]`` or, unbatched, ``[query, d_model]``.
            key: what is asked; None means the query (self-attention).
            value: what is answered; None means the key.
            mask: True = may attend; ``[query, key]``, ``[batch, query, key]`` (the same for every head) or
                ``[batch, heads, query, key]``, where an axis of length 1 broadcasts. Unbatched:
                ``[query, key]`` or ``[heads, query, key]``. A query that may attend nowhere gets weights
                of 0.
            need_weights: whether to return the weights; without them a fused kernel computes the same output
                in less time and memory.

        Returns:
            The output, and the weights of every head (after dropout, as they were used) or None.

        Raises:
            TypeError: if the mask is not boolean.
            ValueError: if a width is not d_model, keys and values differ in number, or the mask does not
                broadcast.
        """
        query, key, value, mask = self._prepare(query, key, value, mask)
        q = split_heads(self.q_proj(query), self.n_heads)  # [*batch, heads, query, d_head]
        k = split_heads(self.k_proj(key), self.n_heads)  # [*batch, heads, key, d_head]
        v = split_heads(self.v_proj(value), self.n_heads)  # [*batch, heads, key, d_head]
        if need_weights:
            weights = self.dropout(scaled_dot_weights(q, k, mask))
            output = weighted_sum(weights, v)
        else:
            weights = None
            output = fused_attention(q, k, v, mask, self.dropout.p if self.training else 0.0)
        return self.out_proj(merge_heads(output)), weights

    def project(
        self, x: Float[Tensor, "*batch key d_model"]
    ) -> tuple[Float[Tensor, "*batch heads key d_head"], Float[Tensor, "*batch heads key d_head"]]:
        """The keys and values of x, for ``attend``: where x is attended to again, they can be kept."""
        return split_heads(self.k_proj(x), self.n_heads), split_heads(self.v_proj(x), self.n_heads)

    def attend(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch heads key d_head"],
        value: Float[Tensor, "*batch heads key d_head"],
        mask: Bool[Tensor, "*#batch #heads #query #key"] | None = None,
    ) -> Float[Tensor, "*batch query d_model"]:
        """The output of ``forward`` for keys and values that ``project`` made, before or now."""
        q = split_heads(self.q_proj(query), self.n_heads)  # [*batch, heads, query, d_head]
        return self.out_proj(merge_heads(fused_attention(q, key, value, mask)))

    def torch_state_dict(self) -> dict[str, Tensor]:
        """The same parameters under the names of ``torch.nn.MultiheadAttention``."""
        state = self.state_dict()
        kinds = [kind for kind in ("weight", "bias") if f"q_proj.{kind}" in state]
        packed = {f"in_proj_{kind}": torch.cat([state[f"{p}_proj.{kind}"] for p in "qkv"]) for kind in kinds}
        return packed | {f"out_proj.{kind}": state[f"out_proj.{kind}"] for kind in kinds}

    def _prepare(self, query: Tensor, key: Tensor | None, value: Tensor | None, mask: Tensor | None):
        """Fill in what was left out, check it all, and give the mask its axis for heads."""
        key = query if key is None else key
        value = key if value is None else value
        _check_inputs(query, key, value, self.d_model)
        if mask is not None:
            check_boolean(mask)
            same_for_heads = mask.dim() == query.dim() > 2
            mask = mask.unsqueeze(-3) if same_for_heads else mask  # [*batch, 1, query, key]
            check_mask(mask, (*query.shape[:-2], self.n_heads, query.shape[-2], key.shape[-2]))
        return query, key, value, mask


class LoopedMultiHeadAttention(MultiHeadAttention):
    """``MultiHeadAttention`` as the paper writes it: run one head after the other, concatenate, project.

    Same parameters, same state dict, same result; the batched twin does all heads in one product.

    Source: Vaswani et al. 2017, §3.2.2; lecture row L2.7.c ("run h times, concatenate, project").
    """

    def forward(self, query, key=None, value=None, mask=None, need_weights=True):
        """As ``MultiHeadAttention.forward``; head h uses the h-th slice of each projection."""
        query, key, value, mask = self._prepare(query, key, value, mask)
        q = self.q_proj(query).chunk(self.n_heads, dim=-1)  # a tuple: for each head [*batch, query, d_head]
        k = self.k_proj(key).chunk(self.n_heads, dim=-1)
        v = self.v_proj(value).chunk(self.n_heads, dim=-1)
        outputs, weights = [], []
        for head in range(self.n_heads):
            scores = scaled_dot_score(q[head], k[head])
            weights.append(self.dropout(masked_softmax(scores, _mask_of_head(mask, head))))
            outputs.append(weighted_sum(weights[head], v[head]))
        output = self.out_proj(torch.cat(outputs, dim=-1))
        return output, torch.stack(weights, dim=-3) if need_weights else None


@contextmanager
def record_attention(
    model: nn.Module, functional: bool = False
) -> Iterator[dict[str, Float[Tensor, "*batch heads query key"]]]:
    """Collect the weights of every attention layer inside a model while it runs.

        with record_attention(model) as weights:
            model(x)
        weights["encoder.0.self_attention"]  # [batch, heads, query, key]

    The layers are the course's ``MultiHeadAttention`` and torch's own ``nn.MultiheadAttention``, which is in
    ``nn.TransformerEncoder`` too. The dictionary is in the order in which the layers ran; a layer that runs
    again replaces its entry. That nothing ran is said in a warning.

    Args:
        functional: see every call of ``F.scaled_dot_product_attention`` besides, under the name of the module
            that calls it: models of transformers under sdpa, and modules of one's own.
    """
    weights: dict[str, Tensor] = {}

    def keep(name: str, of_layer: Tensor) -> None:
        weights[name] = of_layer

    with ExitStack() as stack:
        for name, module in model.named_modules():
            if isinstance(module, MultiHeadAttention):
                ask = module.register_forward_pre_hook(_ask_for_weights, with_kwargs=True)
                stack.callback(ask.remove)
                seen = module.register_forward_hook(lambda _, __, out, name=name: keep(name, out[1]))
                stack.callback(seen.remove)
        stack.enter_context(watch_torch_layers(model, keep))
        if functional:
            stack.enter_context(watch_functional(model, keep))
        yield weights
    if not weights:
        warnings.warn(_nothing_ran(model), stacklevel=3)


def _nothing_ran(model: nn.Module) -> str:
    known = [m for m in model.modules() if isinstance(m, (MultiHeadAttention, nn.MultiheadAttention))]
    if known:
        return f"record_attention saw nothing: none of the {len(known)} attention layers ran inside the block"
    return (
        f"record_attention saw nothing: {type(model).__name__} has no attention layer of the course's or of "
        "torch's. functional=True sees calls of F.scaled_dot_product_attention"
    )


def _ask_for_weights(module: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    return args[:4], kwargs | {"need_weights": True}


def _unpack_projections(module: nn.Module, state_dict: dict, prefix: str, *_) -> None:
    """Give torch's packed projections (query, key, value on top of one another) the names used here."""
    for kind in ("weight", "bias"):
        packed = state_dict.pop(f"{prefix}in_proj_{kind}", None)
        if packed is not None:
            for projection, part in zip("qkv", packed.chunk(3), strict=True):
                state_dict[f"{prefix}{projection}_proj.{kind}"] = part


def _mask_of_head(mask: Bool[Tensor, "..."] | None, head: int) -> Bool[Tensor, "*batch #query #key"] | None:
    if mask is None or mask.dim() == 2:
        return mask
    return mask[..., head if mask.shape[-3] > 1 else 0, :, :]


def _check_divisible(d_model: int, n_heads: int) -> None:
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(
            f"d_model must be divisible by n_heads >= 1; got d_model = {d_model}, n_heads = {n_heads}"
        )


def _check_inputs(query: Tensor, key: Tensor, value: Tensor, d_model: int) -> None:
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.dim() < 2 or x.shape[-1] != d_model:
            raise ValueError(
                f"{name} must have shape [batch, sequence, d_model = {d_model}]; got {list(x.shape)}"
            )
    if key.shape[:-1] != value.shape[:-1]:
        raise ValueError(
            f"every key needs one value; got key {list(key.shape)} and value {list(value.shape)}"
        )
    if query.shape[:-2] != key.shape[:-2]:
        raise ValueError(
            f"query and key differ in batch; got query {list(query.shape)} and key {list(key.shape)}"
        )
