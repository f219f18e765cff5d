"""The gate X-ray: it shows the model's own gates, follows the text, and both sides say the same."""

import numpy as np
import pytest
import torch

from course.models.character_lstm import CharacterLSTM, CharacterLSTMConfig, half_life
from course.text.characters import Characters
from course.widgets import GateXray
from course.widgets.gate_xray import CHANNELS, WORDS

TEXT = "a cab, a dad"


@pytest.fixture
def model() -> CharacterLSTM:
    torch.manual_seed(0)
    return CharacterLSTM(CharacterLSTMConfig(6, 5, 8), Characters("abcd ,")).eval()


def test_it_sends_the_models_gates(model):
    widget, seen = GateXray(model, TEXT), model.read(TEXT)
    sent = np.frombuffer(widget.data, "<f4").reshape(4, 8, len(TEXT))
    for channel, values in zip(
        sent, (seen.gates.forget, seen.gates.input, seen.gates.output, seen.cells), strict=True
    ):
        assert np.allclose(channel, values.T, atol=1e-7)
    assert widget.characters == list(TEXT) and len(CHANNELS) == len(sent)


def test_the_cells_that_remember_longest_stand_on_top(model):
    widget = GateXray(model, TEXT)
    kept = model.read(TEXT).gates.forget.log().sum(0)[widget.order]
    assert (
        (kept.diff() <= 0).all() and sorted(widget.order) == list(range(8)) and widget.cell == widget.order[0]
    )


def test_another_text_is_read_and_a_bad_one_is_explained(model):
    widget = GateXray(model, TEXT, cell=3)
    widget.text = "bad cab"
    assert widget.characters == list("bad cab") and (widget.cell, widget.at, widget.problem) == (3, 6, "")
    for bad, says in (
        ("bäd", "not in this vocabulary: 'ä'"),
        ("", "at least one character"),
        ("a" * 201, "has 201"),
    ):
        widget.text = bad
        assert says in widget.problem and widget.characters == list("bad cab")
    widget.text = "a"
    assert widget.problem == "" and widget.characters == ["a"]


def test_python_and_the_browser_say_the_same(model, call):
    widget = GateXray(model, TEXT)
    cases, said = [], []
    for cell, at in ((0, 0), (3, 5), (7, 11)):
        widget.cell, widget.at = cell, at
        cases.append([widget.of_cell().tolist(), at, cell, widget.characters[at], WORDS])
        said.append(widget.describe())
    assert call("gate_xray", "cellSentence", cases) == said


def test_a_half_life_is_when_half_is_left():
    forget = torch.tensor([0.1, 0.5, 0.9, 0.999])
    torch.testing.assert_close(forget ** half_life(forget), torch.full((4,), 0.5))


def test_there_is_no_cell_beyond_the_last(model):
    with pytest.raises(ValueError, match="from 0 to 7; got 8"):
        GateXray(model, TEXT, cell=8)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_has_a_still_picture(model, channel):
    assert GateXray(model, TEXT, channel=channel).png().startswith(b"\x89PNG")
