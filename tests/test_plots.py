"""Stills: every weight where it belongs, labels that can be read, Chinese text without empty boxes."""

import io
import itertools
import subprocess
import sys
import warnings

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

from course import fonts, plots
from course.masks import causal_mask

CHINESE = ["我", "爱", "机器", "学习", "。"]


def weights(queries: int, keys: int | None = None) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.softmax(torch.randn(queries, keys or queries), -1)


def labels(figure, which: str) -> list[mpl.text.Text]:
    figure.draw_without_rendering()
    axis = getattr(figure.axes[0], f"{which}axis")
    return [label for label in axis.get_ticklabels() if label.get_text()]


def gaps(texts: list[mpl.text.Text]) -> np.ndarray:
    """Pixels between each text and the next, measured across the direction of writing."""
    angle = np.deg2rad(texts[0].get_rotation())
    across = np.array([-np.sin(angle), np.cos(angle)])
    places = [across @ text.get_transform().transform(text.get_position()) for text in texts]
    for text in texts:
        text.set_rotation(0)
    height = max(text.get_window_extent().height for text in texts)
    return np.abs(np.diff(places)) - height


# ---- shown by a notebook -----------------------------------------------------------------------


@pytest.mark.parametrize("first", ["", "import matplotlib.pyplot;"])
def test_a_notebook_shows_a_figure_whether_or_not_pyplot_was_imported(first):
    program = f"""{first}
import torch
from IPython.core.interactiveshell import InteractiveShell
from course.plots import heatmap
shown, _ = InteractiveShell.instance().display_formatter.format(heatmap(torch.eye(2), ["a", "b"]))
assert shown["image/png"], sorted(shown)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_the_same_figure_gives_the_same_bytes():
    def draw() -> bytes:
        return plots.heatmap(weights(6), list("abcdef"), mask=causal_mask(6))._repr_png_()

    first = draw()
    assert first == draw()
    assert Image.open(io.BytesIO(first)).width < 1000


# ---- values ------------------------------------------------------------------------------------


def test_a_heatmap_shows_every_weight_at_its_place():
    w = weights(3, 5)
    figure = plots.heatmap(w, list("abc"), list("vwxyz"))
    image = figure.axes[0].images[0]
    np.testing.assert_array_equal(image.get_array(), w.numpy())
    assert image.get_clim() == (0, w.max())
    assert [t.get_text() for t in labels(figure, "y")] == list("abc")
    assert [t.get_text() for t in labels(figure, "x")] == list("vwxyz")


def test_masked_cells_are_left_out_over_hatching_and_a_leak_through_the_mask_stays_visible():
    mask = causal_mask(4)
    w = weights(4) * mask
    w[0, 3] = 0.25  # a weight where none may be
    axes = plots.heatmap(w, list("abcd"), mask=mask).axes[0]
    hidden = np.ma.getmaskarray(np.ma.masked_invalid(axes.images[0].get_array()))
    np.testing.assert_array_equal(hidden, (~mask & (w == 0)).numpy())
    assert [patch.get_hatch() for patch in axes.patches] == ["///"]
    assert axes.patches[0].get_zorder() < axes.images[0].get_zorder()


def test_hatching_looks_like_no_weight():
    """The pixels of a masked cell are of several greys; those of a weight of 0 are white."""
    figure = plots.heatmap(torch.eye(2), ["a", "b"], mask=torch.tensor([[True, False], [True, True]]))
    canvas = mpl.backends.backend_agg.FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[::-1]

    def cell(query, key):
        (x0, y0), (x1, y1) = figure.axes[0].transData.transform(
            [(key - 0.4, query + 0.4), (key + 0.4, query - 0.4)]
        )
        return pixels[int(y0) : int(y1), int(x0) : int(x1), :3].reshape(-1, 3)

    masked, zero = cell(0, 1), cell(1, 0)
    assert (zero > 245).all()
    assert masked.max() < 235 and len(np.unique(masked, axis=0)) > 1


@pytest.mark.parametrize("shape", [(3, 3), (2, 9), (9, 2), (40, 40)])
def test_a_map_stands_beside_its_colour_bar(shape):
    figure = plots.heatmap(torch.eye(*shape), ["a"] * shape[0], ["b"] * shape[1])
    figure.draw_without_rendering()
    axes = figure.axes[0]
    chart, bar = (x.get_window_extent().width for x in (axes, axes.child_axes[0]))
    gap = axes.child_axes[0].get_window_extent().x0 - axes.get_window_extent().x1
    assert 0.05 < gap / figure.dpi < 0.3 and 0.08 < bar / figure.dpi < 0.3 < chart / figure.dpi  # inches


def test_running_text_breaks_into_lines_and_no_token_touches_the_next():
    tokens = [f"token{i}" for i in range(40)] + ["我爱机器学习"]
    axes = plots.tinted(tokens, torch.linspace(0, 1, 41)).axes[0]
    boxes = [patch.get_bbox() for patch in axes.patches]
    assert len({box.y0 for box in boxes}) > 3
    assert max(box.x1 for box in boxes) <= axes.get_xlim()[1]
    assert all(b.y0 > a.y0 or b.x0 > a.x1 for a, b in itertools.pairwise(boxes))
    axes.figure.draw_without_rendering()
    for text, patch in zip(axes.texts, axes.patches, strict=True):
        assert text.get_window_extent().width <= patch.get_window_extent().width, text.get_text()


def test_a_row_of_zeros_and_a_single_token_can_be_drawn():
    plots.lines(torch.zeros(2, 2), ["a", "b"])._repr_png_()
    plots.tinted(["a"], torch.zeros(1))._repr_png_()
    plots.heatmap(torch.zeros(2, 2), ["a", "b"])._repr_png_()
    plots.heatmap(torch.ones(1, 1), ["a"])._repr_png_()
    plots.head_grid(torch.zeros(1, 2, 3, 3), list("abc"))._repr_png_()


def test_a_grid_shows_every_head_on_its_own_scale_where_its_ticks_say():
    w = torch.zeros(2, 3, 4, 4)
    w[1, 2, 3, 0] = 0.1  # the largest weight of its head, so as dark as 1
    axes = plots.head_grid(w, list("abcd")).axes[0]
    sheet = axes.images[0].get_array()
    (row,), (column,) = np.where(sheet == 1)
    assert abs(row - axes.get_yticks()[1]) < 2.5 and abs(column - axes.get_xticks()[2]) < 2.5
    assert [len(axes.get_yticks()), len(axes.get_xticks())] == [2, 3]


def test_an_alignment_runs_from_black_to_white_with_the_source_on_top():
    w = weights(3, 4)
    axes = plots.alignment(w, list("abcd"), list("xyz")).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), w.numpy())
    assert axes.images[0].get_cmap().name == "gray" and axes.images[0].get_clim() == (0, 1)
    assert axes.xaxis.get_label_position() == "top" and axes.get_xlabel() == "source"


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: plots.heatmap(torch.ones(2, 3), ["a", "b"]), r"\(2, 3\).*2 row tokens and 2 column"),
        (lambda: plots.heatmap(torch.ones(1, 2, 2), ["a", "b"]), r"\(1, 2, 2\).*one head, without batch"),
        (lambda: plots.heatmap(torch.ones(2, 2), ["a", "b"], mask=torch.ones(2, 2)), "float32"),
        (lambda: plots.heatmap(torch.ones(2, 2), ["a", "b"], mask=torch.ones(1, 2) > 0), r"\(1, 2\)"),
        (lambda: plots.alignment(torch.ones(2, 3), ["a", "b"], ["x", "y"]), r"\(2, 3\)"),
        (lambda: plots.lines(torch.ones(2, 3), ["a", "b"]), r"\(2, 3\).*2 row tokens and 2 column"),
        (lambda: plots.tinted(["a", "b"], torch.ones(3)), r"\(3,\); for 2 tokens"),
        (lambda: plots.head_grid(torch.ones(2, 2, 2), ["a"]), "1 tokens"),
    ],
)
def test_what_does_not_fit_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()


# ---- labels ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 12, 40])
@pytest.mark.parametrize("which", ["x", "y"])
def test_up_to_40_tokens_every_label_is_there_and_none_touches_the_next(n, which):
    tokens = [f"wordpiece{i}" for i in range(n)]
    figure = plots.heatmap(weights(n), tokens)
    texts = labels(figure, which)
    assert [t.get_text() for t in texts] == tokens
    assert min(t.get_fontsize() for t in texts) >= 8
    assert gaps(texts).min() > 0


@pytest.mark.parametrize("which", ["x", "y"])
def test_at_200_tokens_labels_are_thinned_out_and_stand_at_their_tokens(which):
    texts = labels(plots.heatmap(weights(200), [str(i) for i in range(200)]), which)
    assert 20 < len(texts) < 100
    assert all(t.get_position()["xy".index(which)] == int(t.get_text()) for t in texts)
    assert gaps(texts).min() > 0


def test_labels_of_lines_are_all_there_at_40_tokens_on_both_sides():
    figure = plots.lines(weights(40, 30), [f"s{i}" for i in range(40)], [f"t{i}" for i in range(30)])
    assert len(labels(figure, "y")) == 40 and gaps(labels(figure, "y")).min() > 0
    assert [t.get_text() for t in figure.axes[1].get_yticklabels()] == [f"t{i}" for i in range(30)]


def test_labels_of_an_alignment_are_all_there_at_40_tokens():
    figure = plots.alignment(weights(40, 30), [f"s{i}" for i in range(30)], [f"t{i}" for i in range(40)])
    for which in "xy":
        assert gaps(labels(figure, which)).min() > 0


def test_dollars_in_a_token_are_no_formula():
    figure = plots.heatmap(torch.eye(2), ["$\\frac{", "$"])
    assert [t.get_text() for t in labels(figure, "y")] == ["$\\frac{", "$"]
    figure._repr_png_()


def test_what_no_font_can_draw_is_replaced_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plots.heatmap(torch.eye(2), ["a\U0001f642", "\U0010fffd"])
        figure._repr_png_()
    assert [t.get_text() for t in labels(figure, "y")][1] == "\ufffd"


# ---- Chinese -----------------------------------------------------------------------------------


@pytest.mark.skipif(fonts.cjk_font() is None, reason="no font for Chinese text on this machine")
def test_chinese_is_drawn_in_a_font_that_holds_it():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every glyph it does not find
        figure = plots.heatmap(weights(5), CHINESE)
        figure._repr_png_()
    assert labels(figure, "y")[0].get_fontfamily() == ["DejaVu Sans", fonts.cjk_font()]


def test_latin_text_keeps_the_usual_font():
    figure = plots.heatmap(torch.eye(2), ["é", "ß"])
    assert "CJK" not in str(labels(figure, "y")[0].get_fontfamily())


def test_without_a_font_for_chinese_the_reader_is_told_once_which_to_install(monkeypatch):
    monkeypatch.setattr(plots, "cjk_font", lambda: None)
    monkeypatch.setattr(fonts, "cjk_font", lambda: None)
    fonts.warn_once.cache_clear()
    with pytest.warns(UserWarning, match="fonts-noto-cjk"):
        plots.heatmap(weights(5), CHINESE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.heatmap(weights(5), CHINESE)
