"""The shipped translator: what notebook 05 shows with it holds."""

import json
import os
from pathlib import Path

import pytest

from course import checkpoints
from course.data import tatoeba
from course.data.aligned_sentences import aligned_sentences
from course.models.translator import Translator
from course.studies.alignment import best_links, diagonal_error_rate, head_error_rates, word_attention, words
from course.training.score import translation_scores

FRENCH = "L'accord sur la zone économique européenne a été signé en août 1992."
ENGLISH = "The agreement on the European Economic Area was signed in August 1992."


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator.from_pretrained("fr-en")


def test_it_is_small_enough_to_ship(translator):
    assert sum(p.numel() for p in translator.parameters()) <= 8e6


def test_the_lectures_sentence_comes_out_right(translator):
    """Lecture row L2.5.d."""
    assert translator.translate(FRENCH).text == ENGLISH


def test_its_heads_align_better_than_the_diagonal(translator):
    pairs = aligned_sentences()
    rates, of_mean = head_error_rates(translator, pairs)
    assert rates.min() < diagonal_error_rate(pairs) / 1.5
    assert of_mean < diagonal_error_rate(pairs)


def test_noun_and_adjectives_cross(translator):
    """Lecture row L2.5.d: European Economic Area looks at zone économique européenne backwards."""
    links = best_links(word_attention(translator, FRENCH, ENGLISH).mean((0, 1)))
    found = {words(ENGLISH)[target]: words(FRENCH)[source] for source, target in links}
    expected = {"European": "européenne", "Economic": "économique", "Area": "zone"}
    assert {word: found[word] for word in expected} == expected


def test_it_translates_as_well_as_was_asked():
    """By the scores of its card: sacrebleu, a beam of 4, 1,000 English sentences that it never saw."""
    scores = json.loads((checkpoints.find("fr-en") / "scores.json").read_text(encoding="utf-8"))
    held_out = scores["Tatoeba, 1,000 held-out English sentences"]
    assert held_out["sentences"] == 1000 and held_out["bleu"] >= 50


def test_its_scores_can_be_repeated(translator):
    """On the first 60 sentences of the test: within what chance allows of the score of all."""
    if not (local := os.environ.get("COURSE_DATA")) or not Path(local).is_dir():
        pytest.skip("Tatoeba's sentences are not on this machine")
    _, _, test, _ = tatoeba.french_english()
    french, english = zip(*test[:60], strict=True)
    assert 40 < translation_scores(translator.translate_all(french, beam=4), english)["bleu"] < 66
