"""Two widgets of notebook 12, used as a learner does: the caption painter, and the map of contacts."""

import pytest
import torch
from legible import assert_legible
from playwright.sync_api import expect

from course.data.relatives import Family
from course.data.shapes import vocabulary
from course.models.gpt import GPT, GPTConfig
from course.models.picture_writer import CAPTION, PICTURE, PictureWriter
from course.widgets import CaptionPainter, ContactMap

pytestmark = pytest.mark.browser


def painter() -> CaptionPainter:
    torch.manual_seed(0)
    tokens = PictureWriter.tokens(20, len(vocabulary()))
    gpt = GPT(
        GPTConfig(tokens, d_model=16, n_heads=2, n_layers=2, max_length=CAPTION + 1 + PICTURE, dropout=0.0)
    )
    book = torch.rand(20, 48, generator=torch.Generator().manual_seed(1))
    return CaptionPainter(PictureWriter(gpt.eval(), book), "a red star, <b>top</b> left")


def contact_map() -> ContactMap:
    generator = torch.Generator().manual_seed(0)
    letters = torch.randint(21, (70, 30), generator=generator)
    places = 2.5 * torch.randn(30, 3, generator=generator).cumsum(0)
    scores = {name: torch.rand(30, 30, generator=generator) for name in ("one", "<b>two</b>")}
    return ContactMap(Family(letters, places), scores)


MAKE = {"painter": painter, "contacts": contact_map}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


def test_a_saved_painter_is_walked_and_played(show):
    view, twin = show("painter"), painter()
    page = view.page
    says, canvas = page.locator("p.says"), page.locator("canvas")
    expect(says).to_have_text(twin.words["says"].format(**twin.facts()))
    expect(page.locator("[role=alert]")).to_contain_text("It has never read “<b>top</b>”")
    expect(page.get_by_label("Caption", exact=True)).to_be_disabled()
    canvas.focus()
    page.keyboard.press("ArrowDown")
    twin.token += 9
    expect(says).to_have_text(twin.words["says"].format(**twin.facts()))
    page.get_by_label("Looks of").select_option("4")
    twin.looks = 4
    expect(says).to_have_text(twin.words["says"].format(**twin.facts()))
    page.get_by_role("slider", name="Squares written").focus()
    page.keyboard.press("Home")
    twin.token = 0
    said = twin.words["says"].format(**twin.facts())
    expect(canvas).to_have_attribute("aria-label", twin.words["canvas"].format(shown=0, n=81, says=said))
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("slider", name="Squares written")).to_have_value("81")
    twin.token = twin.drawing["telling"]
    expect(says).to_have_text(twin.words["says"].format(**twin.facts()))
    view.assert_quiet()


def test_the_map_is_switched_walked_and_filled(show):
    view, twin = show("contacts"), contact_map()
    page = view.page
    says, canvas = page.locator("p[role=status]"), page.locator("canvas")

    def agrees():
        expect(says).to_have_text(twin.words["says"].format(**twin.facts()))
        expect(page.locator(".cm-right > p").first).to_have_text(twin.about())

    agrees()
    page.get_by_label("Score", exact=True).select_option("<b>two</b>")
    twin.method = "<b>two</b>"
    agrees()
    page.get_by_role("slider", name="Best pairs shown").focus()
    page.keyboard.press("Home")
    twin.top = 1
    agrees()
    order = twin.order().tolist()
    place = int(((twin.pairs[0] == twin.i) & (twin.pairs[1] == twin.j)).nonzero())
    page.get_by_role("button", name="Next best pair").click()
    twin.i, twin.j = (int(x) for x in twin.pairs[:, order[order.index(place) + 1]])
    agrees()
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    twin.j -= 1
    agrees()
    expect(page.locator("tbody tr")).to_have_count(8)
    canvas.click(position={"x": 573 * 4.5 / 30, "y": 573 * 20.5 / 30})
    twin.i, twin.j = 4, 20
    agrees()
    view.assert_quiet()
