"""What does somebody want? Twenty intents, ten labels each, by the shipped BERT; then the pipe to the GPT.

The logged run behind notebook 13's tables: the BERT fine-tuned, the same from scratch and naive Bayes, over
several draws of the labels; and what the GPT answers alone, and behind each of them.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, stdev

import torch

from course import checkpoints
from course.data import intents
from course.data.examples import Labelled
from course.models.bert_heads import BertForPreTraining
from course.models.chat import ChatModel
from course.studies.downstream import Classification
from course.studies.fine_tuning import Settings, answer, fine_tune
from course.studies.routing import alone, pipe, shares
from course.text.wordpiece import WordPiece
from course.training.report import wrapped
from course.training.trainer import device_name

DRAWS, LABELS, ASKED = 5, 10, 10
"""Draws of the labels; labels an intent; requests an intent that the pipe is tried on."""
SETTINGS = Settings(steps=120, batch=16, lr=5e-4)
T95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}
"""Student's t for the interval of a mean of so many."""

CARD = """\
# Twenty intents, ten labels each, and the pipe

No model, but scores: `bert-small` fine-tuned and from scratch, and naive Bayes, on twenty intents of CLINC150
(Larson et al. 2019, CC BY 3.0), {labels} labels each, {draws} draws of them; 600 requests to test with.
Settings: `{settings}`; on {device}, other work running.

| | accuracy, mean of {draws} draws (95 % interval) | each |
|---|---:|---|
{rows}

The pipe, on {asked} of the test's requests: is the reply about what was wanted (for ten intents that the
dialogues serve: it holds a word of the subject; for ten that they do not: it says so)?

| the intent is said by | served | not served |
|---|---:|---:|
{pipe}
"""


def train(folder: str | Path, device: str = "cpu") -> dict:
    """Repeat the recipe in ``folder``: ``scores.json`` and a card. A run that was broken off goes on."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    corpus, path = intents.requests(), folder / "scores.json"
    scores = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"draws": []}
    bert = BertForPreTraining.from_pretrained("bert-small").bert
    tokenizer = WordPiece.load(checkpoints.find_file("bert-small", "tokenizer.json"))
    for draw in range(len(scores["draws"]), DRAWS):
        scores["draws"].append(of_draw(corpus, draw, bert, tokenizer))
        path.write_text(json.dumps(scores) + "\n", encoding="utf-8", newline="\n")
    scores["pipe"] = piped(corpus.test, scores["draws"], ChatModel.from_pretrained("gpt-dialogue"))
    shown = {"draws": [{way: found["accuracy"] for way, found in d.items()} for d in scores["draws"]]}
    shown["pipe"] = scores["pipe"]
    (folder / "result.json").write_text(json.dumps(shown, indent=1) + "\n", encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(wrapped(card(shown, device)), encoding="utf-8", newline="\n")
    return shown


def drawn(train: list[Labelled], draw: int, labels: int = LABELS) -> list[Labelled]:
    """So many of each intent; another draw has none of the same."""
    by_intent: dict[str, list[Labelled]] = {}
    for example in train:
        by_intent.setdefault(example.label, []).append(example)
    order = torch.randperm(min(map(len, by_intent.values())), generator=torch.Generator().manual_seed(0))
    chosen = order[draw * labels : (draw + 1) * labels].tolist()
    return [examples[i] for examples in by_intent.values() for i in chosen]


def of_draw(corpus: intents.Corpus, draw: int, bert, tokenizer: WordPiece) -> dict:
    """The answers and the accuracy of each way of learning, for one draw of labels."""
    task, examples = Classification(intents.LABELS), drawn(corpus.train, draw)
    ways = {"naive Bayes": task.baseline(examples)(corpus.test)}
    for how in ("fine-tuned", "from scratch"):
        settings = Settings(**asdict(SETTINGS) | {"seed": draw})
        model = fine_tune(bert, task, tokenizer, examples, how, settings)
        ways[how] = answer(model, task, tokenizer, corpus.test)
    return {
        how: {"accuracy": round(task.score(corpus.test, says), 4), "says": says} for how, says in ways.items()
    }


def piped(test: list[Labelled], draws: list[dict], chat: ChatModel) -> dict:
    """Right replies by who says the intent: nobody, naive Bayes, the BERTs of all draws, the truth."""
    seen: dict[str, int] = {}
    asked = []
    for number, example in enumerate(test):
        seen[example.label] = seen.get(example.label, 0) + 1
        if seen[example.label] <= ASKED:
            asked.append(number)
    kept: dict[tuple[str, str], str] = {}

    def reply(text: str, intent: str) -> str:
        if (text, intent) not in kept:
            kept[text, intent] = pipe(text, intent, chat).reply
        return kept[text, intent]

    requests = [(test[i].text, test[i].label) for i in asked]
    found = {"nobody": [shares(requests, lambda text, _: alone(text, chat).reply)]}
    for how in ("naive Bayes", "from scratch", "fine-tuned"):
        said = [{test[i].text: draw[how]["says"][i] for i in asked} for draw in draws]
        found[how] = [shares(requests, lambda text, _, of=of: reply(text, of[text])) for of in said]
    return found | {"the truth": [shares(requests, reply)]}


def mean_and_interval(values: list[float]) -> tuple[float, float, float]:
    """The mean of some draws, and its 95 % interval by Student's t."""
    mean, half = fmean(values), T95[len(values)] * stdev(values) / len(values) ** 0.5
    return mean, mean - half, mean + half


def card(scores: dict, device: str) -> str:
    """The README."""
    rows = []
    for how in ("naive Bayes", "from scratch", "fine-tuned"):
        values = [draw[how] for draw in scores["draws"]]
        mean, low, high = mean_and_interval(values)
        each = ", ".join(f"{value:.3f}" for value in values)
        rows.append(f"| {how} | {mean:.3f} ({low:.3f}–{high:.3f}) | {each} |")
    lines = []
    for who, found in scores["pipe"].items():
        cells = [fmean(of[kind][0] / of[kind][1] for of in found) for kind in ("served", "not served")]
        lines.append(f"| {who} | {cells[0]:.1%} | {cells[1]:.1%} |")
    return CARD.format(
        labels=LABELS, draws=len(scores["draws"]), settings=json.dumps(asdict(SETTINGS)),
        device=device_name(device), rows="\n".join(rows), pipe="\n".join(lines),
        asked=ASKED * len(intents.LABELS),
    )  # fmt: skip
