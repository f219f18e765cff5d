"""What every layer of a running GNMT made of one sentence, as parts for the architecture view."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.models.gnmt import FIRST_RESIDUAL, Gnmt, gnmt_step
from course.models.transformer import evaluating
from course.studies.anatomy import Part, Shape


@torch.no_grad()
def gnmt_anatomy(model: Gnmt, source: Int[Tensor, "source"], target: Int[Tensor, "target"]) -> list[Part]:
    """Run a model once, and give every layer with its values, from the bottom of the encoder to the output.

    Args:
        source: ids to read, <eos> last.
        target: ids written, <bos> first.

    Source: Wu et al. 2016, figure 1; lecture row L1.7.c.
    """
    with evaluating(model):
        memory = model.encode(source[None])
        return [*_encoder(model, source), *_decoder(model, memory, target)]


def _encoder(model: Gnmt, source: Int[Tensor, "source"]) -> Iterator[Part]:
    x = model.embed(source[None])
    yield _embedding(model, "encoder", "source", x[0], shared=False)
    both = model.encoder.bidirectional(x)[0]
    yield from _layer(
        "encoder", 0, "both_ways", model.encoder.bidirectional, x[0], both[0], both[0], "source"
    )
    x = both
    for number, layer in enumerate(model.encoder.layers, start=1):
        out = layer(x)[0]
        top = x + out if number >= FIRST_RESIDUAL else out
        yield from _layer("encoder", number, "recurrent", layer, x[0], out[0], top[0], "source")
        x = top


def _decoder(model: Gnmt, memory, target: Int[Tensor, "target"]) -> Iterator[Part]:
    decoder, embedded = model.decoder, model.embed(target[None])
    state, contexts, weights, hiddens, tops = decoder.start(memory), [], [], [], []
    for word in embedded.unbind(dim=1):
        context, looked = decoder.ask(state.hidden[0], memory)
        top, hidden, cell = gnmt_step(word, context, state.hidden, state.cell, decoder.layers)
        state = type(state)(hidden, cell, looked)
        contexts.append(context[0])
        weights.append(looked[0])
        hiddens.append(torch.stack([h[0] for h in hidden]))
        tops.append(top[0])
    hidden, context = torch.stack(hiddens, dim=1), torch.stack(contexts)  # [layer, target, d], [target, d]
    yield _embedding(model, "decoder", "target", embedded[0], shared=True)
    x = embedded[0]
    for number, layer in enumerate(decoder.layers):
        out = hidden[number]
        up = x + out if number >= FIRST_RESIDUAL else out
        of_layer = list(_layer("decoder", number, "recurrent", layer, x, out, up, "target", context))
        if number == 0:
            asked = Part(
                "decoder.layers.0.cross_attention", "cross_attention", "target",
                (_shape(out, "target"), _shape(memory.states[0], "source")), context,
                parameters=sum(p.numel() for p in (decoder.w_query, decoder.w_key, decoder.v)),
                weights=torch.stack(weights)[None],
            )  # fmt: skip
            of_layer.insert(1, asked)
        yield from of_layer
        x = up
    yield from _output(model, x, torch.stack(tops))


def _layer(
    stack: str, number: int, kind: str, layer: nn.Module, given: Tensor, out: Tensor, up: Tensor, rows: str,
    context: Tensor | None = None,
) -> Iterator[Part]:  # fmt: skip
    """A layer, its LSTM, and the sum where there is one."""
    name, inputs = f"{stack}.layers.{number}", [_shape(given, rows)]
    if context is not None:
        inputs.append(_shape(context, rows))
    parameters = sum(p.numel() for p in layer.parameters())
    yield Part(name, f"{stack}_block", rows, tuple(inputs), up, parameters=parameters)
    yield Part(f"{name}.{kind}", kind, rows, tuple(inputs), out, parameters=parameters)
    if number >= FIRST_RESIDUAL:
        yield Part(f"{name}.add", "add", rows, (_shape(out, rows), _shape(given, rows)), up)


def _embedding(model: Gnmt, stack: str, rows: str, vectors: Float[Tensor, "n d"], shared: bool) -> Part:
    count = model.embedding.weight.numel()
    return Part(
        f"{stack}.embedding", "embedding", rows, ({rows: len(vectors)},), vectors, "d_model", count, shared
    )


def _output(model: Gnmt, given: Tensor, tops: Tensor) -> Iterator[Part]:
    readout = model.decoder.readout(tops).tanh()
    count = sum(p.numel() for p in model.decoder.readout.parameters())
    yield Part("readout", "readout", "target", (_shape(given, "target"),), readout, parameters=count)
    logits = model.logits(readout)
    tied = {"parameters": model.embedding.weight.numel(), "shared": True}
    yield Part("logits", "logits", "target", (_shape(readout, "target"),), logits, "vocabulary", **tied)
    inputs = ({"target": logits.shape[0], "vocabulary": logits.shape[1]},)
    yield Part("probabilities", "probabilities", "target", inputs, logits.softmax(-1), "vocabulary")


def _shape(x: Tensor, rows: str) -> Shape:
    return dict(zip((rows, "d_model"), x.shape, strict=True))
