"""A BERT with its tokenizer fills gaps and tells pairs as its logits say, and shows what it looks at."""

import pytest
import torch

from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.models.masked_lm import MaskedLM
from course.text.wordpiece import WordPiece
from course.widgets import explore_model

TEXT = "the man went to the store to buy milk"
TOKENIZER = WordPiece.train([TEXT] * 3, 60)


def masked_lm(kind=BertForPreTraining) -> MaskedLM:
    torch.manual_seed(0)
    model = kind(BertConfig(len(TOKENIZER), 16, 2, 32, 2, max_length=24))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return MaskedLM(model, TOKENIZER)


def test_gaps_are_filled_as_the_logits_say():
    model = masked_lm()
    read = TOKENIZER.encode("the [MASK] went to the [MASK]")
    p = model.model(torch.tensor([read.ids]))[0][0].softmax(-1)
    filled = model.fill("the [MASK] went to the [MASK]", top=3)
    for guesses, place in zip(filled, (2, 6), strict=True):
        best = p[place].topk(3)
        assert [guess.token for guess in guesses] == TOKENIZER.pieces(best.indices.tolist())
        assert [guess.probability for guess in guesses] == pytest.approx(best.values.tolist(), rel=1e-4)


def test_bert_is_asked_for_each_token_with_that_one_hidden():
    model, ids = masked_lm(), TOKENIZER.encode(TEXT).ids
    restored = model.restored(TEXT)
    assert [guess.token for guess in restored] == TEXT.split()
    for place, guess in enumerate(restored, start=1):
        hidden = [*ids[:place], TOKENIZER.mask_id, *ids[place + 1 :]]
        p = model.model(torch.tensor([hidden]))[0][0, place].softmax(-1)[ids[place]]
        assert guess.probability == pytest.approx(p.item(), rel=1e-4)


def test_the_twin_is_asked_for_each_token_after_those_before_it():
    model, ids = masked_lm(CausalBert), TOKENIZER.encode(TEXT).ids
    for place, guess in enumerate(model.restored(TEXT), start=1):
        p = model.model(torch.tensor([ids[:place]]))[0][0, -1].softmax(-1)[ids[place]]
        assert guess.probability == pytest.approx(p.item(), rel=1e-4)
    after = model.goes_on("the man went", top=1)[0]
    p = model.model(torch.tensor([TOKENIZER.encode("the man went").ids[:-1]]))[0][0, -1].softmax(-1)
    assert after.probability == pytest.approx(p.max().item(), rel=1e-4)


def test_bert_goes_on_in_a_gap_behind_the_text():
    model = masked_lm()
    ids = [*TOKENIZER.encode("the man").ids[:-1], TOKENIZER.mask_id]
    p = model.model(torch.tensor([ids]))[0][0, -1].softmax(-1)
    assert model.goes_on("the man", top=1)[0].probability == pytest.approx(p.max().item(), rel=1e-4)


def test_pairs_are_told_with_their_segments():
    model, read = masked_lm(), TOKENIZER.encode("the man", "the store")
    _, pair = model.model(torch.tensor([read.ids]), torch.tensor([read.segments]))
    assert model.follows("the man", "the store") == pytest.approx(pair[0].softmax(-1)[0].item(), rel=1e-4)


def test_the_explorer_runs_it_as_the_reader_types():
    live = explore_model(masked_lm(), "the man")
    assert list(live.chosen()[0].tokens) == ["[CLS]", "the", "man", "[SEP]"]
    live.text = "the store to buy"
    assert live.chosen()[0].weights.shape == (2, 2, 6, 6)
    seen = live.chosen()[0].weights
    live.ablated = [(0, 1)]
    assert torch.equal(live.chosen()[0].weights[0], seen[0])
    assert (live.chosen()[0].weights[1] != seen[1]).any()


def test_what_the_twin_looks_at_lies_to_the_left():
    seen = masked_lm(CausalBert)(TEXT)
    assert not seen.weights.triu(1).any() and not masked_lm()(TEXT).weights.triu(1).eq(0).all()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda model: model.fill("the man"), r"write \[MASK\] where"),
        (lambda model: model.fill("[MASK] " * 30), "up to 24 tokens at once; this text has 32"),
        (lambda model: model.restored(""), "at least one character"),
    ],
)
def test_what_cannot_be_read_is_said(ask, said):
    with pytest.raises(ValueError, match=said):
        ask(masked_lm())


def test_it_is_saved_and_found_again(tmp_path):
    for kind, causal in ((BertForPreTraining, False), (CausalBert, True)):
        model = masked_lm(kind)
        model.model.save(tmp_path)
        TOKENIZER.save(tmp_path / "tokenizer.json")
        loaded = MaskedLM.from_pretrained(tmp_path, causal=causal)
        assert type(loaded.model) is kind
        assert loaded.restored(TEXT) == model.restored(TEXT)


def test_a_wanted_word_has_the_rank_and_probability_that_the_logits_give_it():
    model = masked_lm()
    p = model.logits(TOKENIZER.encode("the [MASK]").ids)[2].softmax(-1)
    (found,) = model.wanted("the [MASK]", "store")
    wanted = p[TOKENIZER.encode("store").ids[1]]
    assert found.rank == 1 + (p > wanted).sum() and found.probability == pytest.approx(
        float(wanted), rel=1e-5
    )
    ranks = [model.wanted("the [MASK]", word)[0].rank for word in TEXT.split()]
    chances = [float(p[TOKENIZER.encode(word).ids[1]]) for word in TEXT.split()]
    assert sorted(ranks) == [rank for _, rank in sorted(zip(chances, ranks, strict=True), reverse=True)]
    with pytest.raises(ValueError, match=r"'stores' is \d pieces here"):
        model.wanted("the [MASK]", "stores")
