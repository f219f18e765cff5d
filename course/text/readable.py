"""Tokens as people read them, whatever tokenizer they come from."""

from __future__ import annotations

import re
from collections.abc import Sequence

SPACE = "\u2581"  # ▁, with which SentencePiece marks a space
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def readable(tokens: Sequence[str | bytes]) -> list[str]:
    """Each token as a person can read it: its text, with the space before it.

    SentencePiece's "▁sat" and the byte-level "Ġsat" become " sat"; a byte that is no character by itself
    shows as <E4>; WordPiece's "##ing" stays, for the ## says that it goes on with a word. Whether a
    vocabulary is byte-level is seen from all tokens together: some hold a Ġ or a Ċ, and their bytes are
    UTF-8. "Ġorġ", which is a name in Malta, stays.
    """
    if any(isinstance(token, bytes) for token in tokens):
        return [from_bytes(token) if isinstance(token, bytes) else token for token in tokens]
    if _is_byte_level(tokens):
        return [token if _is_special(token) else from_bytes(as_bytes(token)) for token in tokens]
    if any(token.startswith(SPACE) for token in tokens):
        return [token.replace(SPACE, " ") for token in tokens]
    return list(tokens)


def from_bytes(token: bytes) -> str:
    """A token's bytes as text, or, where they are no UTF-8, as <E4><BD>."""
    try:
        return token.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(f"<{byte:02X}>" for byte in token)


def sound(text: str) -> str:
    """A text that UTF-8 can hold: half a surrogate pair becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def byte_alphabet() -> dict[str, int]:
    """The printable character that stands for each byte in a byte-level vocabulary, and its byte.

    Visible Latin-1 characters stand for themselves; the other 68 bytes, in order, for U+0100 and on.

    Source: Radford et al. 2019 (GPT-2), the code of their encoder.
    """
    itself = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in itself]
    return {chr(byte): byte for byte in itself} | {chr(0x100 + i): byte for i, byte in enumerate(others)}


BYTES = byte_alphabet()


def _is_special(token: str) -> bool:
    return re.fullmatch(r"<\S+>|\[[A-Z]+\d*\]", token) is not None


def as_bytes(token: str) -> bytes:
    """The bytes that a byte-level token's characters stand for.

    Raises:
        KeyError: if a character stands for none.
    """
    return bytes(BYTES[character] for character in token)


def _is_byte_level(tokens: Sequence[str]) -> bool:
    ordinary = [token for token in tokens if not _is_special(token)]
    text = "".join(ordinary)
    if not re.search("[ĠĊ]", text) or not all(character in BYTES for character in text):
        return False
    # The first and the last character may be cut in half: a piece of a text is byte-level too.
    meant = as_bytes(text).lstrip(bytes(range(0x80, 0xC0))).decode("utf-8", "ignore")
    whole = len(meant.encode()) >= len(text) - 6
    return whole and not _CONTROL.search(meant)
