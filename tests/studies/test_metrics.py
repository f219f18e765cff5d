"""Scores as the published scripts give them, and baselines that do what they say."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.data.examples import Labelled, Pair, Question, Tagged
from course.studies.baselines import (
    NaiveBayes,
    bag_of_words,
    fit_overlap,
    fit_tags,
    most_frequent,
    overlap_answer,
    overlapping_sentence,
)
from course.studies.metrics import (
    Entity,
    accuracy,
    answer_f1,
    answer_scores,
    entities,
    entity_scores,
    exact_match,
    normalise_answer,
)

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
sequences = st.lists(st.sampled_from(TAGS), min_size=1, max_size=12)

# ---- classes -------------------------------------------------------------------------------------


def test_accuracy_is_a_share():
    assert accuracy(["a", "b", "b", "a"], ["a", "b", "a", "b"]) == 0.5


@pytest.mark.parametrize("right, given", [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_one_answer_to_each_question(right, given):
    with pytest.raises(ValueError, match="one answer to each question"):
        accuracy(right, given)


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tags, expected",
    [
        ("O O", []),
        ("B-PER I-PER O B-LOC", [Entity("PER", 0, 1), Entity("LOC", 3, 3)]),
        ("B-PER B-PER", [Entity("PER", 0, 0), Entity("PER", 1, 1)]),
        ("B-PER I-PER B-PER I-PER", [Entity("PER", 0, 1), Entity("PER", 2, 3)]),
        ("O I-PER I-PER", [Entity("PER", 1, 2)]),  # begins without a B
        ("B-PER I-LOC", [Entity("PER", 0, 0), Entity("LOC", 1, 1)]),  # another kind begins
        ("B-creative-work I-creative-work", [Entity("creative-work", 0, 1)]),
        ("B-PER O I-PER", [Entity("PER", 0, 0), Entity("PER", 2, 2)]),
    ],
)
def test_entities_are_those_of_the_shared_tasks_script(tags, expected):
    assert entities(tags.split()) == expected


@pytest.mark.parametrize("tag", ["PER", "B", "E-PER", "B-", ""])
def test_an_unknown_tag_is_refused(tag):
    with pytest.raises(ValueError, match="tag 1 is"):
        entities(["O", tag])


def test_the_example_of_seqevals_readme():
    """One of two names found: its first word is one too early."""
    right, found = "O O O B-MISC I-MISC I-MISC O", "O O B-MISC I-MISC I-MISC I-MISC O"
    other = ["B-PER", "I-PER", "O"]
    assert entity_scores([right.split(), other], [found.split(), other]) == (0.5, 0.5, 0.5)


def test_a_half_found_name_counts_nothing_although_most_words_are_right():
    right, found = [["B-PER", "I-PER", "I-PER"]], [["B-PER", "I-PER", "O"]]
    assert entity_scores(right, found) == (0, 0, 0)


def test_precision_and_recall_are_not_exchanged():
    score = entity_scores([["B-PER", "O", "O", "O"]], [["B-PER", "O", "B-LOC", "B-PER"]])
    assert score == (pytest.approx(1 / 3), 1.0, pytest.approx(0.5))


def test_nothing_found_and_nothing_wanted_is_no_division_by_zero():
    assert entity_scores([["O"]], [["O"]]) == (0, 0, 0)
    assert entity_scores([["B-PER"]], [["O"]]) == (0, 0, 0)


@settings(deadline=None)
@given(sequences)
def test_the_right_answer_is_right(tags):
    expected = 1 if entities(tags) else 0
    assert entity_scores([tags], [tags]) == (expected, expected, expected)


@settings(deadline=None)
@given(st.lists(st.tuples(sequences, st.randoms()), min_size=1, max_size=4))
def test_f1_is_the_harmonic_mean_and_exchanging_the_sides_exchanges_precision_and_recall(drawn):
    right = [tags for tags, _ in drawn]
    found = [random.sample(tags, len(tags)) for tags, random in drawn]
    score, exchanged = entity_scores(right, found), entity_scores(found, right)
    assert score == (exchanged.recall, exchanged.precision, exchanged.f1)
    both = score.precision + score.recall
    assert score.f1 == pytest.approx(2 * score.precision * score.recall / both if both else 0)


@settings(deadline=None)
@given(sequences)
def test_entities_mark_every_word_that_has_a_tag_once(tags):
    marked = [at for e in entities(tags) for at in range(e.first, e.last + 1)]
    assert marked == [at for at, tag in enumerate(tags) if tag != "O"]


# ---- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [("The  Cat!", "cat"), ("an apple, a day", "apple day"), ("U.S.A.", "usa"), ("theatre", "theatre")],
)
def test_answers_are_normalised_as_by_squads_script(text, expected):
    assert normalise_answer(text) == expected


def test_any_of_the_answers_counts_exactly():
    assert exact_match("the Cat", ["dog", "A cat."]) and not exact_match("cats", ["cat"])


@pytest.mark.parametrize(
    "given, answers, expected",
    [
        ("the black cat", ["black cat"], 1.0),
        ("a very black cat", ["cat"], 0.5),  # 1 of 3 given, 1 of 1 wanted
        ("cat cat", ["cat"], 2 / 3),  # the second one has nothing to match
        ("dog", ["cat", "dog bone"], 2 / 3),  # the answer that suits best
        ("dog", ["cat"], 0.0),
        ("", ["cat"], 0.0),
    ],
)
def test_f1_of_answers(given, answers, expected):
    assert answer_f1(given, answers) == pytest.approx(expected)


def test_answer_scores_are_means():
    asked = [Question("?", "x", ("black cat",), 0), Question("?", "x", ("dog",), 0)]
    assert answer_scores(asked, ["cat", "the dog"]) == (0.5, pytest.approx((2 / 3 + 1) / 2))


# ---- baselines -----------------------------------------------------------------------------------


def test_a_bag_holds_words_signs_and_neighbours():
    assert bag_of_words("It isn't bad!", pairs=False) == ["it", "isn't", "bad", "!"]
    assert bag_of_words("It isn't")[2:] == ["it isn't"]


def test_naive_bayes_is_bayes_rule_by_hand():
    """Words a, b, "a b" in p; b in n: 3 different ones, alpha = 1."""
    model = NaiveBayes.fit([Labelled("a b", "p"), Labelled("b", "n"), Labelled("b", "n")])
    assert model.log_prior == {"p": math.log(1 / 3), "n": math.log(2 / 3)}
    assert model.log_p["p"] == {w: math.log(2 / 6) for w in ("a", "b", "a b")}
    assert model.log_p["n"] == {w: math.log(n / 5) for w, n in (("a", 1), ("b", 3), ("a b", 1))}
    assert model("a") == "n"  # 2/3 · 1/5 against 1/3 · 2/6
    assert model("a b a b") == "p"  # 2/3 · (1/5)² (3/5)² (1/5)² against 1/3 · (2/6)⁶
    assert model("never seen") == "n"


@pytest.mark.parametrize("examples, alpha", [([], 1.0), ([Labelled("a", "p")], 0.0)])
def test_naive_bayes_refuses_nothing_and_no_alpha(examples, alpha):
    with pytest.raises(ValueError, match="needs examples, and alpha > 0"):
        NaiveBayes.fit(examples, alpha)


def test_the_commonest_tag_of_a_word():
    tag = fit_tags([Tagged(("Paris", "is"), ("B-LOC", "O")), Tagged(("paris", "Paris"), ("B-PER", "B-LOC"))])
    assert tag(["PARIS", "is", "London"]) == ["B-LOC", "O", "O"]


def test_the_sentence_that_shares_most_words():
    context = "Anna has a cat. The cat of Tom sleeps in the barn! Where? Nobody knows."
    assert overlapping_sentence("Where does the cat of Tom sleep?", context).startswith("The cat")
    assert overlap_answer("Where does the cat of Tom sleep?", context) == "sleeps in"
    assert overlapping_sentence("Who?", "One. Two.") == "One."


def test_the_share_of_words_decides():
    examples = [
        Pair("a b c", "a b", "entailment"),
        Pair("a b c", "x y", "neutral"),
        Pair("a b", "z", "neutral"),
    ]
    relation = fit_overlap(examples)
    assert relation("p q r", "q r") == "entailment" and relation("p q", "s") == "neutral"
    assert relation("p q", "p s") == "neutral"  # a share of one half was never seen
    assert most_frequent("abba") == "a"


def test_tensors_and_arrays_are_scored_like_lists():
    right, given = [1, 2, 3, 4], [1, 2, 0, 4]
    for kind in (torch.tensor, np.array):
        assert accuracy(kind(right), kind(given)) == accuracy(right, given) == 0.75
    with pytest.raises(ValueError, match="one answer to each question; got 3 for 4"):
        accuracy(torch.tensor(right), torch.tensor(given[:3]))
