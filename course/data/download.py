"""Getting a data set's files: from ``COURSE_DATA``, the cache or the network, never with a wrong hash."""

import errno
import gzip
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pooch

from course.data.registry import Dataset, File, dataset
from course.files import Busy, Lock

CACHE = pooch.os_cache("transformers-course")
PARTIAL, LOCK = "partial-", "lock"
OLD = 3600  # seconds after which a download that nobody holds a lock on is a leftover
FULL, CLOSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG), (errno.EROFS, errno.EACCES, errno.EPERM)


class DataError(Exception):
    """A file of a data set cannot be had: the text says why and what to do; a notebook shows no more."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class DownloadError(DataError, OSError):
    """A file is not on this machine and cannot be downloaded now, or not be kept."""


class WrongFile(DataError, ValueError):
    """A file is not the one that the registry describes."""


def fetch(name: str) -> dict[str, Path]:
    """Every file of a data set, by file name, downloaded where it is not here yet.

    Raises:
        ValueError, DownloadError: as ``path``.
    """
    return {file: path(name, file) for file in dataset(name).files}


def path(name: str, file: str | None = None) -> Path:
    """One file of a data set on this machine, downloaded with a progress bar where it is not here yet.

    Args:
        name: the data set's name in the registry.
        file: the file's name; may be left out where there is only one.

    Raises:
        ValueError: if there is no such data set or file.
        WrongFile: a ValueError, if the file is not the one that the registry describes (its SHA-256 differs;
            what was downloaded so is not kept).
        DownloadError: if it has to be downloaded and cannot be.
    """
    source = dataset(name)
    wanted = source.file(file)
    for folder in folders():
        found = folder / name / wanted.name
        if found.is_file():
            return verified(found, wanted.sha256, "Delete it or put the right one there.")
    return _download(source, wanted, CACHE / name / wanted.name)


def read_text(name: str, file: str | None = None) -> str:
    """The text of one file, unpacked (.gz, .zip), decoded as UTF-8, without a byte order mark.

    Raises:
        ValueError, DownloadError: as ``path``.
    """
    member = dataset(name).file(file).member
    found = path(name, file)
    if member is not None:
        with zipfile.ZipFile(found) as archive:
            content = archive.read(member)
    else:
        content = found.read_bytes()
    return (gzip.decompress(content) if found.suffix == ".gz" else content).decode("utf-8-sig")


def folders() -> list[Path]:
    """Where files may lie already, in the order in which to look."""
    own = os.environ.get("COURSE_DATA")
    return [Path(own), CACHE] if own else [CACHE]


def _download(source: Dataset, file: File, target: Path) -> Path:
    """Into a temporary folder, then, when the hash is right, in one step to where it belongs."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _partial_folder(target.parent) as folder:
            partial = folder / file.name
            try:
                pooch.HTTPDownloader(progressbar=True, chunk_size=2**16)(source.url(file), str(partial), None)
            except OSError as error:  # what requests raises when a download fails is one
                if error.errno in (*FULL, *CLOSED):
                    raise
                raise DownloadError(_how_to_get(source, file, error)) from error
            return verified(partial, file.sha256, _advice(partial)).replace(target)
    except DataError:
        raise
    except OSError as error:
        raise DownloadError(_how_to_keep(source, file, error)) from error


@contextmanager
def _partial_folder(parent: Path) -> Iterator[Path]:
    """A folder for a download, locked while it lasts; those that killed downloads have left are removed."""
    for leftover in parent.glob(f"{PARTIAL}*"):
        _remove_if_left(leftover)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=PARTIAL))
    lock = Lock(folder / LOCK)
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)  # what stays is the next download's leftover


def _remove_if_left(folder: Path) -> None:
    try:
        if not (folder / LOCK).exists() and time.time() - folder.stat().st_mtime < OLD:
            return  # another process has just made it and is about to lock it
        if not Lock.is_held_here(folder / LOCK):
            Lock(folder / LOCK).release()
            shutil.rmtree(folder)
    except (Busy, FileNotFoundError):
        return  # another process downloads into it, or has just removed it


def verified(found: Path, sha256: str, advice: str = "Delete it and try again.") -> Path:
    """The file, if it has this SHA-256.

    Raises:
        WrongFile: if it has another.
        DownloadError: if it cannot be read.
    """
    try:
        actual = pooch.file_hash(str(found), alg="sha256")
    except OSError as error:
        raise DownloadError(f"{found} cannot be read ({error.strerror}). {advice}") from error
    if actual != sha256:
        raise WrongFile(
            f"{found} is not the {found.name} that the course knows. {advice}\n"
            f"  its SHA-256  {actual}\n  it should be {sha256}"
        )
    return found


def _advice(downloaded: Path) -> str:
    """What to do about a download that is another file than was asked for."""
    with downloaded.open("rb") as content:
        is_page = content.read(200).lstrip().lower().startswith((b"<!doctype html", b"<html"))
    page = " It is a web page: does the network ask you to log in first?" if is_page else ""
    return f"What was downloaded was not kept; try again.{page}"


def _how_to_get(source: Dataset, file: File, error: OSError) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    reason = f"the server answered {status}" if status else error.strerror or type(error).__name__
    again = (
        "this address may be gone: see whether there is a newer version of the course, or"
        if status in (404, 410)
        else "with a network, run this again; without one,"
    )
    return (
        f"{_name(source, file)} is not on this machine and could not be downloaded ({reason}): {again} "
        f"get {source.url(file)} elsewhere and put it at {CACHE / source.name / file.name}"
    )


def _how_to_keep(source: Dataset, file: File, error: OSError) -> str:
    """What to do where the cache cannot take a file in."""
    if error.errno in FULL:
        reason, make = "the disk is full", "make room there"
    else:
        reason, make = error.strerror or type(error).__name__, "let yourself write there"
    return (
        f"{_name(source, file)} cannot be kept in {CACHE} ({reason}): {make}, or get {source.url(file)} into "
        f"another folder, as {source.name}/{file.name} in it, and name that folder in COURSE_DATA"
    )


def _name(source: Dataset, file: File) -> str:
    return f"{file.name} of {source.name} ({file.bytes / 1e6:.1f} MB)"
