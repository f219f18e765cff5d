"""What the recipes of BERTs have in common: everyday English in; checkpoint, scores and card out."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from course.data.everyday import Corpus, Texts
from course.masking import SPLIT
from course.models.bert import BertConfig
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.studies.bert_pretraining import scores
from course.text.wordpiece import WordPiece
from course.training.muon import IN_A_CARD, muon
from course.training.recipes.bert_batches import Encoded, PretrainingBatches, encoded
from course.training.recipes.bert_report import BASELINES, DRAWS, held_out_batches, report
from course.training.report import write_report
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

MODELS = {"masked": BertForPreTraining, "causal": CausalBert}

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


def _all_texts(texts: Texts) -> list[str]:
    return [*(sentence for story in texts.stories for sentence in story), *texts.sentences]
