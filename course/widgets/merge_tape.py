"""The merge tape (L3.5.b): a text's letters fuse as the merges go by, in the order learned."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import traitlets

from course.text.bpe import (
    BPE,
    Pair,
    as_bytes,
    bpe_encode,
    bytes_of,
    count_pairs,
    longest_pieces,
    split_words,
)
from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST = 400  # characters
TOP = 6
WORDS = {
    "title": "The merge tape",
    "text": "Text",
    "n": "Merges made",
    "says": "{n} of {all} merges made: {tokens} tokens for {characters} characters ({bytes} bytes), "
    "{per} characters a token.",
    "compare": "With all merges BPE needs {bpe} tokens, WordPiece {wordpiece}{unknown}, "
    "single characters {characters}.",
    "unknown": " ({n} of them unknown)",
    "pairs": "Pairs of neighbours here",
    "pair": ["pair", "here", "learned as merge"],
    "never": "never",
    "tree": "{token}: {how}",
    "leaf": "a byte of its own",
    "made": "{left} + {right}, merge {rank}",
    "token": "Click a token, or move over them with the arrow keys, to see how it was made.",
    "curve": "Tokens against merges",
    "help": "· stands for a space, ↵ for a new line; a byte that is no character by itself is shown as its "
    "number, <E4>.",
}


class MergeTape(CourseWidget):
    """Any text, a slider over the merges; each token's tree; pairs recounted; length against WordPiece's.

    Args:
        bpe: merges that were learned.
        text: what is cut up first.
        n: how many of the merges are made first.
        pieces: a WordPiece vocabulary to compare with.
    """

    _esm = module("merge_tape")
    _css = stylesheet("common", "merge_tape")
    text = traitlets.Unicode().tag(sync=True)
    n = traitlets.Int(0, min=0).tag(sync=True)
    merges = traitlets.List().tag(sync=True)
    pieces = traitlets.List(traitlets.Unicode()).tag(sync=True)
    longest = traitlets.Int(LONGEST).tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, bpe: BPE, text: str, n: int | None = None, pieces: Iterable[str] = ()):
        merges = [list(pair) for pair in bpe.merges]
        super().__init__(text=text, n=len(merges) if n is None else n, merges=merges, pieces=list(pieces))

    @traitlets.validate("text")
    def _short_enough(self, proposal: dict) -> str:
        if len(proposal["value"]) > LONGEST:
            raise ValueError(f"type up to {LONGEST} characters; this text has {len(proposal['value'])}")
        return proposal["value"]

    @traitlets.validate("n")
    def _as_many_as_there_are(self, proposal: dict) -> int:
        if proposal["value"] > len(self.merges):
            raise ValueError(f"there are {len(self.merges)} merges; got {proposal['value']}")
        return proposal["value"]

    def tokens(self, n: int | None = None) -> list[str]:
        """The text's tokens after n merges (as many as are set), in the characters of ``as_bytes``."""
        bpe = BPE(tuple(pair) for pair in self.merges[: self.n if n is None else n])
        return bpe.tokens(self.text)

    def pairs(self) -> list[tuple[Pair, int]]:
        """The pairs of neighbours in the text as it stands, the most frequent first; then the first seen."""
        ranks = {tuple(pair): i for i, pair in enumerate(self.merges[: self.n])}
        words = Counter(tuple(bpe_encode(as_bytes(word), ranks)) for word in split_words(self.text))
        return count_pairs(words).most_common(TOP)

    def wordpiece(self) -> list[str]:
        """WordPiece's tokens, uncased: of words of letters, of digits, of single marks."""
        return [piece for word in plain_words(self.text) for piece in longest_pieces(word, set(self.pieces))]

    def describe(self) -> str:
        tokens, characters = len(self.tokens()), len(self.text)
        said = WORDS["says"].format(
            n=self.n,
            all=len(self.merges),
            tokens=tokens,
            characters=characters,
            bytes=len(self.text.encode()),
            per=f"{characters / max(1, tokens):.2f}",
        )
        if not self.pieces:
            return said
        pieces = self.wordpiece()
        lost = pieces.count("[UNK]")
        unknown = WORDS["unknown"].format(n=lost) if lost else ""
        compare = WORDS["compare"].format(
            bpe=len(self.tokens(len(self.merges))),
            wordpiece=len(pieces),
            unknown=unknown,
            characters=characters,
        )
        return f"{said} {compare}"

    def still(self) -> Figure:
        from matplotlib.figure import Figure

        from course.fonts import drawable

        figure = Figure(figsize=(9.4, 3.8), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=(3, 2))
        x, y = 0.0, 0.0
        for i, token in enumerate(map(shown, self.tokens())):
            width = 0.62 * len(token) + 0.7
            if x + width > 62:
                x, y = 0.0, y - 1.5
            colour = ("#CFE3F3", "#FBE3BC")[i % 2]
            box = {"boxstyle": "round,pad=0.2", "facecolor": colour, "edgecolor": "none"}
            look = {"family": "monospace", "fontsize": 10, "color": "#111111"}
            above.text(x, y, drawable(token), parse_math=False, bbox=box, **look)
            x += width
        above.set(
            xlim=(-0.5, 63),
            ylim=(min(y, -3) - 1, 1.2),
            title=WORDS["says"].split(":")[0].format(n=self.n, all=len(self.merges)),
        )
        above.axis("off")
        marks = steps(len(self.merges))
        below.plot(marks, [len(self.tokens(m)) for m in marks], color="#0072B2", label="BPE")
        below.axvline(self.n, color="#D55E00", lw=1)
        if self.pieces:
            below.axhline(len(self.wordpiece()), color="#009E73", ls="--", label="WordPiece")
        below.axhline(len(self.text), color="gray", ls=":", label="characters")
        below.set(xlabel="merges", ylabel="tokens", ylim=(0, None))
        below.legend(fontsize=8)
        return figure


def steps(n: int) -> list[int]:
    """Some forty numbers of merges from 0 to n, close together where much happens."""
    return sorted({round(n * (i / 40) ** 2) for i in range(41)})


def shown(token: str) -> str:
    """A token for people: its text with spaces as ·, or, where it is no text by itself, its bytes as <E4>."""
    raw = bytes_of([token])
    try:
        return raw.decode("utf-8").replace(" ", "·").replace("\n", "↵")
    except UnicodeDecodeError:
        return "".join(chr(b) if 32 < b < 127 else "·" if b == 32 else f"<{b:02X}>" for b in raw)


_PLAIN = re.compile(r"[\u3400-\u9fff]|(?:(?![\u3400-\u9fff])[^\W_])+|\S")


def plain_words(text: str) -> list[str]:
    """Lower-case words without accents, nearly as BERT parts them: runs of letters, digits; single marks."""
    parted = unicodedata.normalize("NFD", text.lower())
    return _PLAIN.findall("".join(c for c in parted if unicodedata.category(c) != "Mn"))
