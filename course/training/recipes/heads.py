"""What the shipped BERT's heads look at, scored on sentences that people wrote and others marked.

Each relation's best head is chosen on one half of the sentences and scored on the other, so that the best of
sixteen is not flattered, beside the best fixed number of places; cases that lie elsewhere than there are
counted apart. Leaves ``scores.json`` and a card.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course.data import treebanks, winobias
from course.data.parsed_sentences import Parsed
from course.in_context.few_shot import wilson_interval
from course.models.attention_pass import AttentionPass
from course.models.masked_lm import MaskedLM
from course.studies.head_patterns import (
    OFFSETS,
    first_pieces,
    fixed_offset,
    offset_score,
    part_of_speech_score,
    relation_cases,
    separator_score,
)
from course.training.recipes.texts import write_scores
from course.training.report import wrapped

MODEL = "bert-small"

CARD = """\
# What heads look at

No model, but scores of `{model}`'s sixteen heads (layer.head) on {sentences:,} sentences of the English
treebanks EWT (test part, CC BY-SA 4.0) and PUD (CC BY-SA 3.0), all those of 5 to 40 words that hold nothing
but words and marks. A head finds a relation if, of all words, it looks most from the one to the other. The
head is chosen on every other sentence and scored on the others; 95 % intervals are Wilson's.

| relation | cases | head | finds | interval | always the same place |
|---|---:|---|---:|---|---:|
{rows}

The same, of those cases alone that lie elsewhere than at that place:

| relation | cases | head | finds | interval | always the same other place |
|---|---:|---|---:|---|---:|
{away}

*Part of speech*: head {pos[head]} gives {pos[share]:.2f} of its attention to other words to those of the
word's own part of speech; evenly spread attention gives {pos[even]:.2f}.

*Whom a pronoun means* (WinoBias, MIT, {pronouns[cases]:,} sentences in pairs that differ in their ends):
which of the two persons gets more of the pronoun's attention? Head {pronouns[head]}, chosen on one half,
gives it to the right one in {pronouns[finds]:.1%} ({pronouns[low]:.1%} to {pronouns[high]:.1%}) of the other;
guessing, in 50 %.
"""


def train(folder: str | Path, device: str = "cpu") -> dict:
    """Score all heads, on the CPU."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    read, sentences = cache(MaskedLM.from_pretrained(MODEL)), treebanks.sentences()
    scores = {
        "weights": weights(read, sentences),
        "relations": relations(read, sentences),
        "pronouns": whom(read, winobias.pronouns()),
    }
    write_scores(folder / "scores.json", scores)
    (folder / "README.md").write_text(wrapped(card(scores)), encoding="utf-8", newline="\n")
    return scores


def weights(read: Callable[[str], AttentionPass], sentences: Sequence[Parsed]) -> dict:
    """Mean weights: how much of its attention each head gives to a place, to separators, to its own kind."""
    found: dict[str, list[Tensor]] = {}
    even = []
    for sentence in sentences:
        seen = read(sentence.text)
        for offset in OFFSETS:
            found.setdefault(f"{offset:+d}", []).append(offset_score(seen.weights, offset))
        found.setdefault("separators", []).append(separator_score(seen.weights, seen.tokens))
        if len(set(sentence.tags)) < len(sentence.tags):
            places = first_pieces(sentence.words, seen.tokens)
            share, by_chance = part_of_speech_score(seen.weights, places, sentence.tags)
            found.setdefault("own part of speech", []).append(share)
            even.append(by_chance)
    means = {name: _rounded(torch.stack(scores).mean(0)) for name, scores in found.items()}
    return {"sentences": len(sentences), "even part of speech": sum(even) / len(even), "means": means}


def relations(read: Callable[[str], AttentionPass], sentences: Sequence[Parsed]) -> dict:
    """Which share of each relation's cases a head finds, and how the best does where it is not chosen.

    ``elsewhere`` is the same for the cases that lie at another place than most do: what there is beyond
    looking always at the same place. Beside it, again, the commonest of the places that are left.
    """
    found = {}
    for name in treebanks.RELATIONS.values():
        halves = [relation_cases(sentences[start::2], read, name) for start in (0, 1)]
        hits, offsets = (torch.cat(parts) for parts in zip(*halves, strict=True))
        offset, share = fixed_offset(sentences, name)
        away = [half.hits[half.offsets != offset] for half in halves]
        others = offsets[offsets != offset]
        second = int(others.mode().values)
        found[name] = {
            "cases": len(hits),
            "offset": offset,
            "share": share,
            "finds": _rounded(hits.float().mean(0)),
            "best": best_of(halves[0].hits, halves[1].hits),
            "elsewhere": {
                "cases": len(others),
                "offset": second,
                "share": (others == second).float().mean().item(),
                "finds": _rounded(torch.cat(away).float().mean(0)),
                "best": best_of(*away),
            },
        }
    return found


def whom(read: Callable[[str], AttentionPass], sentences: Sequence[winobias.Pronoun]) -> dict:
    """Whether a head gives more of the pronoun's attention to the right person of the two."""
    hits = []
    for sentence in sentences:
        seen = read(" ".join(sentence.words))
        places = first_pieces(sentence.words, seen.tokens)
        at = seen.weights[:, :, places[sentence.pronoun]]
        hits.append(at[..., places[sentence.right]] > at[..., places[sentence.wrong]])
    told = torch.stack(hits)
    pair = torch.arange(len(told)) // 2  # both of a pair into one half
    best = best_of(told[pair % 2 == 0], told[pair % 2 == 1])
    return {"cases": len(told), "right": _rounded(told.float().mean(0)), "best": best}


def best_of(choose: Bool[Tensor, "cases layer head"], test: Bool[Tensor, "cases layer head"]) -> dict:
    """The head that finds most in one half, and what it finds in the other."""
    layer, head = divmod(int(choose.float().mean(0).argmax()), choose.shape[-1])
    found = test[:, layer, head]
    low, high = wilson_interval(int(found.sum()), len(found))
    return {
        "layer": layer,
        "head": head,
        "finds": found.float().mean().item(),
        "low": low,
        "high": high,
        "tested": len(found),
    }


def _rounded(scores: Float[Tensor, "layer head"]) -> list[list[float]]:
    return [[round(score, 4) for score in row] for row in scores.tolist()]


def card(scores: dict) -> str:
    """What was scored, on what, and a table of it."""
    pos = torch.tensor(scores["weights"]["means"]["own part of speech"])
    layer, head = divmod(int(pos.argmax()), pos.shape[1])
    pronouns = scores["pronouns"]["best"]
    return CARD.format(
        model=MODEL,
        sentences=scores["weights"]["sentences"],
        rows="\n".join(_line(name, row) for name, row in scores["relations"].items()),
        away="\n".join(_line(name, row["elsewhere"]) for name, row in scores["relations"].items()),
        pos={"head": f"{layer}.{head}", "share": pos.max(), "even": scores["weights"]["even part of speech"]},
        pronouns=pronouns | {"cases": scores["pronouns"]["cases"], "head": _name(pronouns)},
    )


def _line(name: str, row: dict) -> str:
    best = row["best"]
    cells = name, f"{row['cases']:,}", _name(best), f"{best['finds']:.1%}"
    cells += f"{best['low']:.1%} to {best['high']:.1%}", f"{row['offset']:+d}: {row['share']:.1%}"
    return f"| {' | '.join(cells)} |"


def _name(best: dict) -> str:
    return f"{best['layer']}.{best['head']}"
