"""The widgets of notebook 03, used as a learner uses them: the soft dictionary, the walk, the saturation."""

import re

import pytest
import torch
from eventually import eventually
from keys import press
from legible import assert_legible
from playwright.sync_api import expect

from course.attention import scaled_dot_product_attention
from course.widgets import Saturation, SoftDictionary, Walk

pytestmark = pytest.mark.browser

KEYS = [[2.0, 0.5], [1.5, 1.5], [-1.0, 1.0]]
NASTY = "</script><img src=x onerror=alert(1)>"
torch.manual_seed(0)
X, W_QUERY, W_KEY, W_VALUE = torch.randn(3, 4), torch.randn(4, 2), torch.randn(4, 2), torch.randn(4, 3)
MAKE = {
    "dictionary": lambda: SoftDictionary(KEYS, [10, 20, 30], [1.0, 1.5], labels=["apple", "梨", NASTY]),
    "walk": lambda: Walk(X, W_QUERY, W_KEY, W_VALUE, tokens=["I", "茶", NASTY]),
    "saturation": lambda: Saturation(n_samples=32),
}


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text.replace("−", "-"))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


# ---- the soft dictionary -----------------------------------------------------------------------


def agrees_with_python(page, temperature: float) -> tuple[float, float]:
    """The page's output is Python's for the query that the page names; gives that query."""
    x, y = numbers(page.locator(".handle").get_attribute("aria-label"))[:2]
    output, weights = SoftDictionary(KEYS, [10, 20, 30], [x, y], temperature=temperature).look_up()
    said = page.locator(".numbers p.cw-number").last.inner_text()
    assert numbers(said)[-1] == pytest.approx(output.item(), abs=0.0051)
    shown = page.locator(".weight").all_inner_texts()
    assert [float(w) for w in shown] == pytest.approx(weights.tolist(), abs=0.0051)
    return x, y


def test_dragging_the_query_changes_the_answer(show):
    view = show("dictionary")
    eventually(lambda: agrees_with_python(view.page, temperature=1), (1.0, 1.5))
    box = view.page.locator(".plane").bounding_box()
    view.page.locator(".handle").hover()
    view.page.mouse.down()
    for x, y in ((0.3, 0.4), (0.2, 0.3)):
        view.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    view.page.mouse.up()
    press(view.page, "Shift")  # moves nothing
    half = 2.5  # 1.25 times the largest coordinate
    there = pytest.approx((-0.6 * half, 0.4 * half), abs=0.03)
    eventually(lambda: agrees_with_python(view.page, temperature=1), there)
    view.assert_quiet()


def test_arrow_keys_move_the_query(show):
    view = show("dictionary")
    view.page.locator(".handle").focus()
    press(view.page, "ArrowRight", 2)
    press(view.page, "Shift+ArrowDown")
    eventually(lambda: agrees_with_python(view.page, temperature=1), pytest.approx((1.1, 1.25)))


def test_the_temperature_goes_from_look_up_to_average(show):
    view = show("dictionary")
    slider, says = view.page.get_by_label("Temperature"), view.page.locator("p[role=status]")
    slider.focus()
    press(view.page, "Home")
    expect(says).to_have_text(re.compile("^Look-up: the value of 梨"))
    eventually(lambda: agrees_with_python(view.page, temperature=0), (1.0, 1.5))
    press(view.page, "End")
    eventually(lambda: agrees_with_python(view.page, temperature=10), (1.0, 1.5))
    expect(slider).to_have_attribute("aria-valuetext", "T = 10")
    view.assert_quiet()


# ---- the walk ----------------------------------------------------------------------------------


def rows(page, matrix: str) -> list[list[str]]:
    return page.locator(f".matrix.{matrix}").evaluate(
        "t => [...t.tBodies[0].rows].map(r => [...r.querySelectorAll('td')].map(c => c.textContent))"
    )


def at_the_end(page) -> bool:
    """The last step is shown, and its numbers are Python's."""
    output, weights = scaled_dot_product_attention(X @ W_QUERY, X @ W_KEY, X @ W_VALUE)
    for name, expected in (("output", output), ("weights", weights)):
        shown = torch.tensor([numbers(" ".join(row)) for row in rows(page, name)])
        torch.testing.assert_close(shown, expected, atol=0.0051, rtol=0)
    return page.locator(".stages [aria-current]").inner_text() == "sum"


def test_it_plays_to_the_end_and_ends_at_attention(show):
    view = show("walk")
    assert not any(
        cell for row in rows(view.page, "output") for cell in row
    )  # nothing is known before it is computed
    view.page.clock.install()
    view.page.get_by_role("button", name="play").click()
    expect(view.page.get_by_role("button", name="pause")).to_be_visible()
    view.page.clock.run_for(36 * 1200 + 1200)
    eventually(lambda: at_the_end(view.page))
    expect(view.page.get_by_role("button", name="play")).to_be_visible()  # it has stopped by itself
    view.assert_quiet()


def test_buttons_and_keys_step_there_and_back(show):
    view = show("walk")
    place, says = view.page.locator(".cw-control output"), view.page.locator("p[role=status]")
    first = says.inner_text()
    view.page.get_by_role("button", name="next step").click()
    expect(place).to_have_text("2 / 36")
    expect(says).not_to_have_text(first)
    press(view.page, "ArrowRight")  # the focus is on the button, which leaves arrows to the widget
    expect(place).to_have_text("3 / 36")
    press(view.page, "End")
    eventually(lambda: at_the_end(view.page))
    view.page.get_by_role("button", name="first step").click()
    expect(says).to_have_text(first)


def test_the_step_slider_shows_the_cells_read_and_written(show):
    view = show("walk")
    view.page.get_by_label("Step", exact=True).focus()
    press(view.page, "ArrowRight", 9)  # the first score
    query, key = (X @ W_QUERY)[0], (X @ W_KEY)[0]
    for kind, expected in (("writes", [query @ key]), ("reads", [*query, *key])):
        cells = view.page.locator(f"td.{kind}")
        expected = pytest.approx(list(map(float, expected)), abs=0.0051)
        eventually(lambda cells=cells: numbers(" ".join(cells.all_inner_texts())), expected)


# ---- the saturation ----------------------------------------------------------------------------


def test_the_slider_over_d_k_moves_bars_curves_and_words(show):
    view, curves = show("saturation"), Saturation(n_samples=32).curves
    page, names = view.page, ("without", "with")

    def shown() -> list[float]:
        """The weights in both pictures, then the two median gradients."""
        labels = [page.locator(f"figure.{name} svg").get_attribute("aria-label") for name in names]
        gradients = [page.locator(f"figcaption b.{name}").last.inner_text() for name in names]
        return numbers(" ".join(labels + gradients))

    page.get_by_label("d_k", exact=True).focus()
    for key, d_k in (("ArrowRight", 128), ("End", 1024), ("Home", 1)):
        press(page, key)
        i = curves["d_k"].index(d_k)
        expect(page.locator("p[role=status]")).to_have_text(re.compile(rf"^At dk = {d_k} "))
        weights = [pytest.approx(w, abs=0.0051) for name in names for w in curves[name]["weights"][i]]
        gradients = [pytest.approx(curves[name]["gradient"]["middle"][i], abs=0.00051) for name in names]
        eventually(shown, weights + gradients)
    view.assert_quiet()
