"""The shipped LSTM of characters, whose gates notebook 01 watches: TinyStories, one layer."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from course.data import tinystories
from course.models.character_lstm import CharacterLSTM, CharacterLSTMConfig
from course.text.characters import Characters
from course.text.ngrams import NGram
from course.training.batches import WindowBatches
from course.training.log import Log
from course.training.report import write_report
from course.training.trainer import Trainer, TrainingConfig, device_name

CONTEXT, BATCH = 128, 32
BASELINES = {"unigram": 1, "bigram": 2, "trigram": 3, "5-gram": 5}
TRAINING = TrainingConfig(
    steps=6000,
    peak_lr=4e-3,
    warmup=100,
    decay="cosine",
    betas=(0.9, 0.99),
    log_every=50,
    save_every=200,
    seed=3,
)

CARD = """\
# Stories, by an LSTM of characters

One layer of {config[hidden_size]} LSTM cells, {parameters:.2f} million parameters, that predicts the next
character of a story in lower case; stored as float16. Its vocabulary is `characters.json`.

- Data: TinyStories (Eldan and Li 2023), CDLA-Sharing-1.0: the start of the data set, in lower case; each
  story ends with a newline, 250 stories are held out
- Sizes: `{sizes}`; forget gates start with bias 1
- Training: `{settings}`, {batch} windows of {context} characters a batch, each read from a state of 0
- Cost: {last[step]} steps in {minutes:.0f} minutes on {device}, other work running

Loss on {held_out:,} held-out characters in nats a character, read in windows of {context} from a state of 0,
beside models that count characters in the same training text (interpolated after Witten and Bell):

| model | nats a character |
|---|---:|
{rows}
"""


def train(folder: str | Path, device: str = "cpu", config: TrainingConfig = TRAINING) -> CharacterLSTM:
    """Train from text to checkpoint in ``folder``, or go on where a run there was interrupted.

    Leaves ``model/`` (config, weights in float16, characters.json), ``log.jsonl``, ``scores.json`` of what is
    in ``model/``, and its card, ``model/README.md``.
    """
    folder, corpus = Path(folder), tinystories.stories()
    train_text, held_text = ("".join(f"{story}\n" for story in part) for part in corpus)
    characters = Characters(train_text + held_text)
    trained, held_out = characters.encode(train_text), characters.encode(held_text)[:100_000]
    torch.manual_seed(config.seed)
    model = CharacterLSTM(CharacterLSTMConfig(len(characters)), characters)
    batches = WindowBatches(trained, CONTEXT, BATCH, config.seed)
    trainer = Trainer(
        model, batches, config, folder, device, lambda model: {"validation_loss": whole_loss(model, held_out)}
    )
    trainer.run()
    if not trainer.is_first:
        return model
    model.save(folder / "model", torch.float16)
    shipped = CharacterLSTM.from_pretrained(folder / "model").to(device)
    counting = {
        name: NGram(trained, order, len(characters)).loss(held_out) for name, order in BASELINES.items()
    }
    scores = {
        "held_out": {"characters": len(held_out)},
        "nats_a_character": counting | {"LSTM": whole_loss(shipped, held_out)},
    }
    write_report(folder, scores, card(shipped, scores, Log(folder / "log.jsonl").read()[-1], config, device))
    return shipped


@torch.no_grad()
def whole_loss(model: CharacterLSTM, ids: Sequence[int], batch: int = 128) -> float:
    """The mean loss a character over a text cut into windows; less than a window at the end is left out."""
    windows = (len(ids) - 1) // CONTEXT
    text = torch.tensor(ids[: windows * CONTEXT + 1], device=model.embedding.weight.device)
    inputs, targets = (x.unflatten(0, (windows, CONTEXT)).split(batch) for x in (text[:-1], text[1:]))
    return sum(model.loss(x, y).item() * len(x) for x, y in zip(inputs, targets, strict=True)) / windows


def card(model: CharacterLSTM, scores: dict, last: dict, config: TrainingConfig, device: str) -> str:
    """The checkpoint's README: data and licence, sizes, settings, what it cost, scores."""
    return CARD.format(
        config=asdict(model.config),
        parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        sizes=json.dumps(asdict(model.config)),
        settings=json.dumps(asdict(config)),
        batch=BATCH,
        context=CONTEXT,
        last=last,
        minutes=last["seconds"] / 60,
        device=device_name(device),
        held_out=scores["held_out"]["characters"],
        rows="\n".join(f"| {name} | {x:.3f} |" for name, x in scores["nats_a_character"].items()),
    )
