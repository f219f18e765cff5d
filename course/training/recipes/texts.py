"""What the recipes of models of subwords have in common: texts in, checkpoint, scores and card out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import torch

from course.models.gpt import GPT, GPTConfig
from course.text.ngrams import NGram
from course.text.tokenizers import EOS, Tokenizer
from course.training.batches import WindowBatches
from course.training.muon import IN_A_CARD, muon
from course.training.recipes.characters import whole_loss
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

BASELINES = {"unigram": 1, "bigram": 2, "trigram": 3, "5-gram": 5}

CARD = """\
# {recipe.title}

A GPT of {parameters:.2f} million parameters that predicts the next subword, stored as float16. Its byte-level
BPE is `tokenizer.json`; every text it saw ended with <eos>.

- Data: {recipe.data}
- Split: {trained[texts]:,} texts of {trained[tokens]:,} tokens; held out, {held_out[texts]:,} texts of \
{held_out[tokens]:,} tokens
- Sizes: `{sizes}`
- Training: `{settings}`, {recipe.batch} windows a batch{optimizer}
- Cost: {last[step]} steps in {minutes:.0f} minutes on {device}, other work running; \
{epochs:.1f} times the training text

Loss on the held-out texts, beside models that count tokens in the same training texts (interpolated after
Witten and Bell):

| model | nats a token | nats a character |
|---|---:|---:|
{rows}

On as many tokens of its training texts the GPT's loss is {training:.3f} nats a token.
"""


class Texts(Protocol):
    """Texts to train on, and to validate with."""

    train: Sequence[str]
    validation: Sequence[str]


@dataclass(frozen=True)
class TextRecipe:
    """All there is to a model of subwords: data, sizes, settings.

    Args:
        title, data: for the card: what it is, and what it learned from, under which licence.
        corpus: reads the data.
        vocab_size: the most tokens of the vocabulary.
        model: the other sizes of ``GPTConfig``.
        batch: windows of ``max_length`` tokens in a batch.
        lower_case: what it learned from is, so whatever it reads is lowered.
        muon: Muon for the matrices of the blocks, AdamW for the rest; else AdamW for all.
    """

    title: str
    data: str
    corpus: Callable[[], Texts]
    vocab_size: int
    model: dict
    training: TrainingConfig
    batch: int
    muon: bool = False
    lower_case: bool = False

    def train(self, folder: str | Path, device: str = "cpu", progress: bool = True) -> GPT:
        """Train from texts to checkpoint in ``folder``, or go on where a run there was interrupted.

        Leaves ``model/`` (config, weights in float16, tokenizer.json), ``log.jsonl``, ``scores.json`` of
        what is in ``model/``, and its card, ``model/README.md``.
        """
        folder, corpus = Path(folder), self.corpus()
        tokenizer = Tokenizer.train(corpus.train, self.vocab_size, self.lower_case)
        trained, held_out = stream(tokenizer, corpus.train), stream(tokenizer, corpus.validation)
        torch.manual_seed(self.training.seed)
        model = GPT(GPTConfig(len(tokenizer), **self.model))
        batches = WindowBatches(trained, model.config.max_length, self.batch, self.training.seed)

        def watch(model: GPT) -> dict[str, float]:
            return {"validation_loss": whole_loss(model, held_out)}

        optimizer = muon if self.muon else None
        trainer = Trainer(model, batches, self.training, folder, device, watch, optimizer=optimizer)
        model = trainer.run(progress)
        if not trainer.is_first:
            return model
        model.save(folder / "model", torch.float16)
        tokenizer.save(folder / "model" / "tokenizer.json")
        shipped = GPT.from_pretrained(folder / "model").to(device)
        scores = {
            "trained": {"texts": len(corpus.train), "tokens": len(trained)},
            "held_out": size(corpus.validation, held_out),
            "nats_a_token": losses(shipped, trained, held_out),
            "training": whole_loss(shipped, trained[: len(held_out)]),
        }
        write_scores(folder / "scores.json", scores)
        card = self.card(shipped, scores, Log(folder / "log.jsonl").read()[-1], device)
        (folder / "model" / "README.md").write_text(card, encoding="utf-8", newline="\n")
        return shipped

    def card(self, model: GPT, scores: dict, last: dict[str, float], device: str) -> str:
        """The checkpoint's README: data and licence, sizes, settings, what it cost, scores."""
        held_out = scores["held_out"]
        share = held_out["tokens"] / held_out["characters"]
        rows = [f"| {name} | {x:.3f} | {x * share:.3f} |" for name, x in scores["nats_a_token"].items()]
        return CARD.format(
            recipe=self,
            parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
            sizes=json.dumps(asdict(model.config)),
            settings=json.dumps(asdict(self.training)),
            optimizer=IN_A_CARD if self.muon else "",
            last=last,
            minutes=last["seconds"] / 60,
            device=device_name(device),
            epochs=last["step"] * self.batch * model.config.max_length / scores["trained"]["tokens"],
            rows="\n".join(rows),
            **scores,
        )


def stream(tokenizer: Tokenizer, texts: Sequence[str]) -> list[int]:
    """The tokens of all texts in a row, each text's followed by <eos>."""
    return [id for ids in tokenizer.encode_all(texts) for id in (*ids, EOS)]


def size(texts: Sequence[str], ids: Sequence[int]) -> dict[str, int]:
    """What it takes to turn a loss a token into one a character."""
    return {"texts": len(texts), "tokens": len(ids), "characters": sum(map(len, texts))}


def losses(model: GPT, trained: Sequence[int], held_out: Sequence[int]) -> dict[str, float]:
    """The loss on held-out tokens in nats a token, of the model and of those that count."""
    counting = {
        name: NGram(trained, order, model.config.vocab_size).loss(held_out)
        for name, order in BASELINES.items()
    }
    return counting | {"GPT": whole_loss(model, held_out)}


def write_scores(path: Path, scores: dict) -> None:
    """As JSON that a person can read."""
    path.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8", newline="\n")
