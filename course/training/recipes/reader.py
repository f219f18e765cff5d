"""What the recipes of BERTs that read many registers share: text in; checkpoint, scores and card out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from course.checkpoints import find_file
from course.data.mixed import Corpus
from course.masking import SPLIT
from course.models.bert_heads import BertForPreTraining, CausalBert
from course.studies.bert_pretraining import scores
from course.text.wordpiece import WordPiece
from course.training.muon import muon
from course.training.recipes.mixed_held_out import held_out_batches
from course.training.recipes.mixed_report import card, report
from course.training.recipes.mixed_rows import MixedBatches, Text, encoded
from course.training.recipes.transplant import transplanted
from course.training.report import write_report
from course.training.trainer import Log, Trainer, TrainingConfig

MODELS = {"masked": BertForPreTraining, "causal": CausalBert}
NAMED = ("gallon", "robbery", "penguins")
"""Rare words that the lectures name: a piece each."""
SEEN = 100
"""A character that the text holds less often stays unknown."""
WATCHED = 12
"""Rows of each register that are scored at every checkpoint."""


@dataclass(frozen=True)
class ReaderRecipe:
    """All there is to a BERT of many registers, or its twin: data, sizes, settings.

    Args:
        title, about: for the card.
        objective: "masked" or "causal".
        start: the shipped checkpoint that it goes on from.
        corpus: reads the data.
        vocab_size: the most pieces of the vocabulary.
        max_length: tokens in the longest input.
        tokens: about as many in a batch.
        rate, split: of masking, in training; what is held out is always masked at 15 %, 80/10/10.
    """

    title: str
    about: str
    objective: str
    start: str
    corpus: Callable[[], Corpus]
    vocab_size: int
    max_length: int
    training: TrainingConfig
    tokens: int
    rate: float = 0.15
    split: tuple[float, float, float] = SPLIT

    def train(self, folder: str | Path, device: str = "cpu", progress: bool = True) -> BertForPreTraining:
        """Train from texts to checkpoint in ``folder``, or go on where a run there was interrupted.

        Leaves ``model/`` (config, weights in float16, tokenizer.json), ``log.jsonl``, ``scores.json`` of
        what is in ``model/``, and its card, ``model/README.md``.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        model, tokenizer, train, held_out = self.fit(folder, device, progress)
        model.save(folder / "model", torch.float16)
        tokenizer.save(folder / "model" / "tokenizer.json")
        shipped = type(model).from_pretrained(folder / "model").to(device)
        found = report(shipped, tokenizer, train, held_out, self.objective)
        last = Log(folder / "log.jsonl").read()[-1]
        write_report(folder, found, card(self, shipped, found, last, device))
        return shipped

    def fit(
        self, folder: Path, device: str, progress: bool
    ) -> tuple[BertForPreTraining, WordPiece, Text, Text]:
        """Train, or go on with it: the model, its tokenizer, what it was trained on, what was held out."""
        tokenizer, train, held_out = self.prepared(folder)
        batches = MixedBatches(
            train, tokenizer, self.objective, self.tokens, self.rate, self.split, self.training.seed
        )
        parts = held_out_batches(held_out, tokenizer, self.objective, WATCHED)
        watched = [batch for part in parts for _, batch in part]

        def watch(model: BertForPreTraining) -> dict[str, float]:
            return {f"validation_{name}": score for name, score in scores(model, watched).items()}

        model = self.new_model(tokenizer)
        trainer = Trainer(model, batches, self.training, folder, device, watch, optimizer=muon)
        return trainer.run(progress), tokenizer, train, held_out

    def new_model(self, tokenizer: WordPiece) -> BertForPreTraining:
        """The model that training starts from."""
        start = MODELS[self.objective].from_pretrained(self.start)
        theirs = WordPiece.load(find_file(self.start, "tokenizer.json"))
        return transplanted(start, theirs, tokenizer, self.max_length, dropout=0.0)

    def prepared(self, folder: Path) -> tuple[WordPiece, Text, Text]:
        """The tokenizer, and the text as tokens, to train on and held out; made once, kept in ``text/``."""
        kept = folder / "text"
        if not (kept / "validation.npz").exists():  # the last to be written
            corpus = self.corpus()
            sentences = (
                text for register in corpus.train.values() for document in register for text in document
            )
            tokenizer = WordPiece.train(sentences, self.vocab_size, SEEN, NAMED)
            kept.mkdir(parents=True, exist_ok=True)
            tokenizer.save(kept / "tokenizer.json")
            for name, registers in corpus._asdict().items():
                encoded(tokenizer, list(registers.values())).save(kept / f"{name}.npz")
        texts = (Text.load(kept / f"{name}.npz") for name in Corpus._fields)
        return WordPiece.load(kept / "tokenizer.json"), *texts
