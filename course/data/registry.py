"""The data sets of the course: repository, commit, licence, and for each file its size and SHA-256."""

import json
from dataclasses import dataclass
from pathlib import Path

HOST = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class File:
    """One file of a data set: its path in the repository, its size in bytes, its SHA-256 in hexadecimal.

    ``member`` is what to read inside it, where it is a zip archive.
    """

    name: str
    path: str
    bytes: int
    sha256: str
    member: str | None = None


@dataclass(frozen=True)
class Dataset:
    """Files of one commit of a public repository, and their licence.

    What is ``large`` no test and no notebook needs: it is downloaded only by those who ask for it.
    """

    name: str
    repository: str
    commit: str
    licence: str
    files: dict[str, File]
    large: bool = False

    def file(self, name: str | None = None) -> File:
        """The file of that name; the only one where none is named.

        Raises:
            ValueError: if there is no such file, or several to choose from.
        """
        if name is None and len(self.files) == 1:
            return next(iter(self.files.values()))
        if name not in self.files:
            raise ValueError(f"{self.name} holds {', '.join(self.files)}; which one? Got {name!r}")
        return self.files[name]

    def url(self, file: File) -> str:
        """Where the file can be downloaded, today and next year: the address names the commit."""
        return f"{HOST}/{self.repository}/{self.commit}/{file.path}"


def dataset(name: str) -> Dataset:
    """The data set of that name.

    Raises:
        ValueError: if there is none.
    """
    if name not in DATASETS:
        raise ValueError(f"there is no data set {name!r}; there are {', '.join(DATASETS)}")
    return DATASETS[name]


def _read(registry: Path) -> dict[str, Dataset]:
    facts = json.loads(registry.read_text(encoding="utf-8"))
    for fact in facts.values():
        fact["files"] = {name: File(name, **file) for name, file in fact["files"].items()}
    return {name: Dataset(name, **fact) for name, fact in facts.items()}


DATASETS = _read(Path(__file__).with_name("registry.json"))
