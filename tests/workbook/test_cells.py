"""Notebooks that stand in their own way, or would like to judge themselves: each costs itself alone."""

import json

import nbformat
import pytest
from coursework import python

from course.workbook.record import MIME, find
from course.workbook.results import DELETED, SILENT

SECONDS = 8  # what a stuck cell costs here
HANDS_IN = '@exercise("0.1")\ndef weighted_sum(weights, value):\n    return weights @ value'
SHOWS = f"""from IPython.display import display
exercise = lambda id: lambda answer: answer
def check(id, state="right", **more):
    display({{{MIME!r}: {{"exercise": id, "state": state, **more}}}}, raw=True)"""
"""Stands for the course's: what a check shows, without the seconds that importing it takes."""
RIGHT, WRONG = 'check("0.1")', 'check("0.1", "wrong", diagnosis="It is upside down.")'
UPSIDE = "It is upside down."
DEAF = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    print('x' * 1000)"
NOTEBOOKS = {  # cells after the first, which gives them ``check``; the states of 0.1, and the errors
    "gentle": ([HANDS_IN, WRONG], ["wrong"], []),
    "environment": (
        ['import os\nos.environ["COURSE_STRICT"] = "0"\nos.environ.pop("PYTEST_VERSION")', HANDS_IN, WRONG],
        ["wrong"],
        [],
    ),
    "skipped": ([HANDS_IN, f"# NBVAL_SKIP\n{WRONG}"], ["wrong"], []),
    "allowed": ([HANDS_IN, f"# NBVAL_RAISES_EXCEPTION\n{WRONG}\n1 / 0"], ["wrong"], []),
    "hushed": (
        ["get_ipython().showtraceback = lambda *_, **__: None", "1 / 0", RIGHT],
        ["right"],
        ["ZeroDivisionError: division by zero"],
    ),
    "silent": (["check = lambda id: None", HANDS_IN, RIGHT], ["stopped"], []),
    "behind": ([HANDS_IN, f"{RIGHT}\n1 / 0"], ["right"], ["ZeroDivisionError: division by zero"]),
    "elsewhere": ([HANDS_IN, WRONG, 'globals()["check"]("0.1")'], ["wrong"], []),
    "looped": ([HANDS_IN, 'for id in ["0.1"]:\n    globals()["check"](id)'], ["right"], []),
    "garbage": (
        [
            f"for x in (None, 'x', [], {{}}, {{'exercise': [], 'state': 'right'}}, {{'exercise': '77.1'}}):\n"
            f"    display({{{MIME!r}: x}}, raw=True)",
            'check("0.1", "wrong", points=10**9, total=-1, parts=[{}], title=[], diagnosis="\\x1b[2Ja\\nb")',
        ],
        ["wrong"],
        [],
    ),
    "unchecked": ([HANDS_IN], ["stopped"], []),
    "flood": (["for _ in range(200):\n    print('x' * 100_000)", RIGHT], ["right"], []),
    "deaf": ([DEAF, RIGHT], ["right"], [f"did not finish within {SECONDS} seconds"]),
    "closed": (["import os\nos.closerange(3, 4096)", RIGHT], ["right"], [""]),  # it dies, or answers no more
    "forked": (["import os\nos.fork()", RIGHT], ["right"], []),
    "moved": (
        ["import os, tempfile\nos.chdir(tempfile.mkdtemp())\nos.rmdir(os.getcwd())", RIGHT],
        ["right"],
        [],
    ),
    "gone": (["import os\nos.remove('gone.ipynb')", RIGHT], ["right"], []),
    "homeless": (
        ["import shutil, os\nshutil.rmtree(os.getcwd())", "os._exit(1)", RIGHT],
        ["stopped"],
        ["ended Python itself"],
    ),
}
UNREADABLE = {"empty": b"", "conflict": b'{\n<<<<<<< HEAD\n"cells": []\n=======\n}', "list": b"[]"}


def notebook(*cells: str, number: str | None = "00") -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata.course = {"number": number} if number else {}
    return made


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Plain pytest over the folder: its output, its code, and each notebook's entry in the JSON."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (cells, _, _) in NOTEBOOKS.items():
        own = folder / name
        own.mkdir()
        nbformat.write(notebook(SHOWS, *cells), own / f"{name}.ipynb")
    for name, content in UNREADABLE.items():
        (folder / f"{name}.ipynb").write_bytes(content)
    text = nbformat.writes(notebook(SHOWS, RIGHT))
    (folder / "marked.ipynb").write_text(text, encoding="utf-8-sig")
    options = [f"--nbval-cell-timeout={SECONDS}", "--course-json", "results.json", "-p", "no:cacheprovider"]
    process = python("-m", "pytest", "--nbval-lax", *options, ".", cwd=folder)
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))["notebooks"]
    return process, {entry["notebook"].split("/")[-1].removesuffix(".ipynb"): entry for entry in found}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_judged_from_outside_and_costs_itself_alone(ran, name):
    process, found = ran
    _, states, errors = NOTEBOOKS[name]
    assert [result["state"] for result in found[name]["exercises"]] == states, found[name]
    assert len(found[name]["errors"]) == len(errors), found[name]["errors"]
    assert all(said in error for said, error in zip(errors, found[name]["errors"], strict=True))
    failed = f"{name}.ipynb::" in process.stdout.split("short test summary info")[1]
    assert failed == bool(errors or states != ["right"])


def test_reasons_are_told(ran):
    said = {name: entry["exercises"][0]["diagnosis"] for name, entry in ran[1].items() if entry["exercises"]}
    assert {said[name] for name in ("gentle", "environment", "skipped", "allowed", "elsewhere")} == {UPSIDE}
    assert (said["silent"], said["unchecked"]) == (SILENT, DELETED)
    assert said["homeless"].startswith("a Python to run the notebook in could not be started")


def test_of_what_is_displayed_only_what_the_record_knows_is_taken_over(ran):
    [result] = ran[1]["garbage"]["exercises"]
    assert (result["points"], result["total"], result["title"]) == (0, find("0.1").points, find("0.1").title)
    assert result["diagnosis"] == "�[2Ja b"


def test_files_that_are_no_notebooks_stop_nothing(ran):
    process, found = ran
    assert process.returncode == 1 and "Interrupted" not in process.stdout
    for name in UNREADABLE:
        assert found[name]["readable"] is False and found[name]["exercises"] == []
        [error] = found[name]["errors"]
        assert error.startswith(f"{name}.ipynb cannot be read: ") and error in process.stdout
    assert found["marked"]["exercises"][0]["state"] == "right"


def test_a_flood_is_not_printed_again(ran):
    assert len(ran[0].stdout) < 100_000 and "INTERNALERROR" not in ran[0].stdout
