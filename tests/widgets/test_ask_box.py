"""A box shows what is answered to its texts, keeps the last answer when one cannot be given, and says why."""

import pytest
import torch

from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.models.masked_lm import MaskedLM
from course.text.wordpiece import WordPiece
from course.widgets import AskBox, fill_box, pair_box
from course.widgets.ask_box import Answer

TEXT = "the man went to the store to buy milk"
TOKENIZER = WordPiece.train([TEXT] * 3, 60)


def masked_lm(kind=BertForPreTraining) -> MaskedLM:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(BertConfig(len(TOKENIZER), 16, 2, 32, 2, max_length=24))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    return MaskedLM(model, TOKENIZER)


BERT, TWIN = masked_lm(), masked_lm(CausalBert)


def shout(text: str) -> list[Answer]:
    if not text:
        raise ValueError("write something")
    return [Answer("loud", [(text.upper(), 0.75)], note="so", marked=[("a", "kind"), ("b", "")])]


def test_another_text_gets_another_answer_and_one_without_keeps_the_last():
    box = AskBox(shout, {"A text": "hey"})
    assert box.answers[0]["bars"] == [["HEY", 0.75]]
    box.texts = ["ho"]
    assert box.answers[0]["bars"] == [["HO", 0.75]] and box.problem == ""
    box.texts = [""]
    assert box.answers[0]["bars"] == [["HO", 0.75]] and box.problem == "write something"
    with pytest.raises(ValueError, match="write something"):
        AskBox(shout, {"A text": ""})


def test_it_is_described_and_drawn():
    box = AskBox(shout, {"A text": "hey"})
    assert box.describe() == "A text: hey\nloud: HEY 0.75; a [kind] b; so"
    (axes,) = (axes for axes in box.still().axes if axes.axison)
    assert [bar.get_width() for bar in axes.patches] == [0.75]
    assert AskBox(lambda text: [Answer("none", marked=[("a", "")])], {"A text": "x"}).png()


def test_gaps_are_filled_by_both_and_the_twin_sees_only_what_is_before():
    text = "the [MASK] went to the [MASK]"
    box = fill_box(BERT, TWIN, text, top=3)
    two, one, two_again, one_again = box.answers
    for answer, guesses in zip((two, two_again), BERT.fill(text, 3), strict=True):
        assert answer["bars"] == [[guess.token, guess.probability] for guess in guesses]
    first = TWIN.goes_on("the ", 3)
    second = TWIN.goes_on(f"the {first[0].token} went to the ", 3)
    assert one["bars"] == [[guess.token, guess.probability] for guess in first]
    assert one_again["bars"] == [[guess.token, guess.probability] for guess in second]
    box.texts = ["no gap", ""]
    assert "write [MASK]" in box.problem


def test_a_word_is_looked_for_or_said_to_be_several_pieces():
    rank, p = BERT.wanted("the [MASK]", "store")[0]
    note = fill_box(BERT, TWIN, "the [MASK]", "store").answers[0]["note"]
    assert note == f"“store” is number {rank} of {len(TOKENIZER)}, probability {p:.4f}"
    assert "pieces here" in fill_box(BERT, TWIN, "the [MASK]", "stores").answers[0]["note"]


def test_a_pair_is_judged_both_ways_round():
    box = pair_box(BERT, "the man", "buy milk")
    here, exchanged = (answer["bars"][0][1] for answer in box.answers)
    assert here == BERT.follows("the man", "buy milk") and exchanged == BERT.follows("buy milk", "the man")


def test_the_browser_says_small_chances_in_full_and_the_smallest_not_as_nothing(call):
    assert call("ask_box", "chance", [[0.5], [0.0042], [0.00001], [1.0]]) == [
        "0.50",
        "0.004",
        "< 0.001",
        "1.00",
    ]
    assert call("ask_box", "wide", [[0.25], [1.2], [-1]]) == ["25.0%", "100.0%", "0.0%"]


def test_markup_in_an_answer_stays_text(tmp_path):
    box = AskBox(lambda text: [Answer(text, [(text, 0.5)])], {"A text": "</script><b>"})
    assert box.to_html(tmp_path / "box.html").read_text(encoding="utf-8").count("</script>") == 2
