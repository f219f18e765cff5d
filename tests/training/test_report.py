"""A card in lines that fit a screen says what it said before."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from course.training.report import WIDTH, wrapped

CARDS = sorted((Path(__file__).parents[2] / "course" / "checkpoints").glob("*/README.md"))


def rendered(markdown: str) -> str:
    return re.sub(r"\s+", " ", MarkdownIt("commonmark").enable("table").render(markdown))


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.parent.name)
def test_shipped_cards_have_no_line_without_end(card):
    text = card.read_text(encoding="utf-8")
    assert wrapped(text) == text
    assert all(len(line) <= WIDTH for line in text.splitlines() if not line.startswith("|"))


def test_wrapping_changes_no_word():
    words = "word " * 60
    card = f"# {words}\n\n{words}\n{words}\n- a {words}\n- `{{{words}}}`\n\n| {words} |\n|---|\n| x |\n"
    assert rendered(wrapped(card)) == rendered(card) and wrapped(wrapped(card)) == wrapped(card)
    long = [line for line in wrapped(card).splitlines() if len(line) > WIDTH]
    assert [line[:2] for line in long] == ["# ", "| "]
