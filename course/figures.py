"""The look of every still picture: no ground of its own, one ink that is read on white and on black alike.

A notebook's page may be light or dark, and a picture cannot ask which. So figures are transparent, and text,
axes and ticks are of one grey, whose contrast is 4.3 with white and with JupyterLab's dark ground (#111111)
alike. The colours of what is drawn reach 3 with both (WCAG 1.4.11), and people who see few colours tell
them apart (after Okabe and Ito, 2008; their yellow and sky blue, too pale on white, are darker here).
"""

from __future__ import annotations

import base64
import html
import io
from typing import Any

import matplotlib.figure
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from course.fonts import dressed

INK = "#797979"
COLOURS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "pink": "#C0679B",
    "yellow": "#B98500",
    "sky": "#3B97C6",
}


class Figure(matplotlib.figure.Figure):
    """A figure that a notebook shows by itself, with a text for those who do not see it (``alt``)."""

    alt: str | None = None

    def _png(self) -> bytes:
        inked(dressed(self))
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
        return buffer.getvalue()

    _repr_png_ = _png

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        """The picture; JupyterLab gives pictures no ``alt``, so it is shown as HTML, which has one."""
        png, alt = base64.b64encode(self._png()).decode("ascii"), self.alt or described(self)
        image = f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{png}">'
        return {"image/png": png, "text/plain": alt, "text/html": image}, {"image/png": {"alt": alt}}


def subplots(*shape: int, figsize: tuple[float, float] = (7.5, 2.6), alt: str | None = None, **options: Any):
    """As pyplot's: a figure in the course's look, and its axes. End the cell with ``figure`` to show it.

    Args:
        shape: rows and columns of axes; one axes without.
        figsize: width and height in inches.
        alt: what a reader who does not see the picture should be told; by default its titles and labels.
    """
    figure = Figure(figsize=figsize, layout="constrained")  # from the start: colour bars need it
    figure.alt = alt
    return figure, figure.subplots(*shape, **options)


def inked(figure: matplotlib.figure.Figure) -> matplotlib.figure.Figure:
    """Take the figure's ground away and draw in INK what is black by default: axes, ticks, labels, legends.

    Text over an image, in a box, or where there are no axes to be seen stays as it is: it stands on a ground
    of its own, a coloured cell for example.
    """
    figure.set_facecolor("none")
    for axes in _every_axes(figure):
        axes.set_facecolor("none")
        axes.spines[:].set_edgecolor(INK)
        for axis in (axes.xaxis, axes.yaxis):
            given = axis.get_tick_params()
            axis.set_tick_params(which="both", color=INK, labelcolor=given.get("labelcolor", INK))
            axis.get_offset_text().set_color(INK)
        for line in axes.get_xgridlines() + axes.get_ygridlines():
            line.set_color(INK)
    for text in _running_texts(figure):
        if to_rgb(text.get_color()) == (0, 0, 0):
            text.set_color(INK)
    return figure


def _every_axes(figure: matplotlib.figure.Figure) -> list[Axes]:
    return [axes for parent in figure.axes for axes in (parent, *parent.child_axes)]


def _running_texts(figure: matplotlib.figure.Figure) -> list[Text]:
    """Titles, labels, legends, and what is written on the bare ground of axes."""
    texts = [text for text in (figure._suptitle, *figure.texts) if text is not None]
    for axes in _every_axes(figure):
        if axes.axison and not axes.images:
            texts += [text for text in axes.texts if text.get_bbox_patch() is None]
        texts += [axes.title, axes._left_title, axes._right_title, axes.xaxis.label, axes.yaxis.label]
    for legend in filter(None, [*figure.legends, *(axes.get_legend() for axes in _every_axes(figure))]):
        legend.get_frame().set(facecolor="none", edgecolor="none")
        texts += [*legend.get_texts(), legend.get_title()]
    return texts


def described(figure: matplotlib.figure.Figure) -> str:
    """A figure's titles, axes and what its legend names, as one sentence for each axes."""
    said = []
    for axes in figure.axes:
        labels = {"across": axes.get_xlabel(), "up": axes.get_ylabel()}
        parts = [axes.get_title(), *(f"{way}: {label}" for way, label in labels.items() if label)]
        names = [name for name in axes.get_legend_handles_labels()[1] if not name.startswith("_")]
        parts += [f"shown: {', '.join(names)}"] if names else []
        said += ["; ".join(filter(None, parts))]
    return "A picture. " + ". ".join(filter(None, said)) + "."
