"""A protein, its relatives in an alignment, and a structure of it: 6KWC, an enzyme that cuts up wood's xylan.

An alignment is a table of letters: a row a relative, a column a place of the protein. The structure is one
that a program predicted (OpenFold, from this alignment and four templates), no experiment. Licences:
``protein/README.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from course.data.download import read_text

LETTERS = "-ACDEFGHIKLMNPQRSTVWY"
"""The gap, and the twenty amino acids; a letter's number is its place here. Any other is read as a gap."""
_CODES = "ALA CYS ASP GLU PHE GLY HIS ILE LYS LEU MET ASN PRO GLN ARG SER THR VAL TRP TYR"
NAMES = dict(zip(_CODES.split(), LETTERS[1:], strict=True))
"""The letter of each residue's name in a file of a structure."""
HERE = Path(__file__).with_name("protein")


class Family(NamedTuple):
    """A protein and its relatives: the first row is the protein itself, which has no gaps.

    ``positions`` are those of each place's β-carbon, in Å (of the α-carbon for glycine, which has no other).
    """

    letters: Int[Tensor, "relative column"]
    positions: Float[Tensor, "column 3"]

    @property
    def protein(self) -> str:
        """The protein's own letters."""
        return as_text(self.letters[0])


def family() -> Family:
    """6KWC with its relatives, as the course ships it: it needs no network."""
    rows = (HERE / "6kwc_relatives.txt").read_text(encoding="ascii").split()
    return Family(
        as_letters(rows), torch.from_numpy(np.loadtxt(HERE / "6kwc_structure.txt", dtype=np.float32))
    )


def as_letters(rows: list[str]) -> Int[Tensor, "relative column"]:
    """Rows of letters as numbers.

    Raises:
        ValueError: if the rows are not of one length.
    """
    if len({len(row) for row in rows}) != 1:
        raise ValueError(
            f"the rows of an alignment are of one length; these are of {sorted(set(map(len, rows)))}"
        )
    number = np.zeros(128, dtype=np.int64)
    number[[ord(letter) for letter in LETTERS]] = np.arange(len(LETTERS))
    return torch.from_numpy(
        np.stack([number[np.frombuffer(row.encode("ascii"), dtype=np.uint8)] for row in rows])
    )


def as_text(letters: Int[Tensor, "column"]) -> str:
    """A row of numbers as letters."""
    return "".join(LETTERS[i] for i in letters.tolist())


def read_a3m(text: str) -> list[str]:
    """The rows of an alignment in a3m without insertions, the letters in lower case between two columns."""
    rows: list[str] = []
    for line in text.splitlines():
        if line.startswith(">"):
            rows.append("")
        elif rows:
            rows[-1] += "".join(letter for letter in line.strip() if not letter.islower())
    return rows


def read_pdb(text: str) -> tuple[str, Float[Tensor, "column 3"]]:
    """The letters of a structure's residues, and where the β-carbon of each is (glycine: the α-carbon)."""
    letters, places = [], []
    for line in text.splitlines():
        if line.startswith("ATOM"):
            atom, residue = line[12:16].strip(), line[17:20].strip()
            if atom == ("CA" if residue == "GLY" else "CB"):
                letters.append(NAMES[residue])
                places.append([float(line[start : start + 8]) for start in (30, 38, 46)])
    return "".join(letters), torch.tensor(places)


def download() -> Family:
    """The same from the files that it was made of: relatives with a letter in more than half of the columns.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    rows = read_a3m(read_text("protein_6kwc", "bfd_uniref_hits.a3m"))
    letters, positions = read_pdb(read_text("protein_6kwc", "6KWC_1_model_1_ptm_relaxed.pdb"))
    if letters != rows[0]:
        raise ValueError("the structure is not of the protein in the alignment's first row")
    return Family(mostly_there(as_letters(rows)), positions)


def mostly_there(letters: Int[Tensor, "relative column"]) -> Int[Tensor, "kept column"]:
    """Those relatives that have a letter in more than half of the columns."""
    return letters[2 * (letters == 0).sum(-1) < letters.shape[1]]


def second_opinion() -> dict[str, Int[Tensor, "relative column"]]:
    """Two alignments of another protein, 1A3A, found by two searches. No structure of it is at hand.

    Raises:
        ValueError, DownloadError: as ``course.data.path``.
    """
    files = {"trRosetta": "1a3a_1_A.a3m", "hhblits": "hhblits_uniclust_2017_10_1a3a_1_A.a3m"}
    return {
        name: mostly_there(as_letters(read_a3m(read_text("protein_msas", file))))
        for name, file in files.items()
    }
