"""WordPiece, the subwords of BERT, by the tokenizers library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as Backend

from course.text.tokenizers import _check_text, checked_ids, read_backend


@dataclass(frozen=True)
class Encoded:
    """A text or a pair of texts, [CLS] first ... [SEP] ... [SEP], as BERT reads it; one number a token.

    ``segments`` are 0 up to the first [SEP] and 1 behind it. ``special_mask`` is True at special tokens,
    [UNK] and a [MASK] in the text among them. ``words`` number the words from 0, with -1 at special tokens.
    ``offsets`` say at which character of its text a token begins, and which is the first behind it.
    """

    ids: list[int]
    segments: list[int]
    special_mask: list[bool]
    words: list[int]
    offsets: list[tuple[int, int]]


class WordPiece:
    """BERT's tokenizer, uncased: words and punctuation, cut into the longest pieces that the vocabulary has.

    A piece that goes on with a word begins with "##". Case and accents are lost; a word with a character that
    was never seen is [UNK]. "[MASK]" in a text is the token.

    Raises:
        ValueError: if one of BERT's five special tokens is missing.

    Source: Wu et al. 2016, §4.1; Devlin et al. 2019, §3; lecture row L3.5.b.
    """

    SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

    def __init__(self, backend: Backend):
        ids = [backend.token_to_id(token) for token in self.SPECIAL]
        if None in ids:
            missing = [token for token, id in zip(self.SPECIAL, ids, strict=True) if id is None]
            raise ValueError(f"BERT's tokenizer needs the tokens {missing}: this one is of another kind")
        self._backend = backend
        self._backend.no_padding()
        self.special_ids = ids
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = ids

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> WordPiece:
        """Learn pieces from texts until there are ``vocab_size`` tokens, or no pair is seen twice.

        The special tokens have ids 0 to 4. A character that is seen once stays unknown.

        Raises:
            ValueError: if the characters alone are more than the vocabulary holds.
        """
        texts = list(texts)
        alphabet = _alphabet(texts)
        # The trainer numbers the characters inside words in no fixed order and so breaks ties at random, but
        # special tokens stay in order: it gets them as such. Made anew, the tokenizer has them as ordinary.
        inside = [f"##{character}" for character in alphabet if len(_words(f"a{character}")) == 1]
        trainer = trainers.WordPieceTrainer(
            vocab_size=vocab_size,
            min_frequency=2,
            show_progress=False,
            special_tokens=[*cls.SPECIAL, *inside],
            initial_alphabet=alphabet,
            limit_alphabet=len(alphabet),
        )
        draft = _backend({})
        draft.train_from_iterator(texts, trainer)
        _check_room(draft.get_vocab_size(), vocab_size)
        return cls(_backend(draft.get_vocab()))

    @classmethod
    def load(cls, path: str | Path) -> WordPiece:
        """The tokenizer that ``save`` wrote, or any tokenizer.json of a BERT.

        Raises:
            ValueError: if the file is of another kind, or damaged.
        """
        backend = read_backend(path)
        try:
            return cls(backend)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write everything there is to it to one JSON file."""
        self._backend.no_truncation()
        Path(path).write_text(self._backend.to_str(pretty=True), encoding="utf-8", newline="\n")

    def __len__(self) -> int:
        """The number of tokens, special ones included."""
        return self._backend.get_vocab_size()

    def encode(self, first: str, second: str | None = None, max_length: int | None = None) -> Encoded:
        """A text, or two, with special tokens around them.

        Args:
            max_length: the most tokens, special ones included; the longer text is cut off until they fit.

        Raises:
            TypeError: if a text is not a string.
            ValueError: if a text holds half a surrogate pair, or ``max_length`` leaves no room for text.
        """
        return self.encode_all([first if second is None else (first, second)], max_length)[0]

    def encode_all(
        self, texts: Sequence[str | tuple[str, str]], max_length: int | None = None
    ) -> list[Encoded]:
        """``encode`` for many texts or pairs at once, on all cores."""
        for text in texts:
            for part in text if isinstance(text, tuple) else (text,):
                _check_text(part)
        if max_length is None:
            self._backend.no_truncation()
        else:
            _check_max_length(max_length)
            self._backend.enable_truncation(max_length)
        return [self._encoded(encoding) for encoding in self._backend.encode_batch(list(texts))]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens, in lower case, special ones left out.

        Raises:
            ValueError: if an id is none of this vocabulary, such as the -100 that hides a label.
        """
        return self._backend.decode(checked_ids(ids, len(self)), skip_special_tokens=True)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each token as it stands in the vocabulary: "the", "##ing", "[SEP]".

        Raises:
            ValueError: as ``decode``.
        """
        return [self._backend.id_to_token(id) for id in checked_ids(ids, len(self))]

    def _encoded(self, encoding: Encoding) -> Encoded:
        special = [id in self.special_ids for id in encoding.ids]
        numbers: dict[tuple, int] = {}  # of a word: which of the two texts it is in, and where
        words = [
            -1 if skip else numbers.setdefault(word, len(numbers))
            for skip, word in zip(
                special, zip(encoding.sequence_ids, encoding.word_ids, strict=True), strict=True
            )
        ]
        return Encoded(encoding.ids, encoding.type_ids, special, words, encoding.offsets)


_UNCASED, _WORDS = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()


def _backend(vocabulary: dict[str, int]) -> Backend:
    backend = Backend(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer, backend.pre_tokenizer = _UNCASED, _WORDS
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.decoder = decoders.WordPiece()
    backend.add_special_tokens([token for token in WordPiece.SPECIAL if token in vocabulary])
    return backend


def _words(text: str) -> list[str]:
    return [word for word, _ in _WORDS.pre_tokenize_str(_UNCASED.normalize_str(text))]


def _alphabet(texts: Sequence[str]) -> list[str]:
    """The characters that the texts hold more than once, uncased, in order."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(_UNCASED.normalize_str(text))
    return sorted(character for character, n in counts.items() if n > 1 and not character.isspace())


def _check_room(needed: int, vocab_size: int) -> None:
    if needed > vocab_size:
        raise ValueError(
            f"special tokens and the characters of these texts need vocab_size >= {needed}; got {vocab_size}"
        )


def _check_max_length(max_length: int) -> None:
    if max_length < 4:
        raise ValueError(f"[CLS], [SEP], [SEP] and a token of text need max_length >= 4; got {max_length}")
