import torch

from course.models.character_lstm import CharacterLSTM
from course.models.masked_lm import MaskedLM
from course.studies.nearest_sentences import (
    encoder_means,
    finds,
    last_states,
    nearest,
    own_sentences,
    word_counts,
)


def test_thirty_sentences_and_three_of_each():
    queries, others, belongs = own_sentences()
    assert len(queries) == 30 and len(others) == 90 == len(belongs)
    assert belongs.bincount().tolist() == [3] * 30


def test_a_sentence_is_nearest_to_itself():
    vectors = word_counts(["a red cat", "a blue dog", "a red dog sleeps"])
    assert nearest(vectors, vectors)[:, 0].tolist() == [0, 1, 2]
    assert vectors[:, sorted({"a", "red", "cat", "blue", "dog", "sleeps"}).index("a")].abs().sum() == 0
    assert finds(nearest(vectors, vectors), torch.tensor([0, 0, 2])).tolist() == [True, False, True]


def test_vectors_are_of_whole_sentences():
    for vectors, model in (
        (last_states, CharacterLSTM.from_pretrained("stories-lstm")),
        (encoder_means, MaskedLM.from_pretrained("bert-small")),
    ):
        two = vectors(model, ["the cat sat.", "the cat sat on the mat."])
        assert two.shape[0] == 2 and not torch.allclose(two[0], two[1])
        torch.testing.assert_close(vectors(model, ["the cat sat."])[0], two[0])
