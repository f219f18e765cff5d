"""The widgets of notebook 13, used as a learner does: the era, the budget, the chat box."""

import pytest
import torch
from keys import press_in
from legible import assert_legible
from playwright.sync_api import expect

from course.models.chat import MARKS, ChatModel
from course.models.gpt import GPT, GPTConfig
from course.text.chat import Turn
from course.text.tokenizers import Tokenizer
from course.widgets import Budget, ChatBox, Era

pytestmark = pytest.mark.browser


def chat() -> ChatBox:
    """A model that has learned nothing: what is looked at is the box."""
    turns = [Turn("user", "i need a bus from oakland to fresno.")]
    tokenizer = Tokenizer.train([turn.text for turn in turns] * 3, 300, lower_case=True, marks=MARKS)
    torch.manual_seed(0)
    return ChatBox(ChatModel(GPT(GPTConfig(len(tokenizer), 16, 2, 1, max_length=400)), tokenizer), turns)


MAKE = {"era": Era, "budget": lambda: Budget(2e10), "chat": chat}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


def test_the_era_is_searched_walked_and_zoomed(show):
    view, twin = show("era"), Era()
    page, says = view.page, view.page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    box = page.get_by_label("Find a model or an event")
    box.fill("alexnet")
    box.press("Enter")
    twin.chosen = "AlexNet"
    expect(says).to_have_text(twin.describe())
    box.fill("hal 9000")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Nothing here is called “hal 9000”.")
    box.fill("gpt-2 (1.5b)")
    box.press("Enter")
    twin.chosen = "GPT-2 (1.5B)"
    expect(says).to_have_text(twin.describe())
    canvas = page.locator("canvas")
    canvas.focus()
    page.keyboard.press("ArrowDown")
    twin.chosen = "GPT-2"
    expect(says).to_have_text(twin.describe())
    page.keyboard.press("ArrowRight")
    twin.chosen = "Scaling laws"
    expect(says).to_have_text(twin.describe())
    page.get_by_role("button", name="Closer").click()
    page.get_by_label("Up").select_option("compute")
    expect(says).to_have_text(twin.describe())
    view.assert_quiet()


def test_the_budget_follows_its_sliders(show):
    view, twin = show("budget"), MAKE["budget"]()
    page, says = view.page, view.page.locator("p[role=status]")
    expect(says).to_have_text(twin.describe())
    press_in(page, "Layers", "ArrowRight")
    twin.layers = 6
    expect(says).to_have_text(twin.describe())
    page.get_by_label("loss in bfloat16").check()
    twin.half = True
    expect(says).to_have_text(twin.describe())
    page.get_by_label("Start from").select_option(label="GPT-3")
    twin.layers, twin.width, twin.length, twin.vocabulary, twin.tokens = 96, 12288, 2048, 50257, 3e11
    expect(says).to_have_text(twin.describe())
    expect(page.locator("rect.bd-bar")).to_have_count(4)
    view.assert_quiet()


def test_a_page_without_a_kernel_shows_the_conversation(show):
    view, twin = show("chat"), chat()
    page = view.page
    expect(page.locator("p[role=status]")).to_have_text(twin.describe().splitlines()[0])
    expect(page.locator("li.cb-turn")).to_have_count(2)
    expect(page.get_by_text("A saved page")).to_be_visible()
    view.assert_quiet()
