"""Heads made to follow a pattern score 1 for it; the sentences are parsed as they say."""

from collections import Counter

import pytest
import torch

from course.data.parsed_sentences import Parsed, Relation, parsed_sentences
from course.models.attention_pass import AttentionPass
from course.studies.head_patterns import (
    first_pieces,
    fixed_offset,
    head_scores,
    offset_score,
    part_of_speech_score,
    relation_cases,
    relation_hits,
    same_word_score,
    separator_score,
)

TOKENS = ["[CLS]", "the", "dog", "saw", "the", "cat", "[SEP]"]
N = len(TOKENS)


def to(place) -> torch.Tensor:
    """One layer, one head, that puts all weight of query i on ``place(i)``."""
    weights = torch.zeros(1, 1, N, N)
    for i in range(N):
        weights[0, 0, i, place(i)] = 1.0
    return weights


def test_a_head_that_looks_at_its_neighbour_scores_one_there_and_nothing_elsewhere():
    weights = to(lambda i: max(i - 1, 0))
    assert offset_score(weights, -1).item() == 1
    assert offset_score(weights, 0).item() == pytest.approx(1 / N)
    assert offset_score(weights, 2).item() == 0


def test_even_attention_scores_the_share_of_places():
    even = torch.full((2, 3, N, N), 1 / N)
    for score in (offset_score(even, -2), same_word_score(even, TOKENS)):
        torch.testing.assert_close(score, torch.full((2, 3), 1 / N))
    torch.testing.assert_close(separator_score(even, TOKENS), torch.full((2, 3), 2 / N))


def test_separators_and_the_same_word():
    assert separator_score(to(lambda i: N - 1), TOKENS).item() == 1
    assert separator_score(to(lambda i: i), TOKENS).item() == 0  # a separator's own attention does not count
    assert same_word_score(to(lambda i: {1: 4, 4: 1}.get(i, 0)), TOKENS).item() == 1
    assert same_word_score(to(lambda i: i), TOKENS).item() == 0


def test_a_relation_is_hit_where_most_weight_among_words_goes_to_the_head():
    sentence = Parsed(tuple(TOKENS[1:-1]), (Relation("determiner", 0, 1), Relation("determiner", 3, 4)))
    weights = to(lambda i: 0)
    weights[..., 1, :] = torch.tensor([0.5, 0.3, 0.15, 0.05, 0, 0, 0])  # [CLS] and itself aside, dog
    weights[..., 4, :] = torch.tensor([0.1, 0.2, 0.4, 0.0, 0.0, 0.3, 0])  # dog, and not cat
    hits = relation_hits([sentence], lambda text: AttentionPass(TOKENS, weights), "determiner")
    assert hits.item() == 0.5
    assert fixed_offset([sentence], "determiner") == (1, 1.0)
    with pytest.raises(ValueError, match="no sentence has the relation 'object'"):
        relation_hits([sentence], lambda text: AttentionPass(TOKENS, weights), "object")


def test_words_are_found_by_their_first_pieces():
    assert first_pieces(["playing", "well"], ["[CLS]", "play", "##ing", "well", "[SEP]"]) == [1, 3]
    with pytest.raises(ValueError, match="'dog' does not begin the word 'cat'"):
        first_pieces(["cat"], ["[CLS]", "dog", "[SEP]"])
    with pytest.raises(ValueError, match="3 words, and 2 tokens"):
        first_pieces(["play", "well", "now"], ["[CLS]", "play", "well", "[SEP]"])


def test_all_scores_are_means_over_the_sentences():
    sentences = parsed_sentences()[:3]

    def read(text: str) -> AttentionPass:
        tokens = ["[CLS]", *text.split(), "[SEP]"]
        return AttentionPass(tokens, torch.full((2, 2, len(tokens), len(tokens)), 1 / len(tokens)))

    scores = head_scores(read, sentences)
    expected = sum(1 / (len(sentence.words) + 2) for sentence in sentences) / 3
    torch.testing.assert_close(scores["-1"], torch.full((2, 2), expected))
    assert {"separators", "same word", "subject", "object", "pronoun"} < set(scores)
    assert all(score.shape == (2, 2) for score in scores.values())


def test_the_sentences_are_parsed_by_the_rules_that_they_name():
    sentences = parsed_sentences()
    assert len({sentence.text for sentence in sentences}) == len(sentences) == 20
    kinds = Counter(relation.name for sentence in sentences for relation in sentence.relations)
    assert min(kinds.values()) >= 10
    determiners = {"the", "a", "an", "my", "our", "his", "her", "their", "its"}
    for words, relations, _ in sentences:
        for name, word, head in relations:
            assert 0 <= word < len(words) and 0 <= head < len(words) and word != head
            if name == "determiner":
                assert words[word] in determiners and words[head] not in determiners and word < head
            if name == "pronoun":
                assert words[word] in {"it", "she", "he", "her", "his", "their", "its"} and head < word


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (lambda: offset_score(torch.ones(1, 1, 2, 2), 2), "of 2 tokens none has another 2 places on"),
        (lambda: separator_score(torch.ones(1, 1, 2, 2), ["a", "b"]), "a separator and another token"),
        (lambda: same_word_score(torch.ones(1, 1, 2, 2), ["a", "b"]), "a token that comes twice"),
    ],
)
def test_a_score_that_nothing_can_have_is_refused(score, said):
    with pytest.raises(ValueError, match=said):
        score()


def test_attention_to_the_own_part_of_speech_is_one_if_all_goes_there_and_the_share_if_even():
    places, tags = [1, 2, 3, 4, 5], ("DET", "NOUN", "VERB", "DET", "NOUN")
    own, by_chance = part_of_speech_score(to(lambda i: {1: 4, 4: 1, 2: 5, 5: 2}.get(i, 0)), places, tags)
    even, _ = part_of_speech_score(torch.full((1, 1, N, N), 1 / N), places, tags)
    assert own.item() == pytest.approx(1) and even.item() == pytest.approx(by_chance) == 1 / 4
    with pytest.raises(ValueError, match="two words of one part of speech"):
        part_of_speech_score(to(lambda i: 0), [1, 2], ("DET", "NOUN"))


def test_cases_are_the_hits_one_by_one_with_how_far_it_is():
    sentence = Parsed(("the", "dog", "saw", "the", "cat"), (Relation("d", 0, 1), Relation("d", 3, 1)))
    hits, offsets = relation_cases([sentence], lambda text: AttentionPass(TOKENS, to(lambda i: 2)), "d")
    assert hits.flatten().tolist() == [True, True] and offsets.tolist() == [1, -2]
