"""The log of a run: lines of JSON, of which a crash costs at most the last."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from course.files import write_whole


class Log:
    """Lines of JSON, written one at a time: a run that is killed leaves whole lines and at most one torn."""

    def __init__(self, path: Path):
        self.path = path

    def write(self, entry: dict[str, float]) -> None:
        """Add one line."""
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(entry) + "\n")

    def read(self) -> list[dict[str, float]]:
        """Every line that can be read; of others (a power cut leaves such) a word is said on stderr."""
        if not self.path.exists():
            return []
        *lines, _ = self.path.read_bytes().split(b"\n")  # behind the last newline: nothing, or a torn line
        entries = [_entry(line) for line in lines]
        lost = [number for number, entry in enumerate(entries, start=1) if entry is None]
        if lost:
            numbers = f"line {lost[0]}" if len(lost) == 1 else f"lines {lost[0]} to {lost[-1]}"
            print(f"{self.path}: {numbers} cannot be read and is left out.", file=sys.stderr)
        return [entry for entry in entries if entry is not None]

    def cut_after(self, step: int) -> None:
        """Forget what comes after this step: it will be written again."""
        kept = "".join(json.dumps(entry) + "\n" for entry in self.read() if entry["step"] <= step)
        if kept or self.path.exists():
            write_whole(self.path, kept.encode())

    def fill(self, names: Sequence[str], runs: Iterable[tuple], cell: Callable[..., dict]) -> list[dict]:
        """Make each run that has no line yet, and write its line; gives back all lines.

        Args:
            names: what tells the runs apart: each is a field of a line, and of a run its value.
            cell: called with the values; what it tells is the rest of the line.
        """
        done = {tuple(line[name] for name in names) for line in self.read()}
        for run in runs:
            if run not in done:
                told = cell(*run)
                self.write({"step": len(self.read()), **dict(zip(names, run, strict=True)), **told})
        return self.read()


def _entry(line: bytes) -> dict[str, float] | None:
    """What a line says; None if nothing can be made of it."""
    try:
        entry = json.loads(line)
    except ValueError:  # no JSON, no UTF-8
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("step"), int) else None
