"""Subwords: a byte-level BPE, by the tokenizers library, for which no character is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from course.text.readable import as_bytes, from_bytes

PAD, BOS, EOS = range(3)
SPECIAL = ["<pad>", "<bos>", "<eos>"]
SMALLEST = len(SPECIAL) + 256


class Tokenizer:
    """Cuts text into subwords and numbers them, without loss: ``decode(encode(text)) == text``.

    Frequent sequences of bytes are one token, and every single byte is, so that any text whatever has its
    tokens. A digit is always a token by itself. Ids 0, 1 and 2 are <pad>, <bos> and <eos>, and those behind
    them the marks that it was trained with; no text is encoded as one of them, not even "<pad>".

    Source: Sennrich et al. 2016 (BPE); Radford et al. 2019 (GPT-2), §2.2 (on bytes); lecture row L3.5.b.
    """

    def __init__(self, backend: Backend):
        self._backend = backend
        self._backend.encode_special_tokens = True  # "<pad>" in a text is five characters
        self._special = {id: token.content for id, token in backend.get_added_tokens_decoder().items()}

    def __getstate__(self) -> str:
        """What a copy or another process gets: the library's own state forgets ``encode_special_tokens``."""
        return self._backend.to_str()

    def __setstate__(self, state: str) -> None:
        self.__init__(Backend.from_str(state))

    @classmethod
    def train(
        cls, texts: Iterable[str], vocab_size: int, lower_case: bool = False, marks: Sequence[str] = ()
    ) -> Tokenizer:
        """Learn merges from texts until there are ``vocab_size`` tokens, or no pair is seen twice.

        Args:
            lower_case: read every text in lower case, for a model that has seen no other; what is decoded is
                then the text in lower case.
            marks: more special tokens, such as "<user>", with the ids from 3 on; ``mark`` gives them.

        Raises:
            ValueError: if the vocabulary is too small for the special tokens and the 256 bytes.
        """
        smallest = SMALLEST + len(marks)
        if vocab_size < smallest:
            special = f"{smallest - 256} special tokens" if marks else "three special tokens"
            raise ValueError(f"{special} and 256 bytes need vocab_size >= {smallest}; got {vocab_size}")
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
            special_tokens=[*SPECIAL, *marks],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        backend.train_from_iterator(texts, trainer)
        return cls(backend)

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """The tokenizer that ``save`` wrote.

        Raises:
            ValueError: if the file is of another kind, or damaged.
        """
        backend = read_backend(path)
        if not isinstance(backend.model, models.BPE):
            kind = type(backend.model).__name__
            raise ValueError(f"{path} is a tokenizer of another kind, {kind}: it is another model's")
        return cls(backend)

    def save(self, path: str | Path) -> None:
        """Write everything there is to it to one JSON file."""
        Path(path).write_text(self._backend.to_str(pretty=True), encoding="utf-8", newline="\n")

    def __len__(self) -> int:
        """The number of tokens, special ones included."""
        return self._backend.get_vocab_size()

    def mark(self, name: str) -> int:
        """The id of a special token.

        Raises:
            ValueError: if there is none of that name.
        """
        for id, special in self._special.items():
            if special == name:
                return id
        raise ValueError(f"no special token {name!r}; there are {', '.join(self._special.values())}")

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
        """The text of these tokens, special ones left out; bytes that are no UTF-8 show as �.

        Raises:
            ValueError: if an id is none of this vocabulary, such as the -100 that hides a label.
        """
        return self._backend.decode(checked_ids(ids, len(self)), skip_special_tokens=True)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each token as a person can read it: its text, with the space before it; <eos>; or its bytes, <E4>.

        A character outside the vocabulary is several tokens, none of which is text by itself.

        Raises:
            ValueError: as ``decode``.
        """
        return [self._piece(id) for id in checked_ids(ids, len(self))]

    def _piece(self, id: int) -> str:
        if id in self._special:
            return self._special[id]
        text = self._backend.decode([id])
        return text if "\ufffd" not in text else from_bytes(as_bytes(self._backend.id_to_token(id)))


def read_backend(path: str | Path) -> Backend:
    """A tokenizer.json of any kind.

    Raises:
        ValueError: if the file is none, or damaged.
    """
    try:
        return Backend.from_str(Path(path).read_text(encoding="utf-8"))
    except Exception as error:  # the library raises no narrower kind
        if isinstance(error, OSError):
            raise
        raise ValueError(
            f"{path} is no tokenizer that can be read ({error}): copy or download it again"
        ) from error


def checked_ids(ids: Iterable[int], n: int) -> list[int]:
    """The ids as whole numbers, each that of one of ``n`` tokens.

    Raises:
        ValueError: naming the first that is not.
    """
    ids = [int(id) for id in ids]
    for id in ids:
        if not 0 <= id < n:
            hint = "; labels hold -100 where a prediction does not count: leave those out" if id < 0 else ""
            raise ValueError(f"no token has the id {id}: they go from 0 to {n - 1}{hint}")
    return ids


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"a text must be a string; got {type(text).__name__}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"half a surrogate pair is no character: {text!r}. Read the file as UTF-8")
