"""The family that ships is what its sources give; readers read what their formats say."""

import pytest
import torch

from course.data import DataError, relatives
from course.data.relatives import LETTERS, as_letters, as_text, family, read_a3m, read_pdb


def test_what_ships_is_what_its_sources_give():
    try:
        again = relatives.download()
    except DataError as error:
        pytest.skip(str(error))
    ours = family()
    assert torch.equal(ours.letters, again.letters)
    assert torch.equal(ours.positions, again.positions)


def test_the_family_is_what_its_readme_says():
    of = family()
    assert of.letters.shape == (1123, 191) and of.positions.shape == (191, 3)
    assert of.protein.startswith("GSTIQPGTGYNNGYFYSYW") and "-" not in of.protein
    assert len(torch.unique(of.letters, dim=0)) == 1123, "no relative is there twice"
    steps = (of.positions[1:] - of.positions[:-1]).norm(dim=-1)
    assert steps.min() > 3.0 and steps.max() < 7.5, "neighbours in the chain are neighbours in space"


def test_insertions_are_left_out_and_other_letters_are_gaps():
    rows = read_a3m(">a\nAC-D\n>b\nAcdC\nE\n")
    assert rows == ["AC-D", "ACE"]
    assert as_letters(["ACX", "-BY"]).tolist() == [[1, 2, 0], [0, 0, 20]]
    assert as_text(as_letters([LETTERS])[0]) == LETTERS
    with pytest.raises(ValueError, match=r"of one length; these are of \[2, 3\]"):
        as_letters(["AC", "ACD"])


def test_a_structure_gives_beta_carbons_and_glycines_alpha():
    lines = [
        "ATOM      5  CA  GLY A   1      15.245  -4.759 -14.497  1.00 59.92           C  ",
        "ATOM     12  CA  SER A   2      13.007  -7.311 -16.224  1.00 69.27           C  ",
        "ATOM     15  CB  SER A   2      13.004  -8.832 -16.029  1.00 69.27           C  ",
        "TER",
    ]
    letters, places = read_pdb("\n".join(lines))
    assert letters == "GS"
    assert torch.equal(places, torch.tensor([[15.245, -4.759, -14.497], [13.004, -8.832, -16.029]]))
