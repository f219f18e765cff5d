"""What the recipes of recurrent translators have in common: text in, models, scores and cards out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from course.files import write_whole
from course.models.seq2seq import Seq2Seq, Seq2SeqConfig
from course.text.tokenizers import Tokenizer
from course.training.batches import PairBatches
from course.training.recipes.translation import loss_on, predicted
from course.training.report import wrapped
from course.training.score import translation_scores
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

Pairs = Sequence[tuple[str, str]]

CARD = """\
# {title}

A recurrent translator ({name}) of {parameters:,} parameters, stored as float16.

- Data: {data}.
- Sizes: `{sizes}`
- Training: `{settings}`, {tokens} tokens a batch
- Cost: {last[step]} steps in {minutes:.0f} minutes on {device} (beside other work); {millions:.1f} million
tokens, padding included
- Label-smoothed loss in nats a token: {last[loss]:.3f} at the end, {last[validation_loss]:.3f} in validation

Scores by sacrebleu, beam {beam}, length penalty {alpha}:

| test | sentences | BLEU | chrF |
|---|---:|---:|---:|
{rows}

BLEU `{signature}`.
"""


@dataclass(frozen=True)
class RecurrentRecipe:
    """All there is to a family of recurrent translators that differ in their decoders alone.

    Args:
        title, data: for the cards.
        corpus: reads the data: pairs to train on, pairs to watch the loss on, and named tests.
        vocab_size: tokens of the one vocabulary of both languages.
        models: by name, what each model is, and its sizes but for the vocabulary.
        tokens: in a batch, on the longer side, padding included.
    """

    title: str
    data: str
    corpus: Callable[[], tuple[Pairs, Pairs, dict[str, Pairs]]]
    vocab_size: int
    models: dict[str, tuple[type[Seq2Seq], dict]]
    training: TrainingConfig
    tokens: int = 2048
    beam: int = 4
    alpha: float = 0.6

    def train(self, folder: str | Path, device: str = "cpu", progress: bool = True) -> dict[str, Seq2Seq]:
        """Train every model of the family from text to checkpoint, or go on where a run was interrupted.

        Leaves, for each model, ``NAME/model`` (config, weights in float16, tokenizer, card),
        ``NAME/log.jsonl`` and ``NAME/scores.json``. A model whose scores are there is not trained again.
        """
        folder = Path(folder)
        train, validation, tests = self.corpus()
        tokenizer = Tokenizer.train((text for pair in train for text in pair), self.vocab_size)
        batches, watched = (
            PairBatches(_encoded(pairs, tokenizer), self.tokens, self.training.seed)
            for pairs in (train, validation)
        )
        found = {}
        for name, (kind, sizes) in self.models.items():
            place = folder / name
            if not (place / "scores.json").exists():
                torch.manual_seed(self.training.seed)
                model = kind(Seq2SeqConfig(len(tokenizer), **sizes), tokenizer)
                watch = loss_on(watched, device)
                trained = Trainer(model, batches, self.training, place, device, watch, predicted).run(
                    progress
                )
                trained.save(place / "model", torch.float16)
                self._describe(place, kind.from_pretrained(place / "model"), tests, device)
            found[name] = kind.from_pretrained(place / "model")
        return found

    def _describe(self, place: Path, model: Seq2Seq, tests: dict[str, Pairs], device: str) -> None:
        """Score what is in ``model/``, and write its card and its scores."""
        scores, translations = self.evaluate(model, tests)
        log = Log(place / "log.jsonl").read()
        card = CARD.format(
            title=self.title,
            data=self.data,
            name=place.name,
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            sizes=json.dumps(asdict(model.config)),
            settings=json.dumps(asdict(self.training)),
            tokens=self.tokens,
            last=log[-1],
            minutes=log[-1]["seconds"] / 60,
            millions=log[-1]["tokens"] / 1e6,
            device=device_name(device),
            beam=self.beam,
            alpha=self.alpha,
            rows="\n".join(
                f"| {t} | {s['sentences']} | {s['bleu']} | {s['chrf']} |" for t, s in scores.items()
            ),
            signature=next(iter(scores.values()))["bleu_signature"],
        )
        (place / "model" / "README.md").write_text(wrapped(card), encoding="utf-8", newline="\n")
        for name, what in (("translations", translations), ("scores", scores)):
            text = json.dumps(what, indent=1, ensure_ascii=False) + "\n"
            write_whole(place / f"{name}.json", text.encode("utf-8"))

    def evaluate(
        self, model: Seq2Seq, tests: dict[str, Pairs]
    ) -> tuple[dict[str, dict], dict[str, list[str]]]:
        """For each test its number of sentences and its scores; and the translations that were scored."""
        scores, translations = {}, {}
        for name, pairs in tests.items():
            sources, references = zip(*pairs, strict=True)
            translations[name] = model.translate_all(sources, self.beam, self.alpha)
            scores[name] = {"sentences": len(pairs), **translation_scores(translations[name], references)}
        return scores, translations

    def shortened(self, steps: int) -> "RecurrentRecipe":
        """The same in so many steps: to try it."""
        return replace(self, training=replace(self.training, steps=steps))


def _encoded(pairs: Pairs, tokenizer: Tokenizer) -> list[tuple[list[int], list[int]]]:
    sources, targets = (tokenizer.encode_all(side) for side in zip(*pairs, strict=True))
    return list(zip(sources, targets, strict=True))
