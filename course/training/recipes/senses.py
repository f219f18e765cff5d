"""Two senses of a word, from few labels: what two ways, one way, counting and no pre-training make of them.

Two questions, asked of the shipped models as they are. *What stands in the vector at the word?* A logistic
regression reads it, of BERT and of its causal twin, the twin's at the sentence's end besides. *Does
pre-training save labels?* The whole encoder is fine-tuned, and one of the same sizes that never read
anything. Naive Bayes has the same labels throughout. Leaves ``scores.json``, which is gone on with, the
probes for *know*, and a card.
"""

import json
from collections import Counter
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from course.checkpoints import find_file
from course.data import senses
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.studies.baselines import NaiveBayes
from course.studies.downstream import Classification
from course.studies.fine_tuning import Settings, answer, fine_tune
from course.studies.word_probe import (
    Probe,
    balanced,
    baseline_scores,
    fit_probe,
    probe_scores,
    save_probes,
    vectors_at,
)
from course.text.wordpiece import WordPiece
from course.training.report import wrapped
from course.training.trainer import device_name

NAMES = ("bert-small", "bert-small-causal")
SIZES, DRAWS = (16, 64, 256, 512), 10
"""Labels that a probe learns from, half of each sense, and how often they are drawn."""
TUNED, TUNED_DRAWS = (64, 256), 3
STEPS, BATCH, RATE = 120, 16, 3e-4
WAYS = ("two ways, at the word", "one way, at the word", "one way, at the end", "naive Bayes")
TUNED_WAYS = ("fine-tuned", "from scratch", "naive Bayes")

CARD = """\
# Two senses of a word

No model, but what came of asking two: of English sentences with *know*, is it *savoir* or *connaître*? The
French of Tatoeba's pairs says so (CC BY 2.0), and no annotator. Likewise *time* (*fois* or *temps*) and
*like* (*aimer* or *comme*). Means over draws of labels (half of each sense) and of a balanced test, with the
standard deviation of the draws; on {device}, other work running. The English sentences are among those that
both models have read, without their French.

Read off one vector of `bert-small`, or of its causal twin, by a logistic regression; nothing else learns:

| word | labels | draws | tested on | {ways} |
|---|---:|---:|---:|{lines}
{rows}

`probes.safetensors`: for *know*, such a regression of each vector from as many labels as there are.

The whole encoder tuned, from [CLS], in {steps} steps of {batch}, at a peak rate of {rate:g}:

| word | labels | draws | tested on | {tuned_ways} |
|---|---:|---:|---:|{tuned_lines}
{tuned_rows}
"""


def train(folder: str | Path, device: str = "cpu") -> list[dict]:
    """Measure all, or what is not in the folder's ``scores.json`` yet."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "scores.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    tokenizer = WordPiece.load(find_file(NAMES[0], "tokenizer.json"))
    models = BertForPreTraining.from_pretrained(NAMES[0]), CausalBert.from_pretrained(NAMES[1])
    done = {(row["what"], row["word"]) for row in rows}
    for what, word in (*(("probe", word) for word in senses.SENSES), ("tuned", senses.WORD)):
        if (what, word) not in done:
            corpus = senses.of(word)
            if what == "probe":
                found = vectors(*models, tokenizer, word, corpus)
                rows += probed(found, word, corpus)
                if word == senses.WORD:
                    save_probes(last_probes(found, corpus), folder / "probes.safetensors")
            else:
                rows += tuned(models[0], tokenizer, word, corpus)
            path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(wrapped(card(rows, device)), encoding="utf-8", newline="\n")
    return rows


Vectors = dict[str, tuple[Tensor, Tensor]]
"""For each way the vectors of the part to learn from, and of the part to test with."""


def vectors(
    bert: BertForPreTraining, twin: CausalBert, tokenizer: WordPiece, word: str, corpus: senses.Corpus
) -> Vectors:
    """What both models make of a word where it stands, and the twin of the sentence's end."""
    asked = {WAYS[0]: (bert, word), WAYS[1]: (twin, word), WAYS[2]: (twin, None)}
    return {
        way: tuple(
            vectors_at(lambda ids, model=model: model.read(ids)[0], tokenizer, [x.text for x in part], at)
            for part in corpus
        )
        for way, (model, at) in asked.items()
    }


def probed(found: Vectors, word: str, corpus: senses.Corpus) -> list[dict]:
    """For each number of labels the scores of all draws."""
    labels, rows = tuple([x.label for x in part] for part in corpus), []
    for size in _possible(SIZES, labels[0]):
        scores = {way: probe_scores(both, labels, size, DRAWS) for way, both in found.items()}
        scores["naive Bayes"] = baseline_scores(NaiveBayes.fit, corpus, size, DRAWS)
        rows.append(_row("probe", word, size, corpus, scores))
    return rows


def last_probes(found: Vectors, corpus: senses.Corpus) -> dict[str, Probe]:
    """A probe of each way from as many labels as there are, half of each sense: to try sentences with."""
    labels = [x.label for x in corpus.train]
    chosen = balanced(labels, min(Counter(labels).values()), 0)
    y = torch.tensor([sorted(set(labels)).index(labels[i]) for i in chosen])
    return {way: fit_probe(train[chosen], y) for way, (train, _) in found.items()}


def tuned(bert: BertForPreTraining, tokenizer: WordPiece, word: str, corpus: senses.Corpus) -> list[dict]:
    """The same task by the whole encoder, with and without what pre-training made of it."""
    task, rows = Classification(tuple(senses.SENSES[word])), []
    labels = [x.label for x in corpus.test]
    each = min(Counter(labels).values())
    for size in _possible(TUNED, [x.label for x in corpus.train]):
        scores: dict[str, list[float]] = {way: [] for way in TUNED_WAYS}
        for draw in range(TUNED_DRAWS):
            chosen = balanced([x.label for x in corpus.train], size // 2, draw)
            examples = [corpus.train[i] for i in chosen]
            test = [corpus.test[i] for i in balanced(labels, each, draw)]
            scores["naive Bayes"].append(task.score(test, task.baseline(examples)(test)))
            for how in ("fine-tuned", "from scratch"):
                settings = Settings(STEPS, BATCH, RATE, seed=draw)
                model = fine_tune(bert.bert, task, tokenizer, examples, how, settings)
                scores[how].append(task.score(test, answer(model, task, tokenizer, test)))
        rows.append(_row("tuned", word, size, corpus, scores))
    return rows


def _possible(sizes: tuple[int, ...], labels: list[str]) -> list[int]:
    """The sizes for which the rarer sense has enough examples."""
    return [size for size in sizes if size // 2 <= min(Counter(labels).values())]


def _row(what: str, word: str, size: int, corpus: senses.Corpus, scores: dict[str, list[float]]) -> dict:
    tested = 2 * min(Counter(x.label for x in corpus.test).values())
    rounded = {way: [round(score, 4) for score in draws] for way, draws in scores.items()}
    return {"what": what, "word": word, "labels": size, "tested": tested, "scores": rounded}


def card(rows: list[dict], device: str) -> str:
    """What was measured, how, and a table of it."""
    return CARD.format(
        device=device_name(device),
        ways=" | ".join(WAYS),
        lines="---:|" * len(WAYS),
        rows=_lines(rows, "probe", WAYS),
        tuned_ways=" | ".join(TUNED_WAYS),
        tuned_lines="---:|" * len(TUNED_WAYS),
        tuned_rows=_lines(rows, "tuned", TUNED_WAYS),
        steps=STEPS,
        batch=BATCH,
        rate=RATE,
    )


def _lines(rows: list[dict], what: str, ways: tuple[str, ...]) -> str:
    lines = []
    for row in (row for row in rows if row["what"] == what):
        cells = [row["word"], row["labels"], len(row["scores"]["naive Bayes"]), row["tested"]]
        cells += [f"{fmean(row['scores'][way]):.3f} ± {_spread(row['scores'][way]):.3f}" for way in ways]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _spread(scores: list[float]) -> float:
    """The standard deviation of draws."""
    mean = fmean(scores)
    return (sum((score - mean) ** 2 for score in scores) / max(1, len(scores) - 1)) ** 0.5
