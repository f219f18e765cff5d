"""nbval as a coursework check, on small notebooks."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import nbformat
import pytest
from coursework import FIRST, Run, as_a_learner, properties_of, pytest_as_a_learner, python
from nbformat.v4 import new_output

from course.workbook import pytest_plugin
from course.workbook.build import assemble
from course.workbook.grading import run_checks
from course.workbook.judge import judge
from course.workbook.record import find
from course.workbook.results import DELETED
from course.workbook.stub import solved

pytestmark = pytest.mark.slow
HEADER = '---\ncourse:\n  number: "00"\n  rows: []\n---\n'
USE_SUM = "print(weighted_sum(torch.ones(1, 2) / 2, torch.eye(2)).tolist())"
USE_SCORE = "print(scaled_dot_score(torch.ones(1, 4), torch.ones(1, 4)).item())"
SUM_POINTS, SCORE_POINTS = find("0.1").points, find("3.2").points
CELL_SECONDS = 5  # what a stuck cell costs here; the first cell, which imports, has its own limit


def sum_by(body: str) -> str:
    return f'@exercise("0.1")\ndef weighted_sum(weights, value):\n    {body}'


def make(path: Path, *cells: str, **answers: str) -> Path:
    """Write a notebook: code cells, "# exercise 0.1" among them, and answers such as weighted_sum="..."."""
    text = "\n".join(f"```{{code-cell}} ipython3\n{c}\n```\n" for c in (FIRST, *cells))
    source = path.with_suffix(".md")
    source.write_text(HEADER + text, encoding="utf-8")
    notebook = assemble(source)
    for cell in notebook.cells:
        id = cell.metadata.get("course", {}).get("exercise")
        if id and find(id).name in answers:
            cell.source = answers[find(id).name]
    nbformat.write(notebook, path)
    return path


def change(path: Path, edit) -> Path:
    """Change a notebook's file in place."""
    notebook = nbformat.read(path, as_version=4)
    edit(notebook)
    nbformat.write(notebook, path)
    return path


# ---- one run over many notebooks -----------------------------------------------------------------

TWO = ("# exercise 0.1", USE_SUM, "# exercise 3.2", USE_SCORE)
SUM, SCORE = {"weighted_sum": solved(find("0.1"))}, {"scaled_dot_score": solved(find("3.2"))}
NO_SCALE = '@exercise("3.2")\ndef scaled_dot_score(query, key):\n    return query @ key.mT'
SOFTMAX = sum_by("return weights.softmax(-1) @ value")
ALARM_AFTER_1_S = (
    "from course.workbook import notebook\n"
    "judge = notebook.judge\n"
    "notebook.judge = lambda record, answer: judge(record, answer, seconds=1)"
)
DEAD = "import os\nos._exit(1)"
NO_ALARM = "import signal\n    signal.signal(signal.SIGALRM, signal.SIG_IGN)\n    while True:\n        {}\n"
CATCHES_ALL = "try:\n            [0] * 1000\n        except:\n            pass"


def stale(notebook):
    """Outputs of an earlier run, as they stand after the learner saved."""
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            cell.execution_count = number
            cell.outputs = [
                new_output("stream", text="something old\n"),
                new_output("error", ename="E", evalue=""),
            ]


def mid_run(notebook):
    """Outputs but no count: saved while the cells ran. And a kernel that this machine does not have."""
    stale(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
    notebook.metadata.kernelspec = {"name": "my-old-kernel", "display_name": "Gone", "language": "python"}


def write_all(folder: Path) -> None:
    make(folder / "undone.ipynb", *TWO)
    change(make(folder / "solved.ipynb", *TWO, **SUM, **SCORE), stale)
    change(make(folder / "wrong.ipynb", *TWO, weighted_sum=SOFTMAX, scaled_dot_score=NO_SCALE), mid_run)
    make(
        folder / "dead.ipynb",
        *TWO,
        weighted_sum=sum_by("__import__('os')._exit(1)"),
        scaled_dot_score=NO_SCALE,
    )
    make(
        folder / "plain.ipynb",
        DEAD,
        "1 / 0",
        *TWO,
        **SUM,
        scaled_dot_score=NO_SCALE,
    )
    make(folder / "endless.ipynb", ALARM_AFTER_1_S, *TWO, weighted_sum=sum_by("while True: pass"),
         scaled_dot_score=NO_SCALE)  # fmt: skip
    make(
        folder / "stuck.ipynb", *TWO, weighted_sum=sum_by(NO_ALARM.format("pass")), scaled_dot_score=NO_SCALE
    )
    make(
        folder / "deaf.ipynb",
        *TWO,
        weighted_sum=sum_by(NO_ALARM.format(CATCHES_ALL)),
        scaled_dot_score=NO_SCALE,
    )
    make(folder / "syntax.ipynb", *TWO, weighted_sum=sum_by("return weights @"), **SCORE)
    make(folder / "death.ipynb", *TWO, weighted_sum=f"{DEAD}\n\n{SOFTMAX}", **SCORE)


@pytest.fixture(scope="module")
def ran(tmp_path_factory, quick_kernels) -> Run:
    folder = tmp_path_factory.mktemp("two words") / "Übung 注意力"
    folder.mkdir()
    write_all(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pytest_plugin, "CELL_SECONDS", CELL_SECONDS)
        return Run(folder)


def test_an_undone_notebook_fails_exactly_its_checks(ran):
    assert ran.states("undone") == {"0.1": "todo", "3.2": "todo"}
    assert ran.errors("undone") == []
    assert len(ran.failures("undone")) == 2 == len(ran.last_lines("undone"))


def test_a_solved_notebook_passes_with_whatever_outputs_it_was_saved(ran):
    assert ran.states("solved") == {"0.1": "right", "3.2": "right"}
    assert (len(ran.failures("solved")), len(ran.cases("solved")), ran.errors("solved")) == (0, 7, [])


def test_wrong_answers_are_named_in_the_last_lines(ran):
    """Also in a notebook that was saved while it ran and that names a kernel which is not there."""
    mistakes = {m.name: m.says for e in ("0.1", "3.2") for m in find(e).mistakes}
    first, second = ran.last_lines("wrong")
    assert first.endswith(f"Exercise 0.1: {mistakes['softmax-again']}")
    assert second.endswith(f"Exercise 3.2: {mistakes['no-scale']}")
    assert {r["mistake"] for r in ran.exercises("wrong").values()} == {"softmax-again", "no-scale"}
    assert (len(ran.failures("wrong")), ran.errors("wrong")) == (2, [])


def test_a_check_that_kills_the_kernel_costs_that_exercise_only(ran):
    assert ran.states("dead") == {"0.1": "stopped", "3.2": "wrong"}
    assert ran.exercises("dead")["0.1"]["diagnosis"].startswith("your code ended Python itself")
    assert ran.exercises("dead")["3.2"]["mistake"] == "no-scale"
    assert (len(ran.failures("dead")), ran.errors("dead")) == (2, []), (
        "the cells below are lent the package's function"
    )


def test_an_exercise_whose_cell_does_not_run_is_lent_all_the_same(ran):
    assert ran.states("syntax") == ran.states("death") == {"0.1": "stopped", "3.2": "right"}
    assert (
        ran.exercises("syntax")["0.1"]["diagnosis"] == "your code does not run: SyntaxError: invalid syntax"
    )
    assert ran.errors("syntax") == ["SyntaxError: invalid syntax"]
    assert ran.exercises("death")["0.1"]["diagnosis"].startswith("your code ended Python itself")
    assert len(ran.errors("death")) == 1 and len(ran.failures("syntax")) == len(ran.failures("death")) == 2


def test_a_plain_cell_that_kills_the_kernel_costs_that_cell_only(ran):
    assert ran.states("plain") == {"0.1": "right", "3.2": "wrong"}
    died, raised = ran.errors("plain")
    assert died.startswith("The cell that starts with 'import os': ended Python itself (the kernel died)")
    assert raised == "ZeroDivisionError: division by zero"
    assert len(ran.failures("plain")) == 3


def test_an_endless_loop_is_stopped_by_the_checks_own_alarm(ran):
    assert ran.states("endless") == {"0.1": "stopped", "3.2": "wrong"}
    assert "did not finish within 1 seconds" in ran.exercises("endless")["0.1"]["diagnosis"]
    assert (len(ran.failures("endless")), ran.errors("endless")) == (2, [])


@pytest.mark.parametrize("notebook", ["stuck", "deaf"])
def test_a_loop_that_no_alarm_stops_costs_that_exercise_only(ran, notebook):
    """ "deaf" also swallows the interrupt that nbval sends."""
    assert ran.states(notebook) == {"0.1": "stopped", "3.2": "wrong"}
    assert f"did not finish within {CELL_SECONDS} seconds" in ran.exercises(notebook)["0.1"]["diagnosis"]
    assert (len(ran.failures(notebook)), ran.errors(notebook)) == (2, [])


def test_no_cell_is_expected_to_fail_because_another_did(ran):
    assert "xfailed" not in ran.output and "xpassed" not in ran.output
    assert not [c for c in ran.every_case if c.find("skipped") is not None]


def test_failures_read_as_sentences_not_tracebacks(ran):
    for case in ran.every_case:
        failure, properties = case.find("failure"), properties_of(case)
        if failure is not None and "exercise" in properties:
            assert failure.get("message").startswith(f"Exercise {properties['exercise']}: ")
            assert "Traceback" not in failure.text and "\x1b" not in failure.text


def no_scale():
    return judge(find("3.2"), lambda query, key: query @ key.mT)


def test_junit_holds_each_exercises_points(ran):
    found = [properties_of(c) for c in ran.cases("wrong")]
    softmax = judge(find("0.1"), lambda weights, value: weights.softmax(-1) @ value)
    assert [(p["exercise"], p["points"], p["total"]) for p in found if p] == [
        ("0.1", str(softmax.points), str(SUM_POINTS)),
        ("3.2", str(no_scale().points), str(SCORE_POINTS)),
    ]


def test_json_holds_every_result_and_the_points(ran):
    every = [r for n in ran.json["notebooks"] for r in n["exercises"]]
    assert [Path(n["notebook"]).stem for n in ran.json["notebooks"]] == sorted(
        ["undone", "solved", "wrong", "dead", "plain", "endless", "stuck", "deaf", "syntax", "death"]
    )
    assert ran.json["points"] == sum(r["points"] for r in every) >= SUM_POINTS + 2 * SCORE_POINTS
    assert ran.json["total"] == sum(r["total"] for r in every) == 10 * (SUM_POINTS + SCORE_POINTS)
    keys = {"exercise", "title", "state", "points", "total", "diagnosis", "mistake", "parts", "sort"}
    assert all(r.keys() == keys for r in every)
    assert ran.exercises("solved")["0.1"]["parts"][0] == {
        "name": "one query, two keys",
        "points": 1,
        "right": True,
    }


def test_the_report_ends_with_a_table_of_the_exercises(ran):
    assert ran.code == 1
    table = ran.output.split(" exercises ")[1]
    assert f"ok      0.1   {SUM_POINTS}/{SUM_POINTS}  The weighted sum" in table
    assert f"to do   3.2   0/{SCORE_POINTS}  Scaled dot-product scores" in table
    wrong = f"wrong   3.2   {no_scale().points}/{SCORE_POINTS}  Scaled dot-product scores: "
    assert f"{wrong}The scores are not divided by √d_k, so " in table
    assert f"stopped 0.1   0/{SUM_POINTS}  The weighted sum: your code ended Python itself" in table
    assert f"{ran.json['points']} of {10 * (SUM_POINTS + SCORE_POINTS)} points" in table


# ---- in a process of its own, with Jupyter's own kernels -----------------------------------------


def test_plain_pytest_in_one_process_says_the_same(tmp_path):
    make(tmp_path / "00_wrong.ipynb", "# exercise 0.1", USE_SUM, weighted_sum=SOFTMAX)
    run = Run(tmp_path, pytest=pytest_as_a_learner)
    assert run.code == 1 and run.states("00_wrong") == {"0.1": "wrong"}
    assert "Softmax is applied to the weights" in run.last_lines("00_wrong")[0]
    assert "1 failed, 3 passed" in run.output


LIMITS = """
import sys
import pytest
from course.workbook import pytest_plugin

pytest_plugin.CELL_SECONDS, pytest_plugin.FIRST_SECONDS = 2, 600
sys.exit(pytest.main(["--nbval-lax", "-p", "no:xdist", "slow.ipynb", *sys.argv[1:]]))
"""


@pytest.mark.parametrize(
    ("asked", "failed"), [([], ["sleep(3)  # second"]), (["--nbval-cell-timeout=600"], [])]
)
def test_the_first_cell_may_take_longer_than_the_others(tmp_path, asked, failed):
    """It imports, which after an installation takes as long as the disk does. A limit asked for is kept."""
    cells = ["from time import sleep; sleep(3)", "sleep(3)  # second"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "slow.ipynb")
    ran = python("-c", LIMITS, *asked, cwd=tmp_path)
    said = [cell for cell in cells if f"The cell that starts with {cell!r}: did not finish" in ran.stdout]
    assert (said, ran.returncode) == (failed, int(bool(failed))), ran.stdout + ran.stderr


def test_without_nbval_the_plugin_does_nothing(tmp_path):
    (tmp_path / "test_one.py").write_text("def test_one():\n    pass\n")
    ran = python("-m", "pytest", "test_one.py", cwd=tmp_path)
    assert ran.returncode == 0 and "1 passed" in ran.stdout and "exercises" not in ran.stdout
    refused = python("-m", "pytest", "--course-json", "results.json", "test_one.py", cwd=tmp_path)
    assert refused.returncode == 4 and "--course-json needs --nbval-lax" in refused.stderr


# ---- python -m course check ----------------------------------------------------------------------


class Checks:
    """What the command says and writes, in a run where all is well and in one where nothing is."""

    def __init__(self, folder: Path):
        make(folder / "00_solved.ipynb", "# exercise 0.1", **SUM)
        make(folder / "00_error.ipynb", "# exercise 0.1", "undefined", **SUM)
        make(folder / "00_deleted.ipynb", "# exercise 0.1")
        change(folder / "00_deleted.ipynb", delete_check)
        make(folder / "my notes.ipynb", "# exercise 0.1")
        well, ill = ["00_solved.ipynb"], ["00_error.ipynb", "00_deleted.ipynb", "my notes.ipynb"]
        self.good, self.good_data, good = self.run(folder, well)
        self.bad, self.bad_data, bad = self.run(folder, ill)
        self.codes = good, bad

    def run(self, folder: Path, notebooks: list[str]) -> tuple[list[str], dict, int]:
        """The lines that are printed, the JSON, the exit code."""
        with as_a_learner(folder), redirect_stdout(io.StringIO()) as said:
            code = run_checks([Path(name) for name in notebooks], Path("results.json"))
        data = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        return said.getvalue().splitlines(), data, code


def delete_check(notebook):
    notebook.cells.pop([c.source for c in notebook.cells].index('check("0.1")'))


@pytest.fixture(scope="module")
def checks(tmp_path_factory, quick_kernels) -> Checks:
    return Checks(tmp_path_factory.mktemp("checks"))


def test_checks_of_solved_notebooks_succeed(checks):
    assert checks.good == [
        "00_solved.ipynb (every cell runs; this can take a minute)",
        f"  ok      0.1   {SUM_POINTS}/{SUM_POINTS}  The weighted sum",
        "",
        f"{SUM_POINTS} of {SUM_POINTS} points. All right.",
    ]
    assert checks.codes == (0, 1)
    data = checks.good_data
    assert (data["ok"], data["points"], data["total"]) == (True, SUM_POINTS, SUM_POINTS)
    assert data["notebooks"][0]["exercises"][0]["state"] == "right"


def test_checks_tell_what_is_to_do_what_fails_and_what_is_missing(checks):
    assert checks.bad == [
        "00_error.ipynb (every cell runs; this can take a minute)",
        f"  ok      0.1   {SUM_POINTS}/{SUM_POINTS}  The weighted sum",
        "  error   NameError: name 'undefined' is not defined",
        "00_deleted.ipynb (every cell runs; this can take a minute)",
        f"  stopped 0.1   0/{SUM_POINTS}  The weighted sum: {DELETED}",
        "my notes.ipynb (every cell runs; this can take a minute)",
        f"  to do   0.1   0/{SUM_POINTS}  The weighted sum",
        "",
        f"{SUM_POINTS} of {3 * SUM_POINTS} points.",
    ]


def test_checks_fail_for_an_error_or_a_missing_check_alone(checks):
    data = checks.bad_data
    assert (data["ok"], data["points"], data["total"]) == (False, SUM_POINTS, 3 * SUM_POINTS)
    assert [(n["notebook"], n["ok"], n["errors"]) for n in data["notebooks"]] == [
        ("00_error.ipynb", False, ["NameError: name 'undefined' is not defined"]),
        ("00_deleted.ipynb", False, []),
        ("my notes.ipynb", False, []),
    ]
