"""Byte-pair encoding, trained and applied: equal to the tokenizers library's, merge for merge.

A word is first its symbols: characters, or bytes, each shown as a printable one (``as_bytes``). The pair of
neighbours that stands together most often becomes one symbol; then the next pair; and so on.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from course.text.readable import byte_alphabet
from course.text.tokenizers import _check_text

Pair = tuple[str, str]

_GPT2 = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
_CHARACTERS = {byte: character for character, byte in byte_alphabet().items()}


class Merge(NamedTuple):
    """Two symbols that become one, and how often they stood side by side when that was decided."""

    pair: Pair
    count: int


def split_words(text: str) -> list[str]:
    """A text in pieces that no merge crosses: words with the space before them, numbers, punctuation, spaces.

    Source: GPT-2's pattern (Radford et al. 2019), with Python's idea of a letter.
    """
    return _GPT2.findall(text)


def as_bytes(text: str) -> str:
    """One printable character for each byte of a text's UTF-8: a space is Ġ, é is Ã©, as in GPT-2's files.

    Raises:
        TypeError, ValueError: if it is no string, or holds half a surrogate pair.
    """
    _check_text(text)
    return "".join(map(_CHARACTERS.__getitem__, text.encode("utf-8")))


def bytes_of(symbols: Iterable[str]) -> bytes:
    """The bytes that such characters stand for."""
    alphabet = byte_alphabet()
    return bytes(alphabet[character] for symbol in symbols for character in symbol)


def from_bytes(symbols: Iterable[str]) -> str:
    """The text of such characters; bytes that are no UTF-8 show as �."""
    return bytes_of(symbols).decode("utf-8", "replace")


def count_pairs(words: Mapping[tuple[str, ...], int]) -> Counter[Pair]:
    """How often each pair of neighbours stands in words that are given with their own counts.

    "aaa" has the pair (a, a) twice, though only one of the two can be merged.
    """
    pairs: Counter[Pair] = Counter()
    for word, count in words.items():
        for pair in pairwise(word):
            pairs[pair] += count
    return pairs


def best_pair(pairs: Mapping[Pair, int], ids: Mapping[str, int]) -> Pair:
    """The pair with the highest count; of several, the one whose symbols have the smallest ids.

    Which of several is a convention. This is the tokenizers library's; minbpe takes the first seen.

    Raises:
        ValueError: if there is no pair.
    """
    return min(pairs, key=lambda pair: (-pairs[pair], ids[pair[0]], ids[pair[1]]))


def merge_pair(word: Sequence[str], pair: Pair) -> tuple[str, ...]:
    """The word with every such pair of neighbours joined, from left to right: "aaa" becomes ("aa", "a")."""
    merged, i = [], 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            merged.append(word[i] + word[i + 1])
            i += 2
        else:
            merged.append(word[i])
            i += 1
    return tuple(merged)


def train_bpe(
    counts: Mapping[str, int], n_merges: int, alphabet: Iterable[str] = (), least: int = 2
) -> list[Merge]:
    """The merges that counted words call for: at most ``n_merges``, none seen less than ``least`` times.

    Ids, for ties, are given to the symbols in the order of their characters' numbers, then to the merges as
    they come. An index says which words hold a pair, so that a merge looks at those alone.

    Args:
        counts: each word (its characters are its first symbols) and how often it occurs.
        alphabet: symbols that have an id though no word holds them.

    Source: Sennrich, Haddow and Birch 2016, algorithm 1; lecture row L3.5.b.
    """
    words = [tuple(word) for word in counts]
    how_often = list(counts.values())
    symbols = sorted({symbol for word in words for symbol in word} | set(alphabet))
    ids = {symbol: id for id, symbol in enumerate(symbols)}
    pairs: Counter[Pair] = Counter()
    holders: defaultdict[Pair, set[int]] = defaultdict(set)
    for number, word in enumerate(words):
        _recount(pairs, holders, word, number, how_often[number])
    queue = [_entry(pair, count, ids) for pair, count in pairs.items()]
    heapq.heapify(queue)
    merges: list[Merge] = []
    while queue and len(merges) < n_merges:
        minus, _, _, pair = heapq.heappop(queue)
        count = pairs[pair]
        if count != -minus:  # it has lost some since; where it has gained, a better entry came before
            if count >= least:
                heapq.heappush(queue, _entry(pair, count, ids))
            continue
        if count < least:
            break
        ids.setdefault(pair[0] + pair[1], len(ids))
        merges.append(Merge(pair, count))
        touched: set[Pair] = set()
        for number in sorted(holders.pop(pair)):
            old, words[number] = words[number], merge_pair(words[number], pair)
            _recount(pairs, holders, old, number, -how_often[number])
            touched |= _recount(pairs, holders, words[number], number, how_often[number])
        del pairs[pair]
        for changed in touched:
            heapq.heappush(queue, _entry(changed, pairs[changed], ids))
    return merges


def _entry(pair: Pair, count: int, ids: Mapping[str, int]) -> tuple[int, int, int, Pair]:
    """What the smallest of is the next merge: as ``best_pair``."""
    return -count, ids[pair[0]], ids[pair[1]], pair


def _recount(
    pairs: Counter[Pair], holders: dict, word: tuple[str, ...], number: int, count: int
) -> set[Pair]:
    """Add a word's pairs to the counts and to the index (or take them away, for a count below 0)."""
    found = set()
    for pair in pairwise(word):
        pairs[pair] += count
        found.add(pair)
        if count > 0:
            holders[pair].add(number)
    return found


def ranks_of(merges: Iterable[Merge | Pair]) -> dict[Pair, int]:
    """Each pair's place among the merges; the first place, where a pair stands twice."""
    ranks: dict[Pair, int] = {}
    for merge in merges:
        pair = merge.pair if isinstance(merge, Merge) else tuple(merge)
        ranks.setdefault(pair, len(ranks))
    return ranks


def bpe_encode(word: str, ranks: Mapping[Pair, int]) -> list[str]:
    """The symbols of a word: of its pairs that are merges the one learned first is joined, and so on.

    All places of that pair are joined, from left to right, before the next is looked for.

    Source: Sennrich, Haddow and Birch 2016, §3.2; lecture row L3.5.b.
    """
    symbols = tuple(word)
    while len(symbols) > 1:
        pair = min(pairwise(symbols), key=lambda pair: ranks.get(pair, len(ranks)))
        if pair not in ranks:
            break
        symbols = merge_pair(symbols, pair)
    return list(symbols)


class BPE:
    """A byte-level BPE of one's own: no text is unknown to it, and what it cuts up it puts together again.

    The ids are the library's: 256 bytes in the order of their characters, then the merges.
    """

    def __init__(self, merges: Iterable[Merge | Pair]):
        self.merges = [merge.pair if isinstance(merge, Merge) else tuple(merge) for merge in merges]
        self.ranks = ranks_of(self.merges)
        self.ids = {symbol: id for id, symbol in enumerate(sorted(byte_alphabet()))}
        for first, second in self.merges:
            self.ids.setdefault(first + second, len(self.ids))
        self._known: dict[str, list[str]] = {}

    @classmethod
    def train(cls, text: str, n_merges: int) -> BPE:
        """Learn from a text; see ``train_bpe``."""
        counts = Counter(map(as_bytes, split_words(text)))
        return cls(train_bpe(counts, n_merges, byte_alphabet()))

    def __len__(self) -> int:
        return len(self.ids)

    def tokens(self, text: str) -> list[str]:
        """A text's tokens, in the characters of ``as_bytes``."""
        found: list[str] = []
        for word in split_words(text):
            if word not in self._known:
                self._known[word] = bpe_encode(as_bytes(word), self.ranks)
            found += self._known[word]
        return found

    def encode(self, text: str) -> list[int]:
        """The ids of a text's tokens."""
        return [self.ids[token] for token in self.tokens(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of such ids."""
        names = list(self.ids)
        return from_bytes(names[id] for id in ids)


def longest_pieces(
    word: str, vocabulary: Collection[str], unknown: str = "[UNK]", most: int = 100
) -> list[str]:
    """WordPiece's way to cut a word: from the left, the longest piece that the vocabulary has, and again.

    Pieces that go on with a word begin with "##". Where nothing fits, the *whole* word is ``unknown``: a
    choice once made is not taken back. So is a word of more than ``most`` characters.

    Source: Wu et al. 2016, §4.1; Devlin et al. 2019 (BERT's code); lecture row L3.5.b.
    """
    if len(word) > most:
        return [unknown]
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if prefix + word[start:end] in vocabulary), None)
        if end is None:
            return [unknown]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces
