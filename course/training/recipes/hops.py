"""Lin et al.'s hops on film reviews: with the penalty and without, and how far the hops overlap."""

import json
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from course.data import rt_polarity
from course.data.examples import Labelled
from course.models.hops import PAD, HopsClassifier, HopsConfig, hops_penalty
from course.models.toy_attention import split_words

PENALTIES = {"no penalty": 0.0, "penalty 0.3": 0.3}
SEEDS, EPOCHS, BATCH, SEEN, LR = 3, 3, 64, 4, 3e-3

CARD = """\
# Hops on film reviews

Lin et al.'s self-attentive sentence embedding (2017): a bidirectional LSTM of 64, four hops, {parameters:,}
parameters, stored as float16. Shipped is "{shipped}", seed 0.

- Data: rt-polarity (Pang and Lee 2005), CC BY 4.0: 8,530 sentences to train on, 1,066 to test with; words
seen {seen} times or more.
- Training: {epochs} epochs of batches of {batch}, Adam at {lr}, on one CPU thread. No pre-trained word
vectors.

Over {seeds} seeds, on the test sentences: accuracy, and how far two hops look at the same words (the mean,
over pairs of
hops, of Σ of the product of their weights, over Σ of the squares: 1 is the same look, 0 no word in common).

| | accuracy | overlap of two hops |
|---|---|---|
{rows}

Naive Bayes on the same split: see the card of `four-tasks`.
"""


def train(folder: str | Path, device: str = "cpu") -> HopsClassifier:
    """Repeat the recipe in ``folder``: a model, its card, and scores of every seed."""
    folder = Path(folder)
    corpus = rt_polarity.reviews()
    counts = Counter(word for x in corpus.train for word in split_words(x.text))
    words = ["<pad>", "<unknown>", *sorted(word for word, n in counts.items() if n >= SEEN)]
    scores: dict[str, list[dict]] = {name: [] for name in PENALTIES}
    for name, penalty in PENALTIES.items():
        for seed in range(SEEDS):
            torch.manual_seed(seed)
            model = HopsClassifier(HopsConfig(len(words)), words)
            fit(model, corpus.train, penalty, seed)
            scores[name].append(evaluate(model, corpus.test))
            if seed == 0 and penalty > 0:
                model.save(folder / "model", torch.float16)
    (folder / "model" / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    rows = "\n".join(
        f"| {name} | {_span(s['accuracy'] for s in of)} | {_span(s['overlap'] for s in of)} |"
        for name, of in scores.items()
    )
    card = CARD.format(
        parameters=sum(p.numel() for p in model.parameters()), shipped=list(PENALTIES)[1], seen=SEEN,
        epochs=EPOCHS, batch=BATCH, lr=LR, seeds=SEEDS, rows=rows,
    )  # fmt: skip
    (folder / "model" / "README.md").write_text(card, encoding="utf-8", newline="\n")
    return HopsClassifier.from_pretrained(folder / "model")


def fit(
    model: HopsClassifier, examples: list[Labelled], penalty: float, seed: int, epochs: int = EPOCHS
) -> None:
    """Train on sentences with their labels."""
    ids, labels = _encode(model, examples)
    optimizer = torch.optim.Adam(model.parameters(), LR)
    generator = torch.Generator().manual_seed(seed)
    model.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(ids), generator=generator).split(BATCH):
            batch = pad_sequence([ids[i] for i in chosen], batch_first=True, padding_value=PAD)
            loss = model.loss(batch, labels[chosen], penalty)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    model.eval()


@torch.no_grad()
def evaluate(model: HopsClassifier, examples: list[Labelled]) -> dict[str, float]:
    """Accuracy, the mean overlap of two hops, the mean penalty."""
    ids, labels = _encode(model, examples)
    logits, weights = model(pad_sequence(ids, batch_first=True, padding_value=PAD))
    return {
        "accuracy": round((logits.argmax(-1) == labels).float().mean().item(), 4),
        "overlap": round(overlap(weights).item(), 4),
        "penalty": round(hops_penalty(weights).mean().item(), 4),
    }


def overlap(weights: Tensor) -> Tensor:
    """The mean cosine of two different hops' weights over a batch of sentences."""
    unit = torch.nn.functional.normalize(weights, dim=-1)
    cosines = unit @ unit.mT  # [batch, hop, hop]
    hops = weights.shape[-2]
    return (cosines.sum((-1, -2)) - hops).mean() / (hops * (hops - 1))


def _encode(model: HopsClassifier, examples: list[Labelled]) -> tuple[list[Tensor], Tensor]:
    labels = torch.tensor([rt_polarity.LABELS.index(x.label) for x in examples])
    return [model.ids(x.text) for x in examples], labels


def _span(values) -> str:
    values = sorted(values)
    return f"{sum(values) / len(values):.3f} ({values[0]:.3f}–{values[-1]:.3f})"
