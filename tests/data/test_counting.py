"""What notebook 08 says counting reaches on tinyshakespeare is what it does reach."""

import json

import pytest

from course import checkpoints
from course.data import tinyshakespeare
from course.text.ngrams import NGram


def counted() -> dict[str, float]:
    file = checkpoints.find_file("shakespeare-char", "counting.json")
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "order"), [("unigram", 1), ("bigram", 2)])  # a 5-gram takes a minute
def test_the_shipped_losses_are_those_of_the_counts(real_data, name, order):
    shipped = counted()
    corpus = tinyshakespeare.plays()
    train, validation = (corpus.characters.encode(text) for text in (corpus.train, corpus.validation))
    model = NGram(train, order, len(corpus.characters))
    assert model.loss(validation) == pytest.approx(shipped[name], abs=1e-9)


def test_a_longer_reach_learns_more_up_to_the_wall():
    """As notebook 08 says: five characters are better than two, and six to eight are worse than five."""
    shipped = counted()
    assert list(shipped) == ["unigram", "bigram", "5-gram", "6-gram", "7-gram", "8-gram"]
    losses = list(shipped.values())
    assert losses[:3] == sorted(losses[:3], reverse=True) and losses[2:] == sorted(losses[2:])
