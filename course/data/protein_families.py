"""Proteins of three families, as the letters of their chains; relatives that are alike are kept on one side.

Credits and licences: ``seen_and_heard/README.md``. How the shipped file was made: ``make``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from course.data.download import read_text

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
"""The twenty amino acids; any other letter of a chain is left out."""
FAMILIES = ("1a3a", "1xcr", "5ahw")
"""Each is named by a protein of it whose structure is known."""
ALIKE, EACH = 0.5, {"train": 200, "held out": 80}
FILE = Path(__file__).with_name("seen_and_heard") / "protein_families.txt"


class Fragments(NamedTuple):
    """Pieces of chains, their letters as numbers, and the family each was cut from."""

    letters: Int[Tensor, "fragment letter"]
    labels: Int[Tensor, "fragment"]

    def one_hot(self) -> Float[Tensor, "fragment letter 20"]:
        """Each letter as a row with a single 1."""
        return F.one_hot(self.letters, len(LETTERS)).float()

    def counts(self) -> Float[Tensor, "fragment 20"]:
        """How often each letter is in a fragment: all that is left without the order."""
        return self.one_hot().sum(dim=1)


def chains(part: str) -> list[tuple[int, str]]:
    """The family and the letters of every chain of a part, "train" or "held out".

    Raises:
        ValueError: if the part is neither.
    """
    if part not in EACH:
        raise ValueError(f"part must be 'train' or 'held out'; got {part!r}")
    return [(FAMILIES.index(family), letters) for of, family, letters in _rows() if of == part]


def fragments(part: str, n: int, length: int = 40, seed: int = 0) -> Fragments:
    """Draw pieces: a family, one of its chains, a place in it, each as likely as the others.

    Raises:
        ValueError: as ``chains``.
    """
    found = chains(part)
    generator = torch.Generator().manual_seed(seed)
    by_family = [[letters for family, letters in found if family == f] for f in range(len(FAMILIES))]
    labels = torch.randint(len(FAMILIES), (n,), generator=generator)
    place = torch.rand(2, n, generator=generator)
    rows = [
        _piece(by_family[f], *at, length) for f, at in zip(labels.tolist(), place.T.tolist(), strict=True)
    ]
    return Fragments(torch.tensor(rows), labels)


def _piece(chains: list[str], which: float, where: float, length: int) -> list[int]:
    letters = chains[int(which * len(chains))]
    start = int(where * (len(letters) - length + 1))
    return [LETTERS.index(letter) for letter in letters[start : start + length]]


@cache
def _rows() -> list[tuple[str, str, str]]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if not line.startswith("#")]


# --------------------------------------------------------------------------------------------------
# How the file was made
# --------------------------------------------------------------------------------------------------


def make() -> None:
    """Choose relatives from three alignments and write what ships.

    A chain that is like one chosen before it in half of its columns or more is left out; so no two in the
    file are, whichever part they are in.
    """
    lines = ["# part, family, chain: from the alignments of protein_msas (UniProt, CC BY 4.0)"]
    for family in FAMILIES:
        kept: list[str] = []
        for row in read_text("protein_msas", f"{family}_1_A.a3m").split(">")[1:]:
            aligned = "".join(row.split("\n")[1:])
            if len(kept) < sum(EACH.values()) and _is_new(_columns(aligned), kept):
                kept.append(aligned)
        parts = ["held out" if i % 7 in (2, 5) else "train" for i in range(len(kept))]
        for part, aligned in zip(parts, kept, strict=True):
            letters = "".join(c for c in aligned.upper() if c in LETTERS)
            lines.append(f"{part}\t{family}\t{letters}")
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _columns(aligned: str) -> str:
    """The columns that all of an alignment share: insertions are written in small letters."""
    return "".join(c for c in aligned if not c.islower())


def _is_new(columns: str, kept: list[str]) -> bool:
    return all(identity(columns, _columns(other)) < ALIKE for other in kept)


def identity(one: str, other: str) -> float:
    """The share of the columns where both have a letter in which it is the same."""
    both = [(a, b) for a, b in zip(one, other, strict=True) if a != "-" and b != "-"]
    return sum(a == b for a, b in both) / max(1, len(both))
