"""Watching attention that is not the course's own: torch's layers, and the function that others call."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Keep = Callable[[str, Tensor], None]

_ARGUMENTS = (
    "query",
    "key",
    "value",
    "key_padding_mask",
    "need_weights",
    "attn_mask",
    "average_attn_weights",
)


@contextmanager
def watch_torch_layers(model: nn.Module, keep: Keep) -> Iterator[None]:
    """Within the block, give ``keep`` the weights ``[*batch, heads, query, key]`` of torch's own layers.

    ``nn.MultiheadAttention`` is asked for every head's weights, and gives its caller what that asked for; the
    fast path of ``nn.TransformerEncoder``, which never calls it, is off meanwhile.
    """
    layers = [(name, m) for name, m in model.named_modules() if isinstance(m, nn.MultiheadAttention)]
    fast = torch.backends.mha.get_fastpath_enabled()
    hooks = [hook for name, layer in layers for hook in _watch(name, layer, keep)]
    torch.backends.mha.set_fastpath_enabled(fast and not layers)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for hook in hooks:
            hook.remove()


def _watch(name: str, layer: nn.MultiheadAttention, keep: Keep) -> list:
    asked: list[dict] = []  # what each running call asked for

    def ask(_: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        kwargs = dict(zip(_ARGUMENTS, args, strict=False)) | kwargs
        asked.append(kwargs)
        return (), kwargs | {"need_weights": True, "average_attn_weights": False}

    def give(_: nn.Module, __: tuple, output: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor | None]:
        call, (out, weights) = asked.pop(), output
        keep(name, weights)
        if not call.get("need_weights", True):
            return out, None
        return out, weights.mean(-3) if call.get("average_attn_weights", True) else weights

    return [
        layer.register_forward_pre_hook(ask, with_kwargs=True),
        layer.register_forward_hook(give),
    ]


@contextmanager
def watch_functional(model: nn.Module, keep: Keep) -> Iterator[None]:
    """Within the block, give ``keep`` the weights of every ``F.scaled_dot_product_attention`` that runs.

    They go by the name of the module that calls it; a second call by the same module by "name:1", and so on.
    The kernel runs as it would, and its weights are computed once more, by products.
    """
    running: list[list] = []  # of the modules whose forward runs: name, number of calls

    def begin(name: str) -> Callable:
        return lambda _, __: running.append([name, 0])

    def end(*_) -> None:
        running.pop()

    def keep_call(weights: Tensor) -> None:
        here = running[-1] if running else ["", 0]
        keep(here[0] if here[1] == 0 else f"{here[0]}:{here[1]}", weights)
        here[1] += 1

    with ExitStack() as stack:
        for name, module in model.named_modules():
            stack.callback(module.register_forward_pre_hook(begin(name)).remove)
            stack.callback(module.register_forward_hook(end, always_call=True).remove)
        stack.enter_context(_Calls(keep_call))
        yield


class _Calls(TorchFunctionMode):
    def __init__(self, keep: Callable[[Tensor], None]):
        super().__init__()
        self.keep = keep

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is F.scaled_dot_product_attention:
            self.keep(fused_weights(*args, **kwargs or {}))
        return func(*args, **kwargs or {})


def fused_weights(
    query: Float[Tensor, "*batch heads query d_k"],
    key: Float[Tensor, "*batch key_heads key d_k"],
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Float[Tensor, "*batch heads query key"]:
    """The weights of ``F.scaled_dot_product_attention`` for the same arguments, before dropout.

    Source: the equivalent code in torch's documentation of that function.
    """
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    scores = query @ key.mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is None:
        return scores.softmax(-1)
    if attn_mask.dtype != torch.bool:
        return (scores + attn_mask).softmax(-1)
    return _masked(scores, attn_mask)


def _masked(scores: Float[Tensor, "*batch query key"], mask: Bool[Tensor, "..."]) -> Tensor:
    return scores.masked_fill(~mask, -torch.inf).softmax(-1).nan_to_num(0.0)
