"""Marian translators of Hugging Face in the course's explorer, such as Helsinki-NLP/opus-mt-fr-en."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course.heads import split_heads
from course.masks import causal_mask
from course.models.attention_pass import AttentionPass, as_pass
from course.models.interventions import intervene

if TYPE_CHECKING:
    from transformers import MarianMTModel, MarianTokenizer

PARTS = {
    "encoder": ("encoder", "self_attn"),
    "decoder": ("decoder", "self_attn"),
    "cross": ("decoder", "encoder_attn"),
}


class Layer(NamedTuple):
    """What of a Marian attention layer can be watched and changed."""

    q_proj: nn.Linear
    k_proj: nn.Linear
    out_proj: nn.Linear
    n_heads: int


class LiveMarian:
    """A Marian translator for ``explore_model``: what it looks at as text, temperature or heads change.

    Args:
        model: with ``attn_implementation="eager"``, or it gives no weights.
        part: which attention to show and to change: "cross", "encoder" or "decoder".

    Raises:
        ValueError: if ``part`` is none of the three.

    Source: Junczys-Dowmunt et al. 2018 (Marian); Tiedemann and Thottingal 2020 (OPUS-MT).
    """

    masks = ()

    def __init__(self, model: MarianMTModel, tokenizer: MarianTokenizer, part: str = "cross"):
        if part not in PARTS:
            raise ValueError(f"part must be one of {', '.join(map(repr, PARTS))}; got {part!r}")
        self.model, self.tokenizer, self.part = model.eval(), tokenizer, part
        stack, kind = PARTS[part]
        attentions = [getattr(layer, kind) for layer in getattr(model.model, stack).layers]
        self.layers = [Layer(a.q_proj, a.k_proj, a.out_proj, a.num_heads) for a in attentions]

    @torch.no_grad()
    def __call__(
        self,
        text: str,
        *,
        temperature: float = 1.0,
        mask: None = None,
        ablate: Collection[tuple[int, int]] = (),
    ) -> AttentionPass:
        """Translate the text, and show the attention with which that was done.

        Raises:
            ValueError: if there is nothing to translate, or more than the model reads.
        """
        source = self._source(text)
        limit = min(source.shape[-1] + 50, self.model.config.max_position_embeddings - 1)
        with intervene(self.layers, temperature, ablate):
            target = self.model.generate(source, max_new_tokens=limit)
            with _record(self.layers) as (queries, keys):
                output = self.model(source, decoder_input_ids=target[:, :-1], output_attentions=True)
        rows = {"encoder": source[0], "decoder": target[0, :-1], "cross": target[0, 1:]}[self.part]
        return as_pass(
            output,
            self.pieces(rows),
            self.pieces(source[0]) if self.part == "cross" else None,
            query=torch.cat(queries),
            key=torch.cat(keys),
            mask=causal_mask(len(rows)) if self.part == "decoder" else None,
            part=self.part,
        )

    def pieces(self, ids: Int[Tensor, "n"]) -> list[str]:
        """Each token as a person can read it: its text, with the space before it."""
        return [token.replace("▁", " ") for token in self.tokenizer.convert_ids_to_tokens(ids.tolist())]

    def _source(self, text: str) -> Int[Tensor, "1 source"]:
        ids = self.tokenizer(text, return_tensors="pt").input_ids
        n, longest = ids.shape[-1], self.model.config.max_position_embeddings
        if not text.strip():
            raise ValueError("there is nothing to translate; type a sentence")
        if n > longest:
            raise ValueError(f"the text is too long: {n} tokens, and this model reads at most {longest}")
        return ids


def load(name: str | Path, part: str = "cross") -> LiveMarian:
    """A Marian translator from a folder, or from the hub by its name, which needs a network the first time.

        explore_model(load("Helsinki-NLP/opus-mt-fr-en"), "Où est la gare ?")

    Raises:
        OSError: if there is no such model, or it cannot be downloaded now.
        ValueError: if ``part`` is unknown.
    """
    from transformers import MarianMTModel, MarianTokenizer  # seconds to import

    model = MarianMTModel.from_pretrained(name, attn_implementation="eager")
    return LiveMarian(model, MarianTokenizer.from_pretrained(name), part)


@contextmanager
def _record(layers: list[Layer]) -> Iterator[tuple[list[Float[Tensor, "1 heads n d_head"]], ...]]:
    """Collect the queries and the keys of these layers while they run once."""
    queries, keys = [], []
    hooks = [
        projection.register_forward_hook(
            lambda _, __, out, into=into, heads=layer.n_heads: into.append(split_heads(out, heads))
        )
        for layer in layers
        for projection, into in ((layer.q_proj, queries), (layer.k_proj, keys))
    ]
    try:
        yield queries, keys
    finally:
        for hook in hooks:
            hook.remove()
