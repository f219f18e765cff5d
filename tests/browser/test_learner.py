"""What a learner does, in a real browser: open a notebook, run it, move something, solve an exercise."""

from pathlib import Path

import pytest
from eventually import eventually
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
ALL = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
WRONG = '@exercise("0.1")\ndef weighted_sum(weights, value):\n    return weights.mT @ value'
RIGHT = '@exercise("0.1")\ndef weighted_sum(weights, value):\n    return weights @ value'


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


@pytest.mark.parametrize("notebook", ALL, ids=lambda p: p.stem[:2])
def test_a_notebook_runs_and_shows_everything(lab, notebook):
    view = lab(notebook)
    view.run_all()
    eventually(lambda: unpainted(view.page), {})
    assert view.errors() == []
    expect(view.page.locator("[data-exercise]").first).to_be_visible()
    states = "boxes => boxes.map(box => box.dataset.state)"
    eventually(lambda: set(view.page.locator("[data-exercise]").evaluate_all(states)), {"todo"})
    view.assert_quiet()


def test_an_exercise_typed_wrong_then_right_turns_its_box(lab):
    view = lab(NOTEBOOKS / "00_start_here.ipynb")
    view.run_all()
    answer, check = view.cell('@exercise("0.1")'), view.cell('check("0.1")')
    box = check.locator("[data-exercise='0.1']")
    expect(box).to_have_attribute("data-state", "todo")

    view.write(answer, WRONG)
    view.run(answer)
    view.run(check)
    expect(box).to_have_attribute("data-state", "wrong")
    expect(box).to_contain_text("The weights are used the wrong way round")

    view.write(answer, RIGHT)
    view.run(answer)
    view.run(check)
    expect(box).to_have_attribute("data-state", "right")
    expect(box).to_contain_text("3/3")
    view.assert_quiet()


def test_a_slider_moves_the_picture(lab):
    view = lab(NOTEBOOKS / "03_self_attention.ipynb")
    view.run_all()
    widget = view.cell("SoftDictionary(keys").locator(".cw")
    expect(widget.locator("p[role=status]")).not_to_be_empty()  # drawn
    before, slider = widget.inner_text(), widget.get_by_label("Temperature")
    slider.focus()
    view.page.keyboard.press("End")  # JupyterLab's own one-key commands must leave the widget's keys alone
    view.page.keyboard.press("ArrowLeft")
    expect(widget).not_to_have_text(before)
    at = "e => e === document.activeElement && Number(e.value) - Number(e.max)"
    eventually(lambda: slider.evaluate(at), -1)
    view.assert_quiet()
