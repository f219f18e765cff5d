"""Pairs for next-sentence prediction: half of them follow one another, the others come from elsewhere."""

import pytest
import torch
from chance import assert_share

from course.next_sentence import IS_NEXT, NOT_NEXT, next_sentence_pairs

DOCUMENTS = [[f"{document}.{place}" for place in range(3 + document)] for document in range(6)]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_half_the_pairs_follow_one_another_and_the_others_come_from_another_document():
    pairs = [pair for _ in range(400) for pair in next_sentence_pairs(DOCUMENTS)]
    for pair in pairs:
        (document, place), (other, next_place) = (
            map(int, text.split(".")) for text in (pair.first, pair.second)
        )
        if pair.label == IS_NEXT:
            assert (other, next_place) == (document, place + 1)
        else:
            assert pair.label == NOT_NEXT and other != document
    assert_share(sum(pair.label == IS_NEXT for pair in pairs), len(pairs), 0.5)


def test_every_sentence_but_the_last_comes_first_once_and_any_other_document_may_answer():
    pairs = next_sentence_pairs(DOCUMENTS)
    assert [pair.first for pair in pairs] == [text for document in DOCUMENTS for text in document[:-1]]
    many = [pair for _ in range(1000) for pair in next_sentence_pairs(DOCUMENTS[:4])]
    strange = [pair.second[0] for pair in many if pair.label == NOT_NEXT and pair.first[0] == "0"]
    for other in "123":
        assert_share(strange.count(other), len(strange), 1 / 3)


def test_pairs_repeat_with_the_generator_and_may_hold_ids():
    documents = [[[1, 2], [3]], [[4], [5, 6]]]
    one, two = (next_sentence_pairs(documents, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert one == two and one[0].first == [1, 2]


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        ([["a", "b"]], "two or more; got 1"),
        ([["a", "b"], []], "document 1 has none"),
        ([["a"]] * 3, "3 of one"),
    ],
)
def test_documents_without_pairs_are_refused(documents, said):
    with pytest.raises(ValueError, match=said):
        next_sentence_pairs(documents)
