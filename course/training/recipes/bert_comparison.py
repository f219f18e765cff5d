"""GPT against BERT, controlled: the shipped BERT and its causal twin on three tasks, with unseen texts.

The two differ in mask and objective alone. Both are asked for the next word, for a word in the middle, and
for whether a film's critic liked it, from features that are not trained further.
"""

from pathlib import Path

import torch

from course.checkpoints import find_file
from course.data import everyday, rt_polarity
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.studies.bert_pretraining import Ids, encode
from course.studies.one_way_two_way import (
    frozen_accuracy,
    gaps,
    mean_states,
    next_words,
    rescored_gaps,
    some_places,
)
from course.text.wordpiece import WordPiece
from course.training.recipes.texts import write_scores
from course.training.report import wrapped

NAMES = ("bert-small", "bert-small-causal")
SHORTEST, LONGEST, SENTENCES = 5, 40, 1000
"""Tokens of the sentences that are asked about, and how many of each kind are."""
LABELS = 2000
"""Reviews that the classifier learns from; it is tested on all others of the fold's."""

CARD = """\
# One way against two ways

What `bert-small` and `bert-small-causal` do on three tasks: the same parameters, text, batches and steps, and
another mask and objective. The sentences were held out of both trainings: {sentences} from stories, {singles}
from Tatoeba, one place in each, between others. The reviews are rt-polarity's, of which neither has read any.

| task | BERT, two ways | its twin, one way |
|---|---:|---:|
| the next word, from what comes before | {next[bert]:.1%} | {next[twin]:.1%} |
| a word in the middle, from both sides | {gap[bert]:.1%} | {gap[twin]:.1%} |
| the same, from what comes before alone | | {next[twin]:.1%} |
| a review's judgement, from frozen features | {reviews[bert]:.1%} | {reviews[twin]:.1%} |

For the next word BERT gets a [MASK] behind the beginning. For a word in the middle the twin tries its 20
likeliest next words, reads the whole sentence with each, and keeps the most probable. The judgement is a
logistic regression's on the mean of the last block's vectors, learned from {labels:,} reviews and tested on
{tested:,}; the more frequent of the two would be right in {frequent:.1%} of them.
"""


def train(folder: str | Path, device: str = "cpu") -> dict:
    """Compare the two shipped models, on the CPU; leaves ``scores.json`` and a card in ``folder``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = WordPiece.load(find_file(NAMES[0], "tokenizer.json"))
    models = BertForPreTraining.from_pretrained(NAMES[0]), CausalBert.from_pretrained(NAMES[1])
    held_out = everyday.english().validation
    stories = [sentence for story in held_out.stories for sentence in story]
    chosen = [asked(encode(tokenizer, texts)) for texts in (stories, held_out.sentences)]
    scores = {"sentences": len(chosen[0]), "singles": len(chosen[1])}
    scores |= words(*models, tokenizer, [sentence for kind in chosen for sentence in kind])
    scores |= judgements(*models, tokenizer)
    write_scores(folder / "scores.json", scores)
    (folder / "README.md").write_text(wrapped(CARD.format(**scores)), encoding="utf-8", newline="\n")
    return scores


def asked(sentences: list[Ids]) -> list[Ids]:
    """The first of them that are neither short nor long."""
    return [ids for ids in sentences if SHORTEST <= len(ids) <= LONGEST][:SENTENCES]


def words(
    bert: BertForPreTraining, twin: CausalBert, tokenizer: WordPiece, sentences: list[Ids]
) -> dict[str, dict[str, float]]:
    """The share of words that each model finds: the next one, and one in the middle."""
    places = some_places(sentences, torch.Generator().manual_seed(0))
    right = torch.tensor([sentence[place] for sentence, place in zip(sentences, places, strict=True)])

    def share(found: torch.Tensor) -> float:
        return (found == right).float().mean().item()

    given = tokenizer, sentences, places
    return {
        "next": {name: share(next_words(model, *given).argmax(dim=-1))
                 for name, model in {"bert": bert, "twin": twin}.items()},
        "gap": {"bert": share(gaps(bert, *given).argmax(dim=-1)), "twin": share(rescored_gaps(twin, *given))},
    }  # fmt: skip


def judgements(bert: BertForPreTraining, twin: CausalBert, tokenizer: WordPiece) -> dict:
    """How many reviews a classifier on each model's frozen features judges rightly."""
    reviews = rt_polarity.reviews()
    texts = [*reviews.train[:LABELS], *reviews.test]
    labels = torch.tensor([review.label == "positive" for review in texts])
    encoded = encode(tokenizer, [review.text for review in texts])
    found = {}
    for name, model in {"bert": bert, "twin": twin}.items():
        x = mean_states(model, tokenizer, encoded)
        found[name] = frozen_accuracy((x[:LABELS], labels[:LABELS]), (x[LABELS:], labels[LABELS:]))
    share = labels[LABELS:].float().mean().item()
    return {
        "reviews": found,
        "labels": LABELS,
        "tested": len(labels) - LABELS,
        "frequent": max(share, 1 - share),
    }
