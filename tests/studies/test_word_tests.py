"""Scores of word vectors: analogies as asked one at a time, Spearman with ties, Wilson's interval."""

import pytest
import torch

from course.data.word_similarity import Judged
from course.studies.word_tests import (
    analogy_scores,
    answers_right,
    as_people_judge,
    rank_of,
    spearman,
    wilson,
)
from course.text.vectors import WordVectors

WORDS = WordVectors(
    [f"w{i}" for i in range(12)], torch.randn(12, 4, generator=torch.Generator().manual_seed(3))
)


@pytest.mark.parametrize("leave_out", [True, False])
def test_many_questions_at_once_are_answered_as_one(leave_out):
    asked = torch.randint(12, (40, 4), generator=torch.Generator().manual_seed(0))
    one = [WORDS.analogy(*(f"w{i}" for i in q[:3]), k=1, leave_out=leave_out)[0].word for q in asked.tolist()]
    assert answers_right(WORDS.vectors, asked, leave_out).tolist() == [
        f"w{q[3]}" == word for q, word in zip(asked.tolist(), one, strict=True)
    ]


def test_sections_are_counted_and_ranks_begin_at_one():
    best = WORDS.analogy("w1", "w2", "w3", k=2)
    asked = {"one": [("w1", "w2", "w3", best[0].word)], "two": [("w1", "w2", "w3", best[1].word)]}
    found = analogy_scores(WORDS, asked)
    assert [found[s]["left out"] for s in asked] == [1, 0] and found["one"]["questions"] == 1
    assert [rank_of(WORDS, near.word, "w1", "w2", "w3") for near in best] == [1, 2]


def test_spearman_sees_order_alone_and_shares_ranks():
    x = torch.tensor([1.0, 2.0, 2.0, 9.0])
    assert spearman(x, x.exp()) == pytest.approx(1) and spearman(x, -x) == pytest.approx(-1)
    assert spearman(x, torch.tensor([1.0, 3.0, 2.0, 4.0])) == pytest.approx(0.9486833)


def test_pairs_with_an_unknown_word_are_left_out():
    judged = [
        Judged("w1", "w2", 1.0),
        Judged("w1", "nobody", 5.0),
        Judged("w3", "w4", 2.0),
        Judged("w5", "w6", 3.0),
    ]
    assert as_people_judge(WORDS, judged)[1] == 3


def test_wilsons_interval():
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 10)[0] == pytest.approx(0, abs=1e-12)
