"""The sampling playground: the browser filters and draws as text/sampling.py, the kernel reads the text."""

import math
from itertools import product

import pytest
import torch
from playground import TOKENS, random_model

from course.text.sampling import next_token_probabilities
from course.widgets import SamplingPlayground

PROMPT = "a|猫| the|b"
SETTINGS = list(product([0.0, 0.1, 0.7, 1.0, 3.0], [None, 1, 3, 10, 100], [None, 0.05, 0.5, 0.9, 0.99]))


def playground(**settings) -> SamplingPlayground:
    return SamplingPlayground(random_model(), PROMPT, **settings)


# -- the browser's arithmetic is Python's --


def sorted_logits(seed: int, n: int = 60) -> torch.Tensor:
    logits = 3 * torch.randn(n, generator=torch.Generator().manual_seed(seed))
    logits[::7] = logits[0]  # ties, which top-k keeps together
    return logits


def as_seen(seen: dict) -> torch.Tensor:
    return torch.tensor([seen["after"][str(i)] for i in range(len(seen["after"]))], dtype=torch.float64)


@pytest.mark.parametrize("seed", range(3))
def test_the_browser_filters_as_course_sampling(call, seed):
    logits = sorted_logits(seed)
    (order,) = call("sampling_playground", "ranked", [[logits.tolist()]])
    order = [order[str(i)] for i in range(len(order))]
    assert order == logits.sort(descending=True, stable=True).indices.tolist()
    ranked = logits[order].double()  # at temperature 0.1 the least likely vanish in float32
    cases = [[ranked.tolist(), {"temperature": t, "topK": k, "topP": p}] for t, k, p in SETTINGS]
    for setting, seen in zip(SETTINGS, call("sampling_playground", "sieve", cases), strict=True):
        expected = next_token_probabilities(ranked, *setting)
        torch.testing.assert_close(as_seen(seen), expected, rtol=1e-4, atol=1e-6, msg=str(setting))
        assert [name == "" for name in seen["by"]] == (expected > 0).tolist(), setting


def test_what_took_a_token_out_is_the_first_filter_that_did(call):
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log().tolist()
    (seen,) = call("sampling_playground", "sieve", [[logits, {"temperature": 1, "topK": 3, "topP": 0.5}]])
    assert seen["by"] == ["", "", "top_p", "top_k"]  # of the three, the first has 0.44, two 0.78


def test_draws_follow_the_probabilities(call):
    probabilities, n = [0.5, 0.0, 0.3, 0.2], 1000
    cases = [[probabilities, (i + 0.5) / n] for i in range(n)]
    drawn = torch.tensor(call("sampling_playground", "draw", cases)).bincount(minlength=4)
    assert drawn.tolist() == [500, 0, 300, 200]
    assert call("sampling_playground", "draw", [[[0.7, 0.3 - 1e-9, 0.0], 1 - 1e-12]]) == [1]  # never one of 0


# -- the kernel reads --


def test_it_sends_the_models_own_logits_and_surprises():
    widget, model = playground(), random_model()
    logits = model.logits(PROMPT)
    torch.testing.assert_close(
        widget.probabilities, next_token_probabilities(logits[-1]), rtol=1e-5, atol=1e-7
    )
    p = [logits[i].softmax(-1)[id].item() for i, id in enumerate(widget.ids[1:])]
    assert widget.surprises[0] is None
    assert widget.surprises[1:] == pytest.approx([-math.log2(x) for x in p], rel=1e-4)


def test_choosing_going_back_and_another_prompt():
    widget = playground()
    first, chance = widget.logits, widget.chance
    widget.ids = [*widget.ids, TOKENS.index("🙂")]
    assert widget.text == "a猫 theb🙂" and len(widget.surprises) == 5 and widget.logits != first
    widget.ids = widget.ids[:-1]
    assert (widget.logits, widget.chance, len(widget.surprises)) == (first, chance, 4)
    widget.prompt = "z|z"
    assert (widget.text, widget.start, widget.surprises[0]) == ("zz", widget.ids, None)


def test_a_prompt_it_cannot_read_keeps_the_text_and_says_why():
    widget = playground()
    for prompt, said in {"": "at least one", "Q": "not in this vocabulary", "|".join("a" * 41): "41"}.items():
        widget.prompt = prompt
        assert said in widget.problem and widget.text == "a猫 theb"
    widget.prompt = "b"
    assert widget.problem == "" and widget.text == "b"
    with pytest.raises(ValueError, match="at least one"):
        SamplingPlayground(random_model(), "")


def test_a_text_longer_than_the_context_goes_on_and_keeps_its_surprises():
    model = random_model(max_length=6)
    widget = SamplingPlayground(model, PROMPT)
    for id in (3, 5, 8, 13, 21):
        before, unseen = widget.surprises, max(0, len(widget.ids) - 5)
        widget.ids = [*widget.ids, id]
        assert len(widget.surprises) == len(widget.ids)
        assert widget.surprises[:unseen] == before[:unseen]
    expected = model.gpt(torch.tensor(widget.ids[-6:]))[-1].softmax(-1).detach()
    torch.testing.assert_close(widget.probabilities, expected, rtol=1e-5, atol=1e-7)
    assert widget.surprises[0] is None and None not in widget.surprises[1:]


def test_the_seed_fixes_the_random_numbers():
    one, other, third = playground(seed=3), playground(seed=3), playground(seed=4)
    assert one.chance == other.chance != third.chance and 0 <= one.chance < 1
    third.seed = 3
    assert third.chance == one.chance
    chances = []
    for id in range(6):
        chances.append(one.chance)
        one.ids = [*one.ids, id]
    assert len(set(chances)) == 6


@pytest.mark.parametrize(
    ("setting", "said"),
    [({"temperature": -1}, "temperature"), ({"top_k": 0}, "top-k"), ({"top_p": 2}, "top-p")],
)
def test_settings_out_of_range_are_refused(setting, said):
    with pytest.raises(ValueError, match=said):
        playground(**setting)


def test_an_id_outside_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match="between 0 and 34; got 35"):
        playground().ids = [1, 35]


# -- what stays when there is no browser --


def test_it_is_described_and_drawn_as_it_is_set():
    widget = playground(temperature=0)
    best = TOKENS[widget.probabilities.argmax()]
    assert f"top-p off: “{best}” 100%. 1 of 35 tokens" in widget.describe()
    assert "35 of 35" in playground().describe()
    left, right = widget.still().axes
    assert [bar.get_height() for bar in left.patches] == pytest.approx([0, *widget.surprises[1:]])
    assert max(bar.get_width() for bar in right.patches) == 1


def test_markup_in_a_token_stays_text(tmp_path):
    page = playground().to_html(tmp_path / "playground.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 2 and "<img" not in page
