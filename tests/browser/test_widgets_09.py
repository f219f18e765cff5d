"""The prompt laboratory, used as a learner uses it: on an exported page and in JupyterLab."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from legible import assert_legible
from playwright.sync_api import expect

from course.in_context.reading import read_prompt
from course.widgets import PromptLab

TESTS = Path(__file__).resolve().parents[1]
AXE = TESTS / "js" / "node_modules" / "axe-core" / "axe.min.js"
sys.path.append(str(TESTS / "widgets"))
from prompting import untrained  # noqa: E402

pytestmark = pytest.mark.browser
NASTY = "</script><img src=x onerror=alert(1)>猫"


@pytest.fixture
def show(visit, tmp_path):
    """``show(prompt)`` exports the laboratory with that prompt and opens the page."""

    def open_widget(prompt: str | None = None, **options):
        lab = PromptLab(untrained())
        if prompt is not None:
            lab.prompt = prompt
        return visit(lab.to_html(tmp_path / "lab.html"), **options)

    return open_widget


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(show, scheme):
    view = show(color_scheme=scheme)
    assert_legible(view.page, (1300, 820, 480))
    view.assert_quiet()


def test_a_page_without_a_kernel_shows_the_last_answer_and_says_that_it_cannot_ask(show):
    view = show("17+5=22;2+2=")
    page = view.page
    expect(page.get_by_role("textbox")).to_have_value("17+5=22;2+2=")
    expect(page.get_by_role("textbox")).not_to_be_editable()
    expect(page.get_by_text("This page has no kernel")).to_be_visible()
    for name in ("Addition", "Add a shot", "Wrong labels", "Undo"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    expect(page.get_by_role("status")).to_contain_text("it should be “4”.")
    view.assert_quiet()


def test_the_keys_walk_over_the_tokens_and_show_what_else_might_have_stood_there(show):
    twin = PromptLab(untrained())
    page = show().page
    tokens, rows = page.get_by_role("radio"), page.locator(".pl-others tbody tr")
    steps = twin.reply["steps"]
    expect(tokens).to_have_count(len(steps))
    tokens.first.focus()
    for step in steps[:3]:
        expect(page.locator(":focus")).to_have_attribute("aria-checked", "true")
        shares = [f"{p:.3f}" for _, p in step["alternatives"]]
        expect(rows.locator(".cw-number")).to_have_text(shares)
        page.keyboard.press("ArrowRight")


def test_markup_in_a_prompt_stays_text_and_what_cannot_be_read_is_said(show):
    view = show(NASTY)
    expect(view.page.get_by_role("textbox")).to_have_value(NASTY)
    expect(view.page.get_by_role("alert")).to_contain_text("not in this vocabulary")
    expect(view.page.get_by_role("radio")).to_have_count(0)
    view.assert_quiet()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(show, scheme):
    if not AXE.exists():
        message = "axe-core is not installed: npm ci --prefix tests/js"
        assert os.environ.get("COURSE_REQUIRE_BROWSER") != "1", message
        pytest.skip(message)
    page = show(color_scheme=scheme).page
    page.add_script_tag(path=str(AXE))
    found = page.evaluate(
        "axe.run('main').then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html]))"
    )
    assert [v for v in found if v[0] in ("serious", "critical")] == []


# ---- in JupyterLab -----------------------------------------------------------------------------

CELL = f"""import sys, time

sys.path.append({str(TESTS / "widgets")!r})
from prompting import untrained
from course.widgets import PromptLab, prompt_lab

quick = prompt_lab.complete
def slow(*arguments, **settings):
    time.sleep(0.5)
    return quick(*arguments, **settings)

prompt_lab.complete = slow
PromptLab(untrained())"""
RECORD = """() => {
  const [text, said] = [document.querySelector(".cw-prompt textarea"), document.querySelector(".pl-said")];
  window.seen = [];
  const note = () => window.seen.push([text.value, said.textContent]);
  new MutationObserver(note).observe(said, { childList: true });
}"""


def test_typing_and_buttons_ask_the_model_and_late_answers_are_not_shown(lab, tmp_path):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)], metadata={"kernelspec": kernel})
    nbformat.write(book, tmp_path / "lab.ipynb")
    view = lab(tmp_path / "lab.ipynb")
    view.run_all()
    page, twin = view.page, PromptLab(untrained())
    text, said = page.locator(".cw-prompt textarea"), page.locator(".pl-said")
    expect(text).to_have_value(twin.prompt)
    page.evaluate(RECORD)

    def asked(prompt: str) -> str:
        twin.prompt = prompt
        expect(said).to_contain_text(f"“{twin.reply['answer']}”, with probability")
        expect(said).to_contain_text(twin.reply["expected"] or "not known")
        return said.inner_text()

    text.fill("1+1=2;3+4=")
    page.wait_for_function("() => window.seen.some(([, said]) => said.startsWith('Asking'))")
    text.fill("1+1=2;3+40=")  # while the first is being answered
    last = asked("1+1=2;3+40=")
    shown = [said for prompt, said in page.evaluate("window.seen") if prompt == "1+1=2;3+40="]
    assert set(shown) <= {last, "Asking the model …"}

    page.get_by_role("button", name="Add a shot").click()
    expect(text).not_to_have_value("1+1=2;3+40=")
    shots, question, _ = read_prompt(text.input_value())
    assert len(shots) == 2 and question == "3+40"
    page.get_by_role("button", name="Undo").click()
    expect(text).to_have_value("1+1=2;3+40=")
    page.get_by_role("button", name="French to English").click()
    expect(page.get_by_role("button", name="French to English")).to_have_attribute("aria-pressed", "true")
    text.fill("no question")
    expect(page.get_by_role("alert")).to_contain_text("not in this vocabulary: ' '")
    text.fill("noquestion")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("button", name="Shuffle the order").click()
    expect(page.get_by_role("alert")).to_contain_text("a prompt ends with its question")
    expect(page.get_by_text("The same: nothing was trained.")).to_be_visible()
    assert view.errors() == []
    view.assert_quiet()
