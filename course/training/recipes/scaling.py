"""How the loss falls with the number of parameters: one setting in four widths, on the same batches.

The setting is ``shakespeare_char``'s, also in its learning rate: every model reads the same windows in the
same order, once.
"""

import dataclasses
from pathlib import Path

from course.models.gpt import GPT
from course.training.recipes import shakespeare_char
from course.training.recipes.characters import CharacterRecipe
from course.training.recipes.texts import write_scores
from course.training.report import wrapped
from course.training.trainer import Log, device_name

WIDTHS = (16, 32, 64, 128)

CARD = """\
# The loss against the number of parameters

No model, but what came of training four: GPTs of four layers and four heads on the characters of
tinyshakespeare (Karpathy 2015), public domain text. All but the width is `shakespeare-char`'s recipe: all
four read the same {characters:,} characters, on {device}, other work running. `log.jsonl` has their curves,
`scores.json` this table.

| width | parameters | without embeddings | loss on the last tenth, nats a character | seconds |
|---:|---:|---:|---:|---:|
{rows}
"""


def recipe(width: int) -> CharacterRecipe:
    """``shakespeare_char``'s, with another width."""
    model = shakespeare_char.RECIPE.model | {"d_model": width}
    return dataclasses.replace(shakespeare_char.RECIPE, title=f"Shakespeare, {width} wide", model=model)


def train(folder: str | Path, device: str = "cpu") -> list[GPT]:
    """Train all four, or go on with them, each in a folder of ``folder`` named after its width.

    Leaves what the course ships in ``folder``: ``log.jsonl`` and ``scores.json`` of all, and a card.
    """
    folder = Path(folder)
    models = [recipe(width).train(folder / str(width), device) for width in WIDTHS]
    log = Log(folder / "log.jsonl")
    log.path.unlink(missing_ok=True)
    for width in WIDTHS:
        for entry in Log(folder / str(width) / "log.jsonl").read():
            log.write({"width": width, **entry})
    scores = [summary(model, log.read()) for model in models]
    write_scores(folder / "scores.json", scores)
    (folder / "README.md").write_text(wrapped(card(scores, device)), encoding="utf-8", newline="\n")
    return models


def summary(model: GPT, log: list[dict]) -> dict[str, float]:
    """A model's sizes, and what the log says of its end."""
    width = model.config.d_model
    last = [entry for entry in log if entry["width"] == width][-1]
    everything = sum(parameter.numel() for parameter in model.parameters())
    embeddings = model.embedding.weight.numel() + model.positions.embedding.weight.numel()
    return {
        "width": width,
        "parameters": everything,
        "without_embeddings": everything - embeddings,
        "characters": last["tokens"],
        "validation_loss": last["validation_loss"],
        "seconds": last["seconds"],
    }


def card(scores: list[dict], device: str) -> str:
    """What was trained, on what, and a table of the outcome."""
    rows = "\n".join(
        f"| {score['width']} | {score['parameters']:,} | {score['without_embeddings']:,} "
        f"| {score['validation_loss']:.3f} | {score['seconds']:.0f} |"
        for score in scores
    )
    return CARD.format(characters=scores[0]["characters"], device=device_name(device), rows=rows)
