"""The widgets on deciding and memory, used as a learner does."""

import pytest
import torch
from keys import press_in
from legible import assert_legible
from playwright.sync_api import expect

from course.models.turing_machine import TuringMachine
from course.studies.shortest_paths import decider, planned, random_graph, random_walks
from course.widgets import AskForReturn, MemoryTheatre

pytestmark = pytest.mark.browser

EDGES = random_graph(2)
CLONE = planned(random_walks(EDGES, 20))
BITS = torch.randint(2, (4, 8), generator=torch.Generator().manual_seed(1))


MAKE = {
    "ask": lambda: AskForReturn(decider(), EDGES, CLONE, start=9, asked=2),
    "theatre": lambda: MemoryTheatre(TuringMachine.from_pretrained("turing-machine"), BITS),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


def test_a_return_is_asked_for_by_mouse_and_by_keys(show):
    view, twin = show("ask"), MAKE["ask"]()
    page, says = view.page, view.page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    press_in(page, "Stops asked for", "ArrowRight", 3)
    twin.asked = 5
    expect(says).to_have_text(twin.describe())
    press_in(page, "Move shown", "End")
    twin.shown = len(twin.path()) - 1
    expect(says).to_have_text(twin.describe())
    page.get_by_label("Beside it").select_option("clone")
    twin.beside = "clone"
    expect(says).to_have_text(twin.describe())
    page.locator("g.node").nth(4).click()
    twin.start = 4
    expect(says).to_have_text(twin.describe())
    page.locator("g.node").nth(4).focus()
    before = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") != before
    node = int(page.evaluate("document.activeElement.textContent"))
    page.keyboard.press("Enter")
    twin.start = node
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()


def test_parts_of_the_machine_are_broken_and_mended(show):
    view, twin = show("theatre"), MAKE["theatre"]()
    page, says = view.page, view.page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    for label, name in (("Shift", "shift"), ("Sharpening", "sharpening"), ("Erasing", "erasing")):
        press_in(page, label, "Home")
        setattr(twin, name, 0)
        expect(says).to_have_text(twin.describe())
    page.get_by_role("button", name="Whole again").click()
    twin.shift = twin.sharpening = twin.erasing = 100
    expect(says).to_have_text(twin.describe())
    press_in(page, "Step shown", "End")
    twin.moment = 10
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()


def test_a_bit_is_turned_and_rows_are_added(show):
    view, twin = show("theatre"), MAKE["theatre"]()
    page, says = view.page, view.page.locator("p[role=status]")
    bit = page.get_by_label("Bit 3 of row 2: ", exact=False)
    before = bit.get_attribute("aria-label")
    bit.focus()
    page.keyboard.press("Enter")
    expect(bit).not_to_have_attribute("aria-label", before)
    page.keyboard.press("ArrowDown")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("Bit 4 of row 2")
    press_in(page, "Rows to copy", "ArrowRight")
    expect(page.locator("rect.bit")).to_have_count(5 * 8)
    turned = [row[:] for row in twin.bits]
    turned[1][2] = 1 - turned[1][2]
    twin.bits = [*turned, twin.spare[4]]
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()
