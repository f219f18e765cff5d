"""The widgets of notebook 07, used as a learner does: the desk, the map, one step, the tape."""

import re

import pytest
import torch
from legible import assert_legible
from playwright.sync_api import expect

from course.text.bpe import BPE
from course.text.vectors import WordVectors
from course.widgets import AnalogyDesk, MergeTape, SkipGramStep, WordMap

pytestmark = pytest.mark.browser

NAMES = ["man", "king", "woman", "queen", "<b>dog</b>", "cat", "the", "国王"] + [
    f"word{i}" for i in range(40)
]
TEXT = "the cat that sat on the mat; 国王 <b>the</b> 🙂"


def vectors() -> WordVectors:
    return WordVectors(NAMES, torch.randn(len(NAMES), 12, generator=torch.Generator().manual_seed(0)))


def places():
    return torch.randn(len(NAMES), 2, generator=torch.Generator().manual_seed(1))


MAKE = {
    "desk": lambda: AnalogyDesk(vectors()),
    "map": lambda: WordMap(vectors(), places()),
    "step": SkipGramStep,
    "tape": lambda: MergeTape(BPE.train(TEXT * 3, 20), TEXT, 5, ["the", "cat", "##t", "sa", "on"]),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


def test_the_desk_answers_what_is_typed_and_lets_the_inputs_in(show):
    view, twin = show("desk"), MAKE["desk"]()
    page = view.page
    says = page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    page.get_by_label("leave out a, b, c").uncheck()
    twin.leave_out = False
    expect(says).to_have_text(twin.describe())
    box = page.get_by_label("c", exact=True)
    box.fill("cat")
    box.press("Enter")
    twin.c = "cat"
    expect(says).to_have_text(twin.describe())
    box.fill("nobody")
    box.press("Enter")
    expect(page.locator("[role=alert]")).to_contain_text("nobody")
    expect(says).to_have_text(twin.describe())
    page.locator(".ad-list button").nth(1).click()
    twin.c = twin.best()[1][0]
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()


def test_the_map_is_walked_by_keys_and_searched(show):
    view, twin = show("map"), MAKE["map"]()
    page = view.page
    says, canvas = page.locator("p[role=status]"), page.locator("canvas")
    expect(says).to_have_text(twin.describe())
    before = canvas.evaluate("c => c.toDataURL()")
    canvas.focus()
    page.keyboard.press("+")
    page.wait_for_function("before => document.querySelector('canvas').toDataURL() !== before", arg=before)
    page.get_by_label("Find a word").fill("国王")
    page.get_by_label("Find a word").press("Enter")
    twin.word = "国王"
    expect(says).to_have_text(twin.describe())
    canvas.focus()
    page.keyboard.press("ArrowRight")
    expect(says).not_to_have_text(twin.describe())
    page.get_by_label("Find a word").fill("zebra")
    page.get_by_label("Find a word").press("Enter")
    expect(page.locator("[role=alert]")).to_contain_text("zebra")
    view.assert_quiet()


def test_a_step_is_the_packages_and_can_be_taken_back(show):
    view, twin = show("step"), SkipGramStep()
    page = view.page
    says = page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    for _ in range(3):
        page.get_by_role("button", name="Take a step").click()
        twin.take()
    expect(says).to_have_text(twin.describe())
    page.get_by_role("button", name="Start again").click()
    page.get_by_role("slider", name="Negatives k").focus()
    page.keyboard.press("End")
    twin = SkipGramStep(k=5)
    expect(says).to_have_text(twin.describe())
    expect(page.locator("tbody tr")).to_have_count(6)
    view.assert_quiet()


def test_the_tape_fuses_and_shows_a_tokens_tree(show):
    view, twin = show("tape"), MAKE["tape"]()
    page = view.page
    says = page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    page.get_by_role("slider", name="Merges made").focus()
    page.keyboard.press("End")
    twin.n = 20
    expect(says).to_have_text(twin.describe())
    expect(page.locator(".chip")).to_have_count(len(twin.tokens()))
    page.locator(".chip").first.click()
    expect(page.locator(".mt-tree li").first).to_contain_text(re.compile("merge 1?[0-9]"))
    page.keyboard.press("ArrowRight")
    page.get_by_label("Text", exact=True).fill("the cat")
    twin.text = "the cat"
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()
