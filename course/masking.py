"""What BERT is trained on: tokens to restore, and sentences that follow one another or do not.

First which tokens to predict (each for itself, whole words, spans), then what is put in their place, then
pairs of sentences. Labels are the original ids where there is something to predict and ``IGNORED`` elsewhere.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

IGNORED = -100
"""The label of a place whose prediction does not count (``torch.nn.functional.cross_entropy``'s own)."""
SPLIT = (0.8, 0.1, 0.1)

# --------------------------------------------------------------------------------------------------
# BERT's masking, and that of its successors
# --------------------------------------------------------------------------------------------------


def mask_tokens(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    """Choose each ordinary token with probability ``rate``, hide those chosen, and ask for them.

    Args:
        special_mask: True at special tokens and padding, which are never chosen.
        split: of the chosen, the shares that become [MASK], become a random token, and stay as they are. A
            random token is any of the vocabulary, and by chance the one that stood there.
        special_ids: what no random token may be; the default, nothing, is the paper's.

    Returns:
        The inputs, and the labels: the original id at each chosen token, -100 elsewhere. ``ids`` stay as
        they are.

    Raises:
        TypeError: if ids are no whole numbers or the mask is not boolean.
        ValueError: if shapes differ, the rate is below 0 or above 1, the split is not three shares that sum
            to 1, an id (mask_id and special_ids too) is not one of the vocabulary, or all tokens are special.

    Source: Devlin et al. 2019, §3.1 (task 1) and appendix A.1; lecture row L3.3.a.
    """
    check_masking(ids, special_mask, mask_id, vocab_size, rate, split, special_ids)
    chosen = choose_tokens(special_mask, rate, generator)
    return corrupt(ids, chosen, mask_id, vocab_size, split, special_ids, generator=generator)


def mask_words(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    words: Int[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    """``mask_tokens`` that chooses words: all pieces of a word are to be predicted, or none.

    Each chosen piece is replaced on its own, as in the authors' code.

    Args:
        words: the number of the word that each piece belongs to, counted from 0 in each sequence; -1 at
            special tokens and padding.

    Raises:
        TypeError, ValueError: as ``mask_tokens``.

    Source: "whole word masking" in the README of Devlin et al.'s code, 2019; lecture row L3.3.a.
    """
    chosen = choose_words(words, rate, generator)
    return corrupt(ids, chosen, mask_id, vocab_size, split, special_ids, generator=generator)


def mask_spans(
    ids: Int[Tensor, "*batch n"],
    *,
    mask_id: int,
    vocab_size: int,
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    p: float = 0.2,
    longest: int = 10,
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    """``mask_tokens`` that chooses spans, each of which becomes [MASK]s, random tokens, or stays, as a whole.

    Args:
        p, longest: see ``span_lengths``.

    Raises:
        TypeError, ValueError: as ``mask_tokens``.

    Source: Joshi et al. 2020 (SpanBERT), §3.1; lecture row L3.3.a.
    """
    spans = choose_spans(special_mask, rate, p, longest, generator)
    return corrupt(ids, spans >= 0, mask_id, vocab_size, split, special_ids, spans, generator)


# --------------------------------------------------------------------------------------------------
# Which tokens are to be predicted?
# --------------------------------------------------------------------------------------------------


def choose_tokens(
    special_mask: Bool[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    """True with probability ``rate`` at each token that is not special, independently.

    Raises:
        TypeError, ValueError: as ``mask_tokens``.
    """
    _check_rate(rate)
    _check_special_mask(special_mask)
    return (_uniform(special_mask, generator) < rate) & ~special_mask


def choose_words(
    words: Int[Tensor, "*batch n"], rate: float = 0.15, generator: Generator | None = None
) -> Bool[Tensor, "*batch n"]:
    """True with probability ``rate`` at all pieces of a word, independently of all other words.

    Args:
        words: the number of the word that each piece belongs to, counted from 0 in each sequence (so below
            n); -1 at special tokens and padding, which are never chosen. They stay as they are.

    Raises:
        TypeError: if the words' numbers are no whole numbers.
        ValueError: if the rate is below 0 or above 1, or no piece belongs to a word.
    """
    check_words(words, rate)
    of_word = _uniform(words, generator).gather(-1, words.clamp(min=0))
    return (of_word < rate) & (words >= 0)


def choose_spans(
    special_mask: Bool[Tensor, "*batch n"],
    rate: float = 0.15,
    p: float = 0.2,
    longest: int = 10,
    generator: Generator | None = None,
) -> Int[Tensor, "*batch n"]:
    """The number of the span that each token lies in, counted from 0 in each sequence; -1 outside all spans.

    Spans hold no special token and do not overlap. They are added until ``rate`` of a sequence's ordinary
    tokens are covered; the last is cut to what is left. Where that share is no whole number, chance rounds
    it up or down, so that ``rate`` is right on average.

    Raises:
        TypeError, ValueError: as ``mask_spans``.
    """
    _check_rate(rate)
    _check_special_mask(special_mask)
    rows = special_mask.reshape(-1, special_mask.shape[-1])
    spans = torch.stack([_spans_of_one(~row, rate, p, longest, generator) for row in rows])
    return spans.reshape(special_mask.shape)


def _spans_of_one(
    free: Bool[Tensor, "n"], rate: float, p: float, longest: int, generator: Generator | None
) -> Int[Tensor, "n"]:
    free, spans = free.clone(), torch.full_like(free, -1, dtype=torch.long)
    left = math.floor(rate * int(free.sum()) + float(_uniform(free[0], generator)))
    while left:
        length = min(int(span_lengths(1, p, longest, generator)), left)
        start = below(len(free), generator)
        span = slice(start, start + length)
        if start + length <= len(free) and free[span].all():
            spans[span], free[span] = spans.max() + 1, False
            left -= length
    return spans


def span_lengths(
    count: int, p: float = 0.2, longest: int = 10, generator: Generator | None = None
) -> Int[Tensor, "count"]:
    """Lengths of random spans, in tokens: l with probability proportional to (1 - p)^(l - 1), l <= longest.

    With the defaults 3.8 on average.

    Raises:
        ValueError: unless 0 < p <= 1 and longest >= 1.

    Source: Joshi et al. 2020 (SpanBERT), §3.1 and figure 2.
    """
    _check_spans(p, longest)
    weights = (1 - p) ** torch.arange(longest, dtype=torch.float64, device=_device(generator))
    return 1 + weights.multinomial(count, replacement=True, generator=generator)


# --------------------------------------------------------------------------------------------------
# What stands in their place?
# --------------------------------------------------------------------------------------------------


def corrupt(
    ids: Int[Tensor, "*batch n"],
    chosen: Bool[Tensor, "*batch n"],
    mask_id: int,
    vocab_size: int,
    split: tuple[float, float, float] = SPLIT,
    special_ids: Sequence[int] = (),
    groups: Int[Tensor, "*batch n"] | None = None,
    generator: Generator | None = None,
) -> tuple[Int[Tensor, "*batch n"], Int[Tensor, "*batch n"]]:
    """Replace the chosen tokens by [MASK], by a random token or by nothing, and label them.

    One draw decides between the three, so that their shares are exactly those of ``split``.

    Args:
        groups: tokens with the same number share one fate; None decides for each on its own.

    Returns, Raises:
        As ``mask_tokens``.

    Source: Devlin et al. 2019, §3.1 and appendix A.1; lecture row L3.3.a.
    """
    _check_ids(ids, chosen, mask_id, vocab_size)
    _check_split(split)
    fate = _uniform(ids, generator)
    fate = fate if groups is None else fate.gather(-1, groups.clamp(min=0))
    masked = chosen & (fate < split[0])
    replaced = chosen & ~masked & (fate < split[0] + split[1])
    inputs = torch.where(replaced, random_tokens(ids, vocab_size, special_ids, generator), ids)
    return inputs.masked_fill(masked, mask_id), ids.masked_fill(~chosen, IGNORED)


def random_tokens(
    like: Int[Tensor, "*shape"],
    vocab_size: int,
    special_ids: Sequence[int] = (),
    generator: Generator | None = None,
) -> Int[Tensor, "*shape"]:
    """A token for every place, each of the vocabulary but ``special_ids`` being as likely.

    Raises:
        ValueError: if that leaves no token, or one of ``special_ids`` is not of the vocabulary.
    """
    _check_special_ids(special_ids, vocab_size)
    allowed = torch.ones(vocab_size, dtype=torch.bool)
    allowed[list(special_ids)] = False
    candidates = allowed.nonzero().squeeze(-1).to(_device(generator))
    drawn = torch.randint(len(candidates), like.shape, generator=generator, device=_device(generator))
    return candidates[drawn].to(like)  # its device and dtype


# --------------------------------------------------------------------------------------------------
# Chance, and checks
# --------------------------------------------------------------------------------------------------


def check_masking(
    ids: Int[Tensor, "*batch n"],
    special_mask: Bool[Tensor, "*batch n"],
    mask_id: int,
    vocab_size: int,
    rate: float = 0.15,
    split: Sequence[float] = SPLIT,
    special_ids: Sequence[int] = (),
) -> None:
    """Refuse what ``mask_tokens`` cannot mask: raise what its docstring says, before anything is drawn.

    A rate of 0, which asks for nothing, is refused as well.
    """
    _check_rate(rate)
    _check_special_mask(special_mask)
    _check_ids(ids, special_mask, mask_id, vocab_size)
    _check_split(split)
    _check_special_ids(special_ids, vocab_size)


def check_words(words: Int[Tensor, "*batch n"], rate: float = 0.15) -> None:
    """Refuse what ``choose_words`` cannot choose from: raise what its docstring says.

    A rate of 0, and words whose numbers are not below n, are refused as well.
    """
    _check_rate(rate)
    _check_words(words)


def below(n: int, generator: Generator | None) -> int:
    """One of 0, 1, ..., n - 1."""
    return int(torch.randint(n, (), generator=generator, device=_device(generator)))


def _device(generator: Generator | None) -> torch.device:
    return torch.device("cpu") if generator is None else generator.device


def _uniform(like: Tensor, generator: Generator | None) -> Float[Tensor, "*shape"]:
    """A number in [0, 1) for every place, drawn where the generator is: the same draws on every device."""
    return torch.rand(like.shape, generator=generator, device=_device(generator)).to(like.device)


def _check_rate(rate: float) -> None:
    if not 0 < rate <= 1:
        raise ValueError(f"the rate is the share of tokens to predict, 0 < rate <= 1; got {rate}")


def _check_split(split: Sequence[float]) -> None:
    if len(split) != 3 or not all(share >= 0 for share in split) or not math.isclose(sum(split), 1):
        raise ValueError(
            "split is three shares of the chosen tokens, [MASK], random and unchanged, each >= 0, that sum "
            f"to 1; got {tuple(split)} with sum {sum(split):g}"
        )


def _check_spans(p: float, longest: int) -> None:
    if not 0 < p <= 1 or longest < 1:
        raise ValueError(f"span lengths need 0 < p <= 1 and longest >= 1; got p = {p}, longest = {longest}")


def _check_special_mask(special_mask: Tensor) -> None:
    if special_mask.dtype != torch.bool:
        raise TypeError(
            f"special_mask must be boolean, True at special tokens and padding; got {special_mask.dtype}"
        )
    if special_mask.all():
        raise ValueError(
            f"nothing can be masked: all {special_mask.numel()} tokens are special tokens or padding"
        )


def _check_words(words: Tensor) -> None:
    _check_whole("words", words)
    if not (words >= 0).any():
        raise ValueError(f"nothing can be masked: none of the {words.numel()} tokens belongs to a word")
    n, low, high = words.shape[-1], int(words.min()), int(words.max())
    if low < -1 or high >= n:
        raise ValueError(
            f"words are numbered from 0, -1 for none, so below {n} in a sequence of {n} tokens; "
            f"got numbers from {low} to {high}"
        )


def _check_ids(ids: Tensor, chosen: Tensor, mask_id: int, vocab_size: int) -> None:
    _check_whole("ids", ids)
    if ids.shape != chosen.shape:
        raise ValueError(
            "ids and what says which of them may be masked must have the same shape; "
            f"got {list(ids.shape)} and {list(chosen.shape)}"
        )
    low, high = (min(int(ids.min()), mask_id), max(int(ids.max()), mask_id))
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"ids and mask_id must lie between 0 and vocab_size - 1 = {vocab_size - 1}; "
            f"got ids from {int(ids.min())} to {int(ids.max())} and mask_id {mask_id}"
        )


def _check_special_ids(special_ids: Sequence[int], vocab_size: int) -> None:
    strange = [id for id in special_ids if not 0 <= id < vocab_size]
    if strange:
        raise ValueError(
            f"special_ids must lie between 0 and vocab_size - 1 = {vocab_size - 1}; got {strange[0]}"
        )
    if len(set(special_ids)) == vocab_size:
        raise ValueError(
            f"all {vocab_size} tokens of the vocabulary are in special_ids: none is left to draw"
        )


def _check_whole(name: str, numbers: Tensor) -> None:
    if numbers.is_floating_point() or numbers.dtype == torch.bool:
        raise TypeError(f"{name} must be whole numbers; got {numbers.dtype}")
