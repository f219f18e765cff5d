"""Every notebook, opened and run as it is shipped: it reaches its end, shows everything, and shows the same.

In a real browser, and saved from there. Where there is none, what needs no eyes is looked at without one.
"""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from eventually import eventually
from nbformat import NotebookNode
from outputs import different
from playwright.sync_api import expect
from test_notebooks import ROOT, SOURCES, as_built, code_cells

from course.workbook import build
from course.workbook.record import find

pytestmark = pytest.mark.slow
WRONG = '@exercise("0.1")\ndef weighted_sum(weights, value):\n    return weights.mT @ value'
RIGHT = '@exercise("0.1")\ndef weighted_sum(weights, value):\n    return weights @ value'


@pytest.fixture(scope="module", params=SOURCES)
def number(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def shipped(number, tmp_path_factory) -> Path:
    """The notebook as a learner has it before they begin."""
    file = tmp_path_factory.mktemp("shipped") / build.target(SOURCES[number]).name
    file.write_text(as_built(SOURCES[number], ROOT), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def page(shipped, open_lab) -> Iterator:
    """The notebook in JupyterLab, after Run All."""
    with open_lab(shipped) as view:
        view.run_all()
        yield view


@pytest.fixture(scope="module")
def fresh(number, has_chromium, quick_kernels, request) -> NotebookNode:
    """The notebook after Run All: exercises undone, checks gentle."""
    if not has_chromium:
        return build.run(build.assemble(SOURCES[number]), build.NOTEBOOKS)
    notebook = request.getfixturevalue("page").save()
    for cell in code_cells(notebook):
        cell.outputs = build.joined(filter(None, map(build.tidy, cell.outputs)))
    return notebook


def unpainted(page) -> dict[str, int]:
    """How many of each kind of picture show nothing; a page without a widget lacks one."""
    counts = page.evaluate(
        """() => {
          const out = [...document.querySelectorAll('.jp-OutputArea-output')];
          const all = css => out.flatMap(o => [...o.querySelectorAll(css)]);
          const blank = c => { const size = {width: c.width, height: c.height};
                               const b = Object.assign(document.createElement('canvas'), size);
                               return c.toDataURL() === b.toDataURL(); };
          const shown = e => e.getBoundingClientRect().width > 4;
          return { images: all('img').filter(i => !i.naturalWidth).length,
                   canvases: all('canvas').filter(c => shown(c) && blank(c)).length,
                   widgets: all('.cw').filter(w => !shown(w)).length || Number(!all('.cw').length) };
        }"""
    )
    return {kind: n for kind, n in counts.items() if n}


@pytest.mark.browser
def test_a_notebook_runs_and_shows_everything(page):
    assert page.errors() == []
    eventually(lambda: unpainted(page.page), {})
    expect(page.page.locator("[data-exercise]").first).to_be_visible()
    states = "boxes => boxes.map(box => box.dataset.state)"
    eventually(lambda: set(page.page.locator("[data-exercise]").evaluate_all(states)), {"todo"})
    page.assert_quiet()


def test_run_all_reaches_the_end_with_the_exercises_undone(fresh):
    counts = [c.execution_count for c in code_cells(fresh)]
    assert counts == list(range(1, len(counts) + 1))
    assert [c.source for c in code_cells(fresh) if any(o.output_type == "error" for o in c.outputs)] == []


def test_the_shipped_outputs_are_those_of_a_fresh_run(fresh, shipped):
    """Build the notebook anew (``python -m course build N``) where they are not, and look at what changed."""
    its = code_cells(nbformat.read(shipped, as_version=4))
    assert [c.execution_count for c in its] == [c.execution_count for c in code_cells(fresh)]
    assert different(code_cells(fresh), its) == []


# ---- on the page that has been run ---------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("number", ["00"], scope="module", indirect=True)
def test_an_exercise_typed_wrong_then_right_turns_its_box(page, fresh):
    answer, check = page.cell('@exercise("0.1")'), page.cell('check("0.1")')
    box = check.locator("[data-exercise='0.1']")
    expect(box).to_have_attribute("data-state", "todo")

    page.write(answer, WRONG)
    page.run(answer)
    page.run(check)
    expect(box).to_have_attribute("data-state", "wrong")
    expect(box).to_contain_text("The weights are used the wrong way round")

    page.write(answer, RIGHT)
    page.run(answer)
    page.run(check)
    expect(box).to_have_attribute("data-state", "right")
    points = find("0.1").points
    expect(box).to_contain_text(f"{points}/{points}")
    page.assert_quiet()


@pytest.mark.browser
@pytest.mark.parametrize("number", ["03"], scope="module", indirect=True)
def test_a_slider_moves_the_picture(page, fresh):
    widget = page.cell("SoftDictionary(keys").locator(".cw")
    expect(widget.locator("p[role=status]")).not_to_be_empty()  # drawn
    before, slider = widget.inner_text(), widget.get_by_label("Temperature")
    slider.focus()
    page.page.keyboard.press("End")  # JupyterLab's own one-key commands must leave the widget's keys alone
    page.page.keyboard.press("ArrowLeft")
    expect(widget).not_to_have_text(before)
    at = "e => e === document.activeElement && Number(e.value) - Number(e.max)"
    eventually(lambda: slider.evaluate(at), -1)
    page.assert_quiet()
