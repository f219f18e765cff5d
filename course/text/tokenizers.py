"""Subwords: a byte-level BPE, by the tokenizers library, for which no character is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

PAD, BOS, EOS = range(3)
SPECIAL = ["<pad>", "<bos>", "<eos>"]
SMALLEST = len(SPECIAL) + 256


class Tokenizer:
    """Cuts text into subwords and numbers them, without loss: ``decode(encode(text)) == text``.

    Frequent sequences of bytes are one token, and every single byte is, so that any text whatever has its
    tokens. A digit is always a token by itself. Ids 0, 1 and 2 are <pad>, <bos> and <eos>; no text is
    encoded as them, not even "<pad>".

    Source: Sennrich et al. 2016 (BPE); Radford et al. 2019 (GPT-2), §2.2 (on bytes); lecture row L3.5.b.
    """

    def __init__(self, backend: Backend):
        self._backend = backend
        self._backend.encode_special_tokens = True  # "<pad>" in a text is five characters

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int, lower_case: bool = False) -> Tokenizer:
        """Learn merges from texts until there are ``vocab_size`` tokens, or no pair is seen twice.

        Args:
            lower_case: read every text in lower case, for a model that has seen no other; what is decoded is
                then the text in lower case.

        Raises:
            ValueError: if the vocabulary is too small for the special tokens and the 256 bytes.
        """
        if vocab_size < SMALLEST:
            raise ValueError(
                f"three special tokens and 256 bytes need vocab_size >= {SMALLEST}; got {vocab_size}"
            )
        backend = Backend(models.BPE())
        if lower_case:
            backend.normalizer = normalizers.Lowercase()
        digits, bytes_ = pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)
        backend.pre_tokenizer = pre_tokenizers.Sequence([digits, bytes_])
        backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=2,
            show_progress=False,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        backend.train_from_iterator(texts, trainer)
        return cls(backend)

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """The tokenizer that ``save`` wrote."""
        return cls(Backend.from_str(Path(path).read_text(encoding="utf-8")))

    def save(self, path: str | Path) -> None:
        """Write everything there is to it to one JSON file."""
        Path(path).write_text(self._backend.to_str(pretty=True), encoding="utf-8", newline="\n")

    def __len__(self) -> int:
        """The number of tokens, special ones included."""
        return self._backend.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """The ids of a text's tokens, with no special tokens around them.

        Raises:
            TypeError: if it is not a string.
            ValueError: if it holds half a surrogate pair, which is no character and has no bytes.
        """
        return self.encode_all([text])[0]

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """``encode`` for many texts at once, on all cores."""
        for text in texts:
            _check_text(text)
        encodings = self._backend.encode_batch(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each token of ``encode(text)`` begins and ends in the text, in characters.

        A character that takes several tokens is the span of each of them.

        Raises:
            TypeError, ValueError: as ``encode``.
        """
        _check_text(text)
        return self._backend.encode(text, add_special_tokens=False).offsets

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens, special ones left out; bytes that are no UTF-8 show as �."""
        return self._backend.decode(list(ids), skip_special_tokens=True)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each token as a person can read it: its text, with the space before it; <eos>; or its bytes, <E4>.

        A character outside the vocabulary is several tokens, none of which is text by itself.
        """
        return [self._piece(id) for id in ids]

    def _piece(self, id: int) -> str:
        if id < len(SPECIAL):
            return SPECIAL[id]
        text = self._backend.decode([id])
        if "\ufffd" not in text:
            return text
        return "".join(f"<{_BYTES[character]:02X}>" for character in self._backend.id_to_token(id))


def _byte_alphabet() -> dict[str, int]:
    """The printable character that stands for each byte inside the tokenizers library, and its byte.

    Visible Latin-1 characters stand for themselves; the other 68 bytes, in order, for U+0100 and on.
    """
    itself = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in itself]
    return {chr(byte): byte for byte in itself} | {chr(0x100 + i): byte for i, byte in enumerate(others)}


_BYTES = _byte_alphabet()


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"a text must be a string; got {type(text).__name__}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"half a surrogate pair is no character: {text!r}. Read the file as UTF-8")
