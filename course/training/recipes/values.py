"""What is liked, learned from pairs of stories, and pushed too far: several seeds, logged.

The stories are those of the shipped GPT; the reader who prefers one of two is a rule. A model of the reader
(Bradley and Terry's) learns from pairs. Then stories are written for it: the best of n, and with every token
the likelier the more it is worth. What the model of the reader says of them, and what the reader says.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

import torch
from safetensors.torch import save_file
from torch import Tensor

from course.models.language_model import LanguageModel
from course.studies import preferences as study
from course.training.report import wrapped

SEEDS, SAMPLES, PAIRS, TESTED = 5, 768, 400, 400
BEST = (1, 2, 4, 8, 16, 32, 64, 128)
PUSHES = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
TEXTS = 64
PART = 192

CARD = """\
# Values: what is liked, learned, and pushed too far

No model, but stories and scores. `samples.safetensors`: {samples} stories of the shipped `gpt-stories`
(TinyStories, CDLA-Sharing-1.0), {length} tokens each, drawn at temperature 1 after "{prompt}".

- The reader: a rule, `course.studies.preferences.true_reward`.
- The model of the reader: a worth for each of 2,048 tokens, learned from {pairs} pairs (Bradley and Terry
1952); each seed has stories and pairs of its own.
- Pushed: every token's probability times e^(push × worth), {texts} stories each.

Over {seeds} seeds, mean (least to most). Pairs ranked as the reader ranks them, of {tested} that it did not
see: {agreement}. Rewards of a story as the model of the reader gives it (the proxy; 0 is its mean over
stories that were not pushed, 1 their standard deviation) and as the reader does:

| | nats from the model | proxy | reader |
|---|---:|---:|---:|
{rows}
"""


def train(folder: str | Path, device: str = "cpu", seeds: int = SEEDS) -> dict:
    """Repeat the recipe in ``folder``: stories, ``scores.json`` and a card."""
    folder, model = Path(folder), LanguageModel.from_pretrained("gpt-stories")
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in range(seeds):
        samples = story_ids(model, SAMPLES, seed=seed)
        if seed == 0:
            save_file({"samples": samples.to(torch.int16)}, folder / "samples.safetensors")
        found.append(of_seed(model, samples, seed))
        print(f"seed {seed}: {found[-1]['agreement']:.3f} of pairs ranked as the reader does", flush=True)
    scores = {"prompt": study.PROMPT, "length": study.LENGTH, "seeds": found}
    (folder / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8", newline="\n")
    (folder / "README.md").write_text(wrapped(card(scores)), encoding="utf-8", newline="\n")
    return scores


def story_ids(
    model: LanguageModel, texts: int, worth: Tensor | None = None, push: float = 0.0, seed: int = 0
) -> Tensor:
    """Stories in parts that fit into memory, each part with chance of its own."""
    return written(model, texts, worth, push, seed).ids


def written(model: LanguageModel, texts: int, worth: Tensor | None, push: float, seed: int) -> study.Written:
    """As ``study.write``, after the prompt."""
    prompt = model.encode(study.PROMPT)
    parts = [
        study.write(model.gpt, prompt, min(PART, texts - start), worth, push, seed=1000 * seed + start)
        for start in range(0, texts, PART)
    ]
    return study.Written(*(torch.cat(x) for x in zip(*parts, strict=True)))


def rewards(model: LanguageModel, ids: Tensor) -> Tensor:
    """What the reader thinks of each."""
    return torch.tensor([study.true_reward(model.vocabulary.decode(row)) for row in ids.tolist()])


def of_seed(model: LanguageModel, samples: Tensor, seed: int) -> dict:
    """Half of the stories make pairs to learn from; the others pairs to test with, and the best of n."""
    vocab = model.gpt.config.vocab_size
    known, others = samples.split(len(samples) // 2)
    of_known, of_others = rewards(model, known), rewards(model, others)
    seen, unseen = study.counts(known, vocab), study.counts(others, vocab)
    chosen, rejected = study.ranked_pairs(of_known, PAIRS, seed)
    worth = study.fit_reward(seen[chosen], seen[rejected])
    left, right = study.ranked_pairs(of_others, TESTED, seed + 100)
    proxy = unseen @ worth
    mean, spread = proxy.mean(), proxy.std()
    scaled = (proxy - mean) / spread
    best = [(n, study.divergence_of_best(n), *study.best_of(scaled, of_others, n)) for n in BEST]
    pushed = []
    for push in PUSHES:
        ids, divergence = written(model, TEXTS, worth, push, 50 + seed)
        liked = (study.counts(ids, vocab) @ worth - mean) / spread
        pushed.append(
            (push, divergence.mean().item(), liked.mean().item(), rewards(model, ids).mean().item())
        )
    first, last = model.vocabulary.decode(samples[0].tolist()), model.vocabulary.decode(ids[0].tolist())
    dearest = worth.topk(12).indices.tolist()
    return {
        "agreement": study.agreement(worth, unseen[left], unseen[right]),
        "learned": study.agreement(worth, seen[chosen], seen[rejected]),
        "best": [[round(x, 4) for x in row] for row in best],
        "pushed": [[round(x, 4) for x in row] for row in pushed],
        "dearest": model.vocabulary.pieces(dearest),
        "as it was": first,
        "pushed most": last,
    }


def card(scores: dict) -> str:
    """The README: what is what, and the curve."""
    seeds = scores["seeds"]
    rows = []
    for name, kind, numbers in (("best of {:g}", "best", BEST), ("push {:g}", "pushed", PUSHES)):
        for i, n in enumerate(numbers):
            cells = [_span([seed[kind][i][column] for seed in seeds]) for column in (1, 2, 3)]
            rows.append(f"| {name.format(n)} | {' | '.join(cells)} |")
    return CARD.format(
        samples=SAMPLES, length=scores["length"], prompt=scores["prompt"], pairs=PAIRS, texts=TEXTS,
        seeds=len(seeds), tested=TESTED, agreement=_span([s["agreement"] for s in seeds]),
        rows="\n".join(rows),
    )  # fmt: skip


def _span(values: list[float]) -> str:
    return f"{fmean(values):.2f} ({min(values):.2f} to {max(values):.2f})"
