"""Both models are asked what the experiment says that they are asked, and nothing more is shown to them."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from course.masking import IGNORED
from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.studies.bert_pretraining import encode, one_earlier, single_rows
from course.studies.one_way_two_way import (
    frozen_accuracy,
    gaps,
    log_probabilities,
    logistic_regression,
    mean_states,
    next_words,
    rescored_gaps,
    some_places,
    told_and_untold,
)
from course.text.wordpiece import WordPiece

TEXTS = ["the cat sat on the mat", "a dog ran", "the hen saw the dog on the mat"]
TOKENIZER = WordPiece.train(TEXTS * 3, 60)
SENTENCES = encode(TOKENIZER, TEXTS)


def model(kind):
    torch.manual_seed(0)
    made = kind(BertConfig(len(TOKENIZER), 16, 2, 32, 2, max_length=16)).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


BERT, TWIN = model(BertForPreTraining), model(CausalBert)


def test_places_lie_between_others_and_all_of_them_are_drawn():
    drawn = {tuple(some_places(SENTENCES)) for _ in range(300)}
    for number, sentence in enumerate(SENTENCES):
        assert {places[number] for places in drawn} == set(range(1, len(sentence) - 1))
    with pytest.raises(ValueError, match="3 tokens or more; got one of 2"):
        some_places([[7, 8]])


@pytest.mark.parametrize("made", [BERT, TWIN], ids=["BERT", "twin"])
def test_what_comes_after_a_place_is_not_shown_for_the_next_word(made):
    places = [2, 1, 4]
    logits = next_words(made, TOKENIZER, SENTENCES, places)
    changed = [[*s[:place], *[9] * 3] for s, place in zip(SENTENCES, places, strict=True)]
    torch.testing.assert_close(next_words(made, TOKENIZER, changed, places), logits)
    end = [] if made is TWIN else [TOKENIZER.mask_id]
    alone = made(torch.tensor([[TOKENIZER.cls_id, *SENTENCES[2][:4], *end]]))[0][0, -1]
    torch.testing.assert_close(logits[2], alone, rtol=1e-4, atol=1e-5)


def test_a_gap_has_both_sides():
    logits = gaps(BERT, TOKENIZER, SENTENCES, [2, 1, 4])
    read = TOKENIZER.encode("a [MASK] ran").ids
    torch.testing.assert_close(logits[1], BERT(torch.tensor([read]))[0][0, 2], rtol=1e-4, atol=1e-5)


def test_a_sentence_is_as_probable_as_its_tokens_in_turn():
    expected = []
    for sentence in SENTENCES:
        ids = [TOKENIZER.cls_id, *sentence, TOKENIZER.sep_id]
        log_p = TWIN(torch.tensor([ids]))[0][0].log_softmax(-1)
        expected.append(sum(log_p[i, token].item() for i, token in enumerate(ids[1:])))
    assert log_probabilities(TWIN, TOKENIZER, SENTENCES).tolist() == pytest.approx(expected, rel=1e-4)


def test_rescoring_finds_the_most_probable_sentence_of_those_tried():
    places = [3, 1, 5]
    chosen = rescored_gaps(TWIN, TOKENIZER, SENTENCES, places, candidates=6)
    tried = next_words(TWIN, TOKENIZER, SENTENCES, places).topk(6).indices
    for sentence, place, token, tokens in zip(
        SENTENCES, places, chosen.tolist(), tried.tolist(), strict=True
    ):
        filled = [[*sentence[:place], other, *sentence[place + 1 :]] for other in tokens]
        best = log_probabilities(TWIN, TOKENIZER, filled).max()
        mine = log_probabilities(TWIN, TOKENIZER, [[*sentence[:place], token, *sentence[place + 1 :]]])
        torch.testing.assert_close(mine[0], best)


def test_a_texts_features_do_not_depend_on_the_texts_beside_it():
    together = mean_states(BERT, TOKENIZER, SENTENCES)
    for sentence, features in zip(SENTENCES, together, strict=True):
        x = BERT.bert(torch.tensor([[TOKENIZER.cls_id, *sentence, TOKENIZER.sep_id]]))[0, 1:-1]
        torch.testing.assert_close(features, x.mean(0), rtol=1e-4, atol=1e-5)


def test_logistic_regression_is_where_the_gradient_vanishes():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 3, generator=generator)
    labels = x[:, 0] + 0.5 * torch.randn(200, generator=generator) > 0
    weights = logistic_regression(x, labels, penalty=2.0)
    p = (x.double() @ weights[:-1] + weights[-1]).sigmoid()
    gradient = x.double().T @ (p - labels.double()) + 2.0 * weights[:-1]
    torch.testing.assert_close(gradient, torch.zeros(3, dtype=torch.float64), atol=1e-3, rtol=0)
    assert frozen_accuracy((x[:150], labels[:150]), (x[150:], labels[150:])) > 0.8


def test_a_one_way_model_knows_as_much_when_it_is_not_told():
    ids = single_rows(SENTENCES, TOKENIZER).ids
    labels = one_earlier(ids.masked_fill(ids == TOKENIZER.pad_id, IGNORED))
    told, untold = told_and_untold(TWIN, ids, labels)
    assert told == pytest.approx(untold)


def test_a_model_that_reads_the_answer_off_knows_nothing_when_it_is_not_told():
    def read(ids, segments=None):
        return F.one_hot(F.pad(ids[:, 1:], (0, 1)), len(TOKENIZER)).float(), None

    nothing = SimpleNamespace(tokens=SimpleNamespace(weight=None))
    copier = SimpleNamespace(read=read, lm_head=lambda x, embedding: x, bert=nothing)
    random = torch.randint(5, len(TOKENIZER), (40, 10))
    assert told_and_untold(copier, random, one_earlier(random)) == (1.0, 0.0)
