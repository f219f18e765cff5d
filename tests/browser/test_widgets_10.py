"""The masking playground, used as a learner uses it: on an exported page and in JupyterLab."""

import nbformat
import pytest
from legible import assert_legible
from playwright.sync_api import Page, expect

from course.text.wordpiece import WordPiece
from course.widgets import MaskingPlayground

pytestmark = pytest.mark.browser
TEXT = "the cat sat on the mat and the dog sat on the cat, and then the hen sat on the dog"
TOKENIZER = WordPiece.train([TEXT] * 3, 60)


@pytest.fixture
def show(visit, tmp_path):
    """``show(rate=0.5)`` exports the playground and opens the page."""

    def open_widget(color_scheme: str = "light", **settings):
        widget = MaskingPlayground(TOKENIZER, TEXT, **settings)
        return visit(widget.to_html(tmp_path / "playground.html"), color_scheme=color_scheme)

    return open_widget


def assert_shows(page: Page, widget: MaskingPlayground) -> None:
    """The page reads, names and counts what the widget in Python does."""
    expect(page.locator(".mp-read")).to_have_text(widget.inputs())
    for fate in ("masked", "replaced", "kept"):
        expect(page.locator(f".mp-token.mp-{fate}")).to_have_count(widget.fates().count(fate))
    counts = page.locator(".mp-table tbody tr td:nth-child(2)")
    expect(counts).to_have_text([f"{share.k} of {share.n}" for share in widget.shares()])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(show, scheme):
    view = show(scheme, rate=0.9, split=(0.4, 0.3, 0.3))
    expect(view.page.locator(".mp-token.mp-kept").first).to_be_visible()
    assert_legible(view.page)
    view.assert_quiet()


def test_sliders_and_rolls_give_what_python_gives(show):
    page, twin = show().page, MaskingPlayground(TOKENIZER, TEXT)
    assert_shows(page, twin)
    page.get_by_label("rate: tokens chosen").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    twin.rate = 0.20
    assert_shows(page, twin)
    page.get_by_role("button", name="Re-roll", exact=True).click()
    twin.seed = 1
    assert_shows(page, twin)
    page.get_by_role("button", name="Re-roll 1000 times").click()
    twin.seed = 1001
    assert_shows(page, twin)
    page.get_by_label("random token", exact=True).focus()
    page.keyboard.press("End")  # all of the chosen become random tokens, and counting starts anew
    twin.split, twin.first = [0.0, 1.0, 0.0], 1001
    assert_shows(page, twin)
    expect(page.get_by_text("Counted in one roll")).to_be_visible()


def test_what_became_of_a_token_is_told_on_hover_and_on_focus(show):
    page = show(rate=1.0, split=(1.0, 0.0, 0.0)).page
    said = page.locator(".mp-said").first
    expect(said).to_contain_text("what the model reads")
    page.locator(".mp-token").nth(2).hover()
    expect(said).to_contain_text("“cat” is chosen and hidden")
    page.locator(".mp-token").nth(2).focus()
    page.keyboard.press("Home")
    expect(said).to_contain_text("“[CLS]” is a special token")


CELL = f"""from course.widgets import MaskingPlayground
from course.text.wordpiece import WordPiece

MaskingPlayground(WordPiece.train([{TEXT!r}] * 3, 60), {TEXT!r})"""


def test_another_text_in_jupyterlab(lab, tmp_path):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)], metadata={"kernelspec": kernel})
    nbformat.write(book, tmp_path / "playground.ipynb")
    view = lab(tmp_path / "playground.ipynb")
    view.run_all()
    page, twin = view.page, MaskingPlayground(TOKENIZER, TEXT)
    assert_shows(page, twin)
    page.get_by_label("Text", exact=True).fill("the hen")
    expect(page.locator(".mp-token")).to_have_count(4)
    twin.source = "the hen"
    assert_shows(page, twin)
    page.get_by_label("Text", exact=True).fill("")
    expect(page.get_by_role("alert")).to_contain_text("at least one word")
    assert view.errors() == []
