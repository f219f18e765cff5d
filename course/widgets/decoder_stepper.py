"""The decoder, token by token: what may follow, what it looked at, what the reader takes (L1.4.e)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import traitlets
from jaxtyping import Float, Int
from torch import Tensor

from course.heads import record_attention
from course.models.transformer import evaluating
from course.models.translator import Translator
from course.text.decoding import Step, greedy_search
from course.text.tokenizers import BOS, EOS
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {
    "title": "The decoder, step by step",
    "text": "Sentence",
    "run": "Translate",
    "source": "The source, tinted by what the decoder looks at in this step",
    "written": "Written so far",
    "nothing": "nothing yet",
    "layer": "Layer",
    "head": "Head",
    "mean": "mean",
    "step": "Step {step}: P of the next token, given the source and “{written}”",
    "start": "the beginning",
    "candidate": "{token}, P = {p}, candidate {rank}",
    "next": "Next: {token}",
    "undo": "Undo",
    "restart": "Restart",
    "total": "ln P of what is written = {total}",
    "rest": "the {n} other tokens together: {p}",
    "ended": "The decoder wrote <eos>: the sentence has ended.",
    "stopped": "The sentence has no <eos>; the stepper stops at {n} tokens.",
    "busy": "The model is computing what follows …",
    "kernel": "To take “{token}” the model has to run: open the notebook and run this cell. "
    "Here you can step along the tokens that were computed.",
    "hint": "Next takes the likeliest token; click another candidate to take that one. "
    "Keys: → next, ← undo, ↑ ↓ walk over the candidates, Enter takes one.",
}


class DecoderStepper(CourseWidget):
    """A translation written step by step, made by :func:`step_decoder`; Python may set its traits too.

    ``begun`` are ids that are written whatever the model thinks of them; greedy search goes on from there.
    All its steps are in the browser, which needs the kernel only when another ``begun`` is asked for.
    ``at`` is the number of tokens written so far in the picture.
    """

    _esm = module("decoder_stepper")
    _css = stylesheet("common", "sentence", "decoder_stepper")
    text = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    source = traitlets.List(traitlets.Unicode(), help="the tokens read").tag(sync=True)
    begun = traitlets.List(traitlets.Int()).tag(sync=True)
    path = traitlets.List(traitlets.Dict(), help="each token written: id, token, ln P").tag(sync=True)
    candidates = traitlets.List(help="at each step the likeliest tokens: id, token, ln P").tag(sync=True)
    attention = traitlets.Bytes(help="float16 [step, layer, head, source]").tag(sync=True)
    sizes = traitlets.Dict(help="of attention's axes, and of the vocabulary").tag(sync=True)
    at = traitlets.Int(0, min=0).tag(sync=True)
    layer = traitlets.Int(0, min=0).tag(sync=True)
    head = traitlets.Int(None, min=0, allow_none=True, help="None: their mean").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, model: Translator, source: str | Sequence[int], k: int, max_length: int | None):
        self.model, self.k, self.max_length = model, k, max_length
        self._ids = model.source_ids(source)
        text = source if isinstance(source, str) else None
        last = model.config.n_decoder_layers - 1
        super().__init__(text=text, layer=last, **self._steps([]))
        self.observe(self._read, "text")
        self.observe(lambda _: self._write(), "begun")

    @traitlets.validate("begun")
    def _writable(self, proposal: Any) -> list[int]:
        ids, most = proposal["value"], self._limit()
        if (
            len(ids) > most
            or EOS in ids[:-1]
            or any(not 0 <= id < self.model.config.vocab_size for id in ids)
        ):
            raise ValueError(f"begun is up to {most} ids of the vocabulary, <eos> only last; got {ids}")
        return ids

    def _limit(self) -> int:
        limit = len(self._ids) + 50 if self.max_length is None else self.max_length
        return min(limit, self.model.config.max_length)

    def _read(self, _: Any) -> None:
        """Start on another sentence; one that cannot be read keeps the picture and says why."""
        try:
            self._ids = self.model.source_ids(self.text)
        except ValueError as error:
            self.problem = str(error)
            return
        with self.hold_sync():
            self.problem, self.at, self.begun = "", 0, []
            self._write()

    def _write(self) -> None:
        with self.hold_sync():
            for name, value in self._steps(self.begun).items():
                setattr(self, name, value)

    def _steps(self, begun: list[int]) -> dict[str, Any]:
        """The traits that say what is written from ``begun`` on, and how."""
        ids = greedy_from(self.model, self._ids, begun, self._limit())
        log_p, attention = decoder_steps(self.model, self._ids, ids)
        best = log_p.topk(min(self.k, log_p.shape[-1]))
        taken = log_p.gather(-1, torch.tensor(ids)[:, None])
        sizes = dict(zip(("steps", "layers", "heads", "source"), attention.shape, strict=True))
        return {
            "source": self.model.pieces(self._ids.tolist()),
            "path": self._named(ids, taken.flatten().tolist()),
            "candidates": [
                self._named(*pair) for pair in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            ],
            "attention": attention.half().numpy().tobytes(),
            "sizes": sizes | {"vocabulary": log_p.shape[-1]},
        }

    def _named(self, ids: list[int], log_p: list[float]) -> list[dict]:
        pieces = self.model.pieces(ids)
        return [{"id": i, "token": t, "log_p": p} for i, t, p in zip(ids, pieces, log_p, strict=True)]

    @property
    def written(self) -> list[str]:
        """The tokens written so far in the picture."""
        return [token["token"] for token in self.path[: self.at]]

    @property
    def log_p(self) -> float:
        """ln P of what is written so far."""
        return sum(token["log_p"] for token in self.path[: self.at])

    def looked_at(self) -> Float[Tensor, "source"]:
        """What the decoder looks at in this step (after the last, in the last), by layer and head chosen."""
        shape = [self.sizes[axis] for axis in ("steps", "layers", "heads", "source")]
        weights = torch.frombuffer(bytearray(self.attention), dtype=torch.float16).float().reshape(shape)
        weights = weights[min(self.at, len(self.path) - 1), min(self.layer, shape[1] - 1)]
        return weights.mean(0) if self.head is None else weights[self.head]

    def describe(self) -> str:
        likely = self.candidates[min(self.at, len(self.path) - 1)][:5]
        options = ", ".join(f"“{c['token']}” {torch.tensor(c['log_p']).exp():.3f}" for c in likely)
        return (
            f"The decoder reading “{''.join(self.source)}”. Written: “{''.join(self.written)}”, "
            f"ln P = {self.log_p:.2f}. "
            + (f"Next: {options}." if self.at < len(self.path) else "Nothing follows.")
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.fonts import drawable, elide

        figure = Figure(figsize=(9, 3.6), layout="constrained")
        bars, looked = figure.subplots(1, 2, width_ratios=[2, 3])
        likely = self.candidates[min(self.at, len(self.path) - 1)]
        names = [drawable(elide(candidate["token"])) for candidate in likely]
        bars.barh(
            range(len(likely)), [torch.tensor(c["log_p"]).exp().item() for c in likely], color="#0072B2"
        )
        bars.set_yticks(range(len(likely)), names, parse_math=False)
        bars.invert_yaxis()
        bars.set(xlim=(0, 1), xlabel="P(next token)", title=f"step {min(self.at, len(self.path) - 1) + 1}")
        weights = self.looked_at()
        looked.bar(range(len(weights)), weights.tolist(), color="#B98500")
        tokens = [drawable(elide(token)) for token in self.source]
        looked.set_xticks(range(len(tokens)), tokens, rotation=45, ha="right", parse_math=False)
        written = drawable("".join(self.written[-12:]))
        looked.set_title(f"written: {written or 'nothing yet'}", parse_math=False)
        looked.set(ylabel="cross-attention", xlabel="source token", ylim=(0, None))
        return figure


def step_decoder(
    model: Translator, source: str | Sequence[int], *, k: int = 8, max_length: int | None = None
) -> DecoderStepper:
    """Step through a translation token by token: the candidates, their probabilities, what was looked at.

    "Next" takes the likeliest token; with a kernel a click takes any of the candidates, and another sentence
    can be typed. Without one (an exported page) the greedy translation can be stepped to and fro.

    Args:
        model: an encoder-decoder; with a tokenizer, ``source`` may be text.
        source: what to translate, a text or the ids of its tokens.
        k: how many candidates to show at each step.
        max_length: the most tokens to write; None means 50 more than the source has, as ``translate``.

    Raises:
        TypeError, ValueError: as ``model.translate``; or if ``k`` or ``max_length`` is less than 1.

    Source: Vaswani et al. 2017, §3.1; lecture row L1.4.e.
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more; got {k}")
    return DecoderStepper(model, source, k, max_length)


def greedy_from(
    model: Translator, source: Int[Tensor, "source"], begun: Sequence[int], max_length: int
) -> list[int]:
    """The ids that greedy search writes, those in ``begun`` first."""
    with evaluating(model):
        writer = beginning_with(begun, model.writer(source[None]))
        return greedy_search(writer, 1, BOS, EOS, max_length)[0].ids


def beginning_with(begun: Sequence[int], step: Step) -> Step:
    """The same writer, for which the tokens of ``begun``, one after the other, are certain."""
    to_write = iter(begun)

    def certain(tokens: Int[Tensor, "rows"], parents: Int[Tensor, "rows"]) -> Float[Tensor, "rows vocab"]:
        log_p, token = step(tokens, parents), next(to_write, None)
        if token is None:
            return log_p
        only = torch.full_like(log_p, -torch.inf)
        only[:, token] = 0.0
        return only

    return certain


@torch.no_grad()
def decoder_steps(
    model: Translator, source: Int[Tensor, "source"], ids: Sequence[int]
) -> tuple[Float[Tensor, "step vocab"], Float[Tensor, "step layer head source"]]:
    """Of each step in which ``ids`` are written: ln P of every token, and the cross-attention.

    One pass gives them all, since no position sees what comes after it.
    """
    target = torch.tensor([BOS, *ids[:-1]], device=source.device)
    with evaluating(model), record_attention(model) as weights:
        logits = model(source[None], target[None])[0]
    cross = [seen[0] for name, seen in weights.items() if name.endswith("cross_attention")]
    return logits.log_softmax(-1).cpu(), torch.stack(cross).permute(2, 0, 1, 3).cpu()
