"""Attention over training: what may be scrubbed, and what the picture and the words say of a moment."""

import json
import re

import pytest
import torch

from course.models.attention_pass import AttentionPass
from course.widgets import scrub


def moment(tokens: str = "abc", layers: int = 1, sharp: float = 1.0) -> AttentionPass:
    weights = torch.softmax(sharp * torch.eye(len(tokens)), -1).expand(layers, 2, -1, -1)
    return AttentionPass(list(tokens), weights)


def test_it_opens_at_the_last_moment_and_says_which():
    widget = scrub([(0, 2.5, moment()), (100, 0.75, moment(sharp=5))])
    assert widget.moment == 1
    assert widget.still().axes[0].get_title() == "step 100: layer 0, head 0"
    assert widget.describe().startswith("step 100, loss 0.750: Attention of 1 layers")
    widget.moment = 0
    torch.testing.assert_close(widget.chosen()[1], moment().weights[0, 0])


def test_every_moment_travels():
    widget = scrub((step, 1.0, moment()) for step in range(5))
    assert [heading["name"] for heading in widget.passes] == [f"step {i}" for i in range(5)]
    assert widget.steps == list(range(5))


@pytest.mark.parametrize(
    ("checkpoints", "named"),
    [
        ([(0, 1.0, moment())], "at least two checkpoints"),
        ([], "at least two checkpoints"),
        ([(5, 1.0, moment()), (5, 1.0, moment())], r"increase; got \[5, 5\]"),
        ([(0, 1.0, moment()), (7, 1.0, moment(layers=2))], r"step 7 has weights \(2, 2, 3, 3\)"),
        ([(0, 1.0, moment()), (7, 1.0, moment("abd"))], "step 7 has other tokens"),
    ],
)
def test_what_cannot_be_scrubbed_is_named(checkpoints, named):
    with pytest.raises(ValueError, match=named):
        scrub(checkpoints)


def test_a_run_that_diverged_is_shown_and_saved(tmp_path):
    widget = scrub([(0, 2.5, moment()), (torch.tensor(100), torch.tensor(float("nan")), moment(sharp=5))])
    assert widget.get_state()["losses"] == [2.5, None]
    text = widget.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    payload = json.loads(
        re.search(r'id="payload">(.*?)</script>', text, re.DOTALL)[1], parse_constant=pytest.fail
    )
    assert payload["state"]["losses"] == [2.5, None]
    assert "loss nan" in widget.describe()
