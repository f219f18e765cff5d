"""Plain text out of what is published: chapters in XHTML, pages in Markdown, dialogues, treebanks."""

import html
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import PurePosixPath
from typing import NamedTuple

LONG = 50
"""Characters from which on a paragraph that was there before is left out."""


SHORTEST = 60
"""Words in paragraphs of more than eight that a page needs."""


class Source(NamedTuple):
    """A file: its path in the repository, and what it holds."""

    path: str
    content: bytes


def chapters(sources: Iterable[Source]) -> Iterator[str]:
    """Standard Ebooks' chapters, a paragraph a line, without notes, figures and tables."""
    return ("\n".join(_paragraphs_of_xhtml(source.content.decode())) for source in sources)


def pages(sources: Iterable[Source], seen: set[str] | None = None) -> Iterator[str]:
    """Pages of Markdown with some prose, a paragraph a line; a long paragraph only where it stands first.

    Args:
        seen: long paragraphs of other texts that are not to be repeated either.
    """
    seen = set() if seen is None else seen
    for source in sources:
        kept = []
        for text in _paragraphs_of_markdown(source.content.decode("utf-8", "replace")):
            if len(text) <= LONG or text not in seen:
                kept.append(text)
            if len(text) > LONG:
                seen.add(text)
        if sum(len(text.split()) for text in kept if len(text.split()) > 8) >= SHORTEST:
            yield "\n".join(kept)


def dialogues(sources: Iterable[Source]) -> Iterator[str]:
    """Dialogues of the Schema-Guided Dialogue data, a turn a line, those with one first turn once."""
    firsts = set()
    for source in sources:
        for dialogue in json.loads(source.content):
            turns = [(turn["speaker"], turn["utterance"].strip()) for turn in dialogue["turns"]]
            first = turns[0][1].lower()
            if first not in firsts:
                firsts.add(first)
                yield "\n".join(("U: " if who == "USER" else "S: ") + said for who, said in turns)


def treebank(sources: Iterable[Source]) -> Iterator[str]:
    """The sentences of a treebank's documents, each a line, behind a line that names document and genre."""
    for source in sources:
        name = PurePosixPath(source.path).name.replace(".conllu", "").replace(".xml", "")
        lines = re.findall(r"(?m)^# text = (.*)$", source.content.decode())
        yield "\n".join([f'<doc id="{name}" genre="{PurePosixPath(source.path).parent.name}">', *lines])


def masc(sources: Iterable[Source]) -> Iterator[str]:
    """MASC's documents without their tags, a sentence a line, spaces put right by rule."""
    (source,) = sources
    archive = zipfile.ZipFile(BytesIO(source.content))
    rows = archive.read("masc_tagged/categories.txt").decode().splitlines()
    genres = dict(row.split(None, 1) for row in rows if row.strip())
    for name in sorted(archive.namelist()):
        if name.endswith(".txt") and not name.endswith("categories.txt"):
            text = archive.read(name).decode("utf-8", "replace")
            words = ([word.rsplit("_", 1)[0] for word in line.split()] for line in text.split("\n"))
            lines = [_joined(list(filter(None, line))) for line in words]
            short = name.removeprefix("masc_tagged/")
            head = f'<doc id="{short}" genre="{genres.get(short, "?").strip()}">'
            yield "\n".join([head, *filter(None, lines)])


BUILDERS = {x.__name__: x for x in (chapters, pages, dialogues, treebank, masc)}


def _paragraphs_of_xhtml(text: str) -> list[str]:
    text = re.sub(r"(?s)<(head|figure|table)\b.*?</\1>", "", text)
    found = []
    for match in re.finditer(r"(?s)<(p|h[1-6]|li|dd|dt)\b[^>]*>(.*?)</\1>", text):
        inside = re.sub(r'(?s)<a [^>]*epub:type="noteref"[^>]*>.*?</a>', "", match[2])
        inside = html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br\s*/>", " ", inside)))
        inside = re.sub("[\u2060\ufeff\u00ad\u200a]", "", inside)
        found.append(" ".join(inside.split()))
    return [paragraph for paragraph in found if paragraph]


_NOT_PROSE = (
    (r"(?s)\A---\n.*?\n---\n", ""),
    (r"(?s)```.*?```|~~~.*?~~~", "\n\n"),
    (r"(?s)<!--.*?-->", ""),
    (r"(?s)\{\{[<%].*?[%>]\}\}", "\n\n"),
    (r"(?s)\{%.*?%\}", "\n\n"),
    (r"(?s)\{\{.*?\}\}", ""),
    (r"(?s)<(table|pre|script|style|iframe|figure|video)\b.*?</\1>", "\n\n"),
    (r"</?(p|div|li|ul|ol|h[1-6]|br|blockquote|aside|section)\b[^>]*>", "\n\n"),
    (r"!\[[^\]]*\]\([^)]*\)", ""),
    (r"\[([^\]]*)\]\([^)]*\)", r"\1"),
    (r"\[([^\]]*)\]\[[^\]]*\]", r"\1"),
    (r"(?m)^\[[^\]]+\]:.*$", ""),
    (r"<[^>]+>", ""),
)
_MARK = re.compile(r"^(#{1,6}\s+|>+\s*|[-*+]\s+|\d+[.)]\s+)(.*)")


def _paragraphs_of_markdown(text: str) -> list[str]:
    text = text.replace("\r\n", "\n")
    for pattern, instead in _NOT_PROSE:
        text = re.sub(pattern, instead, text)
    text = re.sub(r"\{:[^}]*\}|\{#[^}]*\}", "", html.unescape(html.unescape(text)))
    text = re.sub(r"\\([\\`*_{}\[\]()#+.!|-])", r"\1", text)
    blocks: list[list[str]] = [[]]
    for line in map(str.strip, text.split("\n")):
        if not line or line.startswith("|") or re.match(r"^([-*_=]\s*){3,}$", line):
            blocks.append([])
            continue
        mark = _MARK.match(line)
        if mark:
            line = re.sub(r"^(#{1,6}\s+|>+\s*|[-*+]\s+)", "", mark[2]).rstrip("#").strip()
            blocks.append([])
        blocks[-1].append(line)
        if mark and mark[1].startswith("#"):
            blocks.append([])
    return [block for block in map(_paragraph, blocks) if _is_prose(block)]


def _paragraph(lines: list[str]) -> str:
    text = re.sub(r"\*\*|__|`", "", " ".join(lines))
    text = re.sub(r"(?<!\w)[*_]+(?=\S)|(?<=\S)[*_]+(?!\w)", "", text)
    text = re.sub(r"\s+", " ", text.replace("\u00a0", " ")).strip(" |")
    return re.sub(r"\s+([,.;:!?])(?=\s|$)", r"\1", text)


def _is_prose(text: str) -> bool:
    return bool(re.search("[A-Za-z]{2}", text)) and not re.search(r"https?://|www\.", text)


def _joined(words: list[str]) -> str:
    text = " ".join(words).replace("``", "“").replace("''", "”").replace("-LRB-", "(").replace("-RRB-", ")")
    text = re.sub(r" ([,.;:!?%)\]”])", r"\1", text)
    text = re.sub(r"([(\[“$#]) ", r"\1", text)
    text = re.sub(r" (n['’]t|['’](?:s|re|ve|ll|d|m|S))\b", r"\1", text)
    return re.sub(r"\b([Cc]an) (not)\b", r"\1\2", text)
