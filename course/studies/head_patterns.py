"""Which pattern does a head follow? Positions, same words, separators, and who belongs to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course.data.parsed_sentences import Parsed
from course.models.attention_pass import AttentionPass

SEPARATORS = ("[CLS]", "[SEP]")
OFFSETS = range(-3, 4)
Weights = Float[Tensor, "layer head n n"]


# --------------------------------------------------------------------------------------------------
# Scores: the mean over queries of the weight that goes where the pattern says
# --------------------------------------------------------------------------------------------------


def offset_score(weights: Weights, offset: int) -> Float[Tensor, "layer head"]:
    """How much of each token's attention goes to the one ``offset`` places on (-1: the one before).

    Tokens that have none there are left out.

    Raises:
        ValueError: if no token has.

    Source: "attending broadly, to the next token, to the previous token" in Clark et al. 2019, §3.1; lecture
        row L1.3.i.
    """
    if abs(offset) >= weights.shape[-1]:
        raise ValueError(f"of {weights.shape[-1]} tokens none has another {offset} places on")
    return weights.diagonal(offset, dim1=-2, dim2=-1).mean(dim=-1)


def separator_score(weights: Weights, tokens: Sequence[str]) -> Float[Tensor, "layer head"]:
    """How much of the other tokens' attention goes to [CLS] and [SEP].

    Raises:
        ValueError: if there are no separators, or nothing else.

    Source: Clark et al. 2019, §3.2: a head that finds nothing to do for a token rests there.
    """
    separators = torch.tensor([token in SEPARATORS for token in tokens])
    return _mean_weight(weights, ~separators[:, None] & separators, "a separator and another token")


def same_word_score(weights: Weights, tokens: Sequence[str]) -> Float[Tensor, "layer head"]:
    """How much attention goes to other places with the same token, for tokens that stand in two or more.

    Raises:
        ValueError: if no token comes twice, separators aside.
    """
    return _mean_weight(weights, _alike(tokens), "a token that comes twice")


def part_of_speech_score(
    weights: Weights, places: Sequence[int], tags: Sequence[str]
) -> tuple[Float[Tensor, "layer head"], float]:
    """How much of a word's attention to other words goes to those of its own part of speech.

    Args:
        places: of each word's first piece.
        tags: of each word its part of speech.

    Returns:
        The mean over the words that have such another, for each head; and the same for attention that is
        spread evenly over the other words.

    Raises:
        ValueError: if no word has.

    Source: lecture row L1.3.i ("one head may attend to parts of speech").
    """
    alike = torch.tensor([[a == b for b in tags] for a in tags])
    others = ~torch.eye(len(tags), dtype=torch.bool)
    asked = (alike & others).any(dim=-1)
    if not asked.any():
        raise ValueError("this score needs two words of one part of speech")
    between = weights[:, :, list(places)][..., list(places)] * others  # [layer, head, word, word]
    share = (between * alike).sum(dim=-1) / between.sum(dim=-1).clamp(min=1e-9)
    even = (alike & others).sum(dim=-1) / (len(tags) - 1)
    return share[..., asked].mean(dim=-1), even[asked].mean().item()


def _mean_weight(weights: Weights, where: Bool[Tensor, "n n"], what: str) -> Float[Tensor, "layer head"]:
    asked = where.any(dim=-1)
    if not asked.any():
        raise ValueError(f"this score needs {what}")
    return (weights * where).sum(dim=-1)[..., asked].mean(dim=-1)


# --------------------------------------------------------------------------------------------------
# Who belongs to whom
# --------------------------------------------------------------------------------------------------


def relation_hits(
    sentences: Iterable[Parsed], read: Callable[[str], AttentionPass], name: str
) -> Float[Tensor, "layer head"]:
    """In how many cases of a relation a head attends most, of all other words, from the word to its head.

    A word of several pieces attends as its first piece, and is attended to by its first piece.

    Args:
        read: what a model attends to, text by text: a ``MaskedLM``.

    Raises:
        ValueError: if no sentence has the relation, or a word cannot be found among the tokens.

    Source: Clark et al. 2019, §4.2 (the word that is attended to most); lecture rows L1.3.i, L1.2.c.
    """
    return relation_cases(sentences, read, name).hits.float().mean(dim=0)


class Cases(NamedTuple):
    """Of each case of a relation: whether each head finds it, and how many words on it is."""

    hits: Bool[Tensor, "cases layer head"]
    offsets: Int[Tensor, "cases"]


def relation_cases(sentences: Iterable[Parsed], read: Callable[[str], AttentionPass], name: str) -> Cases:
    """``relation_hits`` case by case, so that they can be split: near from far, one half from the other.

    Raises:
        ValueError: as ``relation_hits``.
    """
    hits, offsets = [], []
    for sentence in sentences:
        chosen = [relation for relation in sentence.relations if relation.name == name]
        if chosen:
            seen = read(sentence.text)
            places = first_pieces(sentence.words, seen.tokens)
            hits += [_points_to(seen.weights, places, word, head) for _, word, head in chosen]
            offsets += [head - word for _, word, head in chosen]
    if not hits:
        raise ValueError(f"no sentence has the relation {name!r}")
    return Cases(torch.stack(hits), torch.tensor(offsets))


def _points_to(weights: Weights, places: Sequence[int], word: int, head: int) -> Bool[Tensor, "layer head"]:
    attended = weights[:, :, places[word]][..., list(places)].clone()  # [layer, head, words]
    attended[..., word] = -1.0
    return attended.argmax(dim=-1) == head


def fixed_offset(sentences: Iterable[Parsed], name: str) -> tuple[int, float]:
    """The best guess that looks at no word: the offset at which most heads of a relation lie; their share.

    Raises:
        ValueError: if no sentence has the relation.

    Source: the baseline of Clark et al. 2019, table 1.
    """
    offsets = [r.head - r.word for sentence in sentences for r in sentence.relations if r.name == name]
    if not offsets:
        raise ValueError(f"no sentence has the relation {name!r}")
    best = max(sorted(set(offsets)), key=offsets.count)
    return best, offsets.count(best) / len(offsets)


def first_pieces(words: Sequence[str], tokens: Sequence[str]) -> list[int]:
    """The place of each word's first piece among the tokens of a text of these words.

    Raises:
        ValueError: if the tokens are not those words'.
    """
    starts = [i for i, token in enumerate(tokens) if token not in SEPARATORS and not token.startswith("##")]
    for word, place in zip(words, starts, strict=False):
        if not (word.startswith(tokens[place]) or tokens[place] == "[UNK]"):
            raise ValueError(f"the token {tokens[place]!r} does not begin the word {word!r}")
    if len(words) != len(starts):
        raise ValueError(f"{len(words)} words, and {len(starts)} tokens that begin a word")
    return starts


# --------------------------------------------------------------------------------------------------
# All of it
# --------------------------------------------------------------------------------------------------


def head_scores(
    read: Callable[[str], AttentionPass], sentences: Sequence[Parsed]
) -> dict[str, Float[Tensor, "layer head"]]:
    """Every score of every head: means over sentences, the same word's over those in which one comes twice.

    Raises:
        ValueError: if a sentence is too short for an offset, or no word comes twice in any.
    """
    passes = [read(sentence.text) for sentence in sentences]
    twice = [p for p in passes if _alike(p.tokens).any()]
    scores = {f"{offset:+d}": _mean([offset_score(p.weights, offset) for p in passes]) for offset in OFFSETS}
    scores["separators"] = _mean([separator_score(p.weights, p.tokens) for p in passes])
    scores["same word"] = _mean([same_word_score(p.weights, p.tokens) for p in twice])
    names = sorted({relation.name for sentence in sentences for relation in sentence.relations})
    by_text = dict(zip([sentence.text for sentence in sentences], passes, strict=True))
    return scores | {name: relation_hits(sentences, by_text.__getitem__, name) for name in names}


def _alike(tokens: Sequence[str]) -> Bool[Tensor, "n n"]:
    rows = [
        [a == b and i != j and a not in SEPARATORS for j, b in enumerate(tokens)]
        for i, a in enumerate(tokens)
    ]
    return torch.tensor(rows)


def _mean(scores: Sequence[Tensor]) -> Float[Tensor, "layer head"]:
    return torch.stack(list(scores)).mean(dim=0)
