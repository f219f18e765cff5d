"""What a run leaves beside its weights: scores, and the card that says where the model comes from."""

import json
from collections.abc import Mapping
from pathlib import Path


def write_report(folder: str | Path, scores: Mapping, card: str) -> None:
    """Write ``scores.json`` into a run's folder, and its card as the README of ``model/``."""
    folder = Path(folder)
    text = json.dumps(scores, indent=2) + "\n"
    (folder / "scores.json").write_text(text, encoding="utf-8", newline="\n")
    (folder / "model" / "README.md").write_text(card, encoding="utf-8", newline="\n")
