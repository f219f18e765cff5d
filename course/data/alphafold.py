"""What AlphaFold 2 reached, as published: to stand beside the contacts that are read off here."""

from __future__ import annotations

from typing import NamedTuple


class Accuracy(NamedTuple):
    """A measure of how near a predicted structure is to the experiment's: AlphaFold's and the next best's.

    ``low`` and ``high`` are the ends of AlphaFold's 95 % interval, None where none was given.
    """

    measure: str
    alphafold: float
    next_best: float
    low: float | None = None
    high: float | None = None


CASP14 = (
    Accuracy("backbone, median Å off (95 % of the places)", 0.96, 2.8, 0.85, 1.16),
    Accuracy("all atoms, median Å off (95 % of the places)", 1.5, 3.5, 1.2, 1.6),
    Accuracy("ranking, sum of z-scores above 2", 244.0, 90.8),
)
"""The blind test of 2020, whose structures nobody had seen: 87 protein domains for the first two rows.

Source: Jumper et al. 2021, "Highly accurate protein structure prediction with AlphaFold", the main text's
second page (the first two); Jumper et al. 2021, "Applying and improving AlphaFold at CASP14", abstract.
"""

MEDIAN_GDT = 92.4
"""Median GDT_TS over all domains, of 100: the share of places within 1, 2, 4 and 8 Å, averaged.

Source: Jumper et al. 2021, "Applying and improving AlphaFold at CASP14", abstract.
"""

PARTS = (
    ("relatives (alignment)", "three counts, one layer", "48 blocks of attention over rows, columns, pairs"),
    ("pairs of places", "one number a pair, once", "a vector a pair, made anew in each block"),
    ("triangles: i–j, j–k, i–k", "not used", "attention and products over every three places"),
    ("trained on", "this one family", "all known structures, and its own good predictions"),
    ("structures in training", "none", "yes: they are what it learns to predict"),
    ("what comes out", "a list of pairs", "places of all atoms, and how sure it is of each"),
)  # fmt: skip
"""Part by part: what this notebook does, and what AlphaFold 2 does (Jumper et al. 2021, figures 1 and 3)."""
