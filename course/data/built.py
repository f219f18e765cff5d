"""Texts that are one file here and many upstream: found ready made, or built from the commits they come from.

``sources/`` lists the files of each, a repository and its commit in a line of its own; ``built.json`` has the
SHA-256 of the whole text, so that what was built is what the course was trained on.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from gzip import decompress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pooch
from tqdm.auto import tqdm

from course.data import download, registry
from course.data.builders import BUILDERS, Source


@dataclass(frozen=True)
class Built:
    """A text: how it is built, its SHA-256, and the files in which it may lie ready made."""

    name: str
    builder: str
    sha256: str
    folder: str
    files: tuple[str, ...]

    def sources(self) -> list[tuple[str, str]]:
        """Repository with commit, and path, of every file that it is built from."""
        found, place = [], ""
        listed = Path(__file__).with_name("sources") / f"{self.name}.txt"
        for line in listed.read_text(encoding="utf-8").splitlines():
            if line.startswith("\t"):
                found.append((place, line[1:]))
            else:
                place = line
        return found


TEXTS = {
    name: Built(name, **fact)
    for name, fact in json.loads(Path(__file__).with_name("built.json").read_text(encoding="utf-8")).items()
}


def built_text(name: str) -> str:
    """The text of that name: documents with an empty line between them.

    Raises:
        WrongFile: if what was found or built is another text.
        DownloadError: if a file is not on this machine and cannot be downloaded now.
    """
    wanted = TEXTS[name]
    for folder in download.folders():
        files = [folder / wanted.folder / file for file in wanted.files]
        if all(file.is_file() for file in files):
            return _checked("\n".join(map(_unpacked, files)), wanted, f"in {files[0].parent}")
    return _checked("\n\n".join(BUILDERS[wanted.builder](_downloaded(wanted))) + "\n", wanted, "built")


def _unpacked(file: Path) -> str:
    content = file.read_bytes()
    return (decompress(content) if file.suffix == ".gz" else content).decode("utf-8")


def _downloaded(wanted: Built) -> Iterator[Source]:
    """Each file as it stands in its commit; those that are in the cache already are not asked for again."""
    for place, path in tqdm(wanted.sources(), desc=wanted.name, unit="file"):
        repository, commit = place.split("@")
        kept = download.CACHE / wanted.folder / "sources" / repository / path
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            partial = kept.with_name(kept.name + ".part")
            _download(f"{registry.HOST}/{repository}/{commit}/{quote(path)}", partial)
            partial.replace(kept)
        yield Source(path, kept.read_bytes())


def _download(url: str, target: Path) -> None:
    try:
        pooch.HTTPDownloader(progressbar=False)(url, str(target), None)
    except OSError as error:  # what requests raises is one
        raise download.DownloadError(
            f"{url} could not be downloaded ({type(error).__name__}): with a network, run this again; what "
            "was downloaded so far is kept"
        ) from error


def _checked(text: str, wanted: Built, where: str) -> str:
    actual = sha256(text.encode()).hexdigest()
    if actual != wanted.sha256:
        raise download.WrongFile(
            f"the text {wanted.name} {where} is not the one that the course knows. Delete its folder "
            f"and try again\n  its SHA-256  {actual}\n  it should be {wanted.sha256}"
        )
    return text
