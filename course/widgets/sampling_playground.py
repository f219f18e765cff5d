"""A playground for what comes next: temperature, top-k, top-p, your own choice, and each token's surprise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from course.models.language_model import LanguageModel
from course.next_token import surprise
from course.text.sampling import check_sampling, next_token_probabilities
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {
    "title": "Sampling playground",
    "prompt": "Prompt",
    "text": "The text so far; press a token to go back to where it was predicted",
    "token": "“{token}” was predicted with {p}: a surprise of {bits} bits",
    "first": "“{token}” is the first token: nothing predicted it",
    "nothing": "One token: nothing has been predicted yet.",
    "summary": "{n} tokens were predicted, with {bits} bits of surprise a token (perplexity {perplexity}). "
    "The darker a token, the greater its surprise.",
    "temperature": "temperature",
    "greedy": "0, greedy",
    "top_k": "top-k",
    "top_p": "top-p",
    "off": "off",
    "sample": "Sample",
    "many": "Write {n}",
    "ended": "The model has written <eos>: its text ends here.",
    "undo": "Undo",
    "again": "Start again",
    "seed": "Seed",
    "saved": "A saved page: the sliders work; to choose tokens, open the notebook.",
    "bars": "What may come next, the likeliest first; press a token to choose it",
    "scale": "What may come next: press a token to choose it. Hatched: before the filters; solid: after "
    "them. A full bar is {full}.",
    "out": "removed by {filter}",
    "drawn": "← the draw falls here",
    "row": "{token}: {after}; {before} before the filters",
    "row_out": "{token}: removed by {filter}; {before} before the filters",
    "took": "{filter} removes {n} tokens, which held {share}.",
    "took_none": "Nothing is removed.",
    "chance": "Sample takes this seed's next random number, {chance}, and lays the solid bars end to end: it "
    "falls on “{token}”.",
}


class SamplingPlayground(CourseWidget):
    """What a language model predicts next, and what you let it write.

    The logits of the next token travel to the browser once a step, all of them, as float32 (4 bytes a token:
    201 kB for GPT-2's vocabulary). Moving a slider asks the kernel for nothing.

    Args:
        model: with its vocabulary.
        prompt: the text to start from.
        temperature, top_k, top_p: as in ``course.text.sampling``; None is no filter.
        seed: of the random numbers that "Sample" uses, one for each length of the text.

    Raises:
        ValueError: if the model cannot read the prompt, or a setting is out of range.

    Source: lecture row L1.6.c.
    """

    _esm = module("sampling_playground")
    _css = stylesheet("common", "sampling_playground")
    vocabulary = traitlets.List(traitlets.Unicode()).tag(sync=True)
    prompt = traitlets.Unicode().tag(sync=True)
    start = traitlets.List(traitlets.Int()).tag(sync=True)
    ids = traitlets.List(traitlets.Int(), minlen=1).tag(sync=True)
    surprises = traitlets.List(help="bits a token; None where nothing predicted it").tag(sync=True)
    logits = traitlets.Bytes().tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    top_k = traitlets.Int(None, allow_none=True).tag(sync=True)
    top_p = traitlets.Float(None, allow_none=True).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)
    chance = traitlets.Float().tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        model: LanguageModel,
        prompt: str,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
    ):
        check_sampling(temperature, top_k, top_p)
        self.model = model
        start = model.encode(prompt)
        super().__init__(
            vocabulary=model.vocabulary.pieces(range(model.gpt.config.vocab_size)),
            prompt=prompt, start=start, ids=start, seed=seed,
            temperature=temperature, top_k=top_k, top_p=top_p,
        )  # fmt: skip
        self._read()
        self.observe(self._read, ["ids", "seed"])
        self.observe(self._restart, ["prompt"])

    @property
    def probabilities(self) -> Float[Tensor, "vocab"]:
        """What the next token is drawn from, by ``course.text.sampling.next_token_probabilities``."""
        return next_token_probabilities(self._all_logits(), self.temperature, self.top_k, self.top_p)

    @property
    def text(self) -> str:
        """The prompt and what was chosen."""
        return self.model.vocabulary.decode(self.ids)

    @traitlets.validate("ids")
    def _known(self, proposal: Any) -> list[int]:
        wrong = [id for id in proposal["value"] if not 0 <= id < len(self.vocabulary)]
        if wrong:
            raise ValueError(f"a token's id lies between 0 and {len(self.vocabulary) - 1}; got {wrong[0]}")
        return proposal["value"]

    def _restart(self, _: Any = None) -> None:
        """Start from another prompt; one that the model cannot read is said."""
        try:
            start = self.model.encode(self.prompt)
        except ValueError as error:
            self.problem = str(error)
        else:
            self.problem = ""
            self.start = self.ids = start

    def _all_logits(self) -> Float[Tensor, "vocab"]:
        return torch.from_numpy(np.frombuffer(self.logits, np.float32).copy())

    @torch.no_grad()
    def _read(self, _: Any = None) -> None:
        """Let the model read the text, or as much of its end as it sees at once."""
        gpt = self.model.gpt
        seen = torch.tensor(self.ids[-gpt.config.max_length :], device=gpt.embedding.weight.device)
        logits = gpt(seen).float().cpu()
        bits = surprise(logits[:-1], seen[1:].cpu()).tolist()
        unseen = [*self.surprises, *[None] * len(self.ids)][: len(self.ids) - len(bits)]
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + len(self.ids))
        with self.hold_sync():
            self.surprises = [None, *unseen[1:], *bits]
            self.chance = torch.rand(1, generator=generator).item()
            self.logits = logits[-1].numpy().tobytes()

    def describe(self) -> str:
        probability, token = self.probabilities.sort(descending=True, stable=True)
        best = ", ".join(
            f"“{self.vocabulary[t]}” {p:.0%}"
            for p, t in zip(probability[:5].tolist(), token[:5].tolist(), strict=True)
            if p > 0
        )
        return (
            f"After “{self.text[-40:]}”, at temperature {self.temperature:g}, top-k {self.top_k or 'off'}, "
            f"top-p {self.top_p or 'off'}: {best}. {int((probability > 0).sum())} of {len(token)} tokens are "
            "left to draw from."
        )

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        self._draw_surprises(left)
        self._draw_bars(right)
        return figure

    def _draw_surprises(self, axes: Axes, most: int = 32) -> None:
        from course.fonts import drawable, elide

        labels = [drawable(elide(self.vocabulary[id])) for id in self.ids[-most:]]
        axes.bar(range(len(labels)), [bits or 0 for bits in self.surprises[-most:]], color="#B98500")
        axes.set_xticks(
            range(len(labels)), labels, rotation=90 if max(map(len, labels)) > 1 else 0, parse_math=False
        )
        axes.set(ylabel="surprise, bits", title="the text so far")

    def _draw_bars(self, axes: Axes, most: int = 12) -> None:
        from course.fonts import drawable, elide

        after, before = self.probabilities, next_token_probabilities(self._all_logits(), self.temperature)
        token = before.sort(descending=True, stable=True).indices[:most]
        places = range(len(token))
        axes.barh(
            places,
            before[token].tolist(),
            color="none",
            edgecolor="#0072B2",
            hatch="////",
            label="before the filters",
        )
        axes.barh(places, after[token].tolist(), 0.5, color="#0072B2", label="after them")
        axes.set_yticks(
            places, [drawable(elide(self.vocabulary[t])) for t in token.tolist()], parse_math=False
        )
        axes.set(xlabel="probability", title="the next token")
        axes.invert_yaxis()
        axes.legend(loc="lower right")
