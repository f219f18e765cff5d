"""A look-up is a product with one-hot rows; likeness has three measures; an analogy hides its own inputs."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.text.vectors import MEASURES, WordVectors, analogy, embed_one_hot, likeness


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@given(st.lists(st.integers(0, 6), max_size=12))
def test_a_look_up_is_a_product_with_one_hot_rows(ids):
    ids, table = torch.tensor(ids, dtype=torch.long), randn(7, 3).double()
    a, b = table.clone().requires_grad_(), table.clone().requires_grad_()
    torch.testing.assert_close(embed_one_hot(ids, a), b[ids])
    weight = randn(len(ids), 3, seed=1).double()
    (embed_one_hot(ids, a) * weight).sum().backward()
    (b[ids] * weight).sum().backward()
    torch.testing.assert_close(a.grad, b.grad)


def test_ids_keep_their_shape_and_must_be_in_the_table():
    assert embed_one_hot(torch.tensor([[0, 1], [2, 2]]), randn(3, 5)).shape == (2, 2, 5)
    for bad in (-1, 3):
        with pytest.raises(IndexError, match="0 to 2"):
            embed_one_hot(torch.tensor([0, bad]), randn(3, 5))


def test_the_three_measures_can_disagree():
    vectors, query = torch.tensor([[1.0, 0.1], [9.0, 9.0], [1.2, 0.9]]), torch.tensor([1.3, 0.7])
    assert [int(likeness(vectors, query, by).argmax()) for by in MEASURES] == [2, 1, 2]
    assert (
        int(likeness(torch.tensor([[1.0, 0.0], [9.0, 0.0]]), torch.tensor([1.0, 0.5]), "distance").argmax())
        == 0
    )
    with pytest.raises(ValueError, match="cosine, inner product, distance"):
        likeness(vectors, query, "euclid")


def test_a_rotation_leaves_every_measure_and_changes_every_number():
    """Lecture row L3.8.a."""
    vectors = randn(20, 6).double()
    rotation = torch.linalg.qr(randn(6, 6, seed=1).double()).Q
    for by in MEASURES:
        torch.testing.assert_close(
            likeness(vectors, vectors[0], by), likeness(vectors @ rotation, vectors[0] @ rotation, by)
        )
    assert (vectors - vectors @ rotation).abs().min() > 0


def test_an_analogy_leaves_its_inputs_out():
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.3], [0.9, 0.1], [0.8, 0.45]])
    left_in = analogy(vectors, 0, 1, 2, leave_out=False)
    assert torch.isinf(analogy(vectors, 0, 1, 2)[:3]).all()
    assert analogy(vectors, 0, 1, 2)[3] == left_in[3]
    torch.testing.assert_close(left_in, analogy(7 * vectors, 0, 1, 2, leave_out=False))


def test_neighbours_leave_the_word_itself_out():
    words = WordVectors(["a", "b", "c"], torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]))
    assert [n.word for n in words.nearest("a")][:2] == ["b", "c"]
    assert words.nearest(words["a"], 1)[0].word == "a"
    assert [n.word for n in words.nearest("a", 1, leave_out=["b"])] == ["c"]
    assert words.similarity("a", "c") == 0 and "a" in words and "z" not in words
    with pytest.raises(KeyError, match="'z' is none of the 3"):
        words["z"]


def test_every_word_once_with_a_vector_each():
    with pytest.raises(ValueError, match="2 words, 1 different"):
        WordVectors(["a", "a"], randn(2, 2))
