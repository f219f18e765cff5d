"""The widgets of notebook 06, used as a learner does: pattern builder, hash lab, memory tape."""

import pytest
from keys import press_in
from legible import assert_legible
from playwright.sync_api import expect

from course.widgets import HashLab, MemoryTape, PatternBuilder

pytestmark = pytest.mark.browser

MAKE = {
    "pattern": lambda: PatternBuilder(timed=False),
    "hash": lambda: HashLab(rounds=2),
    "tape": lambda: MemoryTape(4),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


def test_the_pattern_follows_its_controls_and_a_press_asks_the_way(show):
    view, twin = show("pattern"), MAKE["pattern"]()
    page, says = view.page, view.page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    for label, name in (("Global", "n_global"), ("Window, either side", "width"), ("Random, each row", "r")):
        press_in(page, label, "ArrowRight")
        setattr(twin, name, getattr(twin, name) + 1)
        expect(says).to_have_text(twin.describe())
    page.get_by_role("button", name="Draw anew").click()
    twin.draw = 1
    expect(says).to_have_text(twin.describe())
    page.locator("rect.cell").nth(16 * 9 + 5).click()
    twin.row, twin.column = 9, 5
    expect(says).to_have_text(twin.describe())
    press_in(page, "Blocks", "Home")
    twin.n = 4
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()


def test_new_rotations_and_more_rounds_change_what_is_found(show):
    view, twin = show("hash"), MAKE["hash"]()
    page, says = view.page, view.page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    page.get_by_role("button", name="New rotations").click()
    twin.draw = 1
    expect(says).to_have_text(twin.describe())
    press_in(page, "Rounds", "End")
    twin.rounds = 8
    expect(says).to_have_text(twin.describe())
    press_in(page, "Buckets", "Home")
    twin.n_buckets = 2
    expect(says).to_have_text(twin.describe())
    page.locator("circle.dot").nth(33).click()
    twin.point = 33
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()


def test_the_tape_grows_with_the_layers(show):
    view, twin = show("tape"), MAKE["tape"]()
    page, says = view.page, view.page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    expect(page.locator("rect.stored")).to_have_count(4)
    press_in(page, "Layers", "End")
    twin.depth = 16
    expect(says).to_have_text(twin.describe())
    expect(page.locator("rect.stored")).to_have_count(16)
    expect(page.locator("rect.kept")).to_have_count(1)
    page.get_by_label("Numbers").select_option("bfloat16")
    twin.dtype = "bfloat16"
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()
