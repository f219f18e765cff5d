"""The widget of notebook 12's first half, used as a learner does: by pointer, by keys, in light and dark."""

import pytest
import torch
from legible import assert_legible
from playwright.sync_api import expect

from course.widgets import PatchGaze

pytestmark = pytest.mark.browser

G = torch.Generator().manual_seed(0)
MAKE = {
    "gaze": lambda: PatchGaze(
        torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(1)),
        (3 * torch.randn(2, 3, 2, 17, 17, generator=torch.Generator().manual_seed(2))).softmax(-1),
        ["A 7, read as 7 (99 %)", "<b>A 2</b>", "三"],
    )
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


def test_the_gaze_follows_pointer_and_keys(show):
    view, twin = show("gaze"), MAKE["gaze"]()
    page = view.page
    says, picks = page.locator("p[role=status]"), page.locator(".pick")
    expect(says).to_have_text(twin.describe())
    picks.nth(6).hover()
    twin.token = 6
    expect(says).to_have_text(twin.describe())
    picks.nth(1).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    twin.token = 6
    expect(says).to_have_text(twin.describe())
    page.get_by_role("slider", name="Layer").focus()
    page.keyboard.press("Home")
    page.get_by_role("slider", name="Head").focus()
    page.keyboard.press("Home")
    page.get_by_role("slider", name="Picture").focus()
    page.keyboard.press("ArrowRight")
    twin.layer, twin.head, twin.picture = 0, 0, 1
    expect(says).to_have_text(twin.describe())
    picks.nth(0).focus()
    twin.token = 0
    expect(says).to_have_text(twin.describe())
    page.keyboard.press("ArrowRight")
    twin.token = 1
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()
