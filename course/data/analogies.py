"""Questions of the kind "Athens is to Greece as Baghdad is to ...": Google's analogy set (Apache-2.0)."""

from __future__ import annotations

from collections.abc import Collection

from course.data.download import read_text

Question = tuple[str, str, str, str]


def questions(words: Collection[str] | None = None) -> dict[str, list[Question]]:
    """The questions by section, in lower case; only those all of whose words are among ``words``, if given.

    A section without a question left is left out. Where two questions became the same, it stands once.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.

    Source: Mikolov et al. 2013a, §4.1.
    """
    return parse(read_text("word2vec_analogies"), words)


def parse(text: str, words: Collection[str] | None = None) -> dict[str, list[Question]]:
    """``questions`` of the text of the file: a section's name behind a colon, then four words a line."""
    found: dict[str, dict[Question, None]] = {}
    for line in text.splitlines():
        if line.startswith(":"):
            section = found.setdefault(line[1:].strip(), {})
        elif len(question := tuple(line.lower().split())) == 4 and (
            words is None or all(word in words for word in question)
        ):
            section[question] = None
    return {name: list(section) for name, section in found.items() if section}
