"""The recipe of the word vectors: it goes on where it stopped; what ships is what is said of it."""

import json

import pytest
import torch
from safetensors.torch import load_file

from course.checkpoints import SHIPPED
from course.text.vectors import WordVectors
from course.training.log import Log
from course.training.recipes import word_vectors
from course.training.recipes.word_vectors import METHODS, corpus, summary, train

FOLDER = SHIPPED / "word-vectors"


def scores() -> dict:
    return json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))


def of(method: str) -> dict:
    return next(row for row in scores()["methods"] if row["method"] == method)


def test_rare_words_are_taken_out_and_the_most_frequent_is_first():
    text = corpus([["b", "a", "x", "a"], ["a", "b"], ["x"], ["c", "a"]], least=2)
    assert text.words == ["a", "b", "x"] and text.sentences == [[1, 0, 2, 0], [0, 1]]


def test_it_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    told = {"analogies": {}, "seconds": 1.0}
    made = []

    def cell(text, name, seed):
        made.append((name, seed))
        return torch.full((2, 3), float(len(made))).half(), told

    monkeypatch.setattr(word_vectors, "cell", cell)
    monkeypatch.setattr(word_vectors, "report", lambda folder, text: None)
    monkeypatch.setattr(word_vectors.fairy_tales, "sentences", lambda: [["a", "b"]] * 9)
    seeds = dict.fromkeys(METHODS, 2) | {"CBOW": 1}
    log = train(tmp_path, seeds=seeds)
    wanted = [(name, seed) for seed in (0, 1) for name in METHODS if seed < seeds[name]]
    assert made == wanted and len(log) == len(made)
    lines = (tmp_path / "log.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "log.jsonl").write_text("".join(lines[:7]))
    train(tmp_path, seeds=seeds)
    assert made[len(log) :] == made[7 : len(log)]
    assert set(load_file(tmp_path / "vectors.safetensors")) == set(METHODS)


def test_the_shipped_scores_are_those_of_the_shipped_log():
    assert scores()["methods"] == summary(Log(FOLDER / "log.jsonl").read())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_ships_a_vector_for_each_word(method):
    words = WordVectors.shipped(method)
    assert words.vectors.shape == (5122, 100) and torch.isfinite(words.vectors).all()
    assert (words.vectors.norm(dim=-1) > 0).all() and words.words[0] == "the"


def test_all_of_it_is_small():
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 6 * 2**20


def test_another_method_is_said():
    with pytest.raises(KeyError, match="skip-gram"):
        WordVectors.shipped("fastText")


def test_what_the_notebook_says_holds():
    """Lecture row L3.6.d: queen is first where the inputs are left out, and king is where they are not."""
    best = of("PPMI + SVD")
    assert best["family, left out"][1] > 0.5 and best["family, left in"][2] < 0.1
    assert all(ranks[0] == 1 for ranks in best["queen"])
    words = WordVectors.shipped("PPMI + SVD")
    assert words.analogy("man", "king", "woman", 1)[0].word == "queen"
    for method in METHODS:
        assert (
            WordVectors.shipped(method).analogy("man", "king", "woman", 1, leave_out=False)[0].word == "king"
        )


def test_what_the_notebook_says_of_five_seeds_holds():
    log = Log(FOLDER / "log.jsonl").read()
    family = {
        name: [line["analogies"]["family"]["left out"] for line in log if line["method"] == name]
        for name in METHODS
    }
    assert {len(found) for found in family.values()} == {5}
    assert all(a > b for a, b in zip(family["CBOW of word2vec.c"], family["CBOW"], strict=True))
    ranks = {name: [out for out, _ in of(name)["queen"]] for name in METHODS}
    assert {1, 2} <= set(ranks["GloVe"]) <= {1, 2} and {1, 2, 3} == set(ranks["CBOW of word2vec.c"])
    assert min(ranks["skip-gram"] + ranks["CBOW"]) == 19
    for judged in ("WordSim-353", "SimLex-999", "MEN"):
        assert of("skip-gram")[judged][0] > of("PPMI + SVD")[judged][0]


def test_length_rewards_frequency_in_gloves_inner_products():
    """Lecture row L3.8.b."""
    words = WordVectors.shipped("GloVe")
    assert words.nearest("king", 1, "inner product")[0].word == "the"
    assert words.nearest("king", 1, "cosine")[0].word == "queen"


def test_more_dimensions_hold_more():
    """Lecture row L3.8.a."""
    by = {row["d"]: row["all"] for row in scores()["by_dimension"]}
    assert by[2] < by[10] < by[50] < by[100]
