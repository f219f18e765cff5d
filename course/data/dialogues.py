"""Conversations about a task: a user and an assistant take turns until a ticket is bought or a film runs.

5,883 of the Schema-Guided Dialogues (Rastogi et al. 2020; train part, CC BY-SA 4.0), people's sentences for
outlines that a program drew: films, music, restaurants, travel, banks, weather.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256

from course.data.download import folders, path, verified
from course.data.registry import dataset
from course.text.chat import ASSISTANT, USER, Turn

HELD_OUT = 500
NAME, WHOLE = "sgd_dialogue", "sgd_dialogue.txt"
SHA256 = "a852b05c9c06ea3ad66bf51468c369be6a14ca21f32a3afd3bff22aba1c3696d"
"""Of the text that is made of the 52 files."""

Dialogue = list[Turn]
_SPEAKERS = {"U": USER, "S": ASSISTANT}


def dialogues() -> tuple[list[Dialogue], list[Dialogue]]:
    """Those to train on, and 500 held out: the ones with the smallest SHA-256.

    Where a folder of data holds the text made of all files, that is read; else the files are, and downloaded
    where need be (140 MB).

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    return split(_whole())


def _whole() -> str:
    for folder in folders():
        found = folder / NAME / WHOLE
        if found.is_file():
            return verified(found, SHA256, "Delete it or put the right one there.").read_text("utf-8")
    files = (path(NAME, file).read_text("utf-8") for file in dataset(NAME).files)
    text = derived(files)
    if sha256(text.encode()).hexdigest() != SHA256:
        raise ValueError(f"the files of {NAME} give another text than the course knows: download them again")
    return text


def derived(files: Iterable[str]) -> str:
    """One text of all files: a turn a line, "U: " or "S: " before it, an empty line between dialogues.

    Of dialogues that begin alike the first is kept.
    """
    kept: dict[str, str] = {}
    for turns in (dialogue["turns"] for file in files for dialogue in json.loads(file)):
        first = turns[0]["utterance"].strip().lower()
        kept.setdefault(
            first, "\n".join(f"{turn['speaker'][0]}: {turn['utterance'].strip()}" for turn in turns)
        )
    return "\n\n".join(kept.values()) + "\n"


def parse(text: str) -> Iterator[Dialogue]:
    """The dialogues of such a text."""
    for block in text.strip().split("\n\n"):
        yield [Turn(_SPEAKERS[line[0]], line[3:]) for line in block.split("\n")]


def split(text: str, held_out: int = HELD_OUT) -> tuple[list[Dialogue], list[Dialogue]]:
    """Which are held out depends on their words alone."""
    blocks = sorted(text.strip().split("\n\n"), key=lambda block: sha256(block.encode()).digest())
    ranked = [next(parse(block)) for block in blocks]
    return ranked[held_out:], ranked[:held_out]
