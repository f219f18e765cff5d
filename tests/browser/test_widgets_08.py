"""The sampling playground, used as a learner uses it: on an exported page and in JupyterLab."""

import sys
from pathlib import Path

import nbformat
import pytest
from legible import assert_legible
from playwright.sync_api import expect

from course.text.sampling import next_token_probabilities
from course.widgets import SamplingPlayground

TESTS = Path(__file__).parents[1]
sys.path.append(str(TESTS / "widgets"))
from playground import NASTY, TOKENS, random_model  # noqa: E402

pytestmark = pytest.mark.browser
PROMPT = f"a|猫|\n| the|{NASTY}|سلام|🙂|b"
ROWS = ".sp-row:visible"


def playground(**settings) -> SamplingPlayground:
    return SamplingPlayground(random_model(), PROMPT, **settings)


@pytest.fixture
def show(visit, tmp_path):
    """``show(temperature=0.5)`` exports the playground and opens the page."""

    def open_widget(color_scheme: str = "light", **settings):
        page = playground(**settings).to_html(tmp_path / "playground.html")
        return visit(page, color_scheme=color_scheme)

    return open_widget


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(show, scheme):
    view = show(scheme, top_k=10, top_p=0.8)
    expect(view.page.locator(".sp-out").first).to_be_visible()
    assert_legible(view.page)
    view.assert_quiet()


def shown(page) -> list[str]:
    """The probabilities on the page, the likeliest first."""
    return page.locator(f"{ROWS} .sp-share").all_inner_texts()


def expected(temperature: float, top_k: int | None, top_p: float | None) -> list[str]:
    """What Python gives, as the page writes it."""
    widget = playground()
    widget.temperature, widget.top_k, widget.top_p = temperature, top_k, top_p
    before = next_token_probabilities(widget._all_logits(), temperature)
    order = before.sort(descending=True, stable=True).indices[:20]
    return [f"{100 * p:.{int(p < 0.0995)}f} %" for p in widget.probabilities[order].tolist()]


def test_the_sliders_give_the_probabilities_of_course_sampling(show):
    page = show().page
    for label, keys, setting in [
        ("temperature", ["ArrowRight"] * 4, (1.2, None, None)),
        ("top-k", ["Home", *["ArrowRight"] * 6], (1.2, 8, None)),
        ("top-p", ["Home", *["ArrowRight"] * 45], (1.2, 8, 0.5)),
        ("temperature", ["Home"], (0, 8, 0.5)),
    ]:
        page.get_by_label(label, exact=True).focus()
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator(f"{ROWS} .sp-share")).to_have_text(expected(*setting))
    assert page.get_by_label("temperature", exact=True).get_attribute("aria-valuetext") == "0, greedy"


def test_it_says_which_filter_removes_what(show):
    page = show(top_k=8, top_p=0.5).page
    kept = int((playground(top_k=8, top_p=0.5).probabilities > 0).sum())
    notes = page.locator(f"{ROWS} .sp-note")
    by_p, by_k = (["removed by top-p"] * (8 - kept), ["removed by top-k"] * 12)
    assert notes.all_inner_texts()[kept:] == by_p + by_k
    expect(page.locator(".sp-removed")).to_contain_text(f"top-k removes {len(TOKENS) - 8} tokens, which held")
    expect(page.locator(".sp-removed")).to_contain_text(f"top-p removes {8 - kept} tokens")


def test_the_surprise_of_a_token_is_told_on_hover_and_on_focus(show):
    page, bits = show().page, playground().surprises
    tokens, said = page.locator(".sp-token"), page.locator(".sp-said")
    expect(said).to_contain_text("7 tokens were predicted")
    tokens.nth(1).hover()
    expect(said).to_contain_text(f"“猫” was predicted with {100 * 2 ** -bits[1]:.1f} %")
    tokens.nth(7).focus()
    page.keyboard.press("ArrowLeft")
    expect(said).to_contain_text(f"“🙂” was predicted with {100 * 2 ** -bits[6]:.1f} %")
    expect(said).to_contain_text(f"{bits[6]:.2f} bits")
    page.keyboard.press("Home")
    expect(said).to_contain_text("“a” is the first token")


def test_a_saved_page_says_that_choosing_needs_the_notebook(show):
    page = show().page
    for name in ("Sample", "Undo", "Start again"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    expect(page.get_by_text("to choose tokens, open the notebook")).to_be_visible()
    page.locator(ROWS).first.click(force=True)  # it is disabled, and so are the tokens
    page.locator(".sp-token").nth(3).click(force=True)
    expect(page.locator(".sp-token")).to_have_count(8)


# ---- in JupyterLab -----------------------------------------------------------------------------

CELL = f"""import sys

sys.path.append({str(TESTS / "widgets")!r})
from playground import random_model
from course.widgets import SamplingPlayground

SamplingPlayground(random_model(), "a|猫", seed=5)"""


def test_choosing_sampling_going_back_and_another_prompt(lab, tmp_path):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)], metadata={"kernelspec": kernel})
    nbformat.write(book, tmp_path / "playground.ipynb")
    view = lab(tmp_path / "playground.ipynb")
    view.run_all()
    page, twin = view.page, SamplingPlayground(random_model(), "a|猫", seed=5)
    tokens, rows = page.locator(".sp-token"), page.locator(ROWS)
    expect(tokens).to_have_text(["a", "猫"])

    def after_choice(rank: int) -> None:
        order = twin.probabilities.sort(descending=True, stable=True).indices
        twin.ids = [*twin.ids, order[rank].item()]
        expect(tokens).to_have_count(len(twin.ids))
        shares = twin.probabilities.sort(descending=True).values[:3].tolist()
        text = [f"{100 * p:.{int(p < 0.0995)}f} %" for p in shares]
        for i in range(3):
            expect(rows.nth(i).locator(".sp-share")).to_have_text(text[i])

    rows.nth(2).click()
    after_choice(2)
    drawn = page.locator(f"{ROWS} .sp-note").all_inner_texts().index("← the draw falls here")
    page.get_by_role("button", name="Sample", exact=True).click()
    after_choice(drawn)
    page.get_by_role("button", name="Undo").click()
    expect(tokens).to_have_count(3)
    expect(page.locator(f"{ROWS} .sp-note").nth(drawn)).to_have_text("← the draw falls here")
    tokens.nth(1).click()  # back to where it was predicted
    expect(tokens).to_have_text(["a"])
    expect(tokens.first).to_be_focused()
    page.get_by_label("Prompt", exact=True).fill("b|Q")
    expect(page.get_by_role("alert")).to_contain_text("not in this vocabulary: 'Q'")
    page.get_by_label("Prompt", exact=True).fill("z|🙂|z")
    expect(tokens).to_have_text(["z", "🙂", "z"])
    expect(page.get_by_role("alert")).to_be_hidden()
    assert view.errors() == []
