"""The training scrubber in a real browser: dragged, stepped by keys, played."""

import pytest
import torch
from playwright.sync_api import expect

from course.models.attention_pass import AttentionPass
from course.widgets import scrub

pytestmark = pytest.mark.browser


def checkpoints(n: int = 4):
    for i in range(n):
        weights = torch.softmax(3 * i * torch.eye(3), -1)[None, None]
        yield 10 * i, 2.0 / (i + 1), AttentionPass(["a", "b", "c"], weights)


def off_diagonal(page) -> float:
    """How dark the weight of "b" on "a" is painted, 0 to 255."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    colour = page.locator(".ex-stage canvas").evaluate(
        """canvas => [...canvas.getContext("2d")
             .getImageData(canvas.width * 0.07, canvas.height * 0.4, 1, 1).data].slice(0, 3)"""
    )
    return 255 - sum(colour) / 3


def test_the_picture_follows_training(visit, tmp_path):
    view = visit(scrub(checkpoints()).to_html(tmp_path / "scrub.html"))
    page, slider = view.page, view.page.get_by_label("Training", exact=True)
    expect(page.get_by_text("step 30, loss 0.500")).to_be_visible()
    dot = page.locator(".ex-scrubber circle")
    end = float(dot.get_attribute("cx"))
    shades = [off_diagonal(page)]
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
        shades.append(off_diagonal(page))
    assert shades == sorted(shades) and shades[-1] - shades[0] > 50  # on one scale, what was weak stays pale
    expect(page.get_by_text("step 0, loss 2.000")).to_be_visible()
    assert float(dot.get_attribute("cx")) < end

    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("step 30, loss 0.500")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()  # at the end it stops by itself
    view.assert_quiet()
