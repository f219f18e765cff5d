"""What an answer prints while it is judged: the beginning of it, however often it is called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

MOST = 5_000  # characters: some screens full


class Bounded:
    """A stream that passes on the first ``MOST`` characters that are written to it, and counts the others."""

    def __init__(self, stream: TextIO):
        self.stream, self.left, self.lost = stream, MOST, 0

    def write(self, text: str) -> int:
        """Pass on what there is room for; gives back how much was asked for, as any stream does."""
        kept = text[: self.left]
        self.left -= len(kept)
        self.lost += len(text) - len(kept)
        if kept:
            self.stream.write(kept)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Say how much was left out. What is behind stays open."""
        if self.lost:
            self.stream.write(f"\n… {self.lost:,} characters more that your code printed are left out.\n")
            self.lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def bounded_prints() -> Iterator[None]:
    """Within it, no more than the beginning of what is printed is shown, on stdout and on stderr each."""
    out, errors = Bounded(sys.stdout), Bounded(sys.stderr)
    try:
        with redirect_stdout(out), redirect_stderr(errors):
            yield
    finally:
        out.close()
        errors.close()
