"""Masked LM, ELECTRA and DeBERTa at equal compute: who has learned most from so many operations?

The three have the same sizes, read the same text in the same order, and stop when they have spent the same
number of floating-point operations, counted by torch. Then each encoder does the same task twice: frozen,
with only a head that learns, and fine-tuned. ``race`` can be small enough to run live; ``train`` is a logged
run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from course.data import everyday, rt_polarity
from course.models.bert import Bert, BertConfig
from course.models.bert_heads import BertForMaskedLM
from course.models.deberta import DebertaForMaskedLM
from course.models.electra import Electra
from course.studies.bert_pretraining import Ids, encode, hidden, single_rows
from course.studies.downstream import Classification, Task
from course.studies.fine_tuning import Settings, answer, fine_tune
from course.text.wordpiece import WordPiece
from course.training.report import wrapped
from course.training.trainer import device_name

MODELS: dict[str, Callable[[BertConfig], nn.Module]] = {
    "masked LM": BertForMaskedLM,
    "ELECTRA": Electra,
    "DeBERTa": DebertaForMaskedLM,
}
SPLITS = {"ELECTRA": (1.0, 0.0, 0.0)}
"""What becomes of the chosen tokens, where it is not BERT's 80/10/10: ELECTRA hides them all."""


@dataclass(frozen=True)
class Race:
    """The conditions, the same for all.

    Args:
        model: the sizes of BERT, of DeBERTa, and of ELECTRA's discriminator.
        flops: floating-point operations that each may spend on pre-training.
        batch: texts in a batch.
        lr: the peak learning rate; it rises over a tenth of the steps, and falls to nothing.
    """

    model: BertConfig
    flops: float
    batch: int = 32
    lr: float = 1e-3
    seed: int = 0


@dataclass
class Entrant:
    """One of the three after its training; its pre-training losses are in nats, of different questions."""

    encoder: Bert
    steps: int
    flops: float
    seconds: float
    losses: list[float] = field(default_factory=list)


def race(
    texts: Sequence[Ids], tokenizer: WordPiece, conditions: Race, names: Sequence[str] = tuple(MODELS)
) -> dict[str, Entrant]:
    """Pre-train each of the models on these texts (tokens without [CLS] and [SEP]) for the same compute.

    Raises:
        ValueError: if a text is longer than the model reads, or the budget is less than one step.

    Source: lecture row L1.6.j; the comparison at equal compute as in Clark et al. 2020, §3.4.
    """
    longest = max(map(len, texts)) + 2
    if longest > conditions.model.max_length:
        raise ValueError(f"a text has {longest} tokens, and the models read {conditions.model.max_length}")
    return {name: _run(name, texts, tokenizer, conditions) for name in names}


def _run(name: str, texts: Sequence[Ids], tokenizer: WordPiece, conditions: Race) -> Entrant:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(conditions.seed)
        model = MODELS[name](conditions.model).train()
        cost = step_flops(model, *_batch(name, texts, tokenizer, conditions, 0))
        steps, start = int(conditions.flops / cost), perf_counter()
        if not steps:
            raise ValueError(
                f"a step of {name} costs {cost:.1e} FLOPs, and the budget is {conditions.flops:.1e}"
            )
        optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01, betas=(0.9, 0.98), eps=1e-6)
        settings, losses = Settings(steps=steps, lr=conditions.lr), []
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = settings.rate(step, "fine-tuned")
            optimizer.zero_grad()
            loss = model.loss(*_batch(name, texts, tokenizer, conditions, step))
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
    return Entrant(model.bert.eval(), steps, steps * cost, perf_counter() - start, losses)


def _batch(
    name: str, texts: Sequence[Ids], tokenizer: WordPiece, conditions: Race, step: int
) -> tuple[Tensor, Tensor]:
    """The texts of a step, which are the same for every model, all of one epoch before any comes again."""
    epoch, begin = divmod(step * conditions.batch, len(texts))
    generator = torch.Generator().manual_seed(1_000_003 * conditions.seed + epoch)
    order = torch.randperm(len(texts), generator=generator)
    rows = [texts[i] for i in order[begin : begin + conditions.batch]]
    generator.manual_seed(1_000_003 * conditions.seed + step)
    return hidden(
        single_rows(rows, tokenizer).ids,
        tokenizer,
        split=SPLITS.get(name, (0.8, 0.1, 0.1)),
        generator=generator,
    )


def step_flops(model: nn.Module, *batch: Tensor) -> float:
    """Floating-point operations of a step, forward and back, as torch counts them; 2 a multiply-and-add."""
    with FlopCounterMode(display=False) as counter:
        model.loss(*batch).backward()
    model.zero_grad()
    return float(counter.get_total_flops())


def compare(
    entrants: dict[str, Entrant],
    task: Task,
    tokenizer: WordPiece,
    train: Sequence,
    test: Sequence,
    settings: Settings,
) -> dict[str, dict[str, float]]:
    """The score of each encoder under the same head on the same examples, frozen and fine-tuned."""

    def score(encoder: Bert, how: str) -> float:
        model = fine_tune(encoder, task, tokenizer, train, how, settings)
        return task.score(test, answer(model, task, tokenizer, test))

    return {
        name: {how: score(entrant.encoder, how) for how in ("frozen", "fine-tuned")}
        for name, entrant in entrants.items()
    }


# --------------------------------------------------------------------------------------------------
# The logged run
# --------------------------------------------------------------------------------------------------

CARD = """\
# Masked LM, ELECTRA and DeBERTa at equal compute

No model, but what came of pre-training three, each for {flops:.1e} floating-point operations, and of letting
each do one task. Same sizes, same texts in the same order, same learning rates; one seed.

- Text: the English sentences of Tatoeba (CC BY 2.0) and of TinyStories (CDLA-Sharing-1.0) that
  `course.data.everyday` trains on; a WordPiece of {vocab:,} pieces
- Sizes: `{sizes}`; ELECTRA's generator is a quarter as wide
- Task: rt-polarity (CC BY 4.0), {labels:,} labels, tested on {tested:,} sentences of the course's split
- On {device}, other work running

| model | steps | seconds | frozen, accuracy | fine-tuned, accuracy |
|---|---:|---:|---:|---:|
{rows}
| naive Bayes, the same labels | | | {bayes:.3f} | |
"""
CONDITIONS = {"d_model": 128, "n_heads": 4, "d_ff": 512, "n_layers": 3, "max_length": 48}
FLOPS = 6e12
"""About three minutes of one core each."""
VOCABULARY, LABELS = 4000, 2000
SETTINGS = Settings(steps=250, batch=32)


def train(folder: str | Path, device: str = "cpu") -> dict[str, dict]:
    """The logged run: leaves ``scores.json`` and a card in ``folder``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text, task = everyday.english().train, Classification(rt_polarity.LABELS)
    sentences = [*text.sentences, *(sentence for story in text.stories for sentence in story)]
    tokenizer = WordPiece.train(sentences, VOCABULARY)
    config = BertConfig(len(tokenizer), **CONDITIONS, dropout=0.1, attention_dropout=0.0)
    texts = [ids[: config.max_length - 2] for ids in encode(tokenizer, sentences) if ids]
    corpus = rt_polarity.reviews()
    order = torch.randperm(len(corpus.train), generator=torch.Generator().manual_seed(0)).tolist()
    labelled = [corpus.train[i] for i in order[:LABELS]]
    entrants = race(texts, tokenizer, Race(config, FLOPS))
    found = compare(entrants, task, tokenizer, labelled, corpus.test, SETTINGS)
    scores = {name: _spent(entrant) | found[name] for name, entrant in entrants.items()}
    scores["naive Bayes"] = {"accuracy": task.score(corpus.test, task.baseline(labelled)(corpus.test))}
    (folder / "scores.json").write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8", newline="\n")
    card = _card(scores, config, len(corpus.test), device)
    (folder / "README.md").write_text(wrapped(card), encoding="utf-8", newline="\n")
    return scores


def _spent(entrant: Entrant, points: int = 40) -> dict:
    """What its training took; of the losses, means over 40 equal stretches."""
    stretches = torch.tensor(entrant.losses).tensor_split(min(points, entrant.steps))
    spent = {"steps": entrant.steps, "flops": entrant.flops, "seconds": round(entrant.seconds)}
    return spent | {"losses": [round(part.mean().item(), 4) for part in stretches]}


def _card(scores: dict[str, dict], config: BertConfig, tested: int, device: str) -> str:
    rows = "\n".join(
        f"| {name} | {s['steps']:,} | {s['seconds']} | {s['frozen']:.3f} | {s['fine-tuned']:.3f} |"
        for name, s in scores.items()
        if "steps" in s
    )
    return CARD.format(
        flops=FLOPS,
        vocab=config.vocab_size,
        sizes=json.dumps(asdict(config)),
        labels=LABELS,
        tested=tested,
        device=device_name(device),
        rows=rows,
        bayes=scores["naive Bayes"]["accuracy"],
    )
