"""A BERT with its vocabulary: it fills gaps, tells what follows what, and shows what it looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course import checkpoints
from course.checkpoints.reading import check_vocabulary
from course.masks import causal_mask
from course.models.attention_pass import AttentionPass
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.models.interventions import intervene
from course.next_sentence import IS_NEXT
from course.text.wordpiece import Encoded, WordPiece


class Guess(NamedTuple):
    """A token and its probability."""

    token: str
    probability: float


class Wanted(NamedTuple):
    """How likely a token is in a gap: its place among all, the likeliest being 1, and its probability."""

    rank: int
    probability: float


class MaskedLM:
    """A pre-trained BERT and its tokenizer; or its causal twin, which reads on from the left.

    ``explore(model, text)`` and ``explore_model(model, text)`` show its attention.

    Args:
        model: put into evaluation mode.
        tokenizer: of the ids that it was trained on.

    Source: lecture rows L1.6.h, L3.3.a, L3.3.f, L3.10.a.
    """

    masks = ()

    def __init__(self, model: BertForPreTraining, tokenizer: WordPiece):
        self.model, self.tokenizer = model.eval(), tokenizer

    @classmethod
    def from_pretrained(cls, name: str | Path, causal: bool = False) -> MaskedLM:
        """A folder, a shipped checkpoint, or a BERT of the hub, "google-bert/bert-base-uncased", say.

        Args:
            causal: whether it is the causal twin.

        Raises:
            ValueError: if it is no BERT, or its tokenizer no WordPiece.
            OSError: if there is no such checkpoint, or it cannot be downloaded now.
        """
        kind = CausalBert if causal else BertForPreTraining
        file = checkpoints.find_file(name, "tokenizer.json")
        model, tokenizer = kind.from_pretrained(name), WordPiece.load(file)
        check_vocabulary(len(tokenizer), model.config.vocab_size, file)
        return cls(model, tokenizer)

    # -- gaps --

    def fill(self, text: str, top: int = 5) -> list[list[Guess]]:
        """For every [MASK] in a text the likeliest tokens, the likeliest first.

        Several gaps are filled each on its own: what stands in one does not know what stands in the other.

        Raises:
            ValueError: if there is no [MASK], or the text is too long.

        Source: lecture row L3.10.a.
        """
        return [self._guesses(logits, top) for logits in self._in_gaps(text)]

    def wanted(self, text: str, word: str) -> list[Wanted]:
        """For every [MASK] how likely a word is there.

        Raises:
            ValueError: if the word is several pieces, which no single gap holds; or as ``fill``.

        Source: lecture row L3.10.a.
        """
        ids = self.tokenizer.encode(word).ids[1:-1]
        if len(ids) != 1:
            pieces = " ".join(self.tokenizer.pieces(ids))
            raise ValueError(f"{word!r} is {len(ids)} pieces here ({pieces}): no single gap can hold it")
        found = self._in_gaps(text).softmax(dim=-1)
        return [Wanted(int((p > p[ids[0]]).sum()) + 1, p[ids[0]].item()) for p in found]

    def _in_gaps(self, text: str) -> Float[Tensor, "gaps vocab"]:
        read = self.encode(text)
        gaps = [place for place, id in enumerate(read.ids) if id == self.tokenizer.mask_id]
        if not gaps:
            raise ValueError(f"write [MASK] where something is to be filled in; got {text!r}")
        return self.logits(read.ids)[gaps]

    @torch.no_grad()
    def logits(self, ids: Sequence[int]) -> Float[Tensor, "n vocab"]:
        """The logits of every token, at each place of one input without a second text."""
        x, _ = self.model.read(self._tensor(ids)[None])
        return self.model.lm_head(x[0], self.model.bert.tokens.weight).cpu()

    def restored(self, text: str) -> list[Guess]:
        """Each token of a text and the probability that the model gives it there.

        BERT is asked for one after the other, that token alone being hidden. The twin is asked for each after
        those before it.

        Source: Salazar et al. 2020, equation 1 (the terms of the pseudo-log-likelihood); lecture row L3.3.f.
        """
        ids = torch.tensor(self.encode(text).ids)
        places = torch.arange(1, len(ids) - 1)
        if isinstance(self.model, CausalBert):
            logits = self.logits(ids.tolist())[:-2]
        else:
            logits = self._one_gap_each(ids, places)
        p = logits.softmax(dim=-1)[torch.arange(len(places)), ids[places]]
        return [*map(Guess, self.tokenizer.pieces(ids[places].tolist()), p.tolist())]

    @torch.no_grad()
    def _one_gap_each(
        self, ids: Int[Tensor, "n"], places: Int[Tensor, "gaps"]
    ) -> Float[Tensor, "gaps vocab"]:
        rows = ids.repeat(len(places), 1)
        rows[torch.arange(len(places)), places] = self.tokenizer.mask_id
        x, _ = self.model.read(rows.to(self._device))
        return self.model.lm_head(x[torch.arange(len(places)), places], self.model.bert.tokens.weight).cpu()

    def goes_on(self, text: str, top: int = 5) -> list[Guess]:
        """The likeliest tokens after a text, for a model that has seen nothing behind it.

        The twin reads the text and predicts. BERT, which cannot, gets a [MASK] behind it and no [SEP].

        Raises:
            ValueError: if the text is too long.
        """
        ids = self.encode(text).ids[:-1]
        if isinstance(self.model, CausalBert):
            return self._guesses(self.logits(ids)[-1], top)
        return self._guesses(self.logits([*ids, self.tokenizer.mask_id])[-1], top)

    # -- pairs --

    @torch.no_grad()
    def follows(self, first: str, second: str) -> float:
        """The probability that the second text follows the first.

        Source: Devlin et al. 2019, §3.1 (task 2); lecture rows L1.6.i, L3.3.c.
        """
        read = self.encode(first, second)
        _, whole = self.model.read(self._tensor(read.ids)[None], self._tensor(read.segments)[None])
        return self.model.next_head(whole)[0].softmax(dim=-1)[IS_NEXT].item()

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
            mask: there is no choice: BERT sees everything, its twin what came before.
            ablate: (layer, head) pairs whose output is set to zero.

        Raises:
            ValueError: if the text is too long, the temperature is not positive, or there is no such head.
        """
        ids = self.encode(text).ids
        seen = causal_mask(len(ids)).to(self._device) if isinstance(self.model, CausalBert) else None
        with intervene([block.self_attention for block in self.model.bert.layers], temperature, ablate):
            return self.model.bert.attend(self._tensor(ids), self.tokenizer.pieces(ids), mask=seen)

    def encode(self, first: str, second: str | None = None) -> Encoded:
        """The tokens of a text, or of two, with special tokens around them.

        Raises:
            ValueError: if there are more of them than the model has positions, or none.
        """
        read, longest = self.tokenizer.encode(first, second), self.model.config.max_length
        if len(read.ids) > longest:
            raise ValueError(f"this model sees up to {longest} tokens at once; this text has {len(read.ids)}")
        if len(read.ids) == 2:
            raise ValueError("type at least one character")
        return read

    @property
    def _device(self) -> torch.device:
        return self.model.bert.tokens.weight.device

    def _tensor(self, ids: Sequence[int]) -> Int[Tensor, "n"]:
        return torch.tensor(ids, device=self._device)

    def _guesses(self, logits: Float[Tensor, "vocab"], top: int) -> list[Guess]:
        best = logits.softmax(dim=-1).topk(top)
        return [*map(Guess, self.tokenizer.pieces(best.indices.tolist()), best.values.tolist())]
