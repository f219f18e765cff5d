"""The widgets of notebook 05, used as a learner uses them: the decoder stepper, the architecture."""

import math
import os
import re
from pathlib import Path

import nbformat
import pytest
import torch
from eventually import eventually
from legible import assert_legible
from playwright.sync_api import expect
from tiny_translator import NASTY, tiny_translator

from course.widgets import architecture, step_decoder

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[1] / "js" / "node_modules" / "axe-core" / "axe.min.js"
TEXT, LENGTH = "Le chat dort.", 6
ANYTHING = f"猫 🙂 {NASTY[:17]}"


def having(widget, **traits):
    """A widget in another state than its first."""
    for name, value in traits.items():
        setattr(widget, name, value)
    return widget


MAKE = {
    "stepper": lambda model: step_decoder(model, TEXT, max_length=LENGTH),
    "stepper_at_its_end": lambda model: having(MAKE["stepper"](model), at=LENGTH),
    "stepper_nasty": lambda model: having(step_decoder(model, ANYTHING, max_length=LENGTH), at=2),
    "architecture": lambda model: architecture(model, TEXT, "The cat sleeps"),
    "architecture_nasty": lambda model: architecture(model, ANYTHING, NASTY),
    "probabilities": lambda model: having(MAKE["architecture"](model), chosen="probabilities"),
}


@pytest.fixture(scope="module")
def model():
    return tiny_translator()


@pytest.fixture
def show(visit, tmp_path):
    """``show(widget)`` exports a widget and opens the page; nothing may go wrong there."""
    views = []

    def open_widget(widget, **options):
        views.append(visit(widget.to_html(tmp_path / f"{len(views)}.html"), **options))
        return views[-1].page

    yield open_widget
    for each in views:
        each.assert_quiet()


def number(text: str) -> float:
    """The number at the end of a text."""
    return float(text.replace("−", "-").rsplit(" ", 1)[-1])


def numbers(page, css: str) -> list[float]:
    return [number(text) for text in page.locator(css).all_inner_texts()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MAKE)
def test_it_can_be_read(show, model, name, scheme):
    page = show(MAKE[name](model), color_scheme=scheme)
    assert_legible(page)


# ---- the decoder stepper -----------------------------------------------------------------------


def written(page) -> list[str]:
    return page.locator(".ds-written bdi").all_text_contents()


def test_it_steps_along_the_greedy_path_and_back(show, model):
    stepper = MAKE["stepper"](model)
    page = show(stepper)
    buttons = {name: page.get_by_role("button", name=name) for name in ("Next", "Undo", "Restart")}
    expect(buttons["Undo"]).to_be_disabled()
    for at in range(LENGTH):
        stepper.at = at
        eventually(lambda: written(page), stepper.written)
        chances = [math.exp(candidate["log_p"]) for candidate in stepper.candidates[at]]
        assert numbers(page, ".ds-candidate .cw-number") == pytest.approx(chances, abs=0.00051)
        assert numbers(page, ".ds-total") == pytest.approx([stepper.log_p], abs=0.0051)
        assert numbers(page, ".ds-source .cw-number") == pytest.approx(
            stepper.looked_at().tolist(), abs=0.0056
        )
        page.keyboard.press("ArrowRight") if at % 2 else buttons["Next"].click()
    expect(buttons["Next"]).to_be_disabled()
    expect(page.get_by_role("status")).to_contain_text("no <eos>; the stepper stops at 6")
    expect(page.locator(".ds-candidates")).to_be_hidden()
    page.keyboard.press("ArrowLeft")  # the focus, left without a Next, is inside still
    eventually(lambda: written(page), [token["token"] for token in stepper.path[: LENGTH - 1]])
    buttons["Restart"].click()
    expect(page.locator(".ds-written")).to_have_text("nothing yet")


def test_each_head_has_its_own_tint(show, model):
    stepper = MAKE["stepper"](model)
    page = show(stepper)
    for layer in ("0", "2"):
        for head in ("1", "mean"):
            page.get_by_label("Layer").select_option(layer)
            page.get_by_label("Head").select_option(head)
            stepper.layer, stepper.head = int(layer), None if head == "mean" else int(head)
            looked = pytest.approx(stepper.looked_at().tolist(), abs=0.0056)
            eventually(lambda: numbers(page, ".ds-source .cw-number"), looked)


def test_without_a_kernel_the_best_can_be_taken_and_another_says_what_it_needs(show, model):
    stepper = MAKE["stepper"](model)
    page = show(stepper)
    candidates = page.locator(".ds-candidate")
    candidates.nth(2).click()
    expect(page.get_by_role("status")).to_contain_text("the model has to run")
    assert written(page) == []
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(candidates.first).to_be_focused()
    page.keyboard.press("Enter")
    eventually(lambda: written(page), [stepper.path[0]["token"]])
    expect(page.get_by_role("status")).to_have_text("")
    expect(page.get_by_label("Sentence")).to_be_hidden()  # without a kernel there is nobody to read another


def test_a_page_of_another_path_steps_along_that_one_to_its_end(show, model):
    stepper = MAKE["stepper"](model)
    stepper.begun = [stepper.candidates[0][3]["id"], 2]
    page = show(stepper)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("status")).to_contain_text("the sentence has ended")
    assert written(page)[1] == "<eos>"
    expect(page.get_by_role("button", name="Undo")).to_be_focused()


def test_tokens_are_text_and_nothing_else(show, model):
    page = show(MAKE["stepper_nasty"](model))
    tokens = "".join(page.locator(".ds-source bdi").all_text_contents())
    assert "<script>" in tokens and "<E7>" in tokens
    assert page.locator("main script").count() == 0 and page.title() != "broken"


# ---- the architecture --------------------------------------------------------------------------


@pytest.fixture
def drawn(model):
    return MAKE["architecture"](model)


def box(page, name: str):
    return page.locator(f'.ar-box[data-name="{name}"]')


def chosen(page) -> str:
    """The part that is marked in the drawing, and told of beside it."""
    pressed = page.locator('.ar-box[aria-pressed="true"]')
    assert pressed.count() == 1
    assert page.locator(".ar-panel code").inner_text() == pressed.get_attribute("data-name")
    return pressed.get_attribute("data-name")


def test_every_part_of_the_model_is_there_and_tells_its_sizes(show, drawn):
    page = show(drawn)
    names = page.locator(".ar-box").evaluate_all("all => all.map(e => e.dataset.name)")
    assert names == [part["name"] for part in drawn.parts]
    for name in ("decoder.embedding", "encoder.layers.1", "decoder.layers.0.cross_attention", "logits"):
        box(page, name).click()
        eventually(lambda: chosen(page), name)
        drawn.chosen = name
        facts = page.locator(".ar-panel dd").all_inner_texts()
        assert facts[0].startswith(f"{drawn.part.parameters:,}")
        shapes = [*drawn.part.inputs, drawn.part.shape]
        assert facts[1:] == [" × ".join(f"{axis} {n}" for axis, n in shape.items()) for shape in shapes]
        expect(page.locator(".ar-attention")).to_be_visible(visible=drawn.part.weights is not None)


def test_a_block_opens_when_it_is_chosen(show, drawn):
    page = show(drawn)
    inner = box(page, "decoder.layers.2.feed_forward")
    expect(inner).to_be_hidden()
    box(page, "decoder.layers.2").click()
    expect(inner).to_be_visible()
    expect(box(page, "decoder.layers.0.feed_forward")).to_be_hidden()
    expect(box(page, "encoder.layers.0.feed_forward")).to_be_visible()  # the other stack is as it was


def test_the_encoders_output_goes_to_every_decoder_block(show, drawn):
    page = show(drawn)
    targets = [box(page, f"decoder.layers.{i}") for i in (1, 2)]
    targets.append(box(page, "decoder.layers.0.cross_attention"))
    places = [target.bounding_box() for target in targets]
    edges = sorted([place["y"] + place["height"] / 2, place["x"]] for place in places)

    def tips() -> list[list[float]]:
        read = "all => all.map(e => e.getBoundingClientRect()).map(r => [(r.top + r.bottom) / 2, r.right])"
        return sorted(page.locator(".ar-arrow").evaluate_all(read))

    eventually(tips, [pytest.approx(edge, abs=2) for edge in edges])


def test_the_arrow_keys_walk_through_the_model_in_the_order_of_computing(show, drawn):
    page = show(drawn)
    box(page, "encoder.embedding").focus()
    page.keyboard.press("Enter")
    encoder = [part["name"] for part in drawn.parts if part["stack"] == "encoder"]
    for name in encoder:  # every block opens on the way, so that nothing is passed over
        eventually(lambda: chosen(page), name)
        page.keyboard.press("ArrowUp")
    eventually(lambda: chosen(page), encoder[-1])
    page.keyboard.press("ArrowDown")
    eventually(lambda: chosen(page), encoder[-2])
    page.keyboard.press("ArrowRight")
    eventually(lambda: chosen(page).startswith("decoder"))
    page.keyboard.press("ArrowLeft")
    eventually(lambda: chosen(page).startswith("encoder"))
    page.keyboard.press("Home")
    eventually(lambda: chosen(page), "encoder.embedding")
    expect(box(page, "encoder.embedding")).to_be_focused()


OUTPUT = ".ar-panel > .tm"


def said(page, css: str = OUTPUT) -> tuple[str, float]:
    """What the map says of the cell that is pointed at: which it is, and its value."""
    where, value = page.locator(f"{css} .tm-says").inner_text().rsplit(": ", 1)
    return where, number(value)


def point(page, row: int, column: int, css: str = OUTPUT) -> None:
    page.locator(f"{css} canvas").hover(position={"x": 18 * column + 9, "y": 18 * row + 9})


def test_the_value_of_a_cell_is_the_models(show, drawn):
    page = show(drawn)
    drawn.chosen = "decoder.layers.1.norm2"
    box(page, "decoder.layers.1").click()
    box(page, drawn.chosen).click()
    tokens, values = drawn.tokens["target"], drawn.part.output.tolist()
    for row, column in ((2, 5), (0, 15)):
        point(page, row, column)
        name = f"token {row} “{tokens[row]}”, dimension {column}"
        eventually(lambda name=name, x=values[row][column]: said(page) == (name, pytest.approx(x, abs=2e-3)))
    page.locator(f"{OUTPUT} canvas").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    name = f"token 1 “{tokens[1]}”, dimension 2"
    eventually(lambda: said(page) == (name, pytest.approx(values[1][2], abs=2e-3)))
    expect(page.locator(f"{OUTPUT} canvas")).to_have_attribute("aria-label", re.compile(re.escape(name)))
    assert chosen(page) == drawn.chosen  # the keys of the map are its own


COLOURS = """(canvas, [n, d]) => {
  const ctx = canvas.getContext("2d"), [w, h] = [canvas.width / d, canvas.height / n];
  return Array.from({length: n}, (_, i) => Array.from({length: d}, (_, j) =>
    [...ctx.getImageData((j + .5) * w, (i + .5) * h, 1, 1).data.slice(0, 3)]));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_are_the_values(show, drawn, scheme):
    page, values = show(drawn, color_scheme=scheme), drawn.part.output
    clear = values.abs() > 0.15 * values.abs().max()
    assert clear.sum() > 20

    def above_zero() -> list[bool]:  # blue above zero, orange below
        colours = torch.tensor(page.locator(f"{OUTPUT} canvas").evaluate(COLOURS, list(values.shape)))
        return (colours[..., 2] > colours[..., 0])[clear].tolist()

    eventually(above_zero, (values > 0)[clear].tolist())


def test_each_head_has_its_own_weights(show, drawn):
    page = show(drawn)
    drawn.chosen = "decoder.layers.0.cross_attention"
    box(page, drawn.chosen).click()
    read_and_written = [re.compile(rf"^\s*{re.escape(token.strip())} → ") for token in drawn.tokens["target"]]
    expect(page.locator(".ar-attention .tm-rows bdi")).to_have_text(read_and_written)
    expect(page.locator(".ar-attention .tm-columns bdi")).to_have_text(drawn.tokens["source"])
    query = " ".join(page.locator(".ar-attention .tm-rows bdi").nth(1).inner_text().split())
    key = drawn.tokens["source"][2]
    for head in (1, 0):
        page.get_by_role("button", name=f"head {head}").click()
        point(page, 1, 2, ".ar-attention .tm")
        expected = (
            f"head {head}: “{query}” → “{key}”",
            pytest.approx(drawn.part.weights[head, 1, 2].item(), abs=1e-3),
        )
        eventually(lambda: said(page, ".ar-attention .tm"), expected)


def test_the_likeliest_tokens_name_the_columns(show, drawn):
    page = show(drawn)
    drawn.chosen = "probabilities"
    box(page, drawn.chosen).click()
    best = drawn.part.output[-1].argmax().item()
    columns, last = drawn.parts[-1]["columns"], len(drawn.tokens["target"]) - 1
    point(page, last, columns.index(drawn.model.pieces([best])[0]))
    chance = pytest.approx(drawn.part.output[-1, best].item(), abs=1e-3)
    eventually(lambda: said(page)[0].startswith(f"after token {last} ") and said(page)[1] == chance)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["architecture", "stepper"])
def test_axe_finds_nothing_serious(show, model, name, scheme):
    if not AXE.exists():
        message = "axe-core is not installed: npm ci --prefix tests/js"
        assert os.environ.get("COURSE_REQUIRE_BROWSER") != "1", message
        pytest.skip(message)
    page = show(MAKE[name](model), color_scheme=scheme)
    page.add_script_tag(path=str(AXE))
    found = page.evaluate(
        "axe.run('main').then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html]))"
    )
    assert [v for v in found if v[0] in ("serious", "critical")] == []


# ---- in JupyterLab -----------------------------------------------------------------------------


def notebook(path: Path, *cells: str) -> Path:
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(book, path)
    return path


LOAD = """import sys; sys.path.insert(0, {folder!r})
from tiny_translator import tiny_translator
from course.widgets import architecture, step_decoder
model = tiny_translator()"""


def test_with_a_kernel_any_candidate_is_taken_and_any_sentence_read(lab, tmp_path, model):
    load = LOAD.format(folder=str(Path(__file__).parents[1]))
    steps = f"s = step_decoder(model, {TEXT!r}, max_length=6); s"
    view = lab(
        notebook(tmp_path / "translator.ipynb", load, steps, f'a = architecture(model, {TEXT!r}, "The"); a')
    )
    view.run_all()
    cell, twin = view.cell("s = step"), MAKE["stepper"](model)
    cell.locator(".ds-candidate").first.wait_for()
    assert view.errors() == []
    cell.get_by_role("button", name="Next").click()
    other = next(c for c in twin.candidates[1][1:] if c["token"].isalnum())
    cell.locator(".ds-candidate").nth(twin.candidates[1].index(other)).click()
    twin.begun, twin.at = [twin.path[0]["id"], other["id"]], 2
    expect(cell.locator(".ds-written bdi")).to_have_text(twin.written)
    for _ in range(2):
        cell.get_by_role("button", name="Next").click()
    twin.at = 4
    expect(cell.locator(".ds-written bdi")).to_have_text(twin.written)
    assert numbers(cell, ".ds-total") == pytest.approx([twin.log_p], abs=0.0051)

    cell.get_by_role("button", name="Restart").click()  # the greedy path is found again
    cell.get_by_role("button", name="Next").click()
    cell.get_by_role("button", name="Next").click()
    twin.begun, twin.at = [], 2
    expect(cell.locator(".ds-written bdi")).to_have_text(twin.written)

    sentence = cell.get_by_label("Sentence")
    sentence.fill("La chaise<b>")
    sentence.press("Enter")
    twin.text = "La chaise<b>"
    spaced = [re.sub("^ +", lambda spaces: "␣" * len(spaces[0]), token) for token in twin.source]
    expect(cell.locator(".ds-source bdi")).to_have_text(spaced)
    expect(cell.locator(".ds-written")).to_have_text("nothing yet")
    sentence.fill("")
    sentence.press("Enter")
    expect(cell.get_by_role("alert")).to_contain_text("nothing to translate")

    cell = view.cell("a = architecture")
    box(cell, "decoder.layers.1").click()
    sentence = cell.get_by_label("Sentence")
    sentence.fill("La chaise猫")
    sentence.press("Enter")
    box(cell, "encoder.embedding").click()
    drawn = architecture(model, "La chaise猫")
    expect(cell.locator(".ar-panel > .tm .tm-rows bdi")).to_have_text(drawn.tokens["source"])
    expect(cell.locator(".ar-title").nth(1)).to_contain_text(f"{len(drawn.tokens['target'])} tokens")
    assert view.errors() == []
    view.assert_quiet()
