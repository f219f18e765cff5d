"""The shipped GPT that converses: a million parameters that have read how tickets are bought.

It reads conversations as rows of tokens in which a mark says who speaks and another that a turn is over. What
the marks, the stop and the history are worth is measured on dialogues that it never saw.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from course.data import dialogues
from course.data.dialogues import Dialogue
from course.models.chat import MARKS, ChatModel, marks_of
from course.models.gpt import GPT, GPTConfig
from course.studies import conversation
from course.studies.conversation import Interval
from course.text.chat import conversation_ids
from course.text.ngrams import NGram
from course.text.tokenizers import BOS, Tokenizer
from course.training.batches import WindowBatches
from course.training.recipes.characters import whole_loss
from course.training.report import write_report
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

VOCABULARY, BATCH = 1024, 6
SIZES = {"d_model": 128, "n_heads": 4, "n_layers": 4, "max_length": 256, "dropout": 0.0}
TRAINING = TrainingConfig(
    steps=1200,
    peak_lr=3e-3,
    warmup=80,
    decay="cosine",
    betas=(0.9, 0.99),
    eps=1e-8,
    weight_decay=0.1,
    bfloat16=False,
    log_every=50,
    save_every=200,
    seed=0,
)
KEEPS = (None, 6, 4, 2, 0)
BANDS = ((1, 1), (2, 2), (3, 4), (5, 6), (7, 10), (11, 30))
SCORED = 20_000
"""Held-out tokens that the loss is the mean of."""
REPLIES = 150
"""Dialogues of which one reply is written, to see how it ends."""

CARD = """\
# Conversations

A GPT of {parameters:.2f} million parameters that takes turns, stored as float16. Its byte-level BPE is
`tokenizer.json`, in which `<user>`, `<assistant>` and `<eos>` (the end of a turn) are tokens that no text
holds.

- Data: {texts:,} of the Schema-Guided Dialogues in lower case (Rastogi et al. 2020), CC BY-SA 4.0, and so is
this model; {left:,} held out
- Split: {trained:,} tokens; held out, {held_out:,}
- Sizes: `{sizes}`
- Training: `{settings}`, {batch} windows a batch
- Cost: {last[step]} steps in {minutes:.0f} minutes on {device}, other work running; {epochs:.1f} times the
training text
- It knows nothing: a price or an address that it names is made up.

Loss on the first 20,000 held-out tokens, both speakers' turns, beside a model that counts three tokens in a
row in the same dialogues (interpolated after Witten and Bell):

| model | nats a token |
|---|---:|
{rows}

One reply of the assistant's in each held-out dialogue, as people wrote it, in nats a token (95 % interval
over dialogues):

| what is read before it | loss |
|---|---:|
{ways}

Of {replies} replies written (likeliest tokens, at most 60), {ended} end with the mark.

Given a reply up to a city or a time of day that was said before, does the model go on with it? Share, by how
many turns ago it was last said; 95 % intervals. "Said last": the plain rule that takes the city, or the time,
said last in all that came before.

| turns read | {bands} |
|---|{bars}
{table}
"""


def train(folder: str | Path, device: str = "cpu", progress: bool = True) -> GPT:
    """Repeat the recipe, or go on with it, in ``folder``."""
    folder, (known, others) = Path(folder), dialogues.dialogues()
    texts = [turn.text for dialogue in known for turn in dialogue]
    tokenizer = Tokenizer.train(texts, VOCABULARY, lower_case=True, marks=MARKS)
    trained, held_out = stream(tokenizer, known), stream(tokenizer, others)
    torch.manual_seed(TRAINING.seed)
    model = GPT(GPTConfig(len(tokenizer), **SIZES))
    batches = WindowBatches(trained, model.config.max_length, BATCH, TRAINING.seed)

    def watch(model: GPT) -> dict[str, float]:
        return {"validation_loss": whole_loss(model, held_out[:SCORED])}

    model = Trainer(model, batches, TRAINING, folder, device, watch).run(progress)
    model.save(folder / "model", torch.float16)
    tokenizer.save(folder / "model" / "tokenizer.json")
    shipped = ChatModel.from_pretrained(folder / "model")
    scores = {"trained": len(trained), "held_out": len(held_out), "texts": len(known), "left": len(others)}
    counting = NGram(trained, 3, len(tokenizer)).loss(held_out[:SCORED])
    scores["nats_a_token"] = {"trigram": counting, "GPT": whole_loss(shipped.gpt, held_out[:SCORED])}
    write_scores(folder, shipped, others, scores, device)
    return shipped.gpt


def write_scores(
    folder: Path, model: ChatModel, others: Sequence[Dialogue], scores: dict, device: str
) -> None:
    """Measure a trained model on dialogues that it never saw; leaves ``scores.json`` and the card."""
    scores |= evaluate(model, others)
    write_report(folder, scores, card(model, scores, Log(folder / "log.jsonl").read()[-1], device))
    text = (folder / "scores.json").read_text(encoding="utf-8")
    (folder / "model" / "scores.json").write_text(text, encoding="utf-8", newline="\n")


def stream(tokenizer: Tokenizer, known: Sequence[Dialogue]) -> list[int]:
    """All dialogues in a row, <bos> before each."""
    marks = marks_of(tokenizer)
    return [id for turns in known for id in (BOS, *conversation_ids(turns, tokenizer.encode, marks))]


def evaluate(model: ChatModel, others: Sequence[Dialogue]) -> dict:
    """What marks, stop and history are worth."""
    cases = list(conversation.held_values(others))
    ended = sum(model.reply(turns[: len(turns) // 4 * 2 + 1]).ended for turns in others[:REPLIES])
    return {
        "replies": conversation.mean_of(conversation.reply_losses(model, others)),
        "ended": [ended, min(REPLIES, len(others))],
        "bands": BANDS,
        "values": [sum(a <= case.distance <= b for case in cases) for a, b in BANDS],
        "held": {
            str(keep): conversation.by_distance(cases, conversation.goes_on(model, cases, keep), BANDS)
            for keep in KEEPS
        },
        "said last": conversation.by_distance(cases, conversation.latest(cases), BANDS),
    }


def card(model: ChatModel, scores: dict, last: dict[str, float], device: str) -> str:
    """The checkpoint's README."""
    named = {("all that fit" if keep == "None" else keep): row for keep, row in scores["held"].items()}
    table = [_row(keep, row) for keep, row in named.items()] + [_row("said last", scores["said last"])]
    ways = {way: x for way, x in scores["replies"].items() if not way.endswith("more")}
    return CARD.format(
        parameters=sum(parameter.numel() for parameter in model.gpt.parameters()) / 1e6,
        sizes=json.dumps(asdict(model.gpt.config)),
        settings=json.dumps(asdict(TRAINING)),
        batch=BATCH,
        last=last,
        minutes=last["seconds"] / 60,
        device=device_name(device),
        epochs=last["tokens"] / scores["trained"],
        rows="\n".join(f"| {name} | {x:.3f} |" for name, x in scores["nats_a_token"].items()),
        ways="\n".join(
            f"| {way} | {Interval(*x).value:.2f} ({x[1]:.2f}–{x[2]:.2f}) |" for way, x in ways.items()
        ),
        replies=scores["ended"][1],
        ended=scores["ended"][0],
        bands=" | ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in BANDS),
        bars="---:|" * len(BANDS),
        table="\n".join(table),
        **{name: scores[name] for name in ("texts", "left", "trained", "held_out")},
    )


def _row(name: str, row: Sequence[Sequence[float]]) -> str:
    cells = " | ".join(f"{x[0]:.2f} ({x[1]:.2f}–{x[2]:.2f})" for x in row)
    return f"| {name} | {cells} |"
