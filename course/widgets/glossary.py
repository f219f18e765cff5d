"""The words of the course, English and Chinese, to search (L3.2.a)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import traitlets

from course.widgets.base import CourseWidget, module, stylesheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {
    "title": "The words of the course",
    "search": "Search, in English or Chinese",
    "columns": ["English", "中文", "what it is", "where you run it"],
    "count": "{n} of {all} words",
    "none": "No word of the course has this in it.",
}
FIELDS = ("english", "chinese", "meaning", "where")


class Glossary(CourseWidget):
    """A list of words with a field to search it; the browser does it, without the kernel.

    Args:
        terms: dictionaries with "english", "chinese", "meaning", "where" and "href", the last perhaps "".

    Raises:
        ValueError: if there are none, or one of them lacks a field.

    Source: lecture row L3.2.a.
    """

    _esm = module("glossary")
    _css = stylesheet("common", "glossary")
    terms = traitlets.List(traitlets.Dict()).tag(sync=True)
    query = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, terms: Sequence[dict[str, Any]], query: str = ""):
        if not terms:
            raise ValueError("a glossary needs at least one word")
        for term in terms:
            if lacking := [name for name in (*FIELDS, "href") if name not in term]:
                raise ValueError(f"{term}: it has no {lacking[0]!r}")
        super().__init__(terms=list(terms), query=query)

    def found(self) -> list[dict[str, Any]]:
        """The words that hold what is searched for in one of their two names, then those that say it."""
        needle = self.query.strip().casefold()
        named = [t for t in self.terms if needle in f"{t['english']} {t['chinese']}".casefold()]
        return named + [t for t in self.terms if t not in named and needle in t["meaning"].casefold()]

    def describe(self) -> str:
        found = self.found()
        lines = [f"{t['english']} · {t['chinese']}: {t['meaning']} ({t['where']})" for t in found]
        return "\n".join([WORDS["count"].format(n=len(found), all=len(self.terms)), *lines[:12]])

    def still(self) -> Figure:
        from course.figures import INK, Figure
        from course.fonts import drawable

        shown = self.found()[:12]
        figure = Figure(figsize=(9, 0.3 * len(shown) + 0.6))
        axes = figure.add_subplot(xlim=(0, 1), ylim=(len(shown) + 0.2, -0.5))
        axes.set_axis_off()
        axes.set_title(WORDS["count"].format(n=len(self.found()), all=len(self.terms)), loc="left")
        for i, term in enumerate(shown):
            for x, name, most in ((0, "english", 34), (0.3, "chinese", 18), (0.5, "meaning", 66)):
                text = term[name] if len(term[name]) <= most else term[name][: most - 1] + "…"
                axes.text(x, i + 0.4, drawable(text), color=INK, fontsize=9, parse_math=False)
        return figure
