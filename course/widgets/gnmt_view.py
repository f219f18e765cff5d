"""GNMT drawn from the running model: click a layer, see what it computed (L1.7.c)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import traitlets

from course.models.gnmt import Gnmt
from course.studies.gnmt_anatomy import gnmt_anatomy
from course.text.tokenizers import BOS
from course.widgets.architecture_view import WORDS as TRANSFORMER
from course.widgets.architecture_view import Architecture, pack

WORDS = TRANSFORMER | {
    "title": "The architecture of the running model",
    "parts": {
        "embedding": ["Embedding", "Each token's own vector: its row of a matrix that both languages share."],
        "encoder_block": [
            "Encoder layer {layer}",
            "A layer of the reading stack. Only layer 0 reads both ways: every other can start on a "
            "word as soon as the layer "
            "below has done it.",
        ],
        "decoder_block": [
            "Decoder layer {layer}",
            "A layer of the writing stack. Each is given what is below it and, behind that, what the "
            "attention found.",
        ],
        "both_ways": [
            "LSTM, both ways",
            "Two LSTMs, one from each end, side by side: what a word means may depend on what follows.",
        ],
        "recurrent": ["LSTM", "From left to right, one word after the other."],
        "cross_attention": [
            "Attention",
            "Asked with the bottom layer's output of the step before, so that no layer above has to be "
            "waited for; what it finds "
            "goes to every layer.",
        ],
        "add": ["Add", "The residual connection, from the third layer on: what came from below is added."],
        "readout": ["Readout", "The top's vector brought to the width of the embeddings."],
        "logits": [
            "Output projection",
            "Each step's vector against every token's embedding: one score (logit) for every token.",
        ],
        "probabilities": ["Softmax", "The scores as probabilities of the token that comes next."],
    },
}


class GnmtView(Architecture):
    """The picture that :func:`gnmt_view` makes."""

    words = traitlets.Dict(WORDS).tag(sync=True)

    def _pictures(self, source: str, target: str | Sequence[int] | None) -> dict[str, Any]:
        read = self.model.source_ids(source)
        if target is None:
            written = torch.tensor(self.model.translate_ids(read[None], beam=4)[0][:-1], dtype=torch.long)
        else:
            written = self.model.source_ids(target)[:-1]
        written = torch.cat([torch.tensor([BOS]), written])
        self._parts = {part.name: part for part in gnmt_anatomy(self.model, read, written)}
        headings, buffer = pack(self._parts.values(), self.model)
        tokens = {"source": self.model.pieces(read.tolist()), "target": self.model.pieces(written.tolist())}
        return {"parts": headings, "buffer": buffer, "tokens": tokens}

    @staticmethod
    def _facts(model: Gnmt) -> dict[str, Any]:
        return {
            "encoder": model.N_LAYERS,
            "decoder": model.N_LAYERS,
            "d_model": model.config.d_hidden,
            "heads": 1,
            "norm": "none",
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "likeliest": 3,
        }

    def describe(self) -> str:
        part, (name, what) = self.part, self._named(self.part)
        sizes = ", ".join(" × ".join(f"{axis} {n}" for axis, n in shape.items()) for shape in part.inputs)
        return (
            f"A GNMT of {self.facts['encoder']} encoder and {self.facts['decoder']} decoder layers of "
            f"{self.facts['d_model']} ({self.facts['parameters']:,} parameters) that ran on "
            f"“{''.join(self.tokens['source'])}”. Chosen: {name} ({part.name}). {what} In: {sizes}."
        )


def gnmt_view(model: Gnmt, source: str, target: str | None = None) -> GnmtView:
    """Draw a GNMT from one run on a sentence: click a layer for its shapes, parameters and values.

    Args:
        source: what it reads.
        target: what the decoder is given; None means the model's own translation.

    Raises:
        ValueError: if there is nothing to translate.

    Source: Wu et al. 2016, figure 1; lecture row L1.7.c.
    """
    view = GnmtView(model, source, target)
    view.chosen = "decoder.layers.0.cross_attention"
    return view
