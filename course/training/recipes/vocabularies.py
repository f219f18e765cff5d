"""What a vocabulary does to a model: one text, one body, equal compute, vocabularies of five sizes.

A larger vocabulary has fewer tokens for a text, and so more text in a window and in a budget; it also has a
larger table to learn and a dearer softmax. The scores are in bits a character, which tokens do not change.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import torch

from course.data import fairy_tales
from course.models.gpt import GPT, GPTConfig
from course.studies.flops import block_flops
from course.text.ngrams import NGram
from course.text.tokenizers import Tokenizer
from course.training.batches import WindowBatches
from course.training.log import Log
from course.training.recipes.characters import whole_loss
from course.training.recipes.texts import stream, write_scores
from course.training.report import wrapped
from course.training.trainer import Trainer, TrainingConfig, device_name

SIZES = (259, 512, 1024, 2048, 8192)  # the first is the 256 bytes and what every tokenizer has besides
SEEDS = range(3)
BUDGETS = (5e11, 2e12)  # floating-point operations
BODY = {"d_model": 96, "n_heads": 4, "n_layers": 3, "max_length": 128, "dropout": 0.0}
BATCH, LR, HELD_OUT = 8, 3e-3, 0.02

CARD = """\
# What a vocabulary does to a model

No model, but what came of training {runs} GPTs of {n_layers} layers, {d_model} wide, on the text of
`word-vectors` (TinyStories' start, the Grimms' and Jacobs's tales; CDLA-Sharing-1.0 and public domain), each
with a byte-level BPE of another size, made of the same text. Runs have one of two budgets of floating-point
operations, the softmax's among them; windows are of {max_length} tokens, the learning rate peaks at {lr} for
all (none was tuned). Bits a character on the last fiftieth of each text, by seeds: mean (lowest to highest);
the trigram counts the same tokens. On {device}, other work running. `log.jsonl` has every run.

| operations | tokens | parameters | steps | characters a token | million read | bits a character | trigram |
|---:|---:|---:|---:|---:|---:|---:|---:|
{rows}
"""


def train(folder: str | Path, device: str = "cpu") -> list[dict]:
    """Train every seed, budget and size that the log in ``folder`` lacks; leaves log, scores and a card."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    prepare = cache(prepared)  # a size's text and trigram are the same for its every run

    def run(seed: int, flops: float, size: int) -> dict:
        return cell(seed, flops, prepare(size), folder / f"{seed}-{flops}-{size}", device)

    names, runs = ("seed", "flops", "vocabulary"), product(SEEDS, BUDGETS, SIZES)
    scores = summary(Log(folder / "log.jsonl").fill(names, runs, run))
    write_scores(folder / "scores.json", scores)
    (folder / "README.md").write_text(wrapped(card(scores, device)), encoding="utf-8", newline="\n")
    return scores


class Prepared(NamedTuple):
    """What the runs of one vocabulary share: the text as its tokens, and what the trigram makes of it."""

    tokens: int
    trained: list[int]
    unseen: list[int]
    trigram: float


def prepared(size: int) -> Prepared:
    """Learn a vocabulary of this size from the text; cut the text by it; count its trigrams."""
    texts, held_out = parts()
    tokenizer = Tokenizer.train(texts, size)
    trained, unseen = stream(tokenizer, texts), stream(tokenizer, held_out)
    trigram = bits(NGram(trained, 3, len(tokenizer)).loss(unseen), unseen, held_out)
    return Prepared(len(tokenizer), trained, unseen, trigram)


def cell(seed: int, flops: float, text: Prepared, folder: Path, device: str = "cpu") -> dict:
    """One vocabulary's model, trained; and what is told of it."""
    texts, held_out = parts()
    torch.manual_seed(seed)
    model = GPT(GPTConfig(text.tokens, **BODY))
    steps = round(flops / step_flops(model.config))
    config = TrainingConfig(steps=steps, peak_lr=LR, warmup=min(50, steps), decay="cosine", seed=seed)
    batches = WindowBatches(text.trained, model.config.max_length, BATCH, seed)
    model = Trainer(model, batches, config, folder, device).run()
    each = sum(map(len, texts)) / len(text.trained)  # characters of a token
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": steps,
        "characters a token": each,
        "characters read": round(steps * BATCH * model.config.max_length * each),
        "bits": bits(whole_loss(model.eval(), text.unseen), text.unseen, held_out),
        "trigram": text.trigram,
    }


def parts() -> tuple[list[str], list[str]]:
    """Each text up to where its last fiftieth begins, and from there."""
    texts = fairy_tales.texts()
    cuts = [round(len(text) * (1 - HELD_OUT)) for text in texts]
    pairs = list(zip(texts, cuts, strict=True))
    return [text[:cut] for text, cut in pairs], [text[cut:] for text, cut in pairs]


def step_flops(config: GPTConfig) -> int:
    """What one step takes, forward and back: the blocks and the logits of all windows of a batch."""
    d, n = config.d_model, config.max_length
    forward = config.n_layers * block_flops(d, 4 * d, n, n) + 2 * d * config.vocab_size * n
    return 3 * BATCH * forward


def bits(nats_a_token: float, ids: list[int], texts: list[str]) -> float:
    """Bits a character, of a loss in nats a token."""
    return nats_a_token * len(ids) / sum(map(len, texts)) / math.log(2)


def summary(log: list[dict]) -> list[dict]:
    """A row for each budget and size: the mean, the lowest and the highest of its seeds."""
    rows = []
    for flops, size in sorted({(line["flops"], line["vocabulary"]) for line in log}):
        runs = [line for line in log if (line["flops"], line["vocabulary"]) == (flops, size)]
        found = [line["bits"] for line in runs]
        spread = [round(x, 4) for x in (sum(found) / len(found), min(found), max(found))]
        same = {name: runs[0][name] for name in ("flops", "vocabulary", "parameters", "steps")}
        read = {name: runs[0][name] for name in ("characters a token", "characters read")}
        trigram = round(runs[0]["trigram"], 4)
        rows.append({**same, **read, "seeds": len(runs), "bits": spread, "trigram": trigram})
    return rows


def card(scores: list[dict], device: str) -> str:
    """What was trained, and the table of the outcome."""
    rows = "\n".join(map(line_of, scores))
    runs = sum(r["seeds"] for r in scores)
    return CARD.format(runs=runs, lr=LR, device=device_name(device), rows=rows, **BODY)


def line_of(r: dict) -> str:
    sizes = f"| {r['flops']:.0e} | {r['vocabulary']:,} | {r['parameters']:,} | {r['steps']:,} "
    read = f"| {r['characters a token']:.2f} | {r['characters read'] / 1e6:.1f} "
    return sizes + read + "| {:.3f} ({:.3f} to {:.3f}) ".format(*r["bits"]) + f"| {r['trigram']:.3f} |"
