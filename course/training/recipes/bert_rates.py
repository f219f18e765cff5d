"""How much to hide, and behind what: one small BERT, trained at several rates and with several splits.

All read the same text in the same order for as many steps; only what masking does differs. What each has
learned is then asked in one and the same way.
"""

import dataclasses
from pathlib import Path

from course.masking import SPLIT
from course.models.bert_heads import BertForPreTraining
from course.studies.bert_pretraining import found_when, scores
from course.text.wordpiece import WordPiece
from course.training.recipes import bert_small
from course.training.recipes.bert import BertRecipe, Encoded, held_out_batches
from course.training.recipes.texts import write_scores
from course.training.report import wrapped
from course.training.trainer import Log, device_name

RATES = (0.05, 0.15, 0.3, 0.5, 0.8)
ONLY_MASK = (1.0, 0.0, 0.0)
SETTINGS = {**{f"{rate:.0%}": (rate, SPLIT) for rate in RATES}, "15%, 100/0/0": (0.15, ONLY_MASK)}
"""The name of each run, its rate and its split."""
STANDS = {"[MASK]": ONLY_MASK, "another token": (0.0, 1.0, 0.0), "itself": (0.0, 0.0, 1.0)}
"""What may stand, when it is tested, at the place that is asked about."""

CARD = """\
# How much to hide, and behind what

No model, but what came of training six: BERTs of {parameters:.2f} million parameters on `bert-small`'s text,
{steps} steps of {tokens} tokens each, on {device}, other work running. `log.jsonl` has their curves,
`scores.json` this table: the share of held-out tokens that are the likeliest of all, at 15 % of all places.

| trained at | 80/10/10 stands there | {stands} |
|---|---:|{lines}
{rows}
"""


def recipe(rate: float, split: tuple[float, float, float]) -> BertRecipe:
    """``bert_small``'s, smaller and shorter, with another rate and split."""
    small = bert_small.RECIPE
    model = small.model | {"d_model": 128, "n_heads": 2, "d_ff": 512, "n_layers": 2}
    training = dataclasses.replace(small.training, steps=1500, peak_lr=2e-3, warmup=150)
    return dataclasses.replace(small, model=model, training=training, rate=rate, split=split)


def train(folder: str | Path, device: str = "cpu") -> list[dict]:
    """Train all, or go on with them, each in a folder of its own; leaves logs, scores and a card of all."""
    folder, found = Path(folder), []
    log = Log(folder / "log.jsonl")
    log.path.unlink(missing_ok=True)
    for number, (name, setting) in enumerate(SETTINGS.items()):
        own = folder / str(number)
        model, tokenizer, _, held_out = recipe(*setting).fit(own, device)
        found.append({"name": name, "rate": setting[0], **asked(model, tokenizer, held_out)})
        for entry in Log(own / "log.jsonl").read():
            log.write({"name": name, **entry})
    write_scores(folder / "scores.json", found)
    (folder / "README.md").write_text(wrapped(card(model, found, device)), encoding="utf-8", newline="\n")
    return found


def asked(model: BertForPreTraining, tokenizer: WordPiece, held_out: Encoded) -> dict:
    """How well a model does on held-out text as BERT masks it, and with each thing at the places asked."""
    parts = held_out_batches(held_out, tokenizer, "masked", model.config.max_length)
    pairs = [*parts["segments"], *parts["singles"]]
    usual = scores(model, [batch for _, batch in pairs])
    rows = [some for some, _ in pairs]
    stands = {name: found_when(model, rows, tokenizer, split) for name, split in STANDS.items()}
    return usual | {"stands": stands}


def card(model: BertForPreTraining, found: list[dict], device: str) -> str:
    """What was trained, on what, and a table of the outcome."""
    rows = [
        " | ".join(
            [f"| {one['name']}", f"{one['accuracy']:.1%}", *(f"{x:.1%}" for x in one["stands"].values())]
        )
        for one in found
    ]
    any_recipe = recipe(*SETTINGS["15%"])
    return CARD.format(
        parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        device=device_name(device),
        steps=any_recipe.training.steps,
        tokens=any_recipe.tokens,
        stands=" | ".join(STANDS),
        lines="---:|" * len(STANDS),
        rows="\n".join(f"{row} |" for row in rows),
    )
