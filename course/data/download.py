"""Getting a data set's files: from ``COURSE_DATA``, the cache or the network, never with a wrong hash."""

import gzip
import os
import tempfile
import zipfile
from pathlib import Path

import pooch

from course.data.registry import Dataset, File, dataset

CACHE = pooch.os_cache("transformers-course")


class DownloadError(OSError):
    """A file is not on this machine and cannot be downloaded now."""


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
        ValueError: if there is no such data set or file, or the file is not the one that the registry
            describes (its SHA-256 differs; what was downloaded so is not kept).
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
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="partial-") as folder:
        partial = Path(folder) / file.name
        try:
            pooch.HTTPDownloader(progressbar=True, chunk_size=2**16)(source.url(file), str(partial), None)
        except OSError as error:  # what requests raises when a download fails is one
            raise DownloadError(_how_to_get(source, file, error)) from error
        return verified(partial, file.sha256, "What was downloaded was not kept; try again.").replace(target)


def verified(found: Path, sha256: str, advice: str = "Delete it and try again.") -> Path:
    """The file, if it has this SHA-256.

    Raises:
        ValueError: if it has another.
    """
    actual = pooch.file_hash(str(found), alg="sha256")
    if actual != sha256:
        raise ValueError(
            f"{found} is not the {found.name} that the course knows. {advice}\n"
            f"  its SHA-256  {actual}\n  it should be {sha256}"
        )
    return found


def _how_to_get(source: Dataset, file: File, error: OSError) -> str:
    return (
        f"{file.name} of {source.name} ({file.bytes / 1e6:.1f} MB) is not on this machine and could not be "
        f"downloaded ({error.strerror or type(error).__name__}): with a network, run this again; without "
        f"one, get {source.url(file)} elsewhere and put it at {CACHE / source.name / file.name}"
    )
