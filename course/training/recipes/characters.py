"""What the recipes of character models have in common: text in, checkpoint, scores and card out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

import torch

from course.data import tinyshakespeare
from course.data.tinyshakespeare import Corpus
from course.models.gpt import GPT, GPTConfig
from course.training.batches import WindowBatches
from course.training.report import wrapped
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

CARD = """\
# {recipe.title}

A GPT of {parameters:.2f} million parameters that predicts the next character, stored as float16. Its
vocabulary is `characters.json`.

- Data: tinyshakespeare (Karpathy 2015), public domain text; the first nine tenths, {trained} characters
- Sizes: `{sizes}`
- Training: `{settings}`, {recipe.batch} windows a batch
- Cost: {last[step]} steps in {last[seconds]:.0f} seconds on {device}

Loss on the last tenth in nats a character: {scores[whole]:.4f} over the whole of it, cut into windows;
{scores[random]:.4f} over {recipe.random} random batches, as nanoGPT measures.
"""


@dataclass(frozen=True)
class CharacterRecipe:
    """All there is to a model of characters: data, sizes, settings.

    Args:
        title: for the card.
        model: the sizes of ``GPTConfig`` but the vocabulary's.
        batch: windows of ``max_length`` characters in a batch.
        corpus: reads the data.
        random: batches in the mean that nanoGPT calls its validation loss.
    """

    title: str
    model: dict
    training: TrainingConfig
    batch: int
    corpus: Callable[[], Corpus] = tinyshakespeare.plays
    random: int = 20

    def train(self, folder: str | Path, device: str = "cpu", progress: bool = True) -> GPT:
        """Train from text to checkpoint in ``folder``, or go on where a run there was interrupted.

        Leaves ``model/`` (config, weights in float16, characters.json), ``log.jsonl``, ``scores.json`` of
        what is in ``model/``, and its card, ``model/README.md``.
        """
        folder, corpus = Path(folder), self.corpus()
        torch.manual_seed(self.training.seed)
        model = GPT(GPTConfig(len(corpus.characters), **self.model))
        trained, held_out = (corpus.characters.encode(text) for text in (corpus.train, corpus.validation))
        batches = WindowBatches(trained, model.config.max_length, self.batch, self.training.seed)

        def watch(model: GPT) -> dict[str, float]:
            return {"validation_loss": whole_loss(model, held_out)}

        trainer = Trainer(model, batches, self.training, folder, device, watch)
        model = trainer.run(progress)
        if not trainer.is_first:
            return model
        model.save(folder / "model", torch.float16)
        corpus.characters.save(folder / "model" / "characters.json")
        shipped = GPT.from_pretrained(folder / "model").to(device)
        scores = self.evaluate(shipped, held_out)
        (folder / "scores.json").write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
        last = Log(folder / "log.jsonl").read()[-1]
        card = self.card(shipped, scores, last, len(trained), device)
        (folder / "model" / "README.md").write_text(wrapped(card), encoding="utf-8", newline="\n")
        return shipped

    def evaluate(self, model: GPT, held_out: Sequence[int]) -> dict[str, float]:
        """The loss on a text in nats a character, over the whole of it and as nanoGPT measures it."""
        device = model.embedding.weight.device
        batches = WindowBatches(held_out, model.config.max_length, self.batch)
        with torch.no_grad():
            losses = [
                model.loss(*(x.to(device) for x in batches(step))).item() for step in range(self.random)
            ]
        return {"whole": whole_loss(model, held_out), "random": mean(losses)}

    def card(
        self, model: GPT, scores: dict[str, float], last: dict[str, float], trained: int, device: str
    ) -> str:
        """The checkpoint's README: data, sizes, settings, what it cost, scores."""
        return CARD.format(
            recipe=self,
            parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
            trained=f"{trained:,}",
            sizes=json.dumps(asdict(model.config)),
            settings=json.dumps(asdict(self.training)),
            last=last,
            device=device_name(device),
            scores=scores,
        )


@torch.no_grad()
def whole_loss(model: GPT, ids: Sequence[int], batch: int = 64) -> float:
    """The mean loss a token over a text cut into windows; less than a window at the end is left out."""
    n = model.config.max_length
    windows = (len(ids) - 1) // n
    text = torch.tensor(ids[: windows * n + 1], device=model.embedding.weight.device)
    inputs, targets = (x.unflatten(0, (windows, n)).split(batch) for x in (text[:-1], text[1:]))
    total = sum(model.loss(x, y).item() * len(x) for x, y in zip(inputs, targets, strict=True))
    return total / windows
