"""One step of skip-gram: the widget's step is the package's, in Python and in the browser alike."""

import pytest

from course.widgets import SkipGramStep


def test_the_browser_takes_the_same_step(call):
    widget = SkipGramStep(k=3, lr=0.7)
    others = [widget.context, *widget.negatives[:3]]
    (found,) = call("skip_gram_step", "step", [[widget.centre, others, 0.7]])
    (shares,) = call("skip_gram_step", "shares", [[widget.centre, others]])
    assert shares["found"] == pytest.approx(widget.shares(), abs=1e-12)
    assert shares["loss"] == pytest.approx(widget.loss(), abs=1e-12)
    widget.take()
    assert found["centre"] == pytest.approx(widget.centre, abs=1e-9)
    for ours, theirs in zip([widget.context, *widget.negatives[:3]], found["others"], strict=True):
        assert theirs == pytest.approx(ours, abs=1e-9)


def test_steps_make_the_loss_smaller_and_leave_out_who_takes_no_part():
    widget = SkipGramStep(k=2, lr=0.3)
    before, idle = widget.loss(), widget.negatives[2:]
    for _ in range(20):
        widget.take()
    assert widget.loss() < before / 2 and widget.negatives[2:] == idle
    assert "After 20 steps" in widget.describe() and widget.shares()[0] > 0.9


def test_it_stands_still():
    assert SkipGramStep().png().startswith(b"\x89PNG")
