"""The analogy desk: its answers are the package's, in Python and in the browser; its corners are true."""

import pytest
import torch
import torch.nn.functional as F

from course.text.vectors import WordVectors
from course.widgets import AnalogyDesk

NAMES = [f"w{i}" for i in range(30)]


def desk(**options) -> AnalogyDesk:
    vectors = torch.randn(30, 7, generator=torch.Generator().manual_seed(0))
    return AnalogyDesk(WordVectors(NAMES, vectors), "w1", "w2", "w3", n=25, **options)


def test_its_answers_are_the_packages():
    widget = desk()
    words = WordVectors(NAMES[:25], widget.desk.vectors)
    assert widget.best() == [tuple(x) for x in words.analogy("w1", "w2", "w3")]
    widget.leave_out = False
    assert widget.best()[0][0] == words.analogy("w1", "w2", "w3", leave_out=False)[0].word
    assert widget.best()[0][0] in widget.describe()


@pytest.mark.parametrize("leave_out", [True, False])
def test_the_browser_answers_the_same(call, leave_out):
    widget = desk(leave_out=leave_out)
    data = widget.desk.vectors.flatten().tolist()
    (found,) = call("analogy_desk", "answers", [[data, 7, [1, 2, 3], leave_out]])
    assert [NAMES[i] for i, _ in found] == [word for word, _ in widget.best()]
    assert [score for _, score in found] == pytest.approx([score for _, score in widget.best()], abs=1e-5)
    points = [widget.desk[word].tolist() for word in ("w1", "w2", "w3", widget.best()[0][0])]
    (corners,) = call("analogy_desk", "plane", [points])
    torch.testing.assert_close(torch.tensor(corners), widget.corners(), rtol=0, atol=1e-5)


def test_the_corners_are_a_parallelogram_and_true_to_length():
    widget = desk()
    a, b, c, d, _ = widget.corners()
    torch.testing.assert_close(b - a, d - c)
    true = (widget.desk["w3"] - widget.desk["w1"]).norm()
    torch.testing.assert_close((c - a).norm(), true)


def test_a_word_that_is_not_there_is_said():
    with pytest.raises(KeyError, match="w27"):
        desk().c = "w27"


def test_a_word_twice_stands_still_too():
    widget = AnalogyDesk(WordVectors(NAMES, F.one_hot(torch.arange(30)).float()), "w1", "w1", "w1")
    assert widget.png().startswith(b"\x89PNG") and desk().png().startswith(b"\x89PNG")
