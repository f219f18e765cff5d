"""Every notebook: undone it fails at just its checks, solved it passes, and it is what its source gives.

What a notebook shows when it runs is looked at in ``browser/test_run_all.py``.
"""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from coursework import FIRST, Run, pytest_as_a_learner
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from outputs import alike, alike_but_for_numbers

from course.workbook import build
from course.workbook.lectures import rows_of
from course.workbook.record import Exercise, exercises_of

ROOT = build.NOTEBOOKS.parent
SOURCES = build.sources()
PLACE = """from course.workbook import record

wrong = record.find("{id}").mistakes[{index}].candidate
wrong.__name__ = "{name}"
{name} = exercise("{id}")(wrong)
"""
PART = 5  # of a training, one part in so many is run where it is the checks that are looked at
BLANK = "not done yet: replace the … by your code."


@pytest.fixture(scope="module", params=SOURCES)
def number(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def assembled(number) -> NotebookNode:
    """The learner's notebook before it has run."""
    return build.assemble(SOURCES[number])


@pytest.fixture(scope="module")
def shipped(number) -> NotebookNode:
    return nbformat.reads(as_built(SOURCES[number], ROOT), as_version=4)


def as_built(source: Path, root: Path) -> str:
    """The notebook that goes with a source: HEAD's where a learner has begun to solve the one on disk."""

    def git(*arguments) -> subprocess.CompletedProcess:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, encoding="utf-8")

    def changed(path: Path) -> bool:
        return git("diff", "--quiet", "HEAD", "--", str(path)).returncode == 1

    path = build.target(source)
    if shutil.which("git") and changed(path) and not changed(source):
        return git("show", f"HEAD:./{path.relative_to(root).as_posix()}").stdout
    return path.read_text(encoding="utf-8")


def most_mistaken(number: str) -> Exercise:
    return max((e for e in exercises_of(int(number)) if not e.blank), key=lambda e: len(e.mistakes))


def all_states(number: str) -> NotebookNode:
    """The solved notebook; each exercise is undone and checked before, one wrong in every known way.

    So one run shows what three would, each cell after the exercises reading the learner's own answers. Cells
    that train do so for a part of their steps: what they train to is not looked at here.
    """
    undone, solved = (build.assemble(SOURCES[number], solutions=s) for s in (False, True))
    cells = []
    for blank, cell in zip(undone.cells, solved.cells, strict=True):
        if id := cell.metadata.get("course", {}).get("exercise"):
            cells += [blank.source, f'check("{id}")']
            if id == most_mistaken(number).id:
                cells += mistakes_of(most_mistaken(number))
        if cell.cell_type == "code":
            cells.append(shortened(cell.source) if "trains" in cell.metadata.get("tags", []) else cell.source)
    return nbformat.v4.new_notebook(cells=[new_code_cell(text) for text in cells], metadata=solved.metadata)


def mistakes_of(exercise: Exercise) -> list[str]:
    """Cells that hand in each known mistake in turn and check it."""
    names, check = {"id": exercise.id, "name": exercise.name}, f'check("{exercise.id}")'
    places = [PLACE.format(**names, index=i) for i in range(len(exercise.mistakes))]
    return [text for place in places for text in (place, check)]


def shortened(source: str) -> str:
    """A cell that trains, with a part of each number that it names in capitals ("STEPS = 300")."""
    lines = source.splitlines()
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign([ast.Name(name)], ast.Constant(int() | float() as n)) if name.isupper():
                lines[statement.lineno - 1] = f"{name} = {n // PART if n >= PART else n}"
    return "\n".join(lines)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [c for c in notebook.cells if c.cell_type == "code"]


def prose(notebook: NotebookNode) -> str:
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


# ---- running -------------------------------------------------------------------------------------


def expected_failures(number: str, assembled: NotebookNode, mistaken: Exercise | None = None) -> list[str]:
    """What is said of the checks of an undone notebook in order, after one of them of its known mistakes."""
    expected = []
    for cell in code_cells(assembled):
        id = cell.metadata.get("course", {}).get("check")
        expected += [f"Exercise {id}: {BLANK}"] if id else []
        if mistaken and id == mistaken.id:
            expected += [f"Exercise {id}: {m.says}" for m in mistaken.mistakes]
    return expected


@pytest.mark.slow
def test_undone_or_wrong_it_fails_at_exactly_its_checks_and_solved_it_passes(
    number, assembled, tmp_path, quick_kernels
):
    notebook = all_states(number)
    nbformat.write(notebook, tmp_path / "all_states.ipynb")
    ran = Run(tmp_path)
    said = [failure.splitlines()[0] for failure in ran.failures("all_states")]
    assert said == expected_failures(number, assembled, most_mistaken(number))
    assert ran.errors("all_states") == []
    assert set(ran.states("all_states").values()) == {"right"}, "each exercise's last state"
    assert len(ran.cases("all_states")) == len(notebook.cells)


@pytest.mark.slow
def test_a_learners_plain_pytest_fails_at_exactly_the_checks(tmp_path):
    """The command of the README, in a process of its own, with Jupyter's own kernel."""
    notebook = build.assemble(SOURCES["03"])
    nbformat.write(notebook, tmp_path / "undone.ipynb")
    ran = Run(tmp_path, pytest=pytest_as_a_learner)
    assert [f.splitlines()[0] for f in ran.failures("undone")] == expected_failures("03", notebook)
    assert ran.errors("undone") == [] and set(ran.states("undone").values()) == {"todo"}


def test_cells_that_train_are_shortened_where_they_say_so(assembled):
    """The tag without a number in capitals would shorten nothing."""
    trains = [c.source for c in code_cells(assembled) if "trains" in c.metadata.get("tags", [])]
    assert [source for source in trains if shortened(source) == source] == []
    cell = "STEPS = 40\nRATE = 0.001\nsteps = 7\n\n\ndef train(n=STEPS):\n    STEPS = 9\n    return n"
    assert shortened(cell) == cell.replace("= 40", "= 8")


def test_every_exercise_of_the_notebook_is_in_it_once_and_in_order(number, assembled):
    ids = [c.metadata.course.check for c in code_cells(assembled) if "check" in c.metadata.get("course", {})]
    assert ids == [e.id for e in exercises_of(int(number))]


# ---- what is shipped is what the source gives ----------------------------------------------------


def test_the_shipped_notebook_is_what_its_source_gives(assembled, shipped):
    assert shipped.metadata == assembled.metadata
    for ours, its in zip(assembled.cells, shipped.cells, strict=True):
        assert (its.cell_type, its.source, its.id, its.metadata) == (
            ours.cell_type,
            ours.source,
            ours.id,
            ours.metadata,
        )


def test_the_shipped_notebook_is_small_and_holds_no_widget_state(number, shipped):
    text = as_built(SOURCES[number], ROOT)
    assert len(text.encode()) <= build.LARGEST
    assert "widgets" not in shipped.metadata and build.WIDGET not in text


@pytest.mark.parametrize(
    "a, b, expected",
    [
        ("tensor([ 0.120, -0.880])", "tensor([-0.001, -0.882])", False),
        ("tensor([ 0.001, -0.880])", "tensor([-0.001, -0.882])", True),
        ("loss 0.12, step 10", "loss 0.15, step 10", False),
        ("loss 0.12, step 10", "loss 0.12, step 11", False),
        ("gap 3.1e-08", "gap 7.4e-09", True),
        ("gap 3.1e-02", "gap 7.4e-02", False),
        ("one 1.0", "one 1.0 and 2.0", False),
        ("注意力", "注意力", True),
    ],
)
def test_what_counts_as_alike(a, b, expected):
    assert alike(a, b) is expected


@pytest.mark.parametrize(
    "a, b, expected",
    [
        ("batched 0.12 ms, loop  1.4 ms", "batched 10.2 ms, loop 31.46 ms", True),
        ("batched 0.12 ms", "looped 0.12 ms", False),
        ("loss 3.1e-08 −0.2", "loss 7.4 5", True),
        ("not here yet", "4 of 4", False),
    ],
)
def test_where_numbers_may_differ_words_may_not(a, b, expected):
    assert alike_but_for_numbers(a, b) is expected


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_what_a_learner_changed_is_not_judged(tmp_path):
    def git(*arguments):
        me = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *me, *arguments], cwd=tmp_path, check=True, capture_output=True)

    source = tmp_path / "notebooks" / "source" / "90_x.md"
    source.parent.mkdir(parents=True)
    source.write_text("source", encoding="utf-8")
    build.target(source).write_text("built 注", encoding="utf-8")
    assert as_built(source, tmp_path) == "built 注", "no repository"
    git("init")
    git("add", ".")
    git("commit", "-m", "built")
    assert as_built(source, tmp_path) == "built 注"
    build.target(source).write_text("solved", encoding="utf-8")
    assert as_built(source, tmp_path) == "built 注", "the learner's own"
    source.write_text("new source", encoding="utf-8")
    assert as_built(source, tmp_path) == "solved", "an author's: built anew with its source"


# ---- what a notebook holds -----------------------------------------------------------------------


def test_its_rows_are_those_of_the_map_and_named_at_its_head(number, assembled):
    rows, expected = set(assembled.metadata.course.rows), {r.id for r in rows_of(int(number))}
    assert assembled.metadata.course.number == number
    assert rows == expected
    head = assembled.cells[: [c.cell_type for c in assembled.cells].index("code")]
    named = re.findall(r"\bL\d\.\d+\.[a-z]\b", "\n".join(c.source for c in head))
    assert set(named) == rows


def test_its_head_says_what_for_how_long_and_what_it_needs(assembled):
    head = prose(assembled)[:4000]
    assert all(words in head for words in ["**When you are done** ", "**Time** ", " minutes", "**Needs** "])


def test_its_first_code_cell_holds_what_exercises_need(assembled):
    assert set(FIRST.strip().splitlines()) <= set(code_cells(assembled)[0].source.splitlines())


def test_it_ends_with_summary_questions_reading_and_glossary(assembled):
    text = prose(assembled)
    parts = [
        "## Summary\n",
        "### Five questions\n",
        "### What to read next\n",
        "### Words from this notebook\n",
    ]
    starts = [text.index(part) for part in parts]
    assert starts == sorted(starts)
    summary, questions, reading, glossary = (
        text[a:b].strip() for a, b in zip(starts, [*starts[1:], len(text)], strict=True)
    )
    assert summary.count("\n- ") >= 2 and len(reading.split()) > 10
    folded = re.findall(r"<details><summary>(\d)\. [^<]+\?</summary>\n\n(.+?)\n</details>", questions, re.S)
    assert [n for n, answer in folded if answer.strip()] == list("12345")
    entries = re.findall(r"^\| [^|]*[A-Za-z][^|]* \| [^|]*[\u4e00-\u9fff][^|]* \| [^|]+ \|$", glossary, re.M)
    assert len(entries) >= 5 and len(entries) == glossary.count("\n|") - 1


def test_a_figure_is_shown_by_the_end_of_its_cell(assembled):
    """Anywhere else, a line that says ``figure`` shows nothing."""
    sources = [cell.source.rstrip().splitlines() for cell in code_cells(assembled)]
    assert [lines for lines in sources if "figure" in lines[:-1]] == []


def test_its_text_is_plain_markdown(assembled):
    """JupyterLab shows MyST's directives and roles raw."""
    for cell in assembled.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"^\s*(:::|```\{|\(\w[\w-]*\)=$)|\{[a-z-]+\}`", cell.source, re.M), (
                cell.source
            )


def test_nothing_in_it_is_loaded_from_the_network(assembled):
    assert not [c.source for c in code_cells(assembled) if "://" in c.source]
    assert not re.search(r"!\[[^\]]*\]\(\s*\w+://|<(img|script|link|iframe)\b[^>]*://", prose(assembled))
