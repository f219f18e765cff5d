"""Scores are sacrebleu's, and say how they were computed."""

import pytest

from course.training.score import translation_scores


def test_right_translations_score_one_hundred_and_wrong_ones_nothing():
    references = ["The cat sleeps on the chair.", "She knows the answer to it."]
    right, wrong = translation_scores(references, references), translation_scores(["é"] * 2, references)
    assert (right["bleu"], right["chrf"]) == (100, 100)
    assert (wrong["bleu"], wrong["chrf"]) == (0, 0)
    assert right["bleu_signature"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")


def test_bleu_is_papineni_and_others():
    # 5 of 6 words, 4 of 5 pairs, 3 of 4 triples, 2 of 3 quadruples; no brevity penalty
    scores = translation_scores(["a b c d e x"], ["a b c d e f"])
    assert scores["bleu"] == pytest.approx(100 * (5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25, abs=0.01)


def test_case_counts_but_in_the_lower_case_score():
    scores = translation_scores(["THE CAT SLEEPS ON THE CHAIR."], ["The cat sleeps on the chair."])
    assert scores["bleu"] < 50 and scores["bleu_lowercase"] == 100
    assert "case:lc" in scores["bleu_lowercase_signature"]


@pytest.mark.parametrize(("translations", "references"), [(["a"], ["a", "b"]), ([], [])])
def test_translations_without_references_are_refused(translations, references):
    with pytest.raises(ValueError, match=f"got {len(translations)} and {len(references)}"):
        translation_scores(translations, references)
