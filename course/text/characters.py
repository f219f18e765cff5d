"""Text as single characters: the smallest vocabulary there is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path


class Characters:
    """A vocabulary of single characters: the id of each is its place among them in the order of code points.

    Raises:
        ValueError: if there is no character.
    """

    def __init__(self, text: Iterable[str]):
        self.characters = sorted(set(text))
        if not self.characters:
            raise ValueError("a vocabulary of characters needs a text with at least one")
        self._ids = {character: id for id, character in enumerate(self.characters)}

    @classmethod
    def load(cls, path: str | Path) -> Characters:
        """The vocabulary that ``save`` wrote.

        Raises:
            ValueError: if the file holds anything but a text of characters.
        """
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:  # not JSON, not UTF-8
            raise ValueError(
                f"{path} is no vocabulary that can be read: copy or download it again"
            ) from error
        if not isinstance(found, str) or not found:
            raise ValueError(f"{path} should hold a text of all characters; it holds {found!r}")
        return cls(found)

    def save(self, path: str | Path) -> None:
        """Write it to a JSON file: one string of all characters."""
        Path(path).write_text(json.dumps("".join(self.characters)) + "\n", encoding="utf-8", newline="\n")

    def __len__(self) -> int:
        """The number of characters."""
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        """The id of each character.

        Raises:
            ValueError: if one is not in the vocabulary.
        """
        unknown = "".join(sorted(set(text) - self._ids.keys()))
        if unknown:
            raise ValueError(f"not in this vocabulary: {unknown!r}. It has {''.join(self.characters)!r}")
        return [self._ids[character] for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these characters."""
        return "".join(self.characters[id] for id in ids)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Each token as a person can read it: itself."""
        return [self.characters[id] for id in ids]
