"""Every notebook: undone it fails at just its checks, solved it passes, and it is what its source gives."""

import json
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from coursework import FIRST, Run
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course.workbook import build
from course.workbook.lectures import rows_of
from course.workbook.record import Exercise, exercises_of

ROOT = build.NOTEBOOKS.parent
SOURCES = build.sources()
PLACE = """from course.exercises import record

wrong = record.find("{id}").mistakes[{index}].candidate
wrong.__name__ = "{name}"
{name} = exercise("{id}")(wrong)
"""


@pytest.fixture(scope="module", params=SOURCES)
def number(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def assembled(number) -> NotebookNode:
    """The learner's notebook before it has run."""
    return build.assemble(SOURCES[number])


@pytest.fixture(scope="module")
def fresh(number) -> NotebookNode:
    """The same after Run All: exercises undone, checks not strict, an error in any cell fatal."""
    return build.run(build.assemble(SOURCES[number]), build.NOTEBOOKS)


@pytest.fixture(scope="module")
def shipped(number) -> NotebookNode:
    return nbformat.reads(as_built(SOURCES[number], ROOT), as_version=4)


@pytest.fixture(scope="module")
def ran(number, tmp_path_factory) -> Run:
    """nbval over the solved notebook, and over the undone one with all known mistakes of one exercise."""
    folder = tmp_path_factory.mktemp(f"notebook-{number}")
    nbformat.write(build.assemble(SOURCES[number], solutions=True), folder / "solved.ipynb")
    notebook = build.assemble(SOURCES[number])
    place_mistakes(notebook, most_mistaken(number))
    nbformat.write(notebook, folder / "undone.ipynb")
    return Run(folder, "-n2", "--dist=loadfile")


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


def place_mistakes(notebook: NotebookNode, exercise: Exercise) -> None:
    """After an exercise's check, hand in each known mistake in turn and check it."""
    check = f'check("{exercise.id}")'
    at = [c.source for c in notebook.cells].index(check) + 1
    names = {"id": exercise.id, "name": exercise.name}
    cells = [PLACE.format(**names, index=i) for i in range(len(exercise.mistakes))]
    notebook.cells[at:at] = [new_code_cell(text) for cell in cells for text in (cell, check)]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [c for c in notebook.cells if c.cell_type == "code"]


def prose(notebook: NotebookNode) -> str:
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


# ---- running -------------------------------------------------------------------------------------


def test_run_all_reaches_the_end_with_the_exercises_undone(fresh):
    counts = [c.execution_count for c in code_cells(fresh)]
    assert counts == list(range(1, len(counts) + 1))


def test_undone_or_wrong_it_fails_at_exactly_the_checks_which_name_the_mistake(number, assembled, ran):
    blank = "not done yet: replace the … by your code."
    mistaken = most_mistaken(number)
    expected = []
    for cell in code_cells(assembled):
        id = cell.metadata.get("course", {}).get("check")
        expected += [f"Exercise {id}: {blank}"] if id else []
        if id == mistaken.id:
            expected += [f"Exercise {id}: {m.says}" for m in mistaken.mistakes]
    assert [f.splitlines()[0] for f in ran.failures("undone")] == expected
    assert ran.errors("undone") == []


def test_solved_it_passes(number, assembled, ran):
    assert ran.failures("solved") == [] and ran.errors("solved") == []
    assert set(ran.states("solved").values()) == {"right"}
    assert len(ran.cases("solved")) == len(code_cells(assembled))


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


def test_the_shipped_outputs_are_those_of_a_fresh_run(fresh, shipped):
    for ours, its in zip(code_cells(fresh), code_cells(shipped), strict=True):
        if "volatile" in ours.metadata.get("tags", []):
            assert [kinds(o) for o in its.outputs] == [kinds(o) for o in ours.outputs], ours.source
        else:
            assert its.execution_count == ours.execution_count
            assert [kinds(o) for o in its.outputs] == [kinds(o) for o in ours.outputs], ours.source
            assert all(map(alike, map(texts, its.outputs), map(texts, ours.outputs))), ours.source


def test_the_shipped_notebook_is_small_and_holds_no_widget_state(number, shipped):
    text = as_built(SOURCES[number], ROOT)
    assert len(text.encode()) <= build.LARGEST
    assert "widgets" not in shipped.metadata and build.WIDGET not in text


def kinds(output: NotebookNode) -> list[str]:
    """What an output is: a stream's name or the MIME types of its data."""
    return [output.output_type, *sorted(output.get("data", {})), *([output.name] if "name" in output else [])]


def texts(output: NotebookNode) -> str:
    """An output's words: all but its pictures."""
    data = {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
    return json.dumps([output.get("text"), data], ensure_ascii=False, sort_keys=True)


FLOAT = re.compile(
    r"[ -]?\d+\.\d*(?:e[+-]?\d+)?"
)  # with the blank that stands where another number has its sign


def alike(a: str, b: str) -> bool:
    """Equal but for floats, which may differ by two units of the last digit that is shown."""
    pairs = zip(FLOAT.findall(a), FLOAT.findall(b), strict=False)
    return FLOAT.sub("#", a) == FLOAT.sub("#", b) and all(
        close(Decimal(x.strip()), Decimal(y.strip())) for x, y in pairs
    )


def close(a: Decimal, b: Decimal) -> bool:
    unit = Decimal(10) ** max(a.as_tuple().exponent, b.as_tuple().exponent)
    return abs(a - b) <= max(2 * unit, Decimal("1e-6"))


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
