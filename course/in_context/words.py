"""Words for the prompts, from two lists written for this course."""

from __future__ import annotations

from pathlib import Path


def _read(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


TRANSLATIONS: dict[str, str] = dict(line.split() for line in _read("translations.txt").splitlines())
"""French word to English word, one answer each, though many could be translated otherwise too."""

COMMON_WORDS: tuple[str, ...] = tuple(_read("common_words.txt").split())
"""Common English words of five letters and more, to be misspelt and corrected."""
