"""The widgets of notebook 01, used as a learner uses them: the gradient river and the gate X-ray."""

import re

import pytest
import torch
from eventually import eventually
from legible import assert_legible
from playwright.sync_api import expect

from course.models.character_lstm import CharacterLSTM, CharacterLSTMConfig
from course.text.characters import Characters
from course.widgets import GateXray, GradientRiver

pytestmark = pytest.mark.browser

TEXT = 'a cab <b> "dad"'


def xray() -> GateXray:
    torch.manual_seed(0)
    model = CharacterLSTM(CharacterLSTMConfig(len(set(TEXT)), 5, 24), Characters(TEXT)).eval()
    return GateXray(model, TEXT)


MAKE = {"river": GradientRiver, "xray": xray}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


# ---- the gradient river ------------------------------------------------------------------------


def test_sliders_tanh_matrix_and_clip_move_the_columns_and_the_words(show):
    view, twin = show("river"), GradientRiver()
    page = view.page
    says, columns = page.locator("p[role=status]"), page.locator("rect.column")
    expect(says).to_have_text(twin.describe())
    expect(columns).to_have_count(51)
    page.get_by_role("slider", name="Spectral radius").focus()
    page.keyboard.press("End")
    twin.radius = 1.5
    expect(says).to_have_text(twin.describe())
    page.get_by_role("button", name="tanh").click()
    twin.tanh = True
    expect(says).to_have_text(twin.describe())
    page.get_by_role("combobox", name="Matrix").select_option("lopsided")
    twin.matrix = "lopsided"
    expect(says).to_have_text(twin.describe())
    page.get_by_role("slider", name="Steps back").focus()
    page.keyboard.press("Home")
    twin.steps = 1
    expect(columns).to_have_count(2)
    expect(says).to_have_text(twin.describe())
    page.get_by_role("slider", name="Clip the sum to").focus()
    page.keyboard.press("ArrowRight")
    twin.clip = 0.1
    expect(says).to_have_text(twin.describe())
    expect(page.locator("rect.ghost")).to_have_count(2)
    view.assert_quiet()


# ---- the gate X-ray ----------------------------------------------------------------------------


def test_keys_and_clicks_choose_a_cell_and_a_character(show):
    view, twin = show("xray"), xray()
    page = view.page
    says, canvas = page.locator("p[role=status]"), page.locator("canvas")
    expect(says).to_have_text(twin.describe())
    canvas.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    twin.cell, twin.at = twin.order[1], len(TEXT) - 2
    expect(says).to_have_text(twin.describe())
    canvas.click(position={"x": 3 * 14 + 7, "y": 2 * 10 + 1})
    twin.cell, twin.at = twin.order[10], 3
    expect(says).to_have_text(twin.describe())
    expect(page.locator(".xr-letters .now")).to_have_text(TEXT[3])
    view.assert_quiet()


def test_the_gates_take_turns_on_the_picture(show):
    view = show("xray")
    page = view.page

    def picture() -> str:
        return page.locator("canvas").evaluate("c => c.toDataURL()")

    seen = set()
    for name in ("forget gate", "input gate", "output gate", "what the cell holds"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
        eventually(lambda: picture() in seen, False)
        seen.add(picture())
    assert len(seen) == 4
    expect(page.locator(".xr-letters")).to_have_text(re.compile("<b>"))  # as text, not as markup
    view.assert_quiet()


def test_without_a_kernel_there_is_no_box_to_type_in(show):
    expect(show("xray").page.locator(".cw-sentence")).to_be_hidden()
