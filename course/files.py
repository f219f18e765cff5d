"""Files that are whole or as they were, whatever happens meanwhile, and folders that one process works in.

Standard library only: it is used before anything is installed, too.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file: at every moment, a crash and a power cut among them, the old one or the new one is whole.

    Raises:
        OSError: if it cannot be written, the disk being full, say; the old file is then as it was.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write_through(part, content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    flush_folder(path.parent)


def write_through(path: Path, content: bytes) -> None:
    """Write a file, and return when it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Bring the names of a folder's files to the disk (Windows does so by itself)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Busy(RuntimeError):
    """Another process has what this one wants to work in."""


class Lock:
    """A file that one process at a time has; whoever ends, killed or not, gives it back.

    In one process it may be had several times.

    Raises:
        Busy: if another process has it; the text is its number, where that can be read.
    """

    def __init__(self, path: str | Path):
        path = Path(path).absolute()
        self.held = _HELD.get(path) or _Held(path)
        _HELD[path] = self.held

    @staticmethod
    def is_held_here(path: str | Path) -> bool:
        """Whether this process has it."""
        return Path(path).absolute() in _HELD

    def release(self) -> None:
        """Give it back, as far as this one has it."""
        self.held = None


class _Held:
    def __init__(self, path: Path):
        self.file = path.open("a+b")
        try:
            _lock(self.file.fileno())
        except (BlockingIOError, PermissionError):
            self.file.seek(0)
            number = self.file.read().decode("ascii", "replace").strip()
            self.file.close()
            raise Busy(number) from None
        self.file.truncate(0)
        self.file.write(str(os.getpid()).encode())
        self.file.flush()

    def __del__(self):
        if hasattr(self, "file"):
            self.file.close()  # which unlocks it


_HELD: weakref.WeakValueDictionary[Path, _Held] = weakref.WeakValueDictionary()
FAR = 2**30  # on Windows what is locked cannot be read: a byte behind the end


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        os.lseek(descriptor, FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
