"""The widgets of notebook 04, used as a learner uses them: position explorer, mask builder, leak detector."""

import math
import re

import pytest
import torch
from eventually import eventually
from keys import press
from legible import assert_legible
from playwright.sync_api import expect

from course import masks
from course.attention import masked_softmax, scaled_dot_product_attention
from course.positions import sinusoidal_positions
from course.studies.probes import influence
from course.widgets import LeakDetector, MaskBuilder, PositionExplorer

pytestmark = pytest.mark.browser

NASTY = "</script><img src=x onerror=alert(1)>"
TOKENS = ["the", "猫", "sat", NASTY, "[PAD]", "[PAD]"]
N = len(TOKENS)
SCORES = torch.randn(N, N, generator=torch.Generator().manual_seed(1))
X = torch.randn(N, 4, generator=torch.Generator().manual_seed(0))
RUNS = {
    "no mask": lambda x: scaled_dot_product_attention(x, x, x)[0],
    "causal": lambda x: scaled_dot_product_attention(x, x, x, mask=masks.causal_mask(N))[0],
}
MAKE = {
    "position_explorer": PositionExplorer,
    "mask_builder": lambda: MaskBuilder(TOKENS, SCORES, padding=4),
    "leak_detector": lambda: LeakDetector(TOKENS, {name: influence(f, X) for name, f in RUNS.items()}),
}


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text.replace("−", "-"))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, name, scheme):
    view = show(name, color_scheme=scheme)
    assert_legible(view.page)
    view.assert_quiet()


# ---- the position explorer ---------------------------------------------------------------------


def cell(page) -> tuple[int, int]:
    """The chosen cell; its formula on the page is true, and its value is Python's."""
    left, formula, angle, value = page.locator(".formula").inner_text().replace("−", "-").split(" = ")
    pos, dim = map(int, numbers(left))
    names = {"sin": math.sin, "cos": math.cos}
    assert eval(formula.replace("^", "**"), names) == pytest.approx(float(value), abs=0.000501)
    assert eval(angle, names) == pytest.approx(float(value), abs=0.0011)
    assert float(value) == pytest.approx(sinusoidal_positions(64, 32)[pos, dim].item(), abs=0.000501)
    return pos, dim


def rotation(page) -> tuple[int, int]:
    """The two positions; the turned pair on the page is that of the second, and the error is rounding."""
    turned, there = (page.locator(".rotation p.cw-number").nth(i).inner_text() for i in (1, 2))
    pair = numbers(there.rsplit("=", 1)[-1])
    assert numbers(turned.rsplit("=", 1)[-1]) == pytest.approx(pair, abs=0.0011)
    assert numbers(page.locator(".error").inner_text())[-1] < 1e-5
    pos, to = numbers(page.locator(".compare").inner_text())
    _, dim = cell(page)
    expected = sinusoidal_positions(64, 32)[int(to)].unflatten(0, (-1, 2))[dim // 2].tolist()
    assert pair == pytest.approx(expected, abs=0.000501)
    return int(pos), int(to)


def test_keys_and_clicks_choose_a_cell_and_its_formula_is_true(show):
    page = show("position_explorer").page
    eventually(lambda: (cell(page), rotation(page)), ((7, 6), (7, 12)))
    canvas = page.locator("canvas")
    canvas.focus()
    press(page, "ArrowRight", 3)
    press(page, "ArrowDown")
    eventually(lambda: cell(page), (10, 7))
    expect(canvas).to_have_attribute("aria-label", re.compile("^position 10, dimension 7: −0.206"))
    press(page, "End")
    press(page, "ArrowRight")
    eventually(lambda: (cell(page), rotation(page)), ((63, 7), (63, 63)))
    box = canvas.bounding_box()
    canvas.click(position={"x": 20.5 / 64 * box["width"], "y": 31.5 / 32 * box["height"]})
    press(page, "Shift")  # moves nothing
    eventually(lambda: cell(page), (20, 31))
    canvas.hover(position={"x": 0.5 / 64 * box["width"], "y": 1.5 / 32 * box["height"]})
    expect(page.locator(".hovered")).to_have_text("position 0, dimension 1: 1.000")
    assert cell(page) == (20, 31)  # looking does not choose


def test_sliders_and_curves_are_on_one_screen(show):
    """Of 1300 × 900, of which JupyterLab leaves a widget some 760 pixels of height."""
    box = show("position_explorer").page.locator(".cw-position").bounding_box()
    assert box["height"] <= 760


def test_the_rotation_goes_to_every_position_of_the_table(show):
    view = show("position_explorer")
    view.page.get_by_label("move on by k").focus()
    for key, to in (("End", 63), ("Home", 0), ("ArrowRight", 1)):
        press(view.page, key)
        eventually(lambda: rotation(view.page), (7, to))
    view.assert_quiet()


def test_distance_alone_counts_for_all_but_learned_positions(show):
    page, alone = show("position_explorer").page, "The two curves differ by 0.000: distance alone counts."
    page.get_by_label("position pos").focus()
    for _ in range(3):
        press(page, "ArrowRight")
        for name in ("sinusoidal", "learned", "rotary", "alibi"):
            says = page.locator(f"[data-scheme={name}] > p")
            expect(says).to_have_text(
                re.compile(r"distance does not say it\.$") if name == "learned" else alone
            )


def map_colours(page) -> torch.Tensor:
    """What is painted in the middle of each cell: ``[position, dimension, 3]``."""
    read = """c => { const ctx = c.getContext("2d"), [w, h] = [c.width / 64, c.height / 32];
                     return Array.from({length: 64}, (_, p) => Array.from({length: 32}, (_, d) =>
                       [...ctx.getImageData((p + .5) * w, (d + .5) * h, 1, 1).data.slice(0, 3)])); }"""
    return torch.tensor(page.locator("canvas").evaluate(read)).float()


def test_the_map_shows_the_table_in_light_and_in_dark(show):
    table = sinusoidal_positions(64, 32)
    for scheme in ("light", "dark"):
        colours = map_colours(show("position_explorer", color_scheme=scheme).page)
        warmth = colours[..., 2] - colours[..., 0]  # blue above zero, orange below
        clear = table.abs() > 0.1
        assert torch.equal(warmth[clear] > 0, table[clear] > 0)
        one, zero = colours[0, 1].mean(), colours[0, 0].mean()
        assert (one < zero - 50) if scheme == "light" else (one > zero + 50)


# ---- the mask builder --------------------------------------------------------------------------


def mask(page) -> list[list[bool]]:
    """The mask shown. The Python shown builds it; the weights shown are what softmax leaves under it."""
    pressed = page.locator("td .mb-cell").evaluate_all("all => all.map(c => c.ariaPressed === 'true')")
    shown = torch.tensor(pressed).reshape(N, N)
    names = {"torch": torch} | vars(masks)
    exec(page.locator(".mb-code code").inner_text(), names)
    assert torch.equal(names["mask"].expand(1, N, N)[0], shown)
    weights = [float(w) for w in page.locator(".mb-weight").all_inner_texts()]
    expected = masked_softmax(SCORES, shown).flatten().tolist()
    assert weights == pytest.approx(expected, abs=0.0051)
    return shown.tolist()


def test_pressed_cells_flip_and_the_python_follows(show):
    view = show("mask_builder")
    cells, before = view.page.locator("td .mb-cell"), torch.tensor(mask(view.page))

    def changed() -> list[list[int]]:
        return (torch.tensor(mask(view.page)) != before).nonzero().tolist()

    cells.nth(3).click()
    press(view.page, "ArrowDown")
    press(view.page, "Space")
    eventually(changed, [[0, 3], [1, 3]])
    cells.nth(3).click()
    eventually(changed, [[1, 3]])
    view.page.get_by_role("button", name="Undo flips").click()
    eventually(changed, [])
    view.assert_quiet()


def test_rules_combine(show):
    view = show("mask_builder")
    causal, padding, real = masks.causal_mask(N), masks.padding_mask([4], N), torch.ones(N, N).bool()

    def shows(expected: torch.Tensor) -> None:
        eventually(lambda: mask(view.page), expected.tolist())

    shows(causal & padding.expand(1, N, N)[0])
    view.page.get_by_label("padding").uncheck()
    shows(causal)
    view.page.get_by_label("causal", exact=True).uncheck()
    shows(real)
    view.page.get_by_label("window").check()
    slider = view.page.get_by_label("farthest key")
    slider.focus()
    press(view.page, "Home")
    shows(torch.eye(N).bool())
    press(view.page, "ArrowRight")
    shows(masks.window_mask(N, 1))


def test_a_row_without_a_key_gives_zeros_and_says_so(show):
    view = show("mask_builder")
    view.page.locator("td .mb-cell").first.click()
    eventually(lambda: any(mask(view.page)[0]), False)
    expect(view.page.locator(".mb-said")).to_have_text(re.compile("^the may attend nowhere"))


# ---- the leak detector -------------------------------------------------------------------------


def test_it_names_a_leak_without_a_mask_and_none_with_the_causal_one(show):
    view = show("leak_detector")
    inputs, verdict = view.page.get_by_role("radio"), view.page.locator(".verdict")
    inputs.nth(1).click()
    expect(verdict).to_have_text("LEAK: output 0 saw token 1 (猫), which comes later.")
    press(view.page, "ArrowRight", 2)
    expect(verdict).to_have_text(re.compile(r"^LEAK: output 0, 1, 2 saw token 3 \(</script>"))
    for leak in (".output.leak", ".flow path.leak"):
        expect(view.page.locator(leak)).to_have_count(3)
    view.page.get_by_role("tab", name="causal").click()
    for i in range(N):
        inputs.nth(i).click()
        moved = ", ".join(map(str, range(i, N)))
        expect(verdict).to_contain_text(f"moves output {moved}. No leak.")
    expect(view.page.locator(".leak")).to_have_count(0)
    view.assert_quiet()


def test_the_numbers_are_those_measured(show):
    view, moved = show("leak_detector"), influence(RUNS["no mask"], X)
    view.page.get_by_role("radio").nth(2).click()
    shown = view.page.locator(".output .cw-number")
    expected = pytest.approx(moved[2].tolist(), abs=0.0051)
    eventually(lambda: [float(x) for x in shown.all_inner_texts()], expected)


def test_tabs_follow_the_arrow_keys_and_the_map_counts(show):
    view = show("leak_detector")
    expect(view.page.locator(".map")).to_have_attribute("aria-label", re.compile("15 of 15 pairs"))
    view.page.get_by_role("tab").first.focus()
    press(view.page, "ArrowRight")
    expect(view.page.get_by_role("tab", name="causal")).to_have_attribute("aria-selected", "true")
    expect(view.page.locator(".map")).to_have_attribute("aria-label", re.compile("0 leaks in 15 pairs"))
