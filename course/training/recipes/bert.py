"""What the recipes of BERTs have in common: everyday English in; checkpoint, scores and card out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Generator, Tensor

from course.data.everyday import Corpus, Texts
from course.masking import IGNORED, SPLIT
from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.next_sentence import SentencePair, next_sentence_pairs
from course.studies.bert_pretraining import (
    Batch,
    Ids,
    Rows,
    counting_scores,
    encode,
    hidden,
    one_earlier,
    pair_rows,
    pairs_of,
    scores,
    segments_of,
    single_rows,
)
from course.text.ngrams import NGram
from course.text.wordpiece import WordPiece
from course.training.batches import TokenBuckets
from course.training.muon import IN_A_CARD, muon
from course.training.report import write_report
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

BASELINES = {"unigram": 1, "bigram": 2, "5-gram": 5}
MODELS = {"masked": BertForPreTraining, "causal": CausalBert}
SHORTEST = 24
"""Tokens of the shortest rows of pairs."""
DRAWS = 5
"""How often held-out pairs are drawn to see how many a model tells."""
TURNS = 3
"""Every third batch is of single sentences, the others of pairs."""

CARD = """\
# {recipe.title}

{recipe.about} It has {parameters:.2f} million parameters, stored as float16; its WordPiece is
`tokenizer.json`, uncased.

- Data: {recipe.data}
- Split: {trained[stories]:,} stories and {trained[sentences]:,} sentences of {trained[tokens]:,} tokens; \
held out, {held_out[stories]:,} stories and {held_out[sentences]:,} sentences
- Sizes: `{sizes}`
- Training: `{settings}`, {recipe.tokens} tokens a batch, two batches of pairs for each of single \
sentences{optimizer}
- Masking: {masking}
- Cost: {last[step]} steps in {minutes:.0f} minutes on {device}, other work running; about \
{epochs:.1f} times the training text

The share of held-out tokens that are the likeliest of all, at one and the same {asked:,} places, 15 % of all,
which chance chose once. {sees} The models that count tokens in the same training texts (interpolated after
Witten and Bell) see every token to the left, none of them hidden.

| text | {names} |
|---|{lines}
{rows}

On held-out pairs of which half follow one another, nothing being hidden, it tells \
{next_accuracy[segments]:.1%} of those of segments of up to {half} tokens, and \
{next_accuracy[sentences]:.1%} of those of single sentences: means over {draws} draws of pairs.
"""
SEES = {
    "masked": "BERT sees both sides, and at these places what masking put there.",
    "causal": "The twin, too, sees the tokens to the left alone, none of them hidden.",
}


class Encoded(NamedTuple):
    """``course.data.everyday.Texts`` as tokens."""

    stories: list[list[Ids]]
    sentences: list[Ids]

    @property
    def tokens(self) -> int:
        """How many there are, without special ones."""
        return sum(map(len, self.sentences)) + sum(len(ids) for story in self.stories for ids in story)


class PretrainingBatches:
    """Batches for ``BertForPreTraining.loss``; a step's is a function of the step and the seed alone.

    Two are of pairs, whose rows are up to ``longest`` tokens long, another number for each batch; the third
    is of single sentences of like length.

    Args:
        objective: "masked", or "causal" for a model that predicts the next token.
        longest: tokens in the longest row.
        tokens: about as many in a batch, padding included.
        rate, split: of masking; see ``course.masking.mask_tokens``.
    """

    def __init__(
        self,
        texts: Encoded,
        tokenizer: WordPiece,
        objective: str,
        longest: int,
        tokens: int,
        rate: float = 0.15,
        split: tuple[float, float, float] = SPLIT,
        seed: int = 0,
    ):
        self.texts, self.tokenizer, self.objective = texts, tokenizer, objective
        self.longest, self.tokens, self.rate, self.split, self.seed = longest, tokens, rate, split, seed
        self.sentences = [sentence[: longest - 2] for sentence in texts.sentences]
        self.buckets = TokenBuckets([len(sentence) + 2 for sentence in self.sentences], tokens, seed)

    def __call__(self, step: int) -> Batch:
        """Inputs, labels, next-sentence labels and segments of this step."""
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + step)
        turn, place = divmod(step, TURNS)
        rows = self._singles(turn) if place == TURNS - 1 else self._pairs(step, generator)
        return self._asked(rows, generator)

    def _singles(self, turn: int) -> Rows:
        return single_rows([self.sentences[i] for i in self.buckets(turn)], self.tokenizer)

    def _pairs(self, step: int, generator: Generator) -> Rows:
        random = np.random.default_rng([self.seed, step])
        longest = int(random.integers(min(SHORTEST, self.longest), self.longest + 1))
        wanted, chosen, found = max(2, self.tokens // longest), [], 0
        for number in random.permutation(len(self.texts.stories)):
            chosen.append(self.texts.stories[number])
            found += sum(map(len, chosen[-1])) // (longest // 2)  # a guess: it has about so many pairs
            if len(chosen) > 1 and found >= 2 * wanted:
                break
        pairs = pairs_of(chosen, longest, generator)
        return pair_rows([pairs[i] for i in random.permutation(len(pairs))[:wanted]], self.tokenizer)

    def _asked(self, rows: Rows, generator: Generator) -> Batch:
        if self.objective == "masked":
            inputs, labels = self._hidden(rows.ids, generator)
            while (labels == IGNORED).all():  # chance may choose none of a few tokens: there would be no loss
                inputs, labels = self._hidden(rows.ids, generator)
        else:
            inputs, asked = rows.ids, rows.ids.masked_fill(rows.ids == self.tokenizer.pad_id, IGNORED)
            labels = one_earlier(asked)
        return inputs, labels, rows.next_labels, rows.segments

    def _hidden(
        self, ids: Int[Tensor, "batch n"], generator: Generator
    ) -> tuple[Int[Tensor, "batch n"], Int[Tensor, "batch n"]]:
        return hidden(ids, self.tokenizer, self.rate, self.split, generator)


@dataclass(frozen=True)
class BertRecipe:
    """All there is to a BERT or its twin: data, sizes, settings.

    Args:
        title, about, data: for the card: what it is, and what it learned from, under which licence.
        objective: "masked" or "causal".
        corpus: reads the data.
        vocab_size: the most pieces of the vocabulary.
        model: the other sizes of ``BertConfig``.
        tokens: about as many in a batch.
        rate, split: of masking, in training; what is held out is always masked at 15 %, 80/10/10.
        muon: Muon for the matrices of the blocks, AdamW for the rest; else AdamW for all.
    """

    title: str
    about: str
    data: str
    objective: str
    corpus: Callable[[], Corpus]
    vocab_size: int
    model: dict
    training: TrainingConfig
    tokens: int
    rate: float = 0.15
    split: tuple[float, float, float] = SPLIT
    muon: bool = False

    def train(self, folder: str | Path, device: str = "cpu", progress: bool = True) -> BertForPreTraining:
        """Train from texts to checkpoint in ``folder``, or go on where a run there was interrupted.

        Leaves ``model/`` (config, weights in float16, tokenizer.json), ``log.jsonl``, ``scores.json`` of
        what is in ``model/``, and its card, ``model/README.md``.
        """
        folder = Path(folder)
        model, tokenizer, train, held_out = self.fit(folder, device, progress)
        model.save(folder / "model", torch.float16)
        tokenizer.save(folder / "model" / "tokenizer.json")
        shipped = type(model).from_pretrained(folder / "model").to(device)
        found = report(shipped, tokenizer, train, held_out, self.objective)
        write_report(folder, found, self.card(shipped, found, Log(folder / "log.jsonl").read()[-1], device))
        return shipped

    def fit(
        self, folder: str | Path, device: str = "cpu", progress: bool = True
    ) -> tuple[BertForPreTraining, WordPiece, Encoded, Encoded]:
        """Train, or go on with it: the model, its tokenizer, what it was trained on, what was held out."""
        corpus = self.corpus()
        tokenizer = WordPiece.train(_all_texts(corpus.train), self.vocab_size)
        train, held_out = encoded(tokenizer, corpus.train), encoded(tokenizer, corpus.validation)
        model = self.new_model(len(tokenizer))
        longest, settings = model.config.max_length, (self.rate, self.split, self.training.seed)
        batches = PretrainingBatches(train, tokenizer, self.objective, longest, self.tokens, *settings)
        asked = held_out_batches(held_out, tokenizer, self.objective, longest)

        def watch(model: BertForPreTraining) -> dict[str, float]:
            found = scores(model, [batch for part in ("segments", "singles") for _, batch in asked[part]])
            return {f"validation_{name}": score for name, score in found.items()}

        optimizer = muon if self.muon else None
        trainer = Trainer(model, batches, self.training, folder, device, watch, optimizer=optimizer)
        return trainer.run(progress), tokenizer, train, held_out

    def new_model(self, vocab_size: int) -> BertForPreTraining:
        """The model that training starts from."""
        torch.manual_seed(self.training.seed)
        return MODELS[self.objective](BertConfig(vocab_size, **self.model))

    def card(self, model: BertForPreTraining, found: dict, last: dict[str, float], device: str) -> str:
        """The checkpoint's README: data and licence, sizes, settings, what it cost, scores."""
        names = [*BASELINES, "model"]
        rows = [
            " | ".join([f"| {text}", *(f"{found[text][name]['accuracy']:.1%}" for name in names)]) + " |"
            for text in ("stories", "sentences", "both")
        ]
        return CARD.format(
            recipe=self,
            parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
            sizes=json.dumps(asdict(model.config)),
            settings=json.dumps(asdict(self.training)),
            optimizer=IN_A_CARD if self.muon else "",
            masking=f"{self.rate:.0%} of the tokens, {'/'.join(f'{100 * share:g}' for share in self.split)}"
            if self.objective == "masked"
            else "none; the next token is predicted everywhere",
            last=last,
            minutes=last["seconds"] / 60,
            device=device_name(device),
            epochs=last["step"] * self.tokens / found["trained"]["tokens"],
            sees=SEES[self.objective],
            names=" | ".join(names),
            lines="---:|" * len(names),
            rows="\n".join(rows),
            draws=DRAWS,
            half=(model.config.max_length - 3) // 2,
            **found,
        )


def encoded(tokenizer: WordPiece, texts: Texts) -> Encoded:
    """The texts as tokens."""
    flat = encode(tokenizer, [sentence for story in texts.stories for sentence in story])
    ends = np.cumsum([len(story) for story in texts.stories]).tolist()
    stories = [flat[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return Encoded(stories, encode(tokenizer, texts.sentences))


def held_out_batches(
    texts: Encoded, tokenizer: WordPiece, objective: str, longest: int
) -> dict[str, list[tuple[Rows, Batch]]]:
    """What to score with, always the same places: rows as they were, and the batch that is made of them.

    ``segments`` and ``sentences`` are pairs of stories' segments and of their single sentences; ``singles``
    are the sentences that stand alone.
    """
    generator = torch.Generator().manual_seed(0)
    pairs = _pairs(texts, longest, generator)
    rows = {part: [pair_rows(chunk, tokenizer) for chunk in _chunks(pairs[part], _size)] for part in pairs}
    singles = [sentence[: longest - 2] for sentence in texts.sentences]
    rows["singles"] = [single_rows(chunk, tokenizer) for chunk in _chunks(singles, len)]
    return {part: [(r, _batch(r, tokenizer, objective, generator)) for r in rows[part]] for part in rows}


def report(
    model: BertForPreTraining, tokenizer: WordPiece, train: Encoded, held_out: Encoded, objective: str
) -> dict:
    """All scores of a model, beside those of counting at the same places."""
    asked = held_out_batches(held_out, tokenizer, objective, model.config.max_length)
    text = [id for story in train.stories for id in _as_rows(story, model.config.max_length, tokenizer)]
    text += [id for ids in train.sentences for id in (tokenizer.cls_id, *ids, tokenizer.sep_id)]
    counting = {name: NGram(text, order, len(tokenizer)) for name, order in BASELINES.items()}
    parts = {"stories": asked["segments"], "sentences": asked["singles"]}
    parts["both"] = [*parts["stories"], *parts["sentences"]]
    found: dict = {
        "trained": _count(train),
        "held_out": _count(held_out),
        "asked": sum(int((batch[1] != IGNORED).sum()) for _, batch in parts["both"]),
        "next_accuracy": told(model, tokenizer, held_out),
    }
    for part, chosen in parts.items():
        rows = [rows.ids for rows, _ in chosen]
        labels = [batch[1] if objective == "masked" else _one_later(batch[1]) for _, batch in chosen]
        found[part] = {name: counting_scores(ngram, rows, labels) for name, ngram in counting.items()}
        found[part]["model"] = _of_tokens(scores(model, [batch for _, batch in chosen]))
    return found


@torch.no_grad()
def told(model: BertForPreTraining, tokenizer: WordPiece, texts: Encoded) -> dict[str, float]:
    """Which share of the pairs of segments and of single sentences a model tells, with nothing hidden.

    The mean over several draws: which texts follow and which are random, chance decides.
    """
    found: dict[str, list[bool]] = {}
    for draw in range(DRAWS):
        drawn = _pairs(texts, model.config.max_length, torch.Generator().manual_seed(draw))
        for part, pairs in drawn.items():
            found.setdefault(part, []).extend(_told(model, tokenizer, pairs))
    return {part: sum(right) / len(right) for part, right in found.items()}


# --------------------------------------------------------------------------------------------------
# Small parts
# --------------------------------------------------------------------------------------------------


def _batch(rows: Rows, tokenizer: WordPiece, objective: str, generator: Generator) -> Batch:
    inputs, labels = hidden(rows.ids, tokenizer, generator=generator)
    if objective == "causal":  # the same places, with nothing hidden
        inputs, labels = rows.ids, one_earlier(labels)
    return inputs, labels, rows.next_labels, rows.segments


def _pairs(texts: Encoded, longest: int, generator: Generator) -> dict[str, list[SentencePair[Ids]]]:
    """Pairs of the stories' segments and of their single sentences."""
    cut = [[sentence[: (longest - 3) // 2] for sentence in story] for story in texts.stories]
    return {
        "segments": pairs_of(texts.stories, longest, generator),
        "sentences": next_sentence_pairs(cut, generator=generator),
    }


def _told(model: BertForPreTraining, tokenizer: WordPiece, pairs: Sequence[SentencePair[Ids]]) -> list[bool]:
    right = []
    for chunk in _chunks(pairs, _size):
        ids, segments, labels = pair_rows(chunk, tokenizer)
        said = model.next_head(model.read(ids, segments)[1]).argmax(-1)
        right += (said == labels).tolist()
    return right


def _one_later(labels: Int[Tensor, "batch n"]) -> Int[Tensor, "batch n"]:
    return F.pad(labels[:, :-1], (1, 0), value=IGNORED)


def _as_rows(story: Sequence[Ids], longest: int, tokenizer: WordPiece) -> Ids:
    """A story's segments, each once, with the special tokens that they have in rows."""
    segments = segments_of(story, (longest - 3) // 2)
    return [tokenizer.cls_id, *(id for segment in segments for id in (*segment, tokenizer.sep_id))]


def _chunks(items: Sequence, size: Callable[..., int], rows: int = 64) -> list[list]:
    """Groups of items of like size."""
    ordered = sorted(items, key=size)
    return [ordered[start : start + rows] for start in range(0, len(ordered), rows)]


def _size(pair: SentencePair[Ids]) -> int:
    return len(pair.first) + len(pair.second)


def _count(texts: Encoded) -> dict[str, int]:
    return {"stories": len(texts.stories), "sentences": len(texts.sentences), "tokens": texts.tokens}


def _of_tokens(found: dict[str, float]) -> dict[str, float]:
    return {name: found[name] for name in ("loss", "accuracy")}


def _all_texts(texts: Texts) -> list[str]:
    return [*(sentence for story in texts.stories for sentence in story), *texts.sentences]
