"""Co-attention on bAbI: a reader told answers only, and where it looks, against the supporting sentences."""

import json
from pathlib import Path

import torch
from torch import Tensor

from course.data import babi
from course.data.babi import StoryQuestion
from course.models.co_attention import StoryReader
from course.models.toy_attention import split_words
from course.training.report import wrapped

SEEDS, EPOCHS, BATCH, LR = 3, 12, 64, 5e-3

CARD = """\
# Stories asked: co-attention on bAbI

Each sentence of a story and each word of a question look at one another (`course.models.co_attention`):
{parameters:,} parameters,
stored as float16. Shipped is seed {best}.

- Data: three tasks of bAbI v1.1 in English (Weston et al. 2015), CC BY 3.0, © Facebook: 3,000 questions to
train on, 3,000 to
  test with. The numbers of the supporting sentences are never shown in training.
- Training: {epochs} epochs of batches of {batch}, Adam at {lr}, on one CPU thread.

Over {seeds} seeds, on the test questions: accuracy; how much of the question words' attention falls on the
supporting sentences;
how often the sentence looked at most is one of them. Beside it two guesses: the last sentence that shares
a name with the
question, and an even look.

| task | answers right | attention on the support | looks at it most | last with the name | even |
|---|---|---|---|---|---|
{rows}
"""


def train(folder: str | Path, device: str = "cpu") -> StoryReader:
    """Repeat the recipe in ``folder``: a model, its card, and scores of every seed."""
    folder = Path(folder)
    data = {split: {task: babi.questions(task, split) for task in babi.TASKS} for split in ("train", "test")}
    examples = [q for of in data["train"].values() for q in of]
    texts = [text for q in examples for text in (*q.story, q.question, q.answer)]
    words = ["<pad>", "<unknown>", *sorted({w for t in texts for w in split_words(t.lower()) if w.isalnum()})]
    scores, models = [], []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        model = StoryReader(words)
        fit(model, examples, seed)
        scores.append({task: evaluate(model, of) for task, of in data["test"].items()})
        models.append(model)
    best = max(range(SEEDS), key=lambda i: sum(s["accuracy"] for s in scores[i].values()))
    models[best].save(folder / "model", torch.float16)
    guesses = {task: guess(of) for task, of in data["test"].items()}
    found = {"seeds": scores, "guesses": guesses}
    (folder / "model" / "scores.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    rows = "\n".join(
        f"| {task} | {_span(s[task]['accuracy'] for s in scores)} | {_span(s[task]['mass'] for s in scores)} "
        f"| {_span(s[task]['most'] for s in scores)} | {guesses[task]['last']:.3f} | "
        f"{guesses[task]['even']:.3f} |"
        for task in babi.TASKS
    )
    card = CARD.format(
        parameters=sum(p.numel() for p in model.parameters()), best=best, epochs=EPOCHS, batch=BATCH, lr=LR,
        seeds=SEEDS, rows=rows,
    )  # fmt: skip
    (folder / "model" / "README.md").write_text(wrapped(card), encoding="utf-8", newline="\n")
    return StoryReader.from_pretrained(folder / "model")


def fit(model: StoryReader, examples: list[StoryQuestion], seed: int, epochs: int = EPOCHS) -> None:
    """Train on questions and their answers; a batch is of stories of like length."""
    stories, questions, answers = _encode(model, examples)
    optimizer = torch.optim.Adam(model.parameters(), LR)
    generator = torch.Generator().manual_seed(seed)
    steps = epochs * -(-len(examples) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(examples), generator=generator).split(BATCH):
            loss = model.loss(stories[chosen], questions[chosen], answers[chosen])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    model.eval()


@torch.no_grad()
def evaluate(model: StoryReader, examples: list[StoryQuestion]) -> dict[str, float]:
    """Accuracy, and how the question words' attention over the sentences (their mean) meets the support."""
    stories, questions, answers = _encode(model, examples)
    scores, found = model(stories, questions)
    asked = (questions != 0).unsqueeze(-1).to(scores.dtype)
    looks = (found.question_to_context * asked).sum(1) / asked.sum(1)  # [question, sentence]
    support = torch.zeros_like(looks)
    for row, example in enumerate(examples):
        support[row, list(example.support)] = 1
    most = support.gather(1, looks.argmax(-1, keepdim=True))
    return {
        "accuracy": round((scores.argmax(-1) == answers).float().mean().item(), 4),
        "mass": round((looks * support).sum(-1).mean().item(), 4),
        "most": round(most.mean().item(), 4),
    }


def guess(examples: list[StoryQuestion]) -> dict[str, float]:
    """Without a model: is the last sentence with a name of the question a support? An even look's share."""
    hits, shares = [], []
    for q in examples:
        names = {word for word in split_words(q.question)[1:] if word[0].isupper()}
        sharing = [i for i, sentence in enumerate(q.story) if names & set(split_words(sentence))]
        hits.append(bool(sharing) and sharing[-1] in q.support)
        shares.append(len(q.support) / len(q.story))
    return {"last": round(sum(hits) / len(hits), 4), "even": round(sum(shares) / len(shares), 4)}


def _encode(model: StoryReader, examples: list[StoryQuestion]) -> tuple[Tensor, Tensor, Tensor]:
    stories, questions = model.batch([q.story for q in examples], [q.question for q in examples])
    return stories, questions, torch.tensor([model.number[q.answer] for q in examples])


def _span(values) -> str:
    values = sorted(values)
    return f"{sum(values) / len(values):.3f} ({values[0]:.3f}–{values[-1]:.3f})"
