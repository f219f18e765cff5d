"""Python's own manual, as every Python has it on disk for ``help()``: real prose that needs no network.

Another version of Python has slightly another text. It is under the Python Software Foundation's licence.
"""

from __future__ import annotations

import re
from pydoc_data.topics import topics

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_END = re.compile(r"[.!?;:](?=\s)|\n\s*\n")


def text() -> str:
    """All topics in alphabetical order, some 460,000 characters."""
    return "\n\n".join(topics[name] for name in sorted(topics))


def sentences() -> list[list[str]]:
    """The sentences of two words or more, in lower case, without punctuation, some 65,000 words."""
    found = (_WORD.findall(sentence) for sentence in _END.split(text().lower()))
    return [words for words in found if len(words) > 1]
