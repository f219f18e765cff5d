"""The live explorer: a change runs the model; a text it cannot read keeps the picture and says why."""

import pytest

from course.models.toy_attention import ToyAttention
from course.widgets import explore_model


@pytest.fixture
def live():
    return explore_model(ToyAttention(), "I like tea")


def test_a_new_text_brings_its_tokens_and_weights(live):
    before = live.buffer
    live.text = "你 like tea very much"
    assert live.passes[0]["rows"] == ["你", "like", "tea", "very", "much"]
    assert live.buffer != before and live.problem == ""


def test_an_unreadable_text_keeps_the_last_picture_and_says_why(live):
    before = live.buffer
    live.text = ""
    assert live.buffer == before and live.problem == "type at least one word"
    live.text = "word " * 200
    assert "up to 128" in live.problem and live.buffer == before
    live.text = "fine again"
    assert live.problem == "" and live.buffer != before


@pytest.mark.parametrize("setting", [{"temperature": 3.0}, {"mask": "causal"}, {"ablated": [[0, 1]]}])
def test_each_setting_runs_the_model(live, setting):
    before = live.buffer
    live.set_trait(*setting.popitem())
    assert live.buffer != before


def test_the_first_text_must_be_readable():
    with pytest.raises(ValueError, match="at least one word"):
        explore_model(ToyAttention(), "")


def test_markup_in_a_text_stays_text(live, tmp_path):
    live.text = "</script><script>alert(1)</script>"
    page = live.to_html(tmp_path / "live.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 2 and "<script>alert" not in page


def test_an_ablation_says_which_weight_it_moved_most(live):
    assert live.effect == {}
    live.ablated = [[0, 1]]
    found = live.effect
    whole, seen = live.model("I like tea"), live.model("I like tea", ablate=frozenset({(0, 1)}))
    change = (seen.weights - whole.weights).abs()
    assert found["changed"] and found["layer"] == 1, "nothing below or beside an ablated head can move"
    assert abs(found["after"] - found["before"]) == pytest.approx(change.max().item())
    live.ablated = []
    assert live.effect == {}


def test_an_ablation_of_the_last_layer_moves_nothing_that_is_shown(live):
    live.ablated = [[1, 0]]
    assert live.effect["changed"] is False
