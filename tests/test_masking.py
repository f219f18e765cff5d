"""What is hidden, and how often: the rates are those of theory, and of transformers.

Where chance decides, a count X ~ Binomial(n, p) is accepted within 5 standard deviations, √(n p (1 - p)), of
n p. A right function fails one such comparison in 1.7 million; the seeds are fixed besides.
"""

import math

import pytest
import torch
from chance import assert_share
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizer, DataCollatorForLanguageModeling

from course.masking import (
    IGNORED,
    choose_spans,
    choose_words,
    corrupt,
    mask_spans,
    mask_tokens,
    mask_words,
    random_tokens,
    span_lengths,
)

PAD, UNK, CLS, SEP, MASK = SPECIAL = range(5)
VOCAB, N = 1000, 128
PLAIN = {"mask_id": MASK, "vocab_size": VOCAB}

rates = st.floats(0.01, 1.0)
shares = st.tuples(*[st.integers(0, 5)] * 3).filter(any).map(lambda s: tuple(x / sum(s) for x in s))


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def sentences(rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """[CLS] ... [SEP], padding behind it; and where special tokens and padding are."""
    ids = torch.randint(len(SPECIAL), VOCAB, (rows, N))
    lengths = torch.randint(N // 2, N + 1, (rows, 1))
    place = torch.arange(N)
    ids = ids.masked_fill(place == lengths - 1, SEP).masked_fill(place >= lengths, PAD)
    ids[:, 0] = CLS
    return ids, (place == 0) | (place >= lengths - 1)


def fates(ids, inputs, labels) -> tuple[int, int, int]:
    """How many of the labelled tokens became [MASK], became another token, and stayed."""
    chosen = labels != IGNORED
    masked, kept = inputs[chosen] == MASK, inputs[chosen] == ids[chosen]
    return int(masked.sum()), int((~masked & ~kept).sum()), int(kept.sum())


def theory(split: tuple[float, float, float], candidates: int) -> tuple[float, float, float]:
    """The shares of ``fates``: one random token in ``candidates`` happens to be the original."""
    same = split[1] / candidates
    return split[0], split[1] - same, split[2] + same


# -- always --


@given(rates, shares, st.integers(0, 2**32))
def test_labels_are_the_originals_of_what_was_chosen_and_nothing_else_changes(rate, split, seed):
    ids, special = sentences(2)
    before = ids.clone()
    for mask in (mask_tokens, mask_spans):
        inputs, labels = mask(
            ids,
            special_mask=special,
            rate=rate,
            split=split,
            generator=torch.Generator().manual_seed(seed),
            **PLAIN,
        )
        chosen = labels != IGNORED
        assert torch.equal(ids, before)
        assert not (chosen & special).any()
        assert torch.equal(labels[chosen], ids[chosen])
        assert torch.equal(inputs[~chosen], ids[~chosen])
        assert inputs.dtype == labels.dtype == ids.dtype


def test_the_same_generator_gives_the_same_masks_and_leaves_the_global_one_alone():
    ids, special = sentences(4)
    state = torch.get_rng_state()
    for mask in (mask_tokens, mask_spans):
        twice = [
            mask(ids, special_mask=special, generator=torch.Generator().manual_seed(7), **PLAIN)
            for _ in range(2)
        ]
        torch.testing.assert_close(*twice, rtol=0, atol=0)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_share_of_one_decides_alone():
    ids, special = sentences(8)
    for position, split in enumerate(torch.eye(3).tolist()):
        inputs, labels = mask_tokens(ids, special_mask=special, rate=1.0, split=split, **PLAIN)
        counts = fates(ids, inputs, labels)
        if position == 1:  # a random token may be the original, or [MASK] where no id is ruled out
            assert counts[1] > 0.98 * sum(counts)
        else:
            assert counts[position] == sum(counts) == int((~special).sum())


# -- rates --


@pytest.mark.parametrize("rate", [0.15, 0.4])
@pytest.mark.parametrize("split", [(0.8, 0.1, 0.1), (1.0, 0.0, 0.0), (0.2, 0.5, 0.3)])
def test_rates_are_those_of_theory(rate, split):
    ids, special = sentences(4000)
    inputs, labels = mask_tokens(
        ids, special_mask=special, rate=rate, split=split, special_ids=SPECIAL, **PLAIN
    )
    counts = fates(ids, inputs, labels)
    assert_share(sum(counts), int((~special).sum()), rate)
    for count, share in zip(counts, theory(split, VOCAB - len(SPECIAL)), strict=True):
        assert_share(count, sum(counts), share)


def test_every_position_and_every_row_is_chosen_as_often():
    ids = torch.randint(5, VOCAB, (2000, 40))
    _, labels = mask_tokens(ids, special_mask=torch.zeros_like(ids, dtype=torch.bool), **PLAIN)
    for column in (labels != IGNORED).T:
        assert_share(int(column.sum()), 2000, 0.15)
    of_pairs = (labels[:, 1:] != IGNORED) & (labels[:, :-1] != IGNORED)  # neighbours are independent
    assert_share(int(of_pairs.sum()), of_pairs.numel(), 0.15**2)


@pytest.fixture(scope="module")
def collator(tmp_path_factory) -> DataCollatorForLanguageModeling:
    """transformers' masking, for a vocabulary of the same size and special tokens."""
    file = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str, range(VOCAB - len(SPECIAL)))]
    file.write_text("\n".join(words), encoding="utf-8")
    tokenizer = BertTokenizer(str(file))
    assert tokenizer.convert_tokens_to_ids(words[:5]) == list(SPECIAL) and len(tokenizer) == VOCAB
    return DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)


def test_the_distribution_is_that_of_transformers(collator):
    """Either count of each kind against the other: their difference has twice the variance of one."""
    ids, special = sentences(4000)
    n = int((~special).sum())
    ours = fates(ids, *mask_tokens(ids, special_mask=special, **PLAIN))
    theirs = fates(ids, *collator.torch_mask_tokens(ids.clone(), special.clone()))
    for a, b, share in zip(ours, theirs, theory((0.8, 0.1, 0.1), VOCAB), strict=True):
        p = 0.15 * share
        assert abs(a - b) <= 5 * math.sqrt(2 * n * p * (1 - p))


def test_random_tokens_are_even_and_never_special():
    drawn = random_tokens(torch.empty(100_000, dtype=torch.long), 50, SPECIAL)
    counts = drawn.bincount(minlength=50)
    assert counts[: len(SPECIAL)].sum() == 0
    for count in counts[len(SPECIAL) :]:
        assert_share(int(count), 100_000, 1 / 45)
    assert random_tokens(drawn, 50).bincount(minlength=50).min() > 0


# -- whole words --

WORDS = torch.tensor([[-1, 0, 1, 1, 1, 2, 3, 3, -1, -1]]).repeat(20_000, 1)


def test_the_pieces_of_a_word_are_chosen_together():
    chosen = choose_words(WORDS, 0.3)
    assert not chosen[WORDS < 0].any()
    for word in range(4):
        of_word = chosen[:, WORDS[0] == word]
        assert torch.equal(of_word.all(dim=-1), of_word.any(dim=-1))
        assert_share(int(of_word[:, 0].sum()), len(WORDS), 0.3)
    assert_share(int((chosen[:, 1] & chosen[:, 2]).sum()), len(WORDS), 0.3**2)


def test_pieces_of_a_chosen_word_are_replaced_each_on_its_own():
    ids = torch.randint(5, VOCAB, WORDS.shape)
    inputs, labels = mask_words(ids, words=WORDS, rate=0.5, split=(0.5, 0.0, 0.5), **PLAIN)
    assert torch.equal(labels != IGNORED, (labels != IGNORED) & (WORDS >= 0))
    first, second = (inputs[labels[:, 2] != IGNORED][:, place] == MASK for place in (2, 3))
    assert_share(int((first & second).sum()), len(first), 0.25)


# -- spans --


def test_span_lengths_are_geometric():
    lengths = span_lengths(100_000)
    mass = torch.tensor([0.8**k for k in range(10)], dtype=torch.float64)
    for length, p in enumerate((mass / mass.sum()).tolist(), start=1):
        assert_share(int((lengths == length).sum()), 100_000, p)
    assert lengths.double().mean() == pytest.approx(3.8, abs=0.05)  # the paper's number
    assert span_lengths(10, p=1.0).tolist() == [1] * 10


def test_spans_are_contiguous_cover_the_rate_and_hold_no_special_token():
    _, special = sentences(200)
    special[:, N // 3] = True
    spans = choose_spans(special, rate=0.3)
    assert not (spans[special] >= 0).any()
    for row in spans:
        for number in range(int(row.max()) + 1):
            places = (row == number).nonzero().squeeze(-1)
            assert 1 <= len(places) <= 10
            assert torch.equal(places, torch.arange(places[0], places[-1] + 1))
    free = (~special).sum(dim=-1)
    covered = (spans >= 0).sum(dim=-1)
    assert ((covered - 0.3 * free).abs() < 1).all()


def test_the_share_in_spans_is_right_on_average_in_sequences_too_short_for_one():
    spans = choose_spans(torch.zeros(4000, 3, dtype=torch.bool), rate=0.15)
    assert_share(int((spans >= 0).sum()), 4000, 0.45)


def test_all_of_a_sequence_can_lie_in_spans():
    assert (choose_spans(torch.zeros(5, 30, dtype=torch.bool), rate=1.0) >= 0).all()


def test_a_span_is_replaced_as_a_whole():
    ids, special = sentences(300)
    generator = torch.Generator()
    spans = choose_spans(special, generator=generator.manual_seed(1))
    inputs, _ = mask_spans(
        ids, special_mask=special, split=(0.5, 0.0, 0.5), generator=generator.manual_seed(1), **PLAIN
    )
    masked = [
        (inputs[row][spans[row] == number] == MASK).unique().tolist()
        for row in range(len(ids))
        for number in range(int(spans[row].max()) + 1)
    ]
    assert all(len(kinds) == 1 for kinds in masked)
    assert_share(sum(kinds == [True] for kinds in masked), len(masked), 0.5)


# -- what is refused --

IDS, NONE_SPECIAL = torch.randint(5, VOCAB, (2, 8)), torch.zeros(2, 8, dtype=torch.bool)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"rate": 0.0}, ValueError, "0 < rate <= 1; got 0.0"),
        ({"rate": 1.5}, ValueError, "got 1.5"),
        ({"rate": math.nan}, ValueError, "got nan"),
        ({"split": (0.8, 0.1, 0.2)}, ValueError, r"got \(0.8, 0.1, 0.2\) with sum 1.1"),
        ({"split": (1.2, -0.1, -0.1)}, ValueError, "each >= 0"),
        ({"split": (0.8, 0.2)}, ValueError, "three shares"),
        ({"special_mask": ~NONE_SPECIAL}, ValueError, "nothing can be masked: all 16 tokens"),
        ({"special_mask": NONE_SPECIAL.long()}, TypeError, "boolean.*torch.int64"),
        ({"special_mask": NONE_SPECIAL[:1]}, ValueError, r"\[2, 8\] and \[1, 8\]"),
        ({"mask_id": VOCAB}, ValueError, "999.*mask_id 1000"),
        ({"vocab_size": 6}, ValueError, "vocab_size - 1 = 5"),
        ({"special_ids": range(VOCAB)}, ValueError, "all 1000 tokens.*none is left"),
        ({"special_ids": (0, VOCAB)}, ValueError, "special_ids.*vocab_size - 1 = 999; got 1000"),
        ({"special_ids": (-1,)}, ValueError, "special_ids.*got -1"),
    ],
)
@pytest.mark.parametrize("mask", [mask_tokens, mask_spans])
def test_what_cannot_be_masked_is_refused(mask, changes, error, said):
    with pytest.raises(error, match=said):
        mask(IDS, **{"special_mask": NONE_SPECIAL, **PLAIN, **changes})


def test_what_is_refused_draws_nothing():
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()
    with pytest.raises(ValueError, match=r"sum 1\.1"):
        mask_tokens(IDS, special_mask=NONE_SPECIAL, split=(0.8, 0.1, 0.2), generator=generator, **PLAIN)
    assert torch.equal(generator.get_state(), before)


def test_ids_must_be_whole_numbers():
    with pytest.raises(TypeError, match=r"ids must be whole numbers; got torch.float32"):
        corrupt(IDS.float(), NONE_SPECIAL, MASK, VOCAB)


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (torch.full((2, 8), -1), ValueError, "none of the 16 tokens belongs to a word"),
        (torch.full((2, 8), 8), ValueError, "below 8 in a sequence of 8 tokens; got numbers from 8 to 8"),
        (torch.zeros(2, 8), TypeError, "words must be whole numbers"),
        (torch.zeros(2, 7, dtype=torch.long), ValueError, r"\[2, 8\] and \[2, 7\]"),
    ],
)
def test_impossible_words_are_refused(words, error, said):
    with pytest.raises(error, match=said):
        mask_words(IDS, words=words, **PLAIN)


@pytest.mark.parametrize(("p", "longest"), [(0.0, 10), (1.1, 10), (0.2, 0)])
def test_impossible_span_lengths_are_refused(p, longest):
    with pytest.raises(ValueError, match=f"got p = {p}, longest = {longest}"):
        mask_spans(IDS, special_mask=NONE_SPECIAL, p=p, longest=longest, **PLAIN)
