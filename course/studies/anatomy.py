"""What every part of a Transformer made of one sentence: the values in each box of the paper's figure 1."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.blocks import LayerNorm
from course.heads import record_attention
from course.models.transformer import Transformer, evaluating

Shape = dict[str, int]
"""Axes by name, the outer one first: ``{"source": 9, "d_model": 256}``."""


@dataclass(frozen=True)
class Part:
    """One box: what it was given, what it gave, and what it learned.

    Args:
        name: its place in the model, such as "encoder.layers.0.self_attention".
        kind: "embedding", "positions", "embedded", "encoder_block", "decoder_block", "self_attention",
            "masked_self_attention", "cross_attention", "feed_forward", "add", "norm", "last_norm",
            "logits" or "probabilities".
        rows, columns: the names of the output's axes: "source" or "target"; "d_model" or "vocabulary".
        parameters: how many it uses, those of the parts inside it included.
        shared: whether they are another part's too, and counted there.
        weights: of an attention, each head's.
    """

    name: str
    kind: str
    rows: str
    inputs: tuple[Shape, ...]
    output: Float[Tensor, "token column"]
    columns: str = "d_model"
    parameters: int = 0
    shared: bool = False
    weights: Float[Tensor, "head query key"] | None = None

    @property
    def shape(self) -> Shape:
        """The output's, its axes named."""
        return _shape(self.output, self.rows, self.columns)

    @property
    def layer(self) -> int | None:
        """The number of the block that it is, or stands in; None outside the blocks."""
        place = self.name.split(".")
        return int(place[2]) if place[1:2] == ["layers"] else None


class Call(NamedTuple):
    """One call of a module, without the axis of a batch of one."""

    inputs: list[Tensor]
    output: Tensor


@torch.no_grad()
def anatomy(model: Transformer, source: Int[Tensor, "source"], target: Int[Tensor, "target"]) -> list[Part]:
    """Run a model once, and give every part of it with its values, in the order in which they were computed.

    Args:
        source: ids to read, <eos> last, as ``model.source_ids`` gives them.
        target: ids written, <bos> first.

    Source: Vaswani et al. 2017, figure 1; lecture row L2.6.a.
    """
    with evaluating(model), record_attention(model) as weights, record_calls(model) as calls:
        logits = model(source[None], target[None])[0]
    encoder = [*_embedding(model, calls, "encoder"), *_stack(model.encoder, calls, weights, "encoder")]
    decoder = [*_embedding(model, calls, "decoder"), *_stack(model.decoder, calls, weights, "decoder")]
    return [*encoder, *decoder, *_output(model, decoder[-1].shape, logits)]


@contextmanager
def record_calls(model: nn.Module) -> Iterator[dict[str, list[Call]]]:
    """Collect what every module inside a model is given and gives, call by call, for a batch of one."""
    calls: dict[str, list[Call]] = defaultdict(list)

    def keep(name: str, inputs: tuple, output: Tensor | tuple) -> None:
        output = output[0] if isinstance(output, tuple) else output  # attention gives its weights too
        calls[name].append(Call([x[0] for x in inputs if torch.is_tensor(x)], output[0]))

    hooks = [
        module.register_forward_hook(lambda _, inputs, output, name=name: keep(name, inputs, output))
        for name, module in model.named_modules()
    ]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


ROWS = {"encoder": "source", "decoder": "target"}


def _embedding(model: Transformer, calls: dict[str, list[Call]], stack: str) -> Iterator[Part]:
    """One embedding serves both stacks: it is called for the source, then for the target."""
    rows, call = ROWS[stack], list(ROWS).index(stack)
    vectors, sums = calls["embedding"][call].output, calls["dropout"][call].output
    ids, parameters = {rows: len(vectors)}, model.embedding.weight.numel()
    found = Part(f"{stack}.embedding", "embedding", rows, (ids,), vectors, "d_model", parameters, call > 0)
    yield found
    yield Part(f"{stack}.positions", "positions", rows, (ids,), model.positions[: len(vectors)])
    yield Part(f"{stack}.embedded", "embedded", rows, (found.shape, found.shape), sums)


def _stack(module: nn.Module, calls: dict, weights: dict[str, Tensor], stack: str) -> Iterator[Part]:
    rows = ROWS[stack]
    for number, block in enumerate(module.layers):
        name = f"{stack}.layers.{number}"
        call = calls[name][0]
        yield Part(name, f"{stack}_block", rows, _inputs(call, rows), call.output, parameters=_count(block))
        yield from _block(name, block, calls, weights, rows)
    if isinstance(module.norm, LayerNorm):  # pre-norm stacks alone have one
        yield _norm(f"{stack}.norm", "last_norm", module.norm, calls, rows)


def _block(name: str, block: nn.Module, calls: dict, weights: dict, rows: str) -> Iterator[Part]:
    """The parts of a block, in order. Nothing but the next part's input shows what a sum came to."""
    attention = ["self_attention", "cross_attention"] if rows == "target" else ["self_attention"]
    sublayers = [*attention, "feed_forward"]
    given = [calls[f"{name}.norm{i + 1}"][0].inputs[0] for i in range(len(sublayers))]
    sums = [*given[1:], calls[name][0].output] if block.pre else given
    for i, sublayer in enumerate(sublayers):
        norm = _norm(f"{name}.norm{i + 1}", "norm", getattr(block, f"norm{i + 1}"), calls, rows)
        middle = _sublayer(f"{name}.{sublayer}", getattr(block, sublayer), calls, weights, rows)
        add = Part(f"{name}.add{i + 1}", "add", rows, (middle.shape, middle.shape), sums[i])
        yield from (norm, middle, add) if block.pre else (middle, add, norm)


def _sublayer(name: str, module: nn.Module, calls: dict, weights: dict, rows: str) -> Part:
    kind = name.rsplit(".", 1)[1]
    call, seen = calls[name][0], weights.get(name)
    return Part(
        name,
        "masked_self_attention" if (kind, rows) == ("self_attention", "target") else kind,
        rows,
        _inputs(call, rows),
        call.output,
        parameters=_count(module),
        weights=None if seen is None else seen[0],
    )


def _norm(name: str, kind: str, module: nn.Module, calls: dict, rows: str) -> Part:
    call = calls[name][0]
    return Part(name, kind, rows, _inputs(call, rows), call.output, parameters=_count(module))


def _output(model: Transformer, given: Shape, logits: Float[Tensor, "target vocabulary"]) -> Iterator[Part]:
    tied = {"parameters": model.embedding.weight.numel(), "shared": True}
    scores = Part("logits", "logits", "target", (given,), logits, "vocabulary", **tied)
    yield scores
    yield Part("probabilities", "probabilities", "target", (scores.shape,), logits.softmax(-1), "vocabulary")


def _inputs(call: Call, rows: str) -> tuple[Shape, ...]:
    """What goes in, and, into the parts that also read the encoder's output, that."""
    return tuple(_shape(x, axis) for x, axis in zip(call.inputs, (rows, "source"), strict=False))


def _shape(x: Tensor, rows: str, columns: str = "d_model") -> Shape:
    return dict(zip((rows, columns), x.shape, strict=True))


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
