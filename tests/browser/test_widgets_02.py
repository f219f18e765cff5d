"""The widgets of notebook 02, used as a learner does: soft or hard, the bottleneck, the window, GNMT."""

import re

import pytest
import torch
from keys import press_in
from legible import assert_legible
from playwright.sync_api import expect

from course.models.gnmt import Gnmt
from course.models.seq2seq import Seq2SeqConfig
from course.text.tokenizers import Tokenizer
from course.widgets import Bottleneck, SoftOrHard, Window
from course.widgets.gnmt_view import gnmt_view

pytestmark = pytest.mark.browser

NASTY = "<img src=x onerror=alert(1)>"
SOURCE = ["the", "猫", NASTY, "sleeps", "on", "the", "mat"]
SCORES = [0.3, 2.0, -1.0, 1.2, 0.1, -0.4, 0.9]
PLACES = {n: [round(1 - 0.05 * i, 2) for i in range(n)] for n in range(2, 7)}
MEASURED = {
    "lengths": list(PLACES),
    "sizes": [4, 8],
    "right": {
        "fixed": {size: [list(PLACES.values())] * 2 for size in ("4", "8")},
        "asking": {size: [[[1.0] * n for n in PLACES]] * 2 for size in ("4", "8")},
    },
}


def soft_or_hard() -> SoftOrHard:
    generator = torch.Generator().manual_seed(0)
    scores, rewards = 2 * torch.randn(16, generator=generator), -4 * torch.rand(16, generator=generator)
    return SoftOrHard(torch.rand(3, 8, 8, generator=generator), scores, rewards)


def gnmt():
    tokenizer = Tokenizer.train(["Tom chase Jerry", "汤姆 追逐 杰瑞"] * 3, 300)
    torch.manual_seed(0)
    return gnmt_view(
        Gnmt(Seq2SeqConfig(len(tokenizer), 6, 8), tokenizer).eval(), "Tom chase Jerry", "汤姆 追逐"
    )


MAKE = {
    "window": lambda: Window(SOURCE, SCORES, place=1.5),
    "soft_or_hard": soft_or_hard,
    "bottleneck": lambda: Bottleneck(MEASURED, length=4),
    "gnmt": gnmt,
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


def test_the_window_moves_with_its_place_and_its_width(show):
    view, twin = show("window"), Window(SOURCE, SCORES, place=1.5)
    says = view.page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    press_in(view.page, "Place p", "End")
    twin.place = 6.0
    expect(says).to_have_text(twin.describe())
    press_in(view.page, "Half-width D", "ArrowRight", 2)
    twin.half_width = 3.0
    expect(says).to_have_text(twin.describe())
    expect(view.page.get_by_role("img", name=re.compile("^mat: softmax"))).to_have_count(1)
    view.assert_quiet()


def test_more_looks_shrink_the_clouds_and_the_weights_follow_the_temperature(show):
    view = show("soft_or_hard")
    page, says = view.page, view.page.locator("p[role=status]")
    expect(page.locator("circle.without")).to_have_count(120)
    spread = lambda: float(re.search(r"estimate: ([\d.]+) without", says.inner_text())[1])  # noqa: E731
    expect(says).to_contain_text("Exact gradient")
    wide = spread()
    press_in(page, "Looks for an estimate", "End")
    expect(says).not_to_contain_text(f"{wide:.3f} without")
    assert spread() < wide / 2
    before = says.inner_text()
    press_in(page, "Temperature", "End")
    expect(says).not_to_have_text(before)
    before = says.inner_text()
    page.get_by_role("button", name="Draw anew").click()
    expect(says).not_to_have_text(before)
    view.assert_quiet()


def test_the_bottleneck_follows_length_size_and_the_switch(show):
    view, twin = show("bottleneck"), Bottleneck(MEASURED, length=4)
    page, says = view.page, view.page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    press_in(page, "Letters to copy", "End")
    twin.length = 6
    expect(says).to_have_text(twin.describe())
    page.get_by_label("Ask again at each letter").check()
    twin.asking = True
    expect(says).to_have_text(twin.describe())
    expect(page.locator("rect.jar")).to_have_count(0)
    press_in(page, "Numbers in C", "End")
    twin.size = 8
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()


def test_gnmts_layers_open_and_one_line_leads_to_the_layer_that_asks(show):
    view = show("gnmt")
    page = view.page
    expect(page.get_by_role("button", name="Encoder layer", exact=False)).to_have_count(Gnmt.N_LAYERS)
    expect(page.locator(".ar-arrow")).to_have_count(1)
    page.get_by_role("button", name=f"Decoder layer {Gnmt.N_LAYERS - 1}").click()
    expect(page.get_by_role("button", name="Add")).not_to_have_count(0)
    view.assert_quiet()
