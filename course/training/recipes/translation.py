"""What the recipes of translators have in common: text in, checkpoint, scores and card out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from course.models.transformer import TransformerConfig
from course.models.translator import Translator
from course.text.tokenizers import PAD, Tokenizer
from course.training.batches import PairBatches
from course.training.processes import processes
from course.training.score import translation_scores
from course.training.trainer import Log, Trainer, TrainingConfig, device_name

Pairs = Sequence[tuple[str, str]]

CARD = """\
# {recipe.title}

An encoder-decoder Transformer of {parameters:.2f} million parameters, stored as float16.

- Data: {recipe.data}.
- Sizes: `{sizes}`
- Training: `{settings}`, {recipe.tokens} tokens a batch
- Cost: {last[step]} steps in {hours:.2f} hours on {device}; {millions:.1f} million tokens, padding included
- Label-smoothed loss in nats a token: {last[loss]:.3f} at the end, {last[validation_loss]:.3f} in validation

Scores by sacrebleu, with a beam of {recipe.beam} and length penalty {recipe.alpha}:

| test | sentences | BLEU | BLEU, lower case | chrF |
|---|---:|---:|---:|---:|
{rows}

BLEU `{bleu_signature}`, chrF `{chrf_signature}`.
"""


@dataclass(frozen=True)
class TranslationCorpus:
    """Pairs of a sentence and its translation: to train on, to watch the loss on, and to score on."""

    train: Pairs
    validation: Pairs
    tests: dict[str, Pairs]


@dataclass(frozen=True)
class TranslationRecipe:
    """All there is to a translator: data, sizes, settings.

    Args:
        title, data: for the card: what it is, and what it learned from, under which licence.
        corpus: reads the data.
        vocab_size: tokens of the one vocabulary of both languages.
        model: the other sizes of ``TransformerConfig``.
        tokens: in a batch, on the longer side, padding included.
        longest: the most tokens of a sentence to train on.
    """

    title: str
    data: str
    corpus: Callable[[], TranslationCorpus]
    vocab_size: int
    model: dict
    training: TrainingConfig
    tokens: int = 4096
    longest: int = 100
    beam: int = 4
    alpha: float = 0.6

    def train(self, folder: str | Path, device: str = "cpu", progress: bool = True) -> Translator:
        """Train from text to checkpoint in ``folder``, or go on where a run there was interrupted.

        Leaves ``model/`` (config, weights in float16, tokenizer), ``log.jsonl``, ``scores.json`` of what is
        in ``model/``, and its card, ``model/README.md``. Of several processes the first alone does, and gives
        back what is in ``model/``; the others give back what they trained.

        Raises:
            ValueError: before training, if a test sentence is too long for the model.
        """
        folder = Path(folder)
        with processes(device).main_process_first():  # what is downloaded, is downloaded once
            corpus = self.corpus()
        tokenizer = Tokenizer.train((text for pair in corpus.train for text in pair), self.vocab_size)
        torch.manual_seed(self.training.seed)
        model = Translator(TransformerConfig(len(tokenizer), **self.model), tokenizer)
        for pairs in corpus.tests.values():
            model.check_sources([source for source, _ in pairs])
        batches, validation = (
            PairBatches(self._encoded(pairs, tokenizer), self.tokens, self.training.seed)
            for pairs in (corpus.train, corpus.validation)
        )
        watch = loss_on(validation, device)
        options = {"terms": predicted, "tokens": lambda source, target: source.numel() + target.numel()}
        trainer = Trainer(model, batches, self.training, folder, device, watch, **options)
        trained = trainer.run(progress)
        if not trainer.is_first:
            return trained
        trained.save(folder / "model", torch.float16)
        shipped = Translator.from_pretrained(folder / "model").to(device)
        scores = self.evaluate(shipped, corpus.tests)
        (folder / "scores.json").write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
        card = self.card(shipped, scores, Log(folder / "log.jsonl").read(), device)
        (folder / "model" / "README.md").write_text(card, encoding="utf-8", newline="\n")
        return shipped

    def evaluate(self, model: Translator, tests: dict[str, Pairs]) -> dict[str, dict]:
        """For each test its number of sentences and its scores by ``translation_scores``."""
        scores = {}
        for name, pairs in tests.items():
            sources, references = zip(*pairs, strict=True)
            translations = model.translate_all(sources, self.beam, self.alpha)
            scores[name] = {"sentences": len(pairs), **translation_scores(translations, references)}
        return scores

    def card(self, model: Translator, scores: dict[str, dict], log: list[dict], device: str) -> str:
        """The checkpoint's README: data and licence, sizes, settings, what it cost, scores."""
        cells = ("sentences", "bleu", "bleu_lowercase", "chrf")
        rows = [" | ".join([name, *(str(score[cell]) for cell in cells)]) for name, score in scores.items()]
        signatures = next(iter(scores.values()))
        return CARD.format(
            recipe=self,
            parameters=sum(parameter.numel() for parameter in model.parameters()) / 1e6,
            sizes=json.dumps(asdict(model.config)),
            settings=json.dumps(asdict(self.training)),
            last=log[-1],
            hours=log[-1]["seconds"] / 3600,
            millions=log[-1]["tokens"] / 1e6,
            device=device_name(device),
            rows="\n".join(f"| {row} |" for row in rows),
            **{name: text for name, text in signatures.items() if name.endswith("signature")},
        )

    def _encoded(self, pairs: Pairs, tokenizer: Tokenizer) -> list[tuple[list[int], list[int]]]:
        """The ids of the pairs that are short enough."""
        sources, targets = (tokenizer.encode_all(side) for side in zip(*pairs, strict=True))
        encoded = zip(sources, targets, strict=True)
        return [(s, t) for s, t in encoded if max(len(s), len(t)) <= self.longest]


def predicted(source: Tensor, target: Tensor) -> int:
    """How many tokens the ``loss`` of a translator is the mean over."""
    return int((target[:, 1:] != PAD).sum())


def loss_on(batches: PairBatches, device: str) -> Callable[[nn.Module], dict[str, float]]:
    """The mean loss a target token over one epoch of these batches, for ``Trainer``."""

    def evaluate(model: nn.Module) -> dict[str, float]:
        total, tokens = 0.0, 0
        for step in range(len(batches)):
            source, target = (x.to(device) for x in batches(step))
            n = predicted(source, target)
            total, tokens = total + model.loss(source, target).item() * n, tokens + n
        return {"validation_loss": total / tokens}

    return evaluate
