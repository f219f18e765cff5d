"""What an interrupted run goes on from: written whole, verified when read, the one before it kept."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import torch

from course.files import flush_folder, write_through
from course.training.errors import RunError

MARK = b"sha256 "
SEALED = len(MARK) + 64
END = b"PK\x05\x06" + bytes(18)  # how an archive ends: a signature, and the place of its table
NEWEST, WRITING, BEFORE = "resume.pt", "resume.part", "resume.before.pt"


class Damaged(Exception):
    """A file that is not what was once written."""


def save(folder: Path, state: dict[str, Any]) -> None:
    """Keep a state, and the one before it. At every moment one that is whole is on the disk.

    Raises:
        OSError: if it cannot be written, the disk being full, say; what was kept before is still there.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)  # not into the file: torch tells nothing of a disk that is full
    buffer.write(_seal(buffer.getbuffer()))
    part = folder / WRITING
    try:
        write_through(part, buffer.getvalue())
    except OSError:
        part.unlink(missing_ok=True)  # what room is left is wanted
        raise
    if (folder / NEWEST).exists():
        (folder / NEWEST).replace(folder / BEFORE)
    part.replace(folder / NEWEST)
    flush_folder(folder)


def load(folder: Path, device: torch.device) -> dict[str, Any] | None:
    """The newest state that is whole; None if there is none at all. Says which file was damaged.

    Raises:
        RunError: if there are files, and none of them is whole.
    """
    damaged = []
    for name in (NEWEST, WRITING, BEFORE):  # between two renamings, WRITING is the newest
        path = folder / name
        if not path.exists():
            continue
        try:
            state = _read(path, device)
        except Damaged as error:
            if name != WRITING:  # else the run was ended while it wrote: that is no damage
                damaged.append(f"{path} is damaged ({error})")
            continue
        if damaged:
            print(f"{'; '.join(damaged)}: the run goes on from {name}, the one before.", file=sys.stderr)
        return state
    if damaged:
        raise RunError(
            f"{'; '.join(damaged)}: this run cannot go on. Choose another folder, or delete {folder} to "
            "begin anew"
        )
    return None


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    """What a file holds, once its checksum is found right."""
    content = path.read_bytes()
    if not content.strip(b"\0"):
        raise Damaged("it holds nothing but zero bytes" if content else "it is empty")
    archive, seal = content[:-SEALED], content[-SEALED:]
    if not seal.startswith(MARK):  # of a run begun before there was a seal, or cut
        archive, wrong = content, _wrong_part(content)
    else:
        wrong = "its SHA-256 is another" if seal != _seal(archive) else None
    if wrong:
        raise Damaged(wrong)
    try:
        return torch.load(io.BytesIO(archive), map_location=device, weights_only=True)
    except Exception as error:
        raise Damaged(f"torch cannot read it: {str(error).splitlines()[0][:100]}") from error


def _seal(archive: bytes | memoryview) -> bytes:
    """What stands behind what torch writes: torch itself looks at no checksum."""
    return MARK + hashlib.sha256(archive).hexdigest().encode()


def _wrong_part(content: bytes) -> str | None:
    """What is wrong with an archive by its own checksums, which do not cover quite every byte."""
    if content[-len(END) :][:4] != END[:4]:
        return "it breaks off, or has changed, at its end"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            wrong = archive.testzip()
    except Exception as error:  # a damaged archive makes zipfile raise almost anything
        return str(error) or type(error).__name__
    return f"the checksum of its {wrong} is wrong" if wrong else None
