"""``python -m course check``, whatever happens meanwhile: the results so far are told and written."""

import json
import os

import nbformat
import pytest
from coursework import python
from test_cells import HANDS_IN, RIGHT, SHOWS, WRONG, notebook

from course.workbook.record import find

CHECK = """
import sys
from pathlib import Path
from course.workbook.grading import run_checks
sys.exit(run_checks([Path(name) for name in sys.argv[2:]], Path(sys.argv[1])))
"""
STOPS = "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)"


def write(folder, name: str, *cells: str, **options) -> str:
    nbformat.write(notebook(SHOWS, *cells, **options), folder / name)
    return name


def check(folder, *names: str, results: str = "results.json"):
    process = python("-c", CHECK, results, *names, cwd=folder)
    path = folder / results
    return process, json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checked")
    (folder / "conftest.py").write_text("raise SystemExit('a file beside the notebooks had a say')")
    (folder / "03_broken.ipynb").write_text("")
    (folder / "folder.ipynb").mkdir()
    names = [
        write(folder, "alice [1]::03.ipynb", HANDS_IN, RIGHT),
        "03_broken.ipynb",
        "folder.ipynb",
        "none.ipynb",
        write(folder, "handed_in.ipynb", HANDS_IN, number=None),
        write(folder, "of three.ipynb", 'check("3.1", "wrong", diagnosis="No.")', number="03"),
        write(folder, "prose.ipynb", number=None),
        write(folder, "last.ipynb", HANDS_IN, WRONG),
    ]
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("x")]), folder / "prose.ipynb"
    )
    return check(folder, *names)


def test_every_notebook_has_its_entry_whatever_it_is(checked):
    process, data = checked
    assert process.returncode == 1, process.stderr
    entries = [(n["notebook"], n["readable"], n["points"], len(n["exercises"])) for n in data["notebooks"]]
    assert entries == [
        ("alice [1]::03.ipynb", True, find("0.1").points, 1),
        ("03_broken.ipynb", False, 0, 0),
        ("folder.ipynb", False, 0, 0),
        ("none.ipynb", False, 0, 0),
        ("handed_in.ipynb", True, 0, 1),
        ("of three.ipynb", True, 0, len(data["notebooks"][5]["exercises"])),
        ("prose.ipynb", True, 0, 0),
        ("last.ipynb", True, 0, 1),
    ]
    assert (data["ok"], data["stopped"]) == (False, False)


def test_what_is_wrong_is_one_line_each(checked):
    said = checked[0].stdout.splitlines()
    assert [line for line in said if line.startswith("  error")] == [
        "  error   03_broken.ipynb cannot be read: it is empty (0 bytes). Move it elsewhere, and `python -m "
        "course study 3` gives you a new copy; answers can often still be read in the old one with a text "
        "editor.",
        "  error   folder.ipynb cannot be read: it is a folder. Get it again from where it came from.",
        "  error   none.ipynb cannot be read: it is not there. Get it again from where it came from.",
        "  error   it holds no code: there is nothing to check",
    ]
    assert said[-1].endswith("Could not be read: 03_broken.ipynb, folder.ipynb, none.ipynb.")


def test_checks_that_are_gone_are_reported_whatever_the_file_is_called(checked):
    of_three = checked[1]["notebooks"][5]["exercises"]
    assert of_three[0]["diagnosis"] == "No."
    assert len(of_three) > 3 and all("was the cell deleted?" in r["diagnosis"] for r in of_three[1:])
    assert "was the cell deleted?" in checked[1]["notebooks"][4]["exercises"][0]["diagnosis"]


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is no signal to another process there")
def test_ctrl_c_keeps_what_was_judged_so_far(tmp_path):
    names = [write(tmp_path, "1.ipynb", RIGHT), write(tmp_path, "2.ipynb", RIGHT, STOPS, WRONG)]
    process, data = check(tmp_path, *names, "3.ipynb")
    assert process.returncode == 130 and "Traceback" not in process.stdout + process.stderr
    assert (
        process.stdout.splitlines()[-1]
        == f"Stopped. So far: {2 * find('0.1').points} of {2 * find('0.1').points} points."
    )
    assert (data["stopped"], data["ok"], [n["notebook"] for n in data["notebooks"]]) == (True, False, names)


def test_a_file_that_cannot_be_written_is_told_before_the_work(tmp_path):
    process, _ = check(tmp_path, "none.ipynb", results="no such folder/x.json")
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.strip().endswith(f"there is no folder {tmp_path / 'no such folder'}")
    process, _ = check(tmp_path, "none.ipynb", results=".")
    assert process.returncode == 2 and "this is a folder" in process.stderr
