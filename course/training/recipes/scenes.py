"""Readers of scenes: one that looks softly, two that look hard, with a baseline and without."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from course.data import scenes
from course.data.scenes import Scenes
from course.models.glimpse import SceneReader, hard_loss, mass_on, soft_loss
from course.training.report import wrapped

WAYS = {
    "soft": soft_loss,
    "hard, with a baseline": lambda *batch, generator: hard_loss(*batch, generator=generator),
    "hard, without": lambda *batch, generator: hard_loss(*batch, baseline=False, generator=generator),
}
SEEDS, STEPS, BATCH, LR, DRAWN, TESTED, EVERY = 3, 300, 64, 3e-3, 4000, 300, 50
SHIPPED_STEPS, SHIPPED_DRAWN = 800, 6000

CARD = """\
# Scenes: soft and hard attention on images

A reader of scenes (`course.models.glimpse`): {parameters:,} parameters. Shipped is one that looks softly,
after {shipped_steps} steps on {shipped_drawn:,} scenes: on the test below it names {accuracy:.1%} of the
things right, and {mass:.1%} of its attention falls on them.

- Data: scenes that the course draws (`course.data.scenes`): one of five photographs behind {drawn:,} scenes
  to train on, another of two behind {tested} to test with; eighteen little pictures from Twemoji (CC BY
  4.0). Credits: `course/data/art/README.md`.
- Training: the three ways compared, {steps} steps of {batch} scenes, Adam, {lr} falling to a tenth, on one
  CPU thread. A hard reader takes four looks at each scene.

On scenes before photographs never seen, mean over three questions (the lowest and the highest of {seeds}
seeds):

| | names it right | attention on the thing asked for |
|---|---|---|
{rows}

The thing asked for is in {area:.1%} of the cells (those it covers a tenth of or more). A hard reader's
share is of its probabilities, and it is scored after one look, drawn at random.
"""


def train(folder: str | Path, device: str = "cpu") -> SceneReader:
    """Repeat the recipe in ``folder``: a model, its card, and for each way and seed its course."""
    folder = Path(folder)
    (folder / "model").mkdir(parents=True, exist_ok=True)
    drawn, tested = scenes.draw(DRAWN, seed=1), scenes.draw(TESTED, "held out", seed=2)
    curves: dict[str, list[list[dict]]] = {way: [] for way in WAYS}
    for seed in range(SEEDS):
        for way in WAYS:
            torch.manual_seed(seed)
            reader = SceneReader()
            curves[way].append(fit(reader, drawn, way, seed, tested, STEPS, EVERY))
            _write(folder / "model" / "scores.json", curves)
    reader, reached = shipped(folder / "model", tested)
    last = {way: [seed[-1] for seed in of] for way, of in curves.items()}
    rows = "\n".join(f"| {way} | {_span(of, 'accuracy')} | {_span(of, 'mass')} |" for way, of in last.items())
    card = CARD.format(
        parameters=sum(p.numel() for p in reader.parameters()),
        drawn=DRAWN,
        tested=TESTED,
        steps=STEPS,
        batch=BATCH,
        lr=LR,
        seeds=SEEDS,
        rows=rows,
        shipped_steps=SHIPPED_STEPS,
        shipped_drawn=SHIPPED_DRAWN,
        area=tested.cells().float().mean().item(),
        **reached,
    )
    (folder / "model" / "README.md").write_text(wrapped(card), encoding="utf-8", newline="\n")
    return reader


def shipped(folder: Path, tested: Scenes) -> tuple[SceneReader, dict[str, float]]:
    """Train the one that ships, longer and on more scenes; and what it reaches."""
    torch.manual_seed(0)
    reader = SceneReader()
    drawn = scenes.draw(SHIPPED_DRAWN, seed=1)
    reached = fit(reader, drawn, "soft", 0, tested, steps=SHIPPED_STEPS, every=SHIPPED_STEPS)[-1]
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous() for name, tensor in reader.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text("{}\n", encoding="utf-8")
    return reader, {name: reached[name] for name in ("accuracy", "mass")}


def fit(
    reader: SceneReader,
    drawn: Scenes,
    way: str,
    seed: int,
    tested: Scenes,
    steps: int = STEPS,
    every: int = EVERY,
) -> list[dict]:
    """Train in one of the ``WAYS``; gives the scores on held-out scenes every so many steps."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(reader.parameters(), LR)
    curve = []
    for step in range(1, steps + 1):
        optimizer.param_groups[0]["lr"] = LR * min(1, step / 50) * (1 - 0.9 * step / steps)
        chosen = torch.randint(len(drawn.images), (BATCH,), generator=generator)
        kinds = torch.randint(drawn.things.shape[1], (BATCH,), generator=generator)
        batch = (reader.train(), drawn.images[chosen], kinds, drawn.things[chosen, kinds])
        loss = soft_loss(*batch) if way == "soft" else WAYS[way](*batch, generator=generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % every == 0 or step == steps:
            curve.append({"step": step, **evaluate(reader, tested, hard=way != "soft")})
    return curve


@torch.no_grad()
def evaluate(reader: SceneReader, tested: Scenes, hard: bool = False) -> dict[str, float]:
    """How often the thing is named, and how much attention falls on it, over all three questions."""
    reader.eval()
    right, mass = [], []
    for kind in range(tested.things.shape[1]):
        kinds = torch.full((len(tested.images),), kind)
        logits, weights = reader(tested.images, kinds)
        if hard:  # the expected share of single looks that are right
            cells = reader.name(reader.look(tested.images, kinds).values).argmax(-1)
            right.append((weights * (cells == tested.things[:, [kind]])).sum(-1).mean())
        else:
            right.append((logits.argmax(-1) == tested.things[:, kind]).float().mean())
        mass.append(mass_on(weights, tested.cells()[:, kind]).mean())
    return {
        "accuracy": round(torch.stack(right).mean().item(), 4),
        "mass": round(torch.stack(mass).mean().item(), 4),
    }


def _span(of: list[dict], what: str) -> str:
    values = sorted(x[what] for x in of)
    return f"{sum(values) / len(values):.3f} ({values[0]:.3f}–{values[-1]:.3f})"


def _write(path: Path, what: dict) -> None:
    path.write_text(json.dumps(what, indent=1) + "\n", encoding="utf-8")
