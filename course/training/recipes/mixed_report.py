"""What a BERT that reads many registers finds: tokens, by register and beside counting, and pairs."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
import torch.nn.functional as F

from course.data.mixed import HELD_OUT
from course.data.registers import READERS
from course.masking import IGNORED
from course.models.bert_heads import BertForPreTraining
from course.studies.bert_pretraining import Batch, Rows, counting_scores, scores
from course.text.ngrams import NGram
from course.text.wordpiece import WordPiece
from course.training.muon import IN_A_CARD
from course.training.recipes.hard_pairs import told
from course.training.recipes.mixed_held_out import held_out_batches
from course.training.recipes.mixed_rows import LONG, SHORT, Text, chunks
from course.training.trainer import device_name

BASELINES = {"unigram": 1, "bigram": 2, "5-gram": 5}
SCORED = 100
"""Rows of pairs, and of single sentences, of each register."""


def report(
    model: BertForPreTraining, tokenizer: WordPiece, train: Text, held_out: Text, objective: str
) -> dict:
    """All scores of a model, beside those of counting at the same places."""
    asked = held_out_batches(held_out, tokenizer, objective, SCORED)
    names = [list(READERS)[number] for number in np.unique(held_out.register)]
    contexts = {context for part in asked for place in _places(part, objective) for context in place}
    text = _as_read(train, tokenizer)
    counting = {name: NGram(text, order, len(tokenizer), contexts) for name, order in BASELINES.items()}
    found = {
        name: _of(model, counting, part, objective)
        for name, part in [*zip(names, asked, strict=True), ("all", [x for part in asked for x in part])]
    }
    return {
        "trained": tokens_of(train, names),
        "held_out": tokens_of(held_out, names),
        "registers": found,
        "next": told(model, tokenizer, held_out),
    }


def tokens_of(text: Text, names: Sequence[str]) -> dict[str, int]:
    """How many tokens of each register there are."""
    lengths = np.diff(text.sentences[text.documents])
    return {name: int(lengths[text.register == number].sum()) for number, name in enumerate(names)}


def _of(
    model: BertForPreTraining, counting: dict[str, NGram], part: list[tuple[Rows, Batch]], objective: str
) -> dict:
    rows, labels = [row.ids for row, _ in part], [_standing(batch, objective) for _, batch in part]
    found = {name: counting_scores(ngram, rows, labels) for name, ngram in counting.items()}
    own = scores(model, [batch for _, batch in part])
    found["model"] = {name: own[name] for name in ("loss", "accuracy")}
    return {"places": sum(int((x != IGNORED).sum()) for x in labels)} | found


def _standing(batch: Batch, objective: str) -> torch.Tensor:
    """The labels where the tokens stand, and not, as a causal model has them, one earlier."""
    return batch[1] if objective == "masked" else F.pad(batch[1][:, :-1], (1, 0), value=IGNORED)


def _places(part: list[tuple[Rows, Batch]], objective: str) -> list[list[tuple[int, ...]]]:
    """The contexts of every place asked for, as long as the longest baseline's and shorter."""
    reach = max(BASELINES.values()) - 1
    return [
        [tuple(row[max(0, place - n) : place]) for n in range(reach + 1)]
        for rows, batch in part
        for row, labels in zip(rows.ids.tolist(), _standing(batch, objective), strict=True)
        for place in (labels != IGNORED).nonzero().squeeze(-1).tolist()
    ]


def _as_read(text: Text, tokenizer: WordPiece) -> list[int]:
    """Every chunk once, with the special tokens around it that it has in rows."""
    cut, found = chunks(text, SHORT - 3), []
    for first, behind, _ in zip(*cut, strict=True):
        found += [tokenizer.cls_id, *text.between(first, behind), tokenizer.sep_id]
    return found


CARD = """\
# {recipe.title}

{recipe.about} It has {parameters:.2f} million parameters, stored as float16; its WordPiece is
`tokenizer.json`, uncased. It goes on from `{recipe.start}`, whose blocks it keeps.

- Data, in tokens: {registers}; held out, one document in {one_in} of each. No text that the course tests with
  is in it (`course.data.mixed.tested_with`). Sources and licences: `course/data/registers.py`
- Sizes: `{sizes}`
- Training: `{settings}`, {recipe.tokens} tokens a batch{optimizer}; of six batches four are of rows of up to
  {short} tokens, one of up to {long}, one of single sentences
- Masking: {masking}
- Cost: {last[step]} steps in {minutes:.0f} minutes on {device}, other work running; {epochs:.2f} times the
  text

The share of held-out tokens that are the likeliest of all, at 15 % of all places, which chance chose once,
the same for both twins. {sees} The models that count tokens in the same training texts (interpolated after
Witten and Bell) see every token to the left, none of them hidden.

| register | places | {names} |
|---|---:|{lines}
{rows}

Held-out pairs told, nothing being hidden, where half follow one another and in the place of the others stands

| {kinds} |
|{kind_lines}
| {told} |
"""
SEES = {
    "masked": "BERT sees both sides, and at these places what masking put there.",
    "causal": "The twin, too, sees the tokens to the left alone, none of them hidden.",
}


def card(recipe, model: BertForPreTraining, found: dict, last: dict[str, float], device: str) -> str:
    """The checkpoint's README: data, sizes, settings, what it cost, scores."""
    names, kinds = [*BASELINES, "model"], found["next"]
    return CARD.format(
        recipe=recipe,
        parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        registers=", ".join(f"{name} {tokens:,}" for name, tokens in found["trained"].items()),
        one_in=HELD_OUT,
        sizes=json.dumps(asdict(model.config)),
        settings=json.dumps(asdict(recipe.training)),
        optimizer=IN_A_CARD,
        short=SHORT,
        long=LONG,
        masking=f"{recipe.rate:.0%} of the tokens, {'/'.join(f'{100 * share:g}' for share in recipe.split)}"
        if recipe.objective == "masked"
        else "none; the next token is predicted everywhere",
        last=last,
        minutes=last["seconds"] / 60,
        device=device_name(device),
        epochs=last["step"] * recipe.tokens / sum(found["trained"].values()),
        sees=SEES[recipe.objective],
        names=" | ".join(names),
        lines="---:|" * (len(names)),
        rows="\n".join(
            f"| {name} | {of['places']:,} | " + " | ".join(f"{of[x]['accuracy']:.1%}" for x in names) + " |"
            for name, of in found["registers"].items()
        ),
        kinds=" | ".join(kinds),
        kind_lines="---:|" * len(kinds),
        told=" | ".join(f"{share:.1%}" for share in kinds.values()),
    )
