"""A probe reads the vector where the word stands, and a line tells what lies apart."""

import pytest
import torch

from course.data.examples import Labelled
from course.models.bert import Bert, BertConfig
from course.studies.baselines import NaiveBayes
from course.studies.word_probe import (
    balanced,
    baseline_scores,
    fit_probe,
    load_probes,
    probe_scores,
    save_probes,
    vectors_at,
)
from course.text.wordpiece import WordPiece

TEXTS = ["i know him .", "you never know", "know how to be here and there", "so i know"]
TOKENIZER = WordPiece.train(TEXTS * 3, 300)
BERT = Bert(BertConfig(len(TOKENIZER), 16, 2, 32, 2, max_length=16)).eval()


@pytest.mark.parametrize(("word", "places"), [("know", [2, 3, 1, 3]), (None, [5, 4, 8, 4])])
def test_the_vector_is_the_one_where_the_word_stands_whatever_else_is_in_the_batch(word, places):
    found = vectors_at(BERT, TOKENIZER, TEXTS, word)
    for text, place, vector in zip(TEXTS, places, found, strict=True):
        with torch.no_grad():
            alone = BERT(torch.tensor([TOKENIZER.encode(text).ids]))[0, place]
        assert torch.allclose(vector, alone, atol=1e-5)


def test_a_word_in_pieces_or_absent_is_refused():
    with pytest.raises(ValueError, match=r"'knower' is . pieces in this vocabulary"):
        vectors_at(BERT, TOKENIZER, TEXTS, "knower")
    with pytest.raises(ValueError, match="does not stand in 'i never'"):
        vectors_at(BERT, TOKENIZER, ["i never"], "know")


def test_a_probe_is_where_the_loss_has_its_minimum():
    generator = torch.Generator().manual_seed(0)
    y = torch.tensor([0, 1, 2] * 20)
    x = torch.randn(60, 5, generator=generator) * 3 + torch.nn.functional.one_hot(y, 5) * 4.0
    probe = fit_probe(x, y, classes=3, penalty=0.1)
    weight, bias = (t.clone().requires_grad_() for t in (probe.weight, probe.bias))
    logits = ((x - probe.mean) / probe.spread) @ weight.T + bias
    loss = torch.nn.functional.cross_entropy(logits, y) + 0.1 * weight.square().sum()
    for gradient in torch.autograd.grad(loss, [weight, bias]):
        assert gradient.abs().max() < 2e-3
    assert (probe(x) == y).float().mean() > 0.6


def test_a_class_without_an_example_is_refused():
    with pytest.raises(ValueError, match="of 2 classes, 1 have an example"):
        fit_probe(torch.randn(4, 3), torch.zeros(4, dtype=torch.long))


def test_a_draw_is_balanced_and_another_is_another():
    labels = ["a"] * 30 + ["b"] * 7
    drawn = balanced(labels, 5, seed=0)
    assert sorted(labels[i] for i in drawn) == ["a"] * 5 + ["b"] * 5 and len(set(drawn)) == 10
    assert drawn == balanced(labels, 5, seed=0) != balanced(labels, 5, seed=1)
    with pytest.raises(ValueError, match="'b' has 7 examples; 8 were asked for"):
        balanced(labels, 8, seed=0)


def test_what_lies_apart_is_told_and_what_does_not_is_guessed():
    labels = ["a", "b"] * 100
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(200, 4, generator=generator)
    apart = noise + 6 * torch.tensor([[float(label == "a")] * 4 for label in labels])
    assert min(probe_scores((apart, apart), (labels, labels), 20, draws=3)) > 0.97
    assert 0.35 < sum(probe_scores((noise, noise.flip(0)), (labels, labels), 20, draws=8)) / 8 < 0.65


def test_what_learns_from_texts_is_scored_on_the_same_draws():
    examples = [
        Labelled(f"{word} here {n}", label) for n in range(30) for word, label in (("yes", "a"), ("no", "b"))
    ]
    assert baseline_scores(NaiveBayes.fit, (examples, examples), 20, draws=2) == [1.0, 1.0]


def test_probes_come_back_from_their_file_and_their_probabilities_sum_to_one(tmp_path):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(20, 3, generator=generator), torch.tensor([0, 1] * 10)
    save_probes({"a, b": fit_probe(x, y)}, tmp_path / "probes.safetensors")
    (back,) = load_probes(tmp_path / "probes.safetensors").values()
    assert back(x).tolist() == fit_probe(x, y)(x).tolist()
    torch.testing.assert_close(back.probabilities(x).sum(-1), torch.ones(20))
    assert back(x).tolist() == back.probabilities(x).argmax(-1).tolist()
