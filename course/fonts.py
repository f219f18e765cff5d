"""Text in figures: fonts that have its characters, and what to do where there is none."""

from __future__ import annotations

import unicodedata
import warnings
from functools import cache

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure

CJK_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Arial Unicode MS",
)
LONGEST = 14  # characters of a token that a label shows


def elide(token: str) -> str:
    """A token as a label shows it: long ones cut, control characters and bare spaces visible."""
    if not token.strip():
        return "".join({"\n": "↵", "\t": "→"}.get(c, "␣") for c in token) or "∅"
    token = "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in token)
    return token if len(token) <= LONGEST else token[: LONGEST - 1] + "…"


def drawable(text: str) -> str:
    """The text with U+FFFD for what no font at hand can draw, as coloured emoji."""
    return "".join(c if any(c in glyphs(font) for font in fonts()) else "\ufffd" for c in text)


@cache
def glyphs(font: str) -> frozenset[str]:
    """The characters that an installed font can draw."""
    file = font_manager.findfont(font, fallback_to_default=False)
    return frozenset(map(chr, font_manager.get_font(file).get_charmap()))


def fonts() -> list[str]:
    """The families that a text is drawn with, the first that has a character."""
    return ["DejaVu Sans", *filter(None, [cjk_font()])]


@cache
def cjk_font() -> str | None:
    """The installed font for Chinese, Japanese and Korean text: the first of ``CJK_FONTS``, or None."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CJK_FONTS if name in installed), None)


def dressed(figure: Figure) -> Figure:
    """Give every text of the figure a font that can draw it, and lay the figure out."""
    texts = figure.findobj(mpl.text.Text)
    if any(needs_cjk(text.get_text()) for text in texts):
        for text in texts:
            text.set_fontfamily(fonts())
    figure.set_layout_engine("constrained")
    return figure


def needs_cjk(text: str) -> bool:
    """Whether a text holds a character that only a font for Chinese, Japanese or Korean can draw."""
    return any(unicodedata.east_asian_width(c) in "WF" and unicodedata.category(c) != "So" for c in text)


@cache
def warn_once() -> None:
    """Say, the first time only, that a font is missing and how to get one."""
    warnings.warn(
        "No font for Chinese text is installed, so pictures show \ufffd in its place. Install one of: "
        f"{', '.join(CJK_FONTS[:3])} (Debian: fonts-noto-cjk), then restart the kernel.",
        stacklevel=2,
    )
