"""The explorer in a real browser: what is painted, what the mouse and the keys do, who can use it."""

import os
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from eventually import eventually
from playwright.sync_api import expect

from course.attention import masked_softmax, scaled_dot_score
from course.masks import causal_mask
from course.models.attention_pass import AttentionPass
from course.models.toy_attention import ToyAttention
from course.widgets import compare, explore, explore_model

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[1] / "js" / "node_modules" / "axe-core" / "axe.min.js"
WORDS = ["The", "cat", "sat", "on", "the", "mat"]
SCRIPTS = [
    "我爱",
    "مرحبا",
    "👩‍👩‍👧",
    "<script>hacked=1</script>",
    "<img src=x onerror=hacked=1>",
    " ",
    "\u202eevil",
]


def softmaxed(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.softmax(2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed)), -1)


def masked_pass(n: int = 6, layers: int = 2, heads: int = 3, d_k: int = 8) -> AttentionPass:
    """Weights that do come from its queries and keys, under a causal mask."""
    generator = torch.Generator().manual_seed(1)
    query, key = torch.randn(2, layers, heads, n, d_k, generator=generator)
    weights = masked_softmax(scaled_dot_score(query, key), causal_mask(n))
    return AttentionPass(WORDS[:n], weights, query=query, key=key, mask=causal_mask(n)[None, None])


@pytest.fixture
def shown(visit, tmp_path):
    """``shown(explorer)`` opens its exported page and waits until it is drawn; nothing may go wrong there."""
    visits = []

    def show(explorer, **options):
        visits.append(visit(explorer.to_html(tmp_path / f"{len(visits)}.html"), **options))
        page = visits[-1].page
        page.locator(".ex-stage").first.wait_for()
        settle(page)
        return page

    yield show
    for each in visits:
        each.assert_quiet()


def settle(page) -> None:
    """Wait for two painted frames: what was asked for is then on the screen."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def grid(page, rows: int, columns: int, at: float = 0.2, pane: int = 0) -> np.ndarray:
    """The colour of each cell of a map, read off the canvas: ``[rows, columns, 3]``."""
    colours = (
        page.locator(".ex-stage canvas")
        .nth(pane)
        .evaluate(
            """(canvas, [rows, columns, at]) => {
          const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const pixel = (i, n, size) => Math.floor((i + at) * size / n);
          return Array.from({length: rows}, (_, q) => Array.from({length: columns}, (_, k) => {
            const y = pixel(q, rows, canvas.height), x = pixel(k, columns, canvas.width);
            return [...all.slice(4 * (y * canvas.width + x), 4 * (y * canvas.width + x) + 3)];
          }));
        }""",
            [rows, columns, at],
        )
    )
    return np.array(colours)


def luminance(colours) -> np.ndarray:
    return np.asarray(colours) @ [0.2126, 0.7152, 0.0722]


def painted(page) -> int:
    """How many pixels of the canvas are not clear."""
    return page.locator(".ex-stage canvas").first.evaluate(
        """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
                           .filter((x, i) => i % 4 === 3 && x > 0).length"""
    )


def choose(page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).select_option(option)
    settle(page)


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        settle(page)


def open_view(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    settle(page)


def lists(page) -> dict[str, dict[str, float]]:
    """What stands beside the picture: for each list its tokens and their numbers."""
    read = page.locator(".ex-list").evaluate_all(
        """lists => {
          const text = (e, css) => e.querySelector(css).textContent;
          const row = li => [text(li, "bdi"), text(li, ".cw-number")];
          return lists.map(e => [text(e, "h4"), [...e.querySelectorAll("li")].map(row)]);
        }"""
    )
    return {title: {t: float(x.replace("−", "-")) for t, x in rows} for title, rows in read}


def marked(page) -> list[str]:
    """The tokens in focus: of the queries, then of the keys."""
    queries, keys = ".ex-rows, .ex-left, .ex-running:visible", ".ex-columns, .ex-right"
    return [t for side in (queries, keys) for t in page.locator(side).locator(".ex-on").all_inner_texts()]


# ---- what is painted ---------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_heat_map_paints_every_weight_the_stronger_the_farther_from_the_page(shown, scheme):
    weights = softmaxed(6, 6)
    page = shown(explore(weights, WORDS), color_scheme=scheme)
    order = luminance(grid(page, 6, 6)).flatten()[weights.flatten().argsort()]
    steps = np.diff(order) * (1 if scheme == "dark" else -1)
    assert (steps >= -0.5).all() and np.ptp(order) > 150
    background = page.evaluate("getComputedStyle(document.querySelector('.cw')).backgroundColor")
    assert (luminance([int(x) for x in background[4:-1].split(",")]) > 128) == (scheme == "light")


def test_masked_cells_are_hatched_and_said_to_be(shown):
    page = shown(explore(masked_pass(), view="heatmap"))
    spots = np.stack([grid(page, 6, 6, at) for at in np.linspace(0.1, 0.9, 9)])
    varied = np.ptp(luminance(spots), axis=0) > 15
    numbered = masked_pass().weights[0, 0].numpy() > 0  # cells with a number vary too
    assert varied[np.triu_indices(6, 1)].all() and numbered[np.tril_indices(6)].all()
    assert (np.ptp(spots[:, 0, 3], axis=-1) == 0).all()  # grey, no step of the blue ramp
    assert "masked" in page.locator(".ex-legend").inner_text()
    page.locator(".ex-rows .ex-token").first.click()
    page.locator(".ex-list li").first.wait_for()  # drawn in the frame after the click
    assert set(lists(page)["“The” attends to"]) == {"The"}


def test_the_overview_shows_every_head_and_opens_the_one_clicked(shown):
    weights = torch.zeros(3, 4, 6, 6)
    weights[..., 0] = 1
    weights[2, 1] = torch.eye(6)
    page = shown(explore(weights, WORDS))
    thumbs = page.locator(".ex-stage canvas")
    dark = (
        luminance(grid(page, 3, 4, 0.5)) < 128
    )  # the middle of a head: on the diagonal, off the first column
    assert dark.sum() == 1 and dark[2, 1]
    assert page.locator(".ex-ticks-left span").all_inner_texts() == ["L0", "L1", "L2"]
    box = thumbs.bounding_box()
    page.mouse.click(box["x"] + 1.5 / 4 * box["width"], box["y"] + 2.5 / 3 * box["height"])
    settle(page)
    assert page.get_by_role("button", name="Heat map").get_attribute("aria-pressed") == "true"
    assert (np.diag(luminance(grid(page, 6, 6))) < 60).all()
    assert [
        page.get_by_label(name, exact=True).evaluate("e => e.selectedIndex") for name in ("Layer", "Head")
    ] == [2, 1]


def test_lines_join_the_tokens_and_the_sliders_thin_them_out(shown):
    weights = torch.zeros(6, 6)
    weights[torch.arange(6), [5, 0, 0, 0, 0, 0]] = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.05, 0.04])
    weights[1, 3] = 0.1
    page = shown(explore(weights, WORDS, view="lines"))
    ink = page.locator(".ex-stage canvas").evaluate(
        """canvas => {
          const [x, y] = [canvas.width / 2, canvas.height / 2 - 2];
          return [...canvas.getContext("2d").getImageData(x, y, 1, 4).data];
        }"""
    )
    assert max(ink[3::4]) > 200  # the first query to the last key crosses the middle
    counts = [painted(page)]
    page.get_by_label("Strongest per query").fill("1")
    settle(page)
    counts.append(painted(page))
    page.get_by_label("Threshold").fill("0.3")
    settle(page)
    counts.append(painted(page))
    assert counts[0] > counts[1] > counts[2] > 0
    page.locator(".ex-right .ex-token").last.hover()
    settle(page)
    assert painted(page) < counts[2] / 2  # one line is left


def test_text_is_tinted_by_what_the_chosen_token_attends_to_and_by_who_attends_to_it(shown):
    weights = softmaxed(6, 6)
    page = shown(explore(weights, WORDS, view="text"))
    page.locator(".ex-running .ex-token").nth(2).hover()

    def tints():
        settle(page)
        read = (
            "es => es.map(e => getComputedStyle(e).backgroundColor.match(/[0-9.]+/g).slice(0, 3).map(Number))"
        )
        return luminance(page.locator(".ex-running:visible .ex-token").evaluate_all(read))

    assert (np.diff(tints()[weights[2].argsort()]) <= 0.5).all()
    choose(page, "Tint by", "who attends to it")
    page.locator(".ex-running .ex-token").nth(2).hover()
    assert (np.diff(tints()[weights[:, 2].argsort()]) <= 0.5).all()


def test_cross_attention_has_rows_and_columns_of_its_own_in_every_view(shown):
    weights, target = softmaxed(2, 6), ["un", "chat"]
    page = shown(explore(weights, target, WORDS))
    assert page.locator(".ex-rows .ex-token").all_inner_texts() == target
    assert page.locator(".ex-columns .ex-token").all_inner_texts() == WORDS
    page.locator(".ex-columns .ex-token").nth(4).click()
    settle(page)
    assert lists(page) == {
        "“the” is attended to by": pytest.approx(
            dict(zip(target, weights[:, 4].tolist(), strict=True)), abs=6e-4
        )
    }
    open_view(page, "Lines")
    assert page.locator(".ex-left .ex-token").all_inner_texts() == target
    open_view(page, "Text")
    assert page.locator(".ex-running:visible").count() == 2


# ---- isolating a token -------------------------------------------------------------------------


def test_pointing_isolates_clicking_pins_row_and_column_with_their_numbers(shown):
    weights = softmaxed(6, 6)
    tokens = [f"t{i}" for i in range(6)]
    page = shown(explore(weights, tokens))
    unveiled = luminance(grid(page, 6, 6))
    row = page.locator(".ex-rows .ex-token").nth(3)
    row.hover()
    settle(page)
    assert marked(page) == ["t3"] and "“t3”, position 3" in page.locator(".ex-status").inner_text()
    page.mouse.move(5, 5)
    settle(page)
    assert marked(page) == [] and lists(page) == {}

    row.click()
    page.mouse.move(5, 5)
    settle(page)
    expected = {"“t3” attends to": weights[3], "“t3” is attended to by": weights[:, 3]}
    for title, values in expected.items():
        assert lists(page)[title] == pytest.approx(dict(zip(tokens, values.tolist(), strict=True)), abs=6e-4)
    lighter = luminance(grid(page, 6, 6)) - unveiled
    assert np.abs(lighter[3]).max() < 1 and np.delete(lighter, 3, 0).max() > 30  # all but the row is veiled
    row.click()
    page.mouse.move(5, 5)
    settle(page)
    assert lists(page) == {}


def test_a_cell_is_one_weight(shown):
    weights = softmaxed(6, 6)
    page = shown(explore(weights, WORDS))
    box = page.locator(".ex-stage canvas").bounding_box()
    page.mouse.move(box["x"] + 4.5 / 6 * box["width"], box["y"] + 1.5 / 6 * box["height"])
    settle(page)
    assert marked(page) == ["cat", "the"]
    assert f"“cat” → “the”: {weights[1, 4]:.3f}" in page.locator(".ex-status").inner_text()


def test_everything_can_be_done_from_the_keyboard(shown):
    page = shown(explore(softmaxed(2, 3, 6, 6), WORDS))
    page.locator(".ex-stage").focus()
    press(page, "ArrowRight", "ArrowRight", "ArrowDown", "Enter")
    where = [page.get_by_label(name, exact=True) for name in ("Layer", "Head")]
    assert [e.evaluate("e => e.selectedIndex") for e in where] == [1, 2]
    page.locator(".ex-stage").focus()
    press(page, "ArrowDown", "ArrowDown", "ArrowRight")
    assert marked(page) == ["cat", "cat"]
    press(page, "[", "}")
    assert [e.evaluate("e => e.selectedIndex") for e in where] == [0, 1]
    press(page, "Escape")
    assert marked(page) == []
    outline = page.locator(".ex-stage").evaluate(
        "e => getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth"
    )
    assert outline == "solid2px"
    open_view(page, "Lines")
    page.locator(".ex-stage").focus()
    press(page, "ArrowDown", "ArrowDown", "ArrowRight")
    assert page.locator(".ex-right .ex-on").all_inner_texts() == ["cat"]
    open_view(page, "Text")
    page.locator(".ex-stage").focus()
    press(page, "Escape", "ArrowRight", "ArrowRight", "ArrowRight")
    assert marked(page) == ["sat"]


def test_of_two_texts_the_keys_reach_both(shown):
    page = shown(explore(softmaxed(2, 6), ["un", "chat"], WORDS, view="text"))
    page.locator(".ex-stage").focus()
    press(page, "ArrowRight", "ArrowRight", "ArrowDown")
    assert page.locator(".ex-running .ex-on").all_inner_texts() == ["cat"]
    press(page, "ArrowRight", "ArrowRight", "ArrowUp")
    assert page.locator(".ex-running .ex-on").all_inner_texts() == ["chat"]


def test_tab_reaches_every_control_once(shown):
    page = shown(explore(masked_pass(), view="heatmap"))
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.textContent.trim().slice(0, 12) || document.activeElement.className"
            )
        )
    assert reached[:4] == ["Overview", "Heat map", "Lines", "Text"]
    assert any("ex-stage" in r or r.startswith("The") for r in reached) and "The arithmet" in reached


# ---- layers and heads, two passes, one weight --------------------------------------------------


@pytest.mark.parametrize(("option", "together"), [("mean", torch.mean), ("max", torch.amax)])
def test_heads_and_layers_together_are_what_python_computes(shown, option, together):
    weights = softmaxed(2, 3, 6, 6)
    page = shown(explore(weights, [f"t{i}" for i in range(6)], view="heatmap"))
    choose(page, "Head", option)
    choose(page, "Layer", option)
    page.locator(".ex-rows .ex-token").nth(2).click()
    settle(page)
    expected = together(together(weights, 1), 0)[2]
    assert list(lists(page)["“t2” attends to"].values()) == pytest.approx(
        sorted(expected.tolist())[::-1], abs=1e-3
    )


def test_two_passes_stand_side_by_side_and_their_difference_has_two_colours(shown):
    before, after = (AttentionPass(WORDS, softmaxed(1, 2, 6, 6, seed=s)) for s in (0, 1))
    page = shown(compare(before=before, after=after))
    assert page.locator(".ex-title").all_inner_texts() == ["before", "after"]
    assert page.locator(".ex-stage canvas").count() == 2
    boxes = [page.locator(".ex-pane").nth(i).bounding_box() for i in range(2)]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    choose(page, "Show", "after − before")
    change = (after.weights - before.weights)[0, 0].numpy()
    colours = grid(page, 6, 6).astype(int)
    warm = colours[..., 0] - colours[..., 2]
    strong = np.abs(change) > 0.1
    assert strong.sum() > 5 and (np.sign(-warm) == np.sign(change))[strong].all()
    page.locator(".ex-rows .ex-token").nth(0).click()
    settle(page)
    shown_changes = [
        x for title, values in lists(page).items() if "attends to" in title for x in values.values()
    ]
    assert sorted(map(abs, shown_changes)) == pytest.approx(sorted(np.abs(change[0])), abs=1.5e-3)


def test_a_token_beyond_the_end_of_the_shorter_text_is_in_focus_in_the_longer_alone(shown):
    short, long = (AttentionPass(WORDS[:n], softmaxed(1, 1, n, n)) for n in (3, 6))
    for passes in ({"a": short, "b": long}, {"a": long, "b": short}):
        page = shown(compare(**passes))
        page.locator(".ex-rows .ex-token", has_text="mat").click()
        page.mouse.move(1, 1)
        settle(page)
        assert list(lists(page)) == ["“mat” attends to", "“mat” is attended to by"]
        open_view(page, "Lines")
        assert page.get_by_role("button", name="Lines", exact=True).get_attribute("aria-pressed") == "true"


def test_the_arithmetic_of_one_weight_agrees_with_python(shown):
    p = masked_pass()
    page = shown(explore(p, view="heatmap", layer=1, head=2))
    page.get_by_text("The arithmetic of one weight").click()
    page.locator(".ex-stage").focus()
    press(page, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight")
    assert marked(page) == ["sat", "cat"]
    q, k = p.query[1, 2, 2], p.key[1, 2, 1]
    steps = page.locator(".ex-steps").inner_text().replace("−", "-")
    assert (
        f"{q @ k:.3f}" in steps
        and f"{q @ k / 8**0.5:.3f}" in steps
        and f"{p.weights[1, 2, 2, 1]:.3f}" in steps
    )
    assert "may attend" in steps
    press(page, "ArrowRight", "ArrowRight")
    assert "may not attend" in page.locator(".ex-steps").inner_text()


# ---- any script, any length --------------------------------------------------------------------


def test_tokens_of_any_script_are_shown_as_they_are_and_run_as_nothing(shown):
    page = shown(explore(softmaxed(7, 7), SCRIPTS))
    expected = ["我爱", "مرحبا", "👩‍👩‍👧", "<script>hacke…", "<img src=x on…", "␣", "⟨U+202E⟩evil"]
    for view, side in (("Heat map", ".ex-rows"), ("Lines", ".ex-left"), ("Text", ".ex-running:visible")):
        open_view(page, view)
        assert page.locator(f"{side} .ex-token").all_text_contents() == expected
        page.locator(f"{side} .ex-token").nth(3).click()
        settle(page)
        page.keyboard.press("Escape")
    assert page.evaluate("typeof hacked") == "undefined"
    assert page.locator("main script, main img").count() == 0
    directions = page.locator(".ex-token:visible").evaluate_all(
        "es => es.map(e => getComputedStyle(e).direction)"
    )
    assert directions[:2] == ["ltr", "rtl"]


def test_a_text_written_from_right_to_left_runs_and_is_walked_so(shown):
    page = shown(explore(softmaxed(3, 3), ["مرحبا", "يا", "world"], view="text"))
    lefts = "es => es.map(e => e.getBoundingClientRect().left)"
    places = page.locator(".ex-running:visible .ex-token").evaluate_all(lefts)
    assert places == sorted(places, reverse=True)
    page.locator(".ex-stage").focus()
    press(page, "ArrowLeft", "ArrowLeft")
    assert marked(page) == ["يا"]
    press(page, "ArrowRight")
    assert marked(page) == ["مرحبا"]


@pytest.mark.parametrize("letters", [1, 9, 30])
def test_the_labels_above_a_map_take_the_room_that_they_need(shown, letters):
    page = shown(explore(softmaxed(6, 6), [letter * letters for letter in "abcdef"]))
    tops = page.locator(".ex-columns .ex-token").evaluate_all(
        "es => es.map(e => e.getBoundingClientRect().top)"
    )
    assert 0 <= min(tops) - page.locator(".ex-stage").bounding_box()["y"] <= 8


def test_a_token_of_100_000_characters_stays_within_its_label(shown):
    page = shown(explore(softmaxed(2, 2), ["W" * 100_000, "我" * 100_000]))
    widths = "es => Math.max(...es.map(e => e.offsetWidth))"
    for view in ("Heat map", "Lines", "Text"):
        open_view(page, view)
        page.locator(".ex-token:visible").first.click()
        settle(page)
        assert page.locator(".ex-token:visible").evaluate_all(widths) <= (250 if view == "Text" else 112)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if view == "Heat map":
            stage = page.locator(".ex-stage").bounding_box()
            assert page.locator(".ex-columns .ex-token").last.bounding_box()["y"] >= stage["y"]


@pytest.mark.parametrize("n", [1, 128, 512])
def test_from_one_token_to_512_every_view_opens(shown, n):
    heads = 12 if n < 512 else 4
    weights = softmaxed(2, heads, n, n)
    page = shown(explore(weights, [f"token{i}" for i in range(n)]))
    assert painted(page) > 1000
    open_view(page, "Heat map")
    order = luminance(grid(page, n, n, 0.5 if n == 512 else 0.2))
    assert order.shape == (n, n) and (n == 1 or np.ptp(order) > 100)
    labels = page.locator(".ex-rows .ex-token:visible").evaluate_all(
        "es => es.map(e => e.getBoundingClientRect().top)"
    )
    assert (np.diff(labels) >= 12.5).all()  # 12 px letters that do not touch
    page.locator(".ex-rows .ex-token:visible").last.click()
    settle(page)
    assert "attends to" in page.locator(".ex-panel").inner_text()
    open_view(page, "Lines")
    assert painted(page) > 100
    open_view(page, "Text")
    assert page.locator(".ex-running:visible .ex-token").count() == n


# ---- access ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view(shown, scheme):
    if not AXE.exists():
        message = "axe-core is not installed: npm ci --prefix tests/js"
        assert os.environ.get("COURSE_REQUIRE_BROWSER") != "1", message
        pytest.skip(message)
    page = shown(explore(masked_pass()), color_scheme=scheme)
    page.add_script_tag(path=str(AXE))
    page.get_by_text("The arithmetic of one weight").evaluate("e => e.parentElement.open = true")
    for view in ("Overview", "Heat map", "Lines", "Text"):
        open_view(page, view)
        page.locator(".ex-stage").focus()
        press(page, "ArrowDown", "ArrowDown")
        found = page.evaluate(
            "axe.run('main').then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html]))"
        )
        assert [v for v in found if v[0] in ("serious", "critical")] == [], view


def test_the_words_behind_the_picture_follow_it(shown):
    weights = torch.zeros(1, 2, 6, 6)
    weights[0, 0, 1, 2], weights[0, 1, 4, 5] = 0.75, 0.5
    page = shown(explore(weights, WORDS, view="heatmap"))
    hidden = page.locator(".cw-hidden")
    assert hidden.inner_text() == "layer 0, head 0. Strongest links: “cat” → “sat”: 0.750."
    choose(page, "Head", "1")
    assert hidden.inner_text() == "layer 0, head 1. Strongest links: “the” → “mat”: 0.500."


def test_an_exported_live_page_tells_what_was_read_and_offers_nothing_that_needs_a_kernel(shown):
    live = explore_model(ToyAttention(), "the cat <b>")
    live.mask, live.ablated = "causal", [[1, 2]]
    page = shown(live)
    assert page.locator(".ex-live").locator("input, select, button").count() == 0
    said = page.locator(".ex-live").inner_text()
    told = ["the cat <b>", "Temperature 1.0", "Mask causal", "ablated: layer 1 head 2", "in the notebook"]
    assert [words for words in told if words not in said] == []


# ---- in JupyterLab -----------------------------------------------------------------------------

CELLS = [
    "import torch\nfrom course.models.toy_attention import ToyAttention\n"
    "from course.widgets import explore, explore_model",
    'first = explore(torch.eye(3)[None, None], ["one", "two", "three"])\nfirst',
    'explore_model(ToyAttention(), "the cat sat", view="heatmap")',
    'from course.plots import heatmap\nheatmap(torch.eye(2), ["a", "我"])',
]


def notebook(path: Path, cells: list[str]) -> Path:
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(book, path)
    return path


def test_two_explorers_in_a_notebook_live_typing_a_restart_and_a_reopened_notebook(lab, tmp_path):
    view = lab(notebook(tmp_path / "explorer.ipynb", CELLS))
    view.run_all()
    page, still, live = view.page, view.cell("first ="), view.cell("explore_model(Toy")
    for cell in (still, live):
        cell.locator(".ex-stage canvas").wait_for()
    expect(view.cell("heatmap(torch").locator("img")).to_have_count(1)
    assert view.errors() == []

    sentence = live.get_by_label("Text", exact=True)
    sentence.click()
    page.keyboard.press("End")
    page.keyboard.type(" on 我 <b>🙂", delay=20)
    rows = live.locator(".ex-rows .ex-token")
    expect(rows).to_have_text(["the", "cat", "sat", "on", "我", "<", "b", ">", "🙂"])
    sentence.fill("")
    expect(live.get_by_role("alert")).to_have_text("type at least one word")
    expect(rows).to_have_count(9)  # the last picture stays
    sentence.fill("word " * 129)
    expect(live.get_by_role("alert")).to_contain_text("up to 128 words and signs; this text has 129")
    sentence.fill("سلام everyone")
    expect(rows).to_have_text(["سلام", "everyone"])
    live.get_by_label("Mask", exact=True).select_option("causal")
    expect(live.locator(".ex-legend")).to_contain_text("masked")
    live.get_by_role("button", name="Ablate this head").click()
    expect(live.get_by_text("ablated: layer 0 head 0")).to_be_visible()
    expect(still.locator(".ex-rows .ex-token")).to_have_text(["one", "two", "three"])

    view.menu("Kernel", "Restart Kernel and Run All Cells…")
    with view.running(page.locator(".jp-CodeCell")):
        page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(rows).to_have_text(["the", "cat", "sat"])
    assert view.errors() == []

    view.menu("File", "Save Notebook")
    eventually(lambda: view.file.read_text(encoding="utf-8").count('"image/png": "'), 3)
    again = lab(shutil.copy(view.file, tmp_path / "reopened.ipynb"))
    output = again.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output")
    expect(output.locator("img")).to_have_count(3)
    expect(output.filter(has_text="Error")).to_have_count(0)
    for each in (view, again):
        each.assert_quiet()
