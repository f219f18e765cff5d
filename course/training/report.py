"""What a run leaves beside its weights: scores, and the card that says where the model comes from."""

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path

WIDTH = 110


def write_report(folder: str | Path, scores: Mapping, card: str) -> None:
    """Write ``scores.json`` into a run's folder, and its card as the README of ``model/``."""
    folder = Path(folder)
    text = json.dumps(scores, indent=2) + "\n"
    (folder / "scores.json").write_text(text, encoding="utf-8", newline="\n")
    (folder / "model" / "README.md").write_text(wrapped(card), encoding="utf-8", newline="\n")


def wrapped(markdown: str) -> str:
    """The same text in lines of at most ``WIDTH`` characters; tables and headings stay as they are.

    Markdown reads a line's end as a space, also inside `code`.
    """
    return "".join(_block(block) for block in _blocks(markdown))


def _blocks(markdown: str) -> list[list[str]]:
    """Lines that belong together: a paragraph, an item of a list; any other line is a block of its own."""
    blocks, is_open = [], False
    for line in markdown.splitlines():
        is_text = bool(line.strip()) and not line.startswith(("|", "#", "- "))
        if is_text and is_open:
            blocks[-1].append(line)
        else:
            blocks.append([line])
        is_open = is_text or line.startswith("- ")
    return blocks


def _block(lines: list[str]) -> str:
    if lines[0].startswith(("|", "#")):
        return lines[0] + "\n"
    indent = "  " if lines[0].startswith("- ") else ""
    options = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": indent}
    return textwrap.fill(" ".join(line.strip() for line in lines), WIDTH, **options) + "\n"
