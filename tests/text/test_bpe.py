"""BPE learns the library's merges, in its order, and cuts as it does; WordPiece's cut is the library's."""

import json
from collections import Counter
from pydoc_data.topics import topics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from course.checkpoints import find_file
from course.text.bpe import (
    BPE,
    as_bytes,
    best_pair,
    bpe_encode,
    count_pairs,
    from_bytes,
    longest_pieces,
    merge_pair,
    ranks_of,
    split_words,
    train_bpe,
)
from course.text.wordpiece import WordPiece

TEXTS = st.text(alphabet="aab c", max_size=60)
MIXED = "Low lowest; new newer — 新的 新的词, naïve naïve 🙂🙂 12 1234 don't\n\n  two  spaces\tand_tabs aaaaa"


def library(counts, n_merges, alphabet=()):
    """The library's merges for words with such counts."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    symbols = {c for word in counts for c in word} | set(alphabet)
    trainer = trainers.BpeTrainer(
        vocab_size=len(symbols) + n_merges,
        min_frequency=2,
        show_progress=False,
        initial_alphabet=list(alphabet),
    )
    words = [word for word, n in counts.items() for _ in range(n)]
    backend.train_from_iterator([" ".join(words)], trainer)
    return backend


def merges_of(backend):
    return [tuple(merge) for merge in json.loads(backend.to_str())["model"]["merges"]]


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(0, 12))
def test_the_merges_are_the_librarys_in_its_order(text, n):
    counts = Counter(text.split())
    ours = [merge.pair for merge in train_bpe(counts, n)]
    theirs = merges_of(library(counts, n))
    assert ours == theirs[: len(ours)] and len(ours) >= len(theirs)


def naive(counts, n):
    """The same by the definition: everything counted anew for each merge."""
    words = Counter({tuple(word): count for word, count in counts.items()})
    ids = {symbol: id for id, symbol in enumerate(sorted({c for word in counts for c in word}))}
    found = []
    while len(found) < n and (pairs := count_pairs(words)):
        pair = best_pair(pairs, ids)
        if pairs[pair] < 2:
            break
        found.append((pair, pairs[pair]))
        ids.setdefault(pair[0] + pair[1], len(ids))
        words = Counter({merge_pair(word, pair): count for word, count in words.items()})
    return found


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(0, 12))
def test_the_index_of_pairs_changes_nothing(text, n):
    counts = Counter(text.split())
    assert [tuple(merge) for merge in train_bpe(counts, n)] == naive(counts, n)


def test_a_real_text_gives_the_librarys_merges_and_ids():
    text = "\n".join(topics.values())[:120_000]
    ours = BPE.train(text, 300)
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=556,
        min_frequency=2,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    backend.train_from_iterator([text], trainer)
    assert ours.merges == merges_of(backend)
    assert ours.ids == backend.get_vocab()
    for sample in (MIXED, text[-3000:], "", " "):
        assert ours.encode(sample) == backend.encode(sample).ids
        assert ours.decode(ours.encode(sample)) == sample


def test_first_seen_is_another_rule():
    counts = Counter({"ba": 2, "ab": 2})
    assert next(iter(count_pairs({tuple(word): n for word, n in counts.items()}))) == ("b", "a")
    assert train_bpe(counts, 1)[0].pair == ("a", "b")


def test_overlaps_are_counted_twice_and_merged_once():
    assert count_pairs({("a", "a", "a"): 3}) == {("a", "a"): 6}
    assert merge_pair("aaa", ("a", "a")) == ("aa", "a")
    merges = train_bpe({"aaabdaaabac": 2}, 3)  # minbpe's example: three merges, five tokens
    assert [(m.pair, m.count) for m in merges] == [(("a", "a"), 8), (("a", "b"), 4), (("aa", "ab"), 4)]
    assert bpe_encode("aaabdaaabac", ranks_of(merges)) == ["aaab", "d", "aaab", "a", "c"]


def test_a_merge_needs_both_its_symbols_whole():
    """Joining by replacing text would make "tal l l" of "ta l l": a symbol's border is no place to merge."""
    assert merge_pair(("ta", "l", "l"), ("a", "l")) == ("ta", "l", "l")


def test_the_first_learned_merge_comes_first():
    ranks = ranks_of([("b", "c"), ("a", "b"), ("ab", "c")])
    assert bpe_encode("abc", ranks) == ["a", "bc"]
    assert bpe_encode("", ranks) == [] and bpe_encode("x", ranks) == ["x"]


@given(st.text(max_size=40).filter(lambda s: not any("\ud800" <= c <= "\udfff" for c in s)))
def test_no_text_is_unknown_and_every_text_comes_back(text):
    bpe = BPE([("Ġ", "t"), ("t", "h"), ("th", "e")])
    assert bpe.decode(bpe.encode(text)) == text
    assert from_bytes([as_bytes(text)]) == text
    assert "".join(split_words(text)) == text


def test_half_a_character_is_refused():
    with pytest.raises(ValueError, match="surrogate"):
        as_bytes("\ud83d")


def test_the_longest_piece_first_is_bert_s_cut():
    backend = WordPiece.load(find_file("bert-small", "tokenizer.json"))
    vocabulary = set(backend.pieces(range(len(backend))))
    words = (
        "the unbelievable transformers tokenization rabbits zzyzx antidisestablishmentarianism xqj 猫 "
        + "a" * 101
    )
    for word in words.split():
        assert longest_pieces(word, vocabulary) == backend.pieces(backend.encode(word).ids)[1:-1], word


def test_a_choice_once_made_is_not_taken_back():
    vocabulary = {"ab", "a", "##bc", "##b"}
    assert longest_pieces("abc", vocabulary) == ["[UNK]"]  # a + ##bc would have done
    assert longest_pieces("abb", vocabulary) == ["ab", "##b"]
