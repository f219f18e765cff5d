"""Which word of a translation comes from which word of its source: alignments, found and judged.

Source and target words are counted from 0; a link is a pair of them, source first.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from course.data.aligned_sentences import AlignedPair, Links
from course.models.translator import Translator
from course.text.plain import plain_text

_ELIDED = r"(?i:\b(?:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu)'(?=\w))"  # the l' of l'eau
_WORD = re.compile(rf"{_ELIDED}|\w+(?:[-']\w+)*|[^\w\s]+")


def words(text: str) -> list[str]:
    """The words and signs of a text; what French cuts short is a word of its own: L' · eau · froide · ."""
    return _WORD.findall(plain_text(text))


# -- links from attention --


def word_attention(
    model: Translator, source: str, target: str, when: str = "written"
) -> Float[Tensor, "layer head target_words source_words"]:
    """How much each word of a translation looks at each word of its source, in every layer and head.

    The weights of a source word's tokens are summed, those of a target word's tokens averaged; <eos> is left
    out on either side, so that a row may sum to less than 1.

    Args:
        target: the translation to follow, the model's own or not.
        when: "written": what the decoder looks at to predict a token; "read": what it looks at one step
            later, when it is given that token.

    Raises:
        ValueError: if there are no words, or ``when`` is neither.

    Source of the two moments: Chen et al. 2020 ("Accurate Word Alignment Induction from Neural Machine
    Translation"), §3.
    """
    if when not in ("written", "read"):
        raise ValueError(f'when must be "written" or "read"; got {when!r}')
    weights = model.attend(source, target).weights  # [layer, head, target tokens, source tokens]
    rows, columns = word_of_tokens(model, target), word_of_tokens(model, source)
    return by_words(weights[:, :, 1:] if when == "read" else weights, rows, columns)


def by_words(
    weights: Float[Tensor, "*batch query key"], rows: Sequence[int], columns: Sequence[int]
) -> Float[Tensor, "*batch target_words source_words"]:
    """Weights between tokens as weights between words: columns summed, rows averaged.

    Args:
        rows, columns: the word of each query and of each key; queries and keys behind these are left out.
    """
    target, source = (F.one_hot(torch.tensor(index)).to(weights) for index in (rows, columns))
    target = target / target.sum(dim=0).clamp(min=1)  # [target tokens, target words], columns summing to 1
    return target.mT @ weights[..., : len(rows), : len(columns)] @ source


def word_of_tokens(model: Translator, text: str) -> list[int]:
    """For each token of a text, without <eos>, the number of the word that it belongs to."""
    ends = [match.end() for match in _WORD.finditer(plain_text(text))]
    if not ends:
        raise ValueError(f"there is no word in {text!r}")
    return [bisect_right(ends, start) for start, _ in model.tokenizer.spans(plain_text(text))]


def best_links(weights: Float[Tensor, "target_words source_words"]) -> Links:
    """Each target word linked to the source word that it looks at most."""
    return frozenset((source, target) for target, source in enumerate(weights.argmax(dim=-1).tolist()))


def diagonal(source_words: int, target_words: int) -> Links:
    """Each target word linked to the source word at the same share of the sentence: no model at all."""
    share = source_words / target_words
    return frozenset((int((target + 0.5) * share), target) for target in range(target_words))


# -- judging --


def alignment_error_rate(found: Sequence[Links], pairs: Sequence[AlignedPair]) -> float:
    """AER = 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|) over all sentences: 0 is right, 1 is all wrong.

    A are the links found, S the sure and P the possible ones. A sure link that is not found costs; so does a
    found one that is not even possible.

    Raises:
        ValueError: if there are not as many alignments as pairs.

    Source: Och and Ney 2003, equation 23; lecture row L2.5.d.
    """
    if len(found) != len(pairs):
        raise ValueError(f"every pair needs its links; got {len(found)} for {len(pairs)} pairs")
    hits = sum(len(a & pair.sure) + len(a & pair.possible) for a, pair in zip(found, pairs, strict=True))
    return 1 - hits / sum(len(a) + len(pair.sure) for a, pair in zip(found, pairs, strict=True))


def head_error_rates(
    model: Translator, pairs: Sequence[AlignedPair], when: str = "written"
) -> tuple[Float[Tensor, "layer head"], float]:
    """The alignment error rate of every head, and that of the mean of all heads.

    Each pair's own translation is followed (teacher forcing), and each target word linked to the source word
    that it looks at most.
    """
    weights = [word_attention(model, pair.french, pair.english, when) for pair in pairs]
    rates = [
        [alignment_error_rate([best_links(w) for w in head], pairs) for head in zip(*layer, strict=True)]
        for layer in zip(*weights, strict=True)
    ]
    return torch.tensor(rates), alignment_error_rate([best_links(w.mean(dim=(0, 1))) for w in weights], pairs)


def diagonal_error_rate(pairs: Sequence[AlignedPair]) -> float:
    """The alignment error rate of the diagonal: what a head must beat."""
    found = [diagonal(len(words(pair.french)), len(words(pair.english))) for pair in pairs]
    return alignment_error_rate(found, pairs)
