"""The caption painter: what it says was drawn, what it cannot read is told, the browser says the same."""

import base64

import numpy as np
import pytest
import torch

from course.data.shapes import vocabulary
from course.models.gpt import GPT, GPTConfig
from course.models.picture_writer import CAPTION, PICTURE, PictureWriter
from course.widgets import CaptionPainter

TEXT = "a red star in the top left and a blue ring"


@pytest.fixture(scope="module")
def writer() -> PictureWriter:
    torch.manual_seed(0)
    tokens = PictureWriter.tokens(20, len(vocabulary()))
    gpt = GPT(
        GPTConfig(tokens, d_model=16, n_heads=2, n_layers=2, max_length=CAPTION + 1 + PICTURE, dropout=0.0)
    )
    for p in gpt.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return PictureWriter(gpt.eval(), torch.rand(20, 48))


def test_it_shows_what_the_writer_draws(writer):
    widget, drawn = CaptionPainter(writer, TEXT), writer.draw(TEXT)
    assert widget.drawing["codes"] == drawn.codes.tolist() and widget.drawing["words"] == TEXT.split()
    weights = np.frombuffer(widget.weights, dtype=np.uint8).reshape(2, 2, 81, 11 + 81) / 255
    assert np.abs(weights[..., :11] - drawn.to_words.numpy()).max() < 0.5 / 255 + 1e-6
    assert np.frombuffer(widget.palette, dtype=np.uint8).reshape(20, 48).shape == (20, 48)


def test_a_new_caption_paints_anew_and_a_bad_one_keeps_the_picture(writer):
    widget = CaptionPainter(writer, TEXT)
    before = widget.drawing["codes"]
    widget.caption = "giraffe"
    assert "none of these words is known" in widget.problem and widget.drawing["codes"] == before
    widget.caption = "a black cros in the middle"
    assert widget.problem == "" and widget.drawing["words"] == ["a", "black", "in", "the", "middle"]
    assert widget.drawing["told"] == "It has never read “cros” (“cross”?), and leaves that out."
    assert "“cros”" in widget.describe()


def test_chance_is_asked_for_by_temperature_and_seed(writer):
    widget = CaptionPainter(writer, TEXT, temperature=1.0)
    first = widget.drawing["codes"]
    widget.seed = 1
    assert widget.drawing["codes"] != first
    widget.seed = 0
    assert widget.drawing["codes"] == first


def test_the_browser_finds_the_same_numbers(writer, call):
    widget = CaptionPainter(writer, TEXT)
    data = list(widget.weights)
    cases = [(looks, token) for looks in (-1, 0, 2, 4) for token in (0, 40, 80)]
    rows = call("caption_painter", "shares", [[data, widget.sizes, looks, token] for looks, token in cases])
    facts = call(
        "caption_painter",
        "facts",
        [[widget.drawing, row, token, widget.sizes] for row, (_, token) in zip(rows, cases, strict=True)],
    )
    for (looks, token), row, found in zip(cases, rows, facts, strict=True):
        widget.looks, widget.token = looks, token
        torch.testing.assert_close(torch.tensor(row, dtype=torch.float64), widget._shares(looks)[token])
        assert found == widget.facts()


def test_every_choice_of_heads_has_a_name(writer, call):
    widget = CaptionPainter(writer, TEXT)
    (found,) = call("caption_painter", "choices", [[widget.sizes, widget.words]])
    assert [value for value, _ in found] == [-1, 0, 1, 2, 3, 4, 5]
    assert found[4] == [3, "layer 2, all heads"] and found[2] == [1, "layer 1, head 1"]


def test_it_stands_still(writer):
    widget = CaptionPainter(writer, "a red star <b>")
    assert widget.png().startswith(b"\x89PNG")
    data, _ = widget._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="none of these words"):
        CaptionPainter(writer, "国王")
