"""Changing what attention does inside a model while it runs, without changing the model."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from course.heads import MultiHeadAttention


@contextmanager
def intervene(
    layers: Sequence[MultiHeadAttention], temperature: float = 1.0, ablate: Collection[tuple[int, int]] = ()
) -> Iterator[None]:
    """Within the block, run these layers with other scores, and with some heads silent.

    Args:
        layers: attention layers of one model.
        temperature: every score is divided by it (the queries are); below 1 sharpens, above 1 evens out.
        ablate: (layer, head) pairs whose output is set to zero: what the model does without them.

    Raises:
        ValueError: if the temperature is not positive, or there is no such layer or head.

    Source of ablation: Michel et al. 2019, §2.3.
    """
    _check(layers, temperature, ablate)
    hooks = [layer.q_proj.register_forward_hook(lambda _, __, q: q / temperature) for layer in layers]
    for number, layer in enumerate(layers):
        heads = [head for at, head in ablate if at == number]
        hooks.append(layer.out_proj.register_forward_pre_hook(_silencer(heads, layer.n_heads)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _silencer(heads: Sequence[int], n_heads: int):
    def silence(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        merged = inputs[0].unflatten(-1, (n_heads, -1)).clone()  # [*batch, n, heads, d_head]
        merged[..., heads, :] = 0.0
        return (merged.flatten(-2),)

    return silence


def _check(layers: Sequence, temperature: float, ablate: Collection[tuple[int, int]]) -> None:
    if temperature <= 0:
        raise ValueError(f"the temperature must be positive; got {temperature}")
    for layer, head in ablate:
        if not 0 <= layer < len(layers) or not 0 <= head < layers[layer].n_heads:
            raise ValueError(
                f"there is no head {head} in layer {layer}: {len(layers)} layers, counted from 0"
            )
