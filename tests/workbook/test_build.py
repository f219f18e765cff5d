"""The build, on small sources: what it makes of each kind of cell, and that it is the same every time."""

import base64

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from course.workbook import build
from course.workbook.record import find
from course.workbook.stub import solved, stub

HEADER = '---\ncourse:\n  number: "90"\n  rows: [L1.3.f]\n---\n'
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
CELLS = {
    "value": "x = 20\nx + 1",
    "text": "print('注意力')",
    "quiet": "y = 1",
    "warning": "import sys, warnings\nwarnings.warn('careful')\nprint('no', file=sys.stderr)\nprint('yes')",
    "picture": (
        "from IPython.display import display\n"
        "import uuid\n"
        f"data = {{'text/plain': 'a widget', 'image/png': '{PIXEL}'}}\n"
        "data['application/vnd.jupyter.widget-view+json'] = {'model_id': uuid.uuid4().hex}\n"
        "display(data, raw=True)"
    ),
    "slowly": "import time\nfor word in 'abc':\n    print(word, flush=True)\n    time.sleep(0.3)",
    "between": "print(1, flush=True)\ndisplay(2)\nprint(3, file=sys.stderr)\nprint(4)",
    "slider": "import ipywidgets\nipywidgets.IntSlider(3)",
    "time": ":tags: [volatile]\nimport time\nprint(time.time_ns())",
    "strict": "import os\nos.environ['COURSE_STRICT'], 'PYTEST_VERSION' in os.environ, os.getcwd()[-9:]",
}


def source(path, *cells: str, header: str = HEADER):
    """A source file: a line of prose and code cells."""
    blocks = "\n".join(f"```{{code-cell}} ipython3\n{c}\n```\n" for c in cells)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{header}\n# 注意力 and *code*\n\n{blocks}", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def house(tmp_path_factory, quick_kernels):
    """A notebooks folder of its own, where 90 has been built twice."""
    folder = tmp_path_factory.mktemp("house") / "notebooks"
    path = source(folder / "source" / "90_small.md", *CELLS.values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "NOTEBOOKS", folder)
        out = build.build(path)
        first = out.read_bytes()
        build.build(path)
    return {"folder": folder, "source": path, "out": out, "first": first, "second": out.read_bytes()}


@pytest.fixture
def cells(house):
    """The built cells by the names they have in CELLS."""
    notebook = nbformat.read(house["out"], as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    return dict(zip(CELLS, code, strict=True))


@pytest.fixture
def here(house, monkeypatch):
    monkeypatch.setattr(build, "NOTEBOOKS", house["folder"])
    monkeypatch.setattr(build, "sources", lambda: {"90": house["source"]})
    return house


# ---- what is built -------------------------------------------------------------------------------


def test_a_notebook_lies_beside_the_sources_folder_under_the_same_name(house):
    assert house["out"] == house["folder"] / "90_small.ipynb"
    assert build.sources(house["folder"]) == {"90": house["source"]}


def test_building_twice_gives_the_same_bytes(house):
    """The time that a volatile cell printed included."""
    assert house["first"] == house["second"]
    assert house["first"].endswith(b"\n") and b"\r" not in house["first"]
    assert "注意力".encode() in house["first"], "readable in a diff"


def test_the_notebook_is_valid_and_names_its_kernel_and_rows(house):
    notebook = nbformat.read(house["out"], as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == {
        "course": {"number": "90", "rows": ["L1.3.f"]},
        "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
        "language_info": {"name": "python"},
    }
    assert [c.cell_type for c in notebook.cells] == ["markdown"] + ["code"] * len(CELLS)
    assert notebook.cells[0].source == "# 注意力 and *code*"


def test_cells_show_what_they_gave(cells):
    (value,) = cells["value"].outputs
    assert (value.output_type, value.data["text/plain"]) == ("execute_result", "21")
    assert cells["text"].outputs == [{"output_type": "stream", "name": "stdout", "text": "注意力\n"}]
    assert cells["quiet"].outputs == []


def test_execution_counts_run_from_one(cells):
    assert [c.execution_count for c in cells.values()] == list(range(1, len(CELLS) + 1))


def test_what_goes_to_stderr_is_dropped(cells):
    assert [(o.name, o.text) for o in cells["warning"].outputs] == [("stdout", "yes\n")]


def test_printed_text_is_in_one_piece_however_slowly_it_came(cells):
    assert [o.text for o in cells["slowly"].outputs] == ["a\nb\nc\n"]
    first, shown, last = cells["between"].outputs
    assert (first.text, shown.data["text/plain"], last.text) == ("1\n", "2", "4\n")


def test_a_widget_leaves_its_picture(cells):
    (picture,) = cells["picture"].outputs
    assert picture.data.keys() == {"text/plain", "image/png"}
    assert base64.b64decode(picture.data["image/png"]).startswith(b"\x89PNG")
    (slider,) = cells["slider"].outputs
    assert slider.data == {"text/plain": "IntSlider(value=3)"}
    assert all("widget-view" not in str(c.outputs) for c in cells.values())


def test_checks_are_gentle_while_building_and_cells_run_beside_the_notebooks(cells):
    assert cells["strict"].outputs[0].data["text/plain"] == "('0', False, 'notebooks')"


def test_volatile_outputs_are_replaced_when_their_source_changes(house, cells):
    old = cells["time"].outputs[0].text
    texts = [cells["time"].source, cells["time"].source + "  # changed", cells["text"].source]
    kept, changed, plain = (new_code_cell(t, outputs=[new_output("stream", text="new\n")]) for t in texts)
    kept.metadata.tags = changed.metadata.tags = ["volatile"]
    build.keep_volatile(nbformat.v4.new_notebook(cells=[kept, changed, plain]), house["out"])
    assert [c.outputs[0].text for c in (kept, changed, plain)] == [old, "new\n", "new\n"]


def test_without_an_old_notebook_nothing_is_kept(tmp_path, cells):
    notebook = nbformat.v4.new_notebook(cells=[cells["time"]])
    build.keep_volatile(notebook, tmp_path / "none.ipynb")
    assert notebook.cells[0].outputs == cells["time"].outputs


# ---- assembling ----------------------------------------------------------------------------------


@pytest.mark.parametrize("solutions", [False, True])
def test_an_exercise_becomes_a_heading_a_cell_and_a_check(tmp_path, solutions):
    path = source(tmp_path / "90_x.md", "# exercise 3.2", "# exercise 3.3", "# exercise 3.3 is next")
    cells = build.assemble(path, solutions).cells[1:]
    assert [c.cell_type for c in cells] == ["markdown", "code", "code"] * 2 + ["code"]
    heading, answer, check = cells[:3]
    assert heading.source == build.heading(find("3.2"))
    assert heading.source.startswith("### ✎ Exercise 3.2 · Scaled dot-product scores\n")
    assert f"about 5 minutes · difficulty ●○○ · {find('3.2').points} points" in heading.source
    assert answer.source == (solved if solutions else stub)(find("3.2"))
    assert answer.metadata == {"tags": ["exercise"], "course": {"exercise": "3.2"}}
    assert check.source == 'check("3.2")'
    assert check.metadata == {"tags": ["check"], "course": {"check": "3.2"}}
    make = solved if solutions else stub
    assert cells[4].source == make(find("3.3"), frozenset({"scaled_dot_score"})), (
        "an earlier exercise is at hand"
    )
    assert cells[6].source == "# exercise 3.3 is next"


def test_ids_stay_while_a_cells_text_does(tmp_path):
    ids = lambda *cells: [c.id for c in build.assemble(source(tmp_path / "90_x.md", *cells)).cells]  # noqa: E731
    before, after = ids("a", "b", "a"), ids("a", "new", "b", "a")
    assert len(set(before)) == len(before)
    assert after[:2] + after[3:] == before


def test_an_unknown_exercise_is_refused(tmp_path):
    with pytest.raises(LookupError, match=r"there is no exercise 3\.99"):
        build.assemble(source(tmp_path / "90_x.md", "# exercise 3.99"))


def test_a_header_without_a_course_entry_is_refused(tmp_path):
    path = source(
        tmp_path / "90_x.md", "1", header="---\nkernelspec: {name: python3, display_name: P}\n---\n"
    )
    with pytest.raises(ValueError, match=r"90_x\.md: its header has no 'course' entry"):
        build.assemble(path)


# ---- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["answer", "own cell", "conflict"])
def test_what_a_learner_wrote_is_not_overwritten(here, monkeypatch, capsys, change):
    path = here["out"]
    notebook = nbformat.read(path, as_version=4)
    if change == "answer":
        notebook.cells[1].source = '@exercise("3.1")\ndef f(): ...'
    notebook.cells.append(new_code_cell("mine = 1", id="mine"))
    text = nbformat.writes(notebook)
    path.write_text("<<<<<<< HEAD\n" + text if change == "conflict" else text, encoding="utf-8")
    before = path.read_bytes()
    monkeypatch.setattr(build, "run", lambda notebook, folder: notebook)
    try:
        assert build.main(["90"]) == 1
        assert path.read_bytes() == before
        said = capsys.readouterr().err
        assert "--force" in said and "90_small.ipynb" in said
        assert {"answer": "answers to 3.1 and 1 cell of theirs", "own cell": "1 cell of theirs"}.get(
            change, "marks"
        ) in said
        assert build.main(["90"], force=True) == 0 and path.read_bytes() != before
    finally:
        path.write_bytes(here["first"])


def test_what_was_only_run_is_built_anew(here, monkeypatch):
    monkeypatch.setattr(build, "run", lambda notebook, folder: notebook)
    try:
        assert build.main(["90"]) == 0
        here["out"].write_bytes(b"")
        assert build.main(["90"]) == 0
    finally:
        here["out"].write_bytes(here["first"])


def test_a_failing_cell_leaves_the_notebook_as_it_was(here, monkeypatch, capsys):
    text = here["source"].read_text(encoding="utf-8")
    broken = here["folder"] / "source" / "90_small.md"
    try:
        source(broken, "1 / 0")
        assert build.main(["90"]) == 1
    finally:
        broken.write_text(text, encoding="utf-8")
    shown = capsys.readouterr().err
    assert "90_small.md: a cell failed, nothing was written" in shown and "ZeroDivisionError" in shown
    assert here["out"].read_bytes() == here["first"]


def test_a_cell_that_takes_too_long_is_told_as_such(here, monkeypatch, capsys):
    text = here["source"].read_text(encoding="utf-8")
    slow = here["folder"] / "source" / "90_small.md"
    monkeypatch.setattr(build, "CELL_SECONDS", 1)
    try:
        source(slow, "import time\n\ntime.sleep(60)")
        assert build.main(["90"]) == 1
    finally:
        slow.write_text(text, encoding="utf-8")
    shown = capsys.readouterr().err
    assert "90_small.md: a cell took over 1 s, nothing was written" in shown
    assert here["out"].read_bytes() == here["first"]


@pytest.mark.parametrize("solutions", [False, True])
def test_too_large_a_notebook_is_refused(here, monkeypatch, tmp_path, solutions):
    """A solved one is for authors, and may be as large as it is."""
    monkeypatch.setattr(build, "run", lambda notebook, folder: notebook)
    path = source(tmp_path / "source" / "90_large.md", "# " + "x" * build.LARGEST)
    out = tmp_path / "90_large.ipynb"
    if solutions:
        assert build.build(path, out, solutions=True).stat().st_size > build.LARGEST
    else:
        with pytest.raises(ValueError, match=r"90_large\.ipynb would have 40\d,\d{3} bytes, over 400,000"):
            build.build(path)
        assert not out.exists()


def test_solved_notebooks_go_elsewhere(here, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(build, "run", lambda notebook, folder: notebook)
    monkeypatch.setattr(build, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(build, "sources", lambda: {"90": path})
    path = source(tmp_path / "notebooks" / "source" / "90_small.md", "# exercise 0.1")
    assert build.main(["90"]) == build.main([], solved=True) == 0
    learners = nbformat.read(tmp_path / "notebooks" / "90_small.ipynb", as_version=4)
    authors = nbformat.read(tmp_path / "build" / "solved" / "90_small.ipynb", as_version=4)
    assert (learners.cells[2].source, authors.cells[2].source) == (stub(find("0.1")), solved(find("0.1")))
    assert capsys.readouterr().out.count("building 90_small …") == 2


def test_where_nothing_can_be_written_a_sentence_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(build, "run", lambda notebook, folder: notebook)
    monkeypatch.setattr(build, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(build, "sources", lambda: {"90": path})
    path = source(tmp_path / "notebooks" / "source" / "90_small.md", "1")
    (tmp_path / "build").write_text("no folder")
    assert build.main(["90"], solved=True) == 1
    shown = capsys.readouterr().err
    assert "90_small.ipynb cannot be written (" in shown and "Traceback" not in shown
