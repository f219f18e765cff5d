"""A GPT laid out for writing: the arithmetic of ``GPT.step``, arranged for one row.

To write a token, every weight is read from memory once and used once, and some twenty kernels start in every
layer: these two, not arithmetic, are what it costs. So here the matrices are stored ``[in, out]``, the order
in which a product with one row reads them fastest; the projections to queries, keys and values are one
product; and keys and values go into room made beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from course.blocks import ACTIVATIONS


class Reader:
    """Reads a prompt, then token after token, and gives the logits of the next one.

    It has a copy of the model's matrices: it does not notice when the model is trained on.

    Args:
        model: a ``GPT``, on any device; nothing is dropped out.
        length: the most positions that will be read.

    Source: lecture row L1.6.a.
    """

    @torch.no_grad()
    def __init__(self, model: nn.Module, length: int):
        self.model, self.n = model, 0
        self.layers = [_Layer(block, length) for block in model.blocks]
        self.head = model.embedding.weight.t().contiguous()

    def __len__(self) -> int:
        """The number of tokens read so far."""
        return self.n

    @torch.inference_mode()
    def __call__(self, ids: Sequence[int]) -> Float[Tensor, "vocab"]:
        """Read on: first the whole prompt, from then on one token at a time."""
        x = self.model.embed(torch.tensor(ids, device=self.head.device), self.n)
        for layer in self.layers:
            x = layer(x, self.n)
        self.n += len(ids)
        return _norm(x[-1:], self.model.norm).mm(self.head)[0]


class _Layer:
    """A block's weights, and the keys and values of what was read."""

    def __init__(self, block: nn.Module, length: int):
        attention, feed_forward = block.self_attention, block.feed_forward
        packed = attention.torch_state_dict()
        self.norm1, self.norm2, self.n_heads = block.norm1, block.norm2, attention.n_heads
        self.project = packed["in_proj_bias"], packed["in_proj_weight"].t().contiguous()
        self.merge = _transposed(attention.out_proj)
        self.widen, self.narrow = _transposed(feed_forward.linear1), _transposed(feed_forward.linear2)
        self.activation = ACTIVATIONS[feed_forward.activation]
        d_head = attention.d_model // attention.n_heads
        self.room = self.project[0].new_empty(2, 1, attention.n_heads, length, d_head)

    def __call__(self, x: Float[Tensor, "new d_model"], start: int) -> Float[Tensor, "new d_model"]:
        x = x + _linear(self.attend(_norm(x, self.norm1), start), self.merge)
        hidden = self.activation(_linear(_norm(x, self.norm2), self.widen))
        return x + _linear(hidden, self.narrow)

    def attend(self, x: Float[Tensor, "new d_model"], start: int) -> Float[Tensor, "new d_model"]:
        new, d_model = x.shape
        packed = _linear(x, self.project).view(new, 3, 1, self.n_heads, -1)
        packed = packed.permute(1, 2, 3, 0, 4)  # [query, key and value, 1, heads, new, d_head]
        self.room[..., start : start + new, :] = packed[1:]
        key, value = self.room[..., : start + new, :]
        # A prompt's tokens see those before them; a single token sees all.
        output = F.scaled_dot_product_attention(packed[0], key, value, is_causal=new > 1)
        return output[0].transpose(0, 1).reshape(new, d_model)


def _transposed(linear: nn.Linear) -> tuple[Tensor, Tensor]:
    """Bias, and weight as ``[in, out]``."""
    return linear.bias.detach(), linear.weight.t().contiguous()


def _linear(x: Tensor, weights: tuple[Tensor, Tensor]) -> Tensor:
    bias, weight = weights
    return torch.addmm(bias, x, weight)


def _norm(x: Tensor, norm: nn.Module) -> Tensor:
    return F.layer_norm(x, norm.weight.shape, norm.weight, norm.bias, norm.eps)
