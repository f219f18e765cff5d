"""Progress is read from saved notebooks and from nothing else."""

import json
import os
import re
import subprocess
import sys

import pytest
from learner import Course, save

from course.workbook import copies
from course.workbook.judge import judge, verdict
from course.workbook.lectures import course_map
from course.workbook.notebook import MIME as CHECK_MIME
from course.workbook.progress import MIME, check_results, notebook_path, notebooks, progress, standings
from course.workbook.record import exercises_of, find

ANSWER = '@exercise("{}")\ndef answer(x):\n    return x  # {}'


def code(source, *outputs):
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}}


def saved(id: str, state: str) -> list[dict]:
    """An exercise's two cells as they are saved after its check."""
    exercise = find(id)
    if state == "right":
        result = judge(exercise, exercise.reference)
    elif state in ("wrong", "changed"):
        result = judge(exercise, exercise.mistakes[0].candidate)
    else:
        result = verdict(exercise, state, "because")
    checked = "" if state == "todo" else ANSWER.format(id, "as checked")
    source = ANSWER.format(id, "changed since" if state == "changed" else "as checked")
    box = {
        "output_type": "display_data",
        "data": {"text/plain": "box", MIME: result.as_dict() | {"cell": checked}},
    }
    return [code(source), code(f'check("{id}")', box)]


def write(path, cells):
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    path.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    stream = {"output_type": "stream", "name": "stdout", "text": ["one\n"]}
    text = {"cell_type": "markdown", "source": ["注意力\n", "attention"], "metadata": {}}
    states = {"3.1": "right", "3.2": "wrong", "3.4": "todo", "3.3": "changed", "3.5": "stopped"}
    cells = [text, code("print('one')", stream)]
    cells += [cell for id, state in states.items() for cell in saved(id, state)]
    write(tmp_path / "03_self_attention.ipynb", cells)
    write(tmp_path / "00_start_here.ipynb", [text, *saved("0.1", "right")])
    return tmp_path


def test_progress_and_checks_agree_on_the_mime_type():
    assert MIME == CHECK_MIME


def test_each_exercise_stands_as_its_last_check_said(folder):
    rows = standings(folder / "03_self_attention.ipynb", 3)
    assert {r.exercise: r.state for r in rows} == {
        "3.1": "right",
        "3.2": "wrong",
        "3.4": "todo",
        "3.3": "changed",
        "3.5": "stopped",
        "3.6": "todo",  # its check is not in the notebook
    }
    points = {r.exercise: (r.points, r.total) for r in rows}
    assert points["3.1"] == (find("3.1").points,) * 2
    assert points["3.3"] == (0, find("3.3").points)
    assert points["3.6"] == (0, find("3.6").points)


def test_a_wrong_answer_keeps_the_points_of_its_right_parts(tmp_path):
    path = write(tmp_path / "00_start_here.ipynb", saved("0.1", "wrong"))
    (row,) = standings(path, 0)
    assert row.points == judge(find("0.1"), find("0.1").mistakes[0].candidate).points


def test_only_the_last_check_of_an_exercise_counts(tmp_path):
    again = saved("0.1", "right")
    path = write(tmp_path / "00_start_here.ipynb", [*saved("0.1", "wrong"), *again])
    assert standings(path, 0)[0].state == "right"


def test_sources_as_lists_of_lines_are_the_same(tmp_path):
    cells = saved("0.1", "right")
    cells[0]["source"] = [" \n", *cells[0]["source"].splitlines(keepends=True), "\n"]
    assert standings(write(tmp_path / "00_x.ipynb", cells), 0)[0].state == "right"


def test_a_notebook_without_outputs_is_all_to_do(tmp_path):
    cells = [{k: v for k, v in c.items() if k != "outputs"} for c in saved("0.1", "right")]
    path = write(tmp_path / "00_start_here.ipynb", cells)
    assert [(r.state, r.points) for r in standings(path, 0)] == [("todo", 0)]


def test_a_cells_results_are_the_checks_among_its_outputs():
    stream = {"output_type": "stream", "name": "stdout", "text": "x"}
    image = {"output_type": "display_data", "data": {"image/png": "…"}}
    box = {"output_type": "display_data", "data": {MIME: {"exercise": "0.1"}}}
    assert check_results(code("x", stream, image, box)) == [{"exercise": "0.1"}]
    assert check_results({"cell_type": "markdown", "source": "x"}) == []


def test_progress_over_a_folder(folder):
    shown = progress(folder)
    total = sum(e.points for n in (0, 3) for e in exercises_of(n))
    assert list(shown.rows) == ["00_start_here.ipynb", "03_self_attention.ipynb"]
    assert shown.points == (sum(r.points for rows in shown.rows.values() for r in rows), total)
    text = repr(shown).splitlines()
    assert text[0] == "00_start_here.ipynb" and text[-1] == f"{shown.points[0]} of {total} points"
    points = find("0.1").points
    assert any(re.fullmatch(rf"  0\.1  ✓ right +{points}/{points}  The weighted sum", line) for line in text)
    for words in ["✓ right", "✗ wrong", "○ to do", "↻ changed since its check", "■ stopped"]:
        assert words in repr(shown) and words in shown._repr_html_()


def test_the_table_escapes_names(tmp_path, monkeypatch):
    monkeypatch.setattr(find("0.1"), "title", "a < b & <b>")
    write(tmp_path / "00_<i>&.ipynb", [code("1")])
    shown = progress(tmp_path)._repr_html_()
    assert "a &lt; b &amp; &lt;b&gt;" in shown and "00_&lt;i&gt;&amp;.ipynb" in shown
    assert "href='00_%3Ci%3E%26.ipynb'" in shown
    assert "<i>" not in shown and "<b>&" not in shown


def test_a_folder_without_notebooks_says_so(tmp_path):
    write(tmp_path / "notes.ipynb", [])
    with pytest.raises(FileNotFoundError, match="no notebook with exercises in"):
        progress(tmp_path)


def test_a_notebook_is_found_by_its_number(folder):
    assert notebook_path(3, folder).name == "03_self_attention.ipynb"
    assert notebook_path(4, folder) is None


@pytest.mark.parametrize("content", [b"", b"<<<<<<< HEAD", b"[]", "\ufeff{".encode(), b"\xe9{}"])
def test_an_unreadable_notebook_costs_itself_alone(folder, content):
    (folder / "03_self_attention.ipynb").write_bytes(content)
    shown = progress(folder)
    assert shown.rows["03_self_attention.ipynb"] == [] and shown.points == (11, 11)
    for text in (repr(shown), shown._repr_html_()):
        assert "03_self_attention.ipynb cannot be read: " in text
    assert (
        "cannot be read" in repr(course_map(folder)) and "cannot be read" in course_map(folder)._repr_html_()
    )


def test_a_double_does_not_take_the_notebooks_place_and_is_told(folder):
    double = write(folder / "03_self_attention-Copy1.ipynb", [code("1")])
    assert notebook_path(3, folder).name == "03_self_attention.ipynb"
    assert f"not {double.name}" in repr(progress(folder))


def test_progress_is_of_the_notebooks_that_the_learner_works_in(folder, tmp_path, monkeypatch):
    course = Course(tmp_path / "a course", monkeypatch)
    save(
        course.my / "03_self_attention.ipynb",
        json.loads((folder / "03_self_attention.ipynb").read_text("utf-8")),
    )
    monkeypatch.setattr(copies, "running_folder", lambda: course.my)
    assert notebooks() == {
        0: course.notebooks / "00_start_here.ipynb",
        3: course.my / "03_self_attention.ipynb",
    }
    shown = progress()
    assert shown.points[0] == progress(course.my).points[0] > 0
    assert "href='03_self_attention.ipynb'" in shown._repr_html_()
    assert "href='../notebooks/00_start_here.ipynb'" in shown._repr_html_()
    assert "href='03_self_attention.ipynb'" in course_map()._repr_html_()


def test_in_a_kernel_the_notebooks_beside_the_running_one_come_first(folder, tmp_path):
    """Also after the notebook changed its folder, where JupyterLab tells which it is."""
    script = (
        "import os, sys; sys.argv = ['x']\n"
        "from ipykernel.inprocess.ipkernel import InProcessKernel as K; K.instance()\n"
        "from course.workbook.copies import running_folder\n"
        "print(running_folder()); os.chdir('/'); print(running_folder())\n"
        f"os.environ['JPY_SESSION_NAME'] = {str(folder / 'x.ipynb')!r}; print(running_folder())"
    )
    environment = {k: v for k, v in os.environ.items() if k != "JPY_SESSION_NAME"}
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert told.stdout.split() == [str(folder), "/", str(folder)], told.stderr
