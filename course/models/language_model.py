"""A GPT with its vocabulary: it reads text and writes text, and shows what it looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from course import checkpoints
from course.attention import masked_softmax, scaled_dot_score
from course.checkpoints.reading import check_vocabulary
from course.heads import split_heads
from course.masks import causal_mask
from course.models.attention_pass import AttentionPass
from course.models.gpt import GPT
from course.models.interventions import intervene
from course.text.characters import Characters
from course.text.tokenizers import Tokenizer


class Vocabulary(Protocol):
    """Text to ids and back: ``Tokenizer``, ``Characters``, or anything else with these three."""

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Sequence[int]) -> str: ...

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each token as a person can read it."""


class LanguageModel:
    """A GPT and its vocabulary.

    ``explore(model, text)`` and ``explore_model(model, text)`` show its attention.

    Args:
        gpt: put into evaluation mode.
        vocabulary: of the ids that it was trained on.

    Raises:
        ValueError: if the vocabulary has more tokens than the model.

    Source: lecture rows L1.6.a, L1.6.c.
    """

    masks = ()

    def __init__(self, gpt: GPT, vocabulary: Vocabulary):
        tokens = len(vocabulary) if hasattr(vocabulary, "__len__") else 0
        if tokens > gpt.config.vocab_size:
            raise ValueError(
                f"this vocabulary has {tokens} tokens, and the model was trained on {gpt.config.vocab_size}: "
                "it is another model's"
            )
        self.gpt, self.vocabulary = gpt.eval(), vocabulary

    @classmethod
    def from_pretrained(cls, name: str | Path) -> LanguageModel:
        """A folder, a shipped checkpoint, or a GPT-2 of the hub, with the vocabulary beside it.

        Raises:
            ValueError: if it is another architecture, or a file is damaged or another model's.
            OSError: if there is no such checkpoint, or it cannot be downloaded now.
        """
        gpt, vocabulary = GPT.from_pretrained(name), find_vocabulary(name)
        if not isinstance(vocabulary, HubVocabulary):  # the hub's models may have room for more tokens
            check_vocabulary(len(vocabulary), gpt.config.vocab_size, name)
        return cls(gpt, vocabulary)

    def encode(self, text: str) -> list[int]:
        """The ids of a text.

        Raises:
            ValueError: if there are none, or more than the model sees at once, or the vocabulary lacks a
                character of it.
        """
        ids, longest = self.vocabulary.encode(text), self.gpt.config.max_length
        if not ids:
            raise ValueError("type at least one character")
        if len(ids) > longest:
            raise ValueError(f"this model sees up to {longest} tokens at once; this text has {len(ids)}")
        return ids

    @torch.no_grad()
    def logits(self, text: str) -> Float[Tensor, "n vocab"]:
        """At each token of the text, the logits of the token that comes next.

        Raises:
            ValueError: as ``encode``.
        """
        return self.gpt(self._tensor(self.encode(text))).cpu()

    # -- writing --

    def write(self, prompt: str, max_new_tokens: int = 100, **settings: Any) -> str:
        """What the model writes on from a prompt. Settings and errors are those of ``GPT.stream``.

        Raises:
            ValueError: as ``encode``.
        """
        return self.vocabulary.decode(self.gpt.generate(self.encode(prompt), max_new_tokens, **settings))

    def stream(self, prompt: str, max_new_tokens: int = 100, **settings: Any) -> Iterator[str]:
        """``write``, piece by piece; a character of several tokens comes once it is whole, or at the end."""
        written, said, text = [], "", ""
        for token in self.gpt.stream(self.encode(prompt), max_new_tokens, **settings):
            written.append(token)
            text = self.vocabulary.decode(written)
            if text.startswith(said) and not text.endswith("\ufffd"):
                yield text[len(said) :]
                said = text
        if len(text) > len(said):  # it ends in half a character
            yield text[len(said) :]

    # -- what it looks at --

    def __call__(
        self,
        text: str,
        *,
        temperature: float = 1.0,
        mask: None = None,
        ablate: Collection[tuple[int, int]] = (),
    ) -> AttentionPass:
        """Read a text, and show the attention of every layer and head.

        Args:
            temperature: every score is divided by it.
            mask: there is no choice: the mask is always causal.
            ablate: (layer, head) pairs whose output is set to zero.

        Raises:
            ValueError: as ``encode``; or if the temperature is not positive, or there is no such head.
        """
        ids = self.encode(text)
        with intervene([block.self_attention for block in self.gpt.blocks], temperature, ablate):
            return attention_of(self.gpt, self._tensor(ids), self.vocabulary.pieces(ids))

    def _tensor(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor(ids, device=self.gpt.embedding.weight.device)


@torch.no_grad()
def attention_of(gpt: GPT, ids: Tensor, tokens: Sequence[str]) -> AttentionPass:
    """The attention of every layer and head over one text of ids ``[n]``, with its queries and keys.

    Raises:
        ValueError: if there are more ids than the model has positions, or not as many tokens.
    """
    inputs = gpt.hidden_states(ids[None])[:-1]  # what enters each block
    read = [(block.self_attention, block.norm1(x)) for block, x in zip(gpt.blocks, inputs, strict=True)]
    query = torch.cat([split_heads(attention.q_proj(x), attention.n_heads) for attention, x in read])
    key = torch.cat([split_heads(attention.k_proj(x), attention.n_heads) for attention, x in read])
    mask = causal_mask(len(ids))
    weights = masked_softmax(scaled_dot_score(query, key).cpu(), mask)
    return AttentionPass(tokens, weights, query=query.cpu(), key=key.cpu(), mask=mask[None, None])


# --------------------------------------------------------------------------------------------------
# Vocabularies
# --------------------------------------------------------------------------------------------------


class HubVocabulary:
    """The tokenizer of a model on the hub, by transformers, without special tokens."""

    def __init__(self, name: str | Path):
        from transformers import AutoTokenizer  # seconds to import, and only the hub needs it

        self._tokenizer = AutoTokenizer.from_pretrained(name)

    def __len__(self) -> int:
        return len(self._tokenizer)

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False)

    def decode(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(ids, clean_up_tokenization_spaces=False)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        return [self.decode([id]) for id in ids]


def find_vocabulary(name: str | Path) -> Vocabulary:
    """The vocabulary of a checkpoint: characters.json or tokenizer.json of a folder, or that of the hub.

    Raises:
        OSError: if there is none.
    """
    try:
        folder = checkpoints.find(name)
    except FileNotFoundError:
        return HubVocabulary(name)
    if (folder / "tokenizer_config.json").is_file():  # a folder that transformers wrote
        return HubVocabulary(folder)
    for file, kind in {"characters.json": Characters, "tokenizer.json": Tokenizer}.items():
        if (folder / file).is_file():
            return kind.load(folder / file)
    raise FileNotFoundError(f"{folder} has neither characters.json nor tokenizer.json")
