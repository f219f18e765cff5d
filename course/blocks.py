"""Blocks: attention, feed-forward network, residual connections and layer norm, put together like Lego."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course.heads import MultiHeadAttention

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "gelu_tanh": partial(F.gelu, approximate="tanh")}


def layer_norm(
    x: Float[Tensor, "*batch d_model"],
    weight: Float[Tensor, "d_model"],
    bias: Float[Tensor, "d_model"],
    eps: float = 1e-5,
) -> Float[Tensor, "*batch d_model"]:
    """Give each vector mean 0 and variance 1, then scale and shift: (x - μ) / √(σ² + eps) · weight + bias.

    μ and σ² are the mean and the variance of the vector's own d_model entries, the variance being their mean
    squared distance from μ (divided by d_model, not by d_model - 1).

    Source: Ba et al. 2016, equations 3 and 4; lecture row L1.4.f.
    """
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)
    return centred / torch.sqrt(variance + eps) * weight + bias


class LayerNorm(nn.Module):
    """``layer_norm`` with a learned weight (from 1) and bias (from 0), by torch's single kernel for it.

    Source: Ba et al. 2016; lecture row L1.4.f.
    """

    def __init__(self, d_model: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        """Normalise each vector, then scale it by ``self.weight`` and shift it by ``self.bias``."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


def feed_forward(
    x: Float[Tensor, "*batch d_model"],
    w1: Float[Tensor, "d_ff d_model"],
    b1: Float[Tensor, "d_ff"],
    w2: Float[Tensor, "d_model d_ff"],
    b2: Float[Tensor, "d_model"],
) -> Float[Tensor, "*batch d_model"]:
    """FFN(x) = max(0, x W₁ + b₁) W₂ + b₂, on each position alone.

    ``w1`` and ``w2`` are stored as torch stores them, ``[out, in]``: the transposes of the paper's W₁ and W₂.
    What is given is not changed.

    Source: Vaswani et al. 2017, equation 2; lecture rows L1.4.b, L2.7.d.
    """
    return torch.relu(x @ w1.mT + b1) @ w2.mT + b2


class FeedForward(nn.Module):
    """``feed_forward`` with its weights, a choice of activation, and dropout on the hidden layer.

    Args:
        d_model: width of input and output.
        d_ff: width of the hidden layer.
        activation: "relu" (the paper), "gelu" (BERT) or "gelu_tanh" (GPT-2: the GELU by way of a tanh).
        dropout: probability with which a hidden unit is dropped in training.

    Raises:
        ValueError: if the activation is none of these.

    Source: Vaswani et al. 2017, §3.3; lecture rows L1.4.b, L2.7.d.
    """

    def __init__(self, d_model: int, d_ff: int, activation: str = "relu", dropout: float = 0.0):
        super().__init__()
        _check_choice("activation", activation, ACTIVATIONS)
        self.activation = activation
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch d_model"]:
        """First linear map, activation, dropout, second linear map."""
        hidden = ACTIVATIONS[self.activation](self.linear1(x))  # [*batch, d_ff]
        return self.linear2(self.dropout(hidden))


def residual(
    x: Float[Tensor, "*batch d_model"],
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    *,
    pre: bool,
) -> Float[Tensor, "*batch d_model"]:
    """Add what a sublayer computes to what it was given, with a norm after the sum or before the sublayer.

    Post-norm, as in the paper: norm(x + sublayer(x)). Pre-norm: x + sublayer(norm(x)), which leaves x a
    clear way through the whole stack. What is given is not changed.

    Source: Vaswani et al. 2017, §3.1 (post); Xiong et al. 2020, figure 1 (pre); lecture row L1.4.f.
    """
    return x + sublayer(norm(x)) if pre else norm(x + sublayer(x))


class _Block(nn.Module):
    """What encoder and decoder blocks share: the place of the norm, the last sublayer, torch's names."""

    def __init__(self, d_model: int, d_ff: int, dropout: float, norm: str, activation: str):
        super().__init__()
        _check_choice("norm", norm, ("post", "pre"))
        self.pre = norm == "pre"
        self.feed_forward = FeedForward(d_model, d_ff, activation, dropout)
        self.dropout = nn.Dropout(dropout)
        self.register_load_state_dict_pre_hook(_rename_from_torch)

    def torch_state_dict(self) -> dict[str, Tensor]:
        """The same parameters under the names of torch's encoder or decoder layer."""
        state = {}
        for name, child in self.named_children():
            own = child.torch_state_dict() if isinstance(child, MultiHeadAttention) else child.state_dict()
            state |= {_TO_TORCH.get(name, f"{name}.") + key: tensor for key, tensor in own.items()}
        return state


class EncoderBlock(_Block):
    """Self-attention, then a feed-forward network, each with a residual connection and a norm.

    The state dict of ``torch.nn.TransformerEncoderLayer`` loads into it, and ``torch_state_dict`` gives
    one back. ``course.heads.record_attention`` collects the attention weights while it runs.

    Args:
        d_model: width of input and output.
        n_heads: number of attention heads.
        d_ff: width of the feed-forward network's hidden layer.
        dropout: probability for attention weights, hidden units and the output of each sublayer.
        norm: "post" (the paper) or "pre".
        activation: "relu" (the paper) or "gelu".

    Raises:
        ValueError: if ``d_model`` is not divisible by ``n_heads``, or norm or activation is unknown.

    Source: Vaswani et al. 2017, §3.1 and figure 1 (left); lecture row L1.4.f.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        dropout: float = 0.0,
        norm: str = "post",
        activation: str = "relu",
    ):
        super().__init__(d_model, d_ff, dropout, norm, activation)
        self.self_attention = MultiHeadAttention(d_model, n_heads, dropout=dropout)
        self.norm1, self.norm2 = LayerNorm(d_model), LayerNorm(d_model)

    def forward(
        self, x: Float[Tensor, "*batch sequence d_model"], mask: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "*batch sequence d_model"]:
        """Both sublayers in turn, each's output through dropout, inside ``residual`` with its own norm.

        The parts are ``self.self_attention`` (it gives its output and its weights, and takes ``mask=...``)
        with ``self.norm1``, ``self.feed_forward`` with ``self.norm2``, one ``self.dropout`` for both outputs,
        and ``self.pre``, True for pre-norm.

        Args:
            x: ``[batch, sequence, d_model]``, or unbatched; it is not changed.
            mask: what each position may attend to, in any of the shapes that ``MultiHeadAttention`` takes.
        """

        def attend(y: Tensor) -> Tensor:
            return self.dropout(self.self_attention(y, mask=mask, need_weights=False)[0])

        def feed(y: Tensor) -> Tensor:
            return self.dropout(self.feed_forward(y))

        x = residual(x, attend, self.norm1, pre=self.pre)
        return residual(x, feed, self.norm2, pre=self.pre)


@dataclass
class KeyValueCache:
    """The keys and values of the positions written so far: they need not be computed again.

    Both are ``[rows, heads, positions, d_head]``, a row a sentence; None before the first position.

    Source: lecture row L1.6.a.
    """

    key: Tensor | None = None
    value: Tensor | None = None

    def __len__(self) -> int:
        """The number of positions written so far."""
        return 0 if self.key is None else self.key.shape[-2]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Put those of new positions behind those written so far; gives back all of them."""
        self.key = key if self.key is None else torch.cat([self.key, key], dim=-2)
        self.value = value if self.value is None else torch.cat([self.value, value], dim=-2)
        return self.key, self.value

    def select(self, rows: Int[Tensor, "rows"]) -> None:
        """Go on with these rows (beam search: some are continued twice, some not at all)."""
        if self.key is not None:
            self.key, self.value = self.key.index_select(0, rows), self.value.index_select(0, rows)


@dataclass
class DecoderCache(KeyValueCache):
    """A decoder block's: the keys and values of the memory too.

    ``select`` leaves those as they are: rows are continued only by rows of the same source.
    """

    memory_key: Tensor = field(kw_only=True)
    memory_value: Tensor = field(kw_only=True)


class DecoderBlock(_Block):
    """An encoder block with one more sublayer between its two: attention over the encoder's output.

    The state dict of ``torch.nn.TransformerDecoderLayer`` loads into it, and ``torch_state_dict`` gives
    one back. Arguments and errors are those of ``EncoderBlock``.

    Source: Vaswani et al. 2017, §3.1 and figure 1 (right); lecture row L1.4.g.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        dropout: float = 0.0,
        norm: str = "post",
        activation: str = "relu",
    ):
        super().__init__(d_model, d_ff, dropout, norm, activation)
        self.self_attention = MultiHeadAttention(d_model, n_heads, dropout=dropout)
        self.cross_attention = MultiHeadAttention(d_model, n_heads, dropout=dropout)
        self.norm1, self.norm2, self.norm3 = LayerNorm(d_model), LayerNorm(d_model), LayerNorm(d_model)

    def forward(
        self,
        x: Float[Tensor, "*batch sequence d_model"],
        memory: Float[Tensor, "*batch source d_model"],
        mask: Bool[Tensor, "..."] | None = None,
        memory_mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch sequence d_model"]:
        """The three sublayers in turn, each's output through dropout, inside ``residual`` with its own norm.

        The parts are ``self.self_attention`` with ``self.norm1``, ``self.cross_attention`` with
        ``self.norm2`` (both give their output and their weights, and take ``mask=...``),
        ``self.feed_forward`` with ``self.norm3``, one ``self.dropout`` for all three outputs, and
        ``self.pre``, True for pre-norm.

        Args:
            x: what has been written so far, ``[batch, sequence, d_model]``, or unbatched.
            memory: what was read: the encoder's output; it is not normalised here.
            mask: what each position may attend to in x: for a decoder, ``causal_mask(sequence)``.
            memory_mask: what it may attend to in the memory, usually ``padding_mask(lengths, source)``.
        """

        def attend(y: Tensor) -> Tensor:
            return self.dropout(self.self_attention(y, mask=mask, need_weights=False)[0])

        def consult(y: Tensor) -> Tensor:
            return self.dropout(self.cross_attention(y, memory, mask=memory_mask, need_weights=False)[0])

        def feed(y: Tensor) -> Tensor:
            return self.dropout(self.feed_forward(y))

        x = residual(x, attend, self.norm1, pre=self.pre)
        x = residual(x, consult, self.norm2, pre=self.pre)
        return residual(x, feed, self.norm3, pre=self.pre)

    def cache(self, memory: Float[Tensor, "rows source d_model"]) -> DecoderCache:
        """What ``step`` needs to know of the memory, and room for what it will write."""
        key, value = self.cross_attention.project(memory)
        return DecoderCache(memory_key=key, memory_value=value)

    def step(
        self,
        x: Float[Tensor, "rows 1 d_model"],
        cache: DecoderCache,
        memory_mask: Bool[Tensor, "rows 1 1 source"] | None = None,
    ) -> Float[Tensor, "rows 1 d_model"]:
        """``forward``, without dropout, for the next position alone, which joins the cache.

        It sees all that is in the cache, so it needs no causal mask.
        """

        def attend(y: Tensor) -> Tensor:
            return self.self_attention.attend(y, *cache.append(*self.self_attention.project(y)))

        def consult(y: Tensor) -> Tensor:
            return self.cross_attention.attend(y, cache.memory_key, cache.memory_value, memory_mask)

        x = residual(x, attend, self.norm1, pre=self.pre)
        x = residual(x, consult, self.norm2, pre=self.pre)
        return residual(x, self.feed_forward, self.norm3, pre=self.pre)


_TO_TORCH = {"self_attention": "self_attn.", "cross_attention": "multihead_attn.", "feed_forward": ""}
_FROM_TORCH = {
    "self_attn.": "self_attention.",
    "multihead_attn.": "cross_attention.",
    "linear1.": "feed_forward.linear1.",
    "linear2.": "feed_forward.linear2.",
}


def _rename_from_torch(module: nn.Module, state_dict: dict, prefix: str, *_) -> None:
    """Give the parameters of a torch layer the names used here, in place; other names stay."""
    for theirs, ours in _FROM_TORCH.items():
        for key in [key for key in state_dict if key.startswith(prefix + theirs)]:
            state_dict[prefix + ours + key.removeprefix(prefix + theirs)] = state_dict.pop(key)


def _check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}")
