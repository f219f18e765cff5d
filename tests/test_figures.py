"""The look of every figure: no ground of its own, an ink for light and for dark pages, a text beside it."""

import base64
import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from course import figures, plots
from course.workbook.build import few_colours, lighter

GROUNDS = {"white": "#ffffff", "JupyterLab's dark ground": "#111111"}


def contrast(a: str, b: str) -> float:
    """WCAG 2.1's contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))

    bright, dim = sorted((luminance(a), luminance(b)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def chart() -> figures.Figure:
    figure, (left, right) = plots.subplots(1, 2)
    left.plot([1, 2], [3, 4], color=plots.COLOURS["blue"], label="a <line>")
    left.set(xlabel="step", ylabel="loss", title="how it went")
    left.legend()
    left.text(1, 3, "a word on bare ground")
    image = right.imshow([[0, 1]])
    right.text(0, 0, "on a cell", color="black")
    figure.colorbar(image)
    return figure


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
def test_text_and_lines_are_seen_on_both_grounds(ground):
    assert contrast(figures.INK, ground) > 4.2
    assert min(contrast(colour, ground) for colour in figures.COLOURS.values()) >= 3


def test_a_figure_has_no_ground_and_its_words_are_in_ink():
    figure = figures.inked(chart())
    assert figure.get_facecolor()[3] == 0 and all(a.get_facecolor()[3] == 0 for a in figure.axes)
    left, right, bar = figure.axes
    figure.draw_without_rendering()
    words = [left.title, left.xaxis.label, *left.get_xticklabels(), *left.get_legend().get_texts()]
    words += [*left.texts, *right.get_yticklabels(), *bar.get_yticklabels()]
    assert {figures.INK} == {text.get_color() for text in words}
    assert right.texts[0].get_color() == "black", "it stands on a cell's own colour"


def test_what_a_notebook_gets_has_its_alternative_text_and_is_seen_through():
    data, metadata = chart()._repr_mimebundle_()
    alt = data["text/plain"]
    assert all(word in alt for word in ("how it went", "step", "loss", "a <line>"))
    assert metadata == {"image/png": {"alt": alt}}
    assert 'alt="A picture. ' in data["text/html"] and "<line>" not in data["text/html"]
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGBA")
    assert picture.getpixel((0, 0))[3] == 0
    figure, _ = plots.subplots(alt="A hill.")
    assert figure._repr_mimebundle_()[0]["text/plain"] == "A hill."


def test_the_build_keeps_what_is_seen_through():
    png = chart()._png()
    before = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)
    after = Image.open(io.BytesIO(base64.b64decode(lighter(base64.b64encode(png).decode()))))
    assert after.mode == "P"
    difference = np.abs(np.asarray(after.convert("RGBA")).astype(int) - before)
    assert difference.mean() < 1 and np.asarray(after.convert("RGBA"))[0, 0, 3] == 0


def test_a_picture_without_transparency_keeps_all_colours_for_itself():
    few = few_colours(Image.new("RGBA", (4, 4), "#336699"))
    assert few.convert("RGB").getpixel((0, 0)) == (0x33, 0x66, 0x99)
