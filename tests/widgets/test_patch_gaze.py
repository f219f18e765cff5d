"""Where a patch looks: its numbers are the attention's, in the browser as in Python; its words follow."""

import pytest
import torch

from course.models.any_sequence import attention_rollout
from course.models.vision import ViT, ViTConfig
from course.widgets import PatchGaze, gaze

G = torch.Generator().manual_seed(0)
IMAGES = torch.rand(2, 1, 8, 8, generator=G)
WEIGHTS = torch.randn(3, 2, 2, 17, 17, generator=G).softmax(-1)


@pytest.fixture
def widget():
    return PatchGaze(IMAGES, WEIGHTS, ["one", "two"])


def test_it_begins_with_the_class_token_through_all_layers(widget):
    assert torch.equal(widget.shown(), attention_rollout(WEIGHTS)[0, 0])
    widget.picture, widget.layer, widget.head, widget.token = 1, 2, 0, 5
    assert torch.equal(widget.shown(), WEIGHTS[2, 1, 0, 5])
    widget.head = 2
    assert torch.allclose(widget.shown(), WEIGHTS[2, 1, :, 5].mean(0))


@pytest.mark.parametrize("layer, head", [(0, 1), (2, 2), (3, 0)])
def test_the_browser_shows_the_same(call, widget, layer, head):
    widget.picture, widget.layer, widget.head, widget.token = 1, layer, head, 7
    weights, flows = widget._weights.flatten().tolist(), widget._flows.flatten().tolist()
    (found,) = call("patch_gaze", "shown", [[weights, flows, widget.sizes, 1, layer, head, 7]])
    assert found == pytest.approx(widget.shown().tolist(), abs=1e-6)
    (half,) = call("patch_gaze", "half", [[found]])
    assert f" {half} of 17 places" in widget.describe()


def test_the_words_say_who_looks_and_where_most(widget):
    widget.layer, widget.head, widget.token = 1, 0, 1
    others = WEIGHTS[1, 0, 0, 1].clone()
    others[:2] = 0
    row, column = divmod(int(others.argmax()) - 1, 4)
    said = widget.describe()
    assert "one. Layer 2, head 1: row 1, column 1 keeps" in said
    assert f"row {row + 1}, column {column + 1} gets most: {100 * others.max():.1f} %." in said
    assert widget.png().startswith(b"\x89PNG")
    widget.token = 0
    assert "class token keeps" in widget.describe() and widget.png().startswith(b"\x89PNG")


def test_a_model_names_what_it_reads():
    torch.manual_seed(0)
    made = gaze(
        ViT(ViTConfig(side=8, patch=2, d_model=16, d_ff=16, n_layers=2)), IMAGES, torch.tensor([3, 4])
    )
    assert made.names[0].startswith("A 3, read as ") and made.sizes == [2, 2, 4, 17]


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="got 2 pictures, 1 names"):
        PatchGaze(IMAGES, WEIGHTS, ["one"])
