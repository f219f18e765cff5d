"""How much fits into one fixed context: copying letters, with contexts of two sizes, or asking again."""

import json
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from course.models.attention_seq2seq import Bahdanau
from course.models.seq2seq import Seq2Seq, Seq2SeqConfig
from course.models.transformer import evaluating
from course.text.tokenizers import BOS, EOS, PAD
from course.training.report import wrapped

LETTERS, SHORTEST, LONGEST = 16, 2, 12
SIZES, SEEDS, STEPS, BATCH, LR = (12, 32), 3, 350, 48, 5e-3
WAYS = {"fixed": Seq2Seq, "asking": Bahdanau}

CARD = """\
# Copying: how much one fixed context holds

Two kinds of recurrent translator (`course.models.seq2seq`, `course.models.attention_seq2seq`) that are to
write down the letters
they have read: one with a fixed context C, one with Bahdanau's attention, each with states and contexts of
{sizes} numbers. Nothing but these scores is shipped.

- Data: letters drawn at random from sixteen, {shortest} to {longest} in a row: nothing to translate,
nothing to guess by.
- Training: {steps} steps of {batch}, Adam at {lr}, falling in a line, on one CPU thread; {seeds} seeds.

Share of letters right at {longest} letters, the right ones before it given; mean, lowest and highest over
the seeds (chance {chance:.3f}):

| size of C | fixed context | asking at each letter |
|---:|---|---|
{rows}
"""


def train(folder: str | Path, device: str = "cpu") -> dict:
    """Repeat the recipe in ``folder``: for each way, size and seed the share right, by length and place."""
    folder = Path(folder)
    (folder / "model").mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, list]] = {way: {} for way in WAYS}
    for size in SIZES:
        for way, kind in WAYS.items():
            found[way][str(size)] = []
            for seed in range(SEEDS):
                torch.manual_seed(seed)
                model = kind(Seq2SeqConfig(3 + LETTERS, 32, size, dropout=0.0, label_smoothing=0.0))
                fit(model, seed)
                found[way][str(size)].append(by_place(model))
    scores = {"lengths": list(range(SHORTEST, LONGEST + 1)), "sizes": list(SIZES), "right": found}
    (folder / "model" / "scores.json").write_text(json.dumps(scores) + "\n", encoding="utf-8")
    rows = "\n".join(
        f"| {size} | {_span(found['fixed'], size)} | {_span(found['asking'], size)} |" for size in SIZES
    )
    card = CARD.format(
        sizes=", ".join(map(str, SIZES)), shortest=SHORTEST, longest=LONGEST, steps=STEPS, batch=BATCH, lr=LR,
        seeds=SEEDS, chance=1 / LETTERS, rows=rows,
    )  # fmt: skip
    (folder / "model" / "README.md").write_text(wrapped(card), encoding="utf-8", newline="\n")
    return scores


def letters(
    n: int, length: int | None, generator: torch.Generator
) -> tuple[Int[Tensor, "n source"], Int[Tensor, "n target"]]:
    """Rows of letters with <eos> behind, the same to be written with <bos> before; of one length or all."""
    low, high = (length, length + 1) if length else (SHORTEST, LONGEST + 1)
    lengths = torch.randint(low, high, (n,), generator=generator).tolist()
    rows = [torch.randint(3, 3 + LETTERS, (k,), generator=generator) for k in lengths]
    ends, begins = torch.tensor([EOS]), torch.tensor([BOS])
    source = pad_sequence([torch.cat([row, ends]) for row in rows], batch_first=True, padding_value=PAD)
    target = pad_sequence(
        [torch.cat([begins, row, ends]) for row in rows], batch_first=True, padding_value=PAD
    )
    return source, target


def fit(model: Seq2Seq, seed: int, steps: int = STEPS) -> None:
    """Train to copy."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), LR)
    model.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LR * (1 - 0.9 * step / steps)
        loss = model.loss(*letters(BATCH, None, generator))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()


@torch.no_grad()
def by_place(model: Seq2Seq, n: int = 100) -> list[list[float]]:
    """For each length the share of letters right at each place, the right ones before it given."""
    generator = torch.Generator().manual_seed(10_000)
    found = []
    with evaluating(model):
        for length in range(SHORTEST, LONGEST + 1):
            source, target = letters(n, length, generator)
            right: Float[Tensor, "n place"] = (
                model(source, target[:, :-1]).argmax(-1) == target[:, 1:]
            ).float()
            found.append([round(x, 3) for x in right[:, :length].mean(0).tolist()])
    return found


def _span(of: dict[str, list], size: int) -> str:
    values = sorted(sum(seed[-1]) / len(seed[-1]) for seed in of[str(size)])
    return f"{sum(values) / len(values):.3f} ({values[0]:.3f}–{values[-1]:.3f})"
