"""Five sets of vectors of one text: skip-gram, CBOW by two gradients, GloVe, PPMI with SVD; three seeds."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from course.data import fairy_tales, word_similarity
from course.data.analogies import questions
from course.studies.word_tests import analogy_scores, as_people_judge, rank_of
from course.text.cooccurrence import GloveSettings, cooccurrence, ppmi, svd_vectors, train_glove
from course.text.vectors import WordVectors
from course.text.word2vec import Settings
from course.text.word2vec import train as train_word2vec
from course.training.log import Log

SEEDS = (0, 1, 2)
LEAST, WINDOW, D = 5, 5, 100  # a word must be seen so often; words on either side; numbers a vector
DIMENSIONS = (2, 5, 10, 20, 50, 100, 200, 300)
SKIP_GRAM = Settings(d=D, window=WINDOW, epochs=15, lr=0.05, batch=512, threshold=1e-4)
CBOW = Settings(d=D, window=WINDOW, epochs=15, lr=0.15, batch=256, threshold=1e-4)
CBOW_C = CBOW._replace(lr=0.05)
GLOVE = GloveSettings(d=D, epochs=20)


@dataclass(frozen=True)
class Corpus:
    """The words that have vectors, most frequent first, and the sentences in their numbers."""

    words: list[str]
    sentences: list[list[int]]


def corpus(sentences: Sequence[Sequence[str]], least: int = LEAST) -> Corpus:
    """Words seen ``least`` times or more; others are taken out of their sentences, and neighbours move up."""
    counts = Counter(word for sentence in sentences for word in sentence)
    words = sorted((word for word, n in counts.items() if n >= least), key=lambda word: (-counts[word], word))
    ids = {word: id for id, word in enumerate(words)}
    known = ([ids[word] for word in sentence if word in ids] for sentence in sentences)
    return Corpus(words, [sentence for sentence in known if len(sentence) > 1])


METHODS: dict[str, Callable[[Corpus, int], tuple[Tensor, dict]]] = {}


def method(name: str) -> Callable:
    def add(f: Callable) -> Callable:
        METHODS[name] = f
        return f

    return add


@method("PPMI + SVD")
def _(text: Corpus, seed: int) -> tuple[Tensor, dict]:
    counts = cooccurrence(text.sentences, len(text.words), WINDOW)
    return svd_vectors(ppmi(counts), D, power=1.0, seed=seed), {"pairs": int((counts > 0).sum())}


@method("skip-gram")
def _(text: Corpus, seed: int) -> tuple[Tensor, dict]:
    return word2vec(text, "skip-gram", SKIP_GRAM._replace(seed=seed))


@method("GloVe")
def _(text: Corpus, seed: int) -> tuple[Tensor, dict]:
    losses = []
    counts = cooccurrence(text.sentences, len(text.words), WINDOW)
    vectors = train_glove(
        counts, GLOVE._replace(seed=seed), lambda epoch, loss: losses.append(round(loss, 4))
    )
    return vectors, {"losses": losses}


@method("CBOW")
def _(text: Corpus, seed: int) -> tuple[Tensor, dict]:
    return word2vec(text, "CBOW", CBOW._replace(seed=seed))


@method("CBOW of word2vec.c")
def _(text: Corpus, seed: int) -> tuple[Tensor, dict]:
    return word2vec(text, "CBOW of word2vec.c", CBOW_C._replace(seed=seed))


def word2vec(text: Corpus, kind: str, settings: Settings) -> tuple[Tensor, dict]:
    losses = []

    def watch(step: int, steps: int, loss: float, vectors: Tensor) -> None:
        losses.append((step, round(loss, 4)))

    vectors = train_word2vec(text.sentences, len(text.words), kind, settings, watch)
    return vectors, {"losses": losses[:: max(1, len(losses) // 20)]}


def cell(text: Corpus, name: str, seed: int) -> tuple[Tensor, dict]:
    """One method's vectors and everything that is told of them."""
    began, cpu = time.perf_counter(), time.process_time()
    vectors, log = METHODS[name](text, seed)
    took = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    vectors = vectors.half()
    return vectors, {**scores(WordVectors(text.words, vectors.float())), **took, **log}


def scores(words: WordVectors) -> dict:
    """Analogies, likeness, and the lecture's example: queen's rank, the inputs left out and left in."""
    example = ("man", "king", "woman")
    judged = {
        name: as_people_judge(words, word_similarity.judgements(name)) for name in word_similarity.LISTS
    }
    return {
        "analogies": analogy_scores(words, questions(words.ids)),
        "likeness": {name: {"rho": round(rho, 4), "pairs": n} for name, (rho, n) in judged.items()},
        "queen": {
            "left out": rank_of(words, "queen", *example),
            "left in": rank_of(words, "queen", *example, leave_out=False),
            "first, left in": words.analogy(*example, k=1, leave_out=False)[0].word,
        },
        "near king": [word for word, _ in words.nearest("king", 5)],
    }


def train(folder: str | Path, device: str = "cpu", seeds: Sequence[int] = SEEDS) -> list[dict]:
    """Train every method with every seed, or those that the log in ``folder`` lacks; then write what ships.

    Leaves ``log.jsonl``, and of seed 0 ``vectors.safetensors`` (float16), ``words.json``; gives back the log.
    On the CPU, whatever the device: a step is small.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text, log = corpus(fairy_tales.sentences()), Log(folder / "log.jsonl")
    (folder / "words.json").write_text(json.dumps(text.words) + "\n", encoding="utf-8", newline="\n")
    done = {(line["method"], line["seed"]) for line in log.read()}
    for seed in seeds:
        for name in METHODS:
            if (name, seed) in done:
                continue
            vectors, told = cell(text, name, seed)
            if seed == 0:
                keep(folder / "vectors.safetensors", name, vectors)
            log.write({"step": len(log.read()), "method": name, "seed": seed, **told})
    return log.read()


def keep(path: Path, name: str, vectors: Tensor) -> None:
    """Add a method's vectors to a file."""
    had = load_file(path) if path.exists() else {}
    part = path.with_suffix(".part")
    save_file(had | {name: vectors.contiguous()}, part)
    part.replace(path)


def by_dimension(text: Corpus, dimensions: Sequence[int] = DIMENSIONS, seed: int = 0) -> list[dict]:
    """The score of "family" and of all sections together by how many numbers a vector has (PPMI + SVD)."""
    counts = cooccurrence(text.sentences, len(text.words), WINDOW)
    whole = svd_vectors(ppmi(counts), max(dimensions), power=1.0, seed=seed)
    rows = []
    for d in dimensions:
        found = analogy_scores(WordVectors(text.words, whole[:, :d]), questions(set(text.words)))
        rows.append({
            "d": d,
            "family": found["family"]["left out"] / found["family"]["questions"],
            "all": sum(s["left out"] for s in found.values()) / sum(s["questions"] for s in found.values()),
        })  # fmt: skip
    return rows
