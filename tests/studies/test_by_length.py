"""BLEU with its interval, and tokens foreseen."""

import pytest
import torch

from course.models.attention_seq2seq import Bahdanau
from course.models.seq2seq import Seq2SeqConfig
from course.studies.by_length import bleu_with_interval, token_accuracy
from course.text.tokenizers import EOS, Tokenizer
from course.training.score import translation_scores


def test_bleu_is_sacrebleus_and_its_interval_is_wider_for_fewer_sentences():
    written = ["the cat sat on the mat today", "a dog ran in the park"] * 20
    right = ["the cat sat on the mat today", "the dog ran over the park"] * 20
    found = bleu_with_interval(written, right, n=100)
    assert found["bleu"] == translation_scores(written, right)["bleu"]
    assert 0 < found["interval"] < bleu_with_interval(written[:6], right[:6], n=100)["interval"]


def test_a_model_that_always_ends_foresees_the_ends_alone():
    tokenizer = Tokenizer.train(["ab cd ef"] * 3, 300)
    model = Bahdanau(Seq2SeqConfig(len(tokenizer), 6, 8), tokenizer).eval()
    model.logits = lambda features: torch.nn.functional.one_hot(
        torch.full(features.shape[:-1], EOS), len(tokenizer)
    ).float()
    pairs = [("ab cd", "ef"), ("ef", "ab cd ef")]
    ends = 2 / sum(len(tokenizer.encode(target)) + 1 for _, target in pairs)
    assert token_accuracy(model, pairs) == pytest.approx(ends)
