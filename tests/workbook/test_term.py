"""A term as a learner goes through it: study, solve three, duplicate, save mid-run, update, hand in."""

import json
import shutil
from pathlib import Path

import pytest
from coursework import FIRST
from learner import Course, built, code, exercise_of, load, markdown, save, text_of, texts

from course.workbook import bootstrap, build, cli, copies
from course.workbook import progress as progress_module
from course.workbook.judge import judge
from course.workbook.progress import progress
from course.workbook.record import MIME, find
from course.workbook.stub import solved, stub

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("git"), reason="needs git")]
HELPER = "from course.toy import ToyAttention\n\nmy_note = ToyAttention"


def notebook(number: str, *ids: str, remark: str, more: tuple = ()) -> dict:
    """A small notebook of real exercises."""
    cells = [markdown(f"# {number}"), code(FIRST)]
    for id in ids:
        cells += [json.loads(json.dumps(c)) for c in build.exercise_cells(find(id), stub(find(id)))]
    for cell in cells:
        cell.pop("id", None)
    return built(number, *cells, code(f"print({remark!r})"), *more)


@pytest.fixture
def clone(tmp_path, monkeypatch) -> Course:
    upstream = Course(tmp_path / "upstream")
    upstream.publish("00_start_here", notebook("00", "0.1", remark="first version"))
    upstream.publish("03_self_attention", notebook("03", "3.1", "3.2", "3.4", remark="first version"))
    upstream.commit()
    upstream.git("clone", ".", str(tmp_path / "my clone 课"))
    clone = Course.__new__(Course)
    clone.upstream, clone.root = upstream, (tmp_path / "my clone 课").resolve()
    clone.notebooks, clone.my = clone.root / "notebooks", clone.root / "my"
    monkeypatch.setattr(bootstrap, "ROOT", clone.root)
    monkeypatch.setattr(bootstrap, "NOTEBOOKS", clone.notebooks)
    monkeypatch.setattr(progress_module, "chapters", lambda: [0, 3])
    monkeypatch.setattr(cli, "become", lambda command: None)
    monkeypatch.setattr(bootstrap, "become", lambda command: run("update", "--pulled"))
    monkeypatch.delenv(copies.PLACE, raising=False)
    return clone


def run(*arguments: str) -> int | None:
    command = cli.parse(list(arguments))
    if hasattr(command, "first"):
        command.first(command)
    return command.run(command)


def solve(path: Path, id: str, checks: bool = True) -> None:
    """Write an answer, run it and its check, save."""
    mine = load(path)
    for at, cell in enumerate(mine["cells"]):
        if exercise_of(cell) == id:
            cell["source"] = solved(find(id))
            if checks:
                shown = judge(find(id), find(id).reference).as_dict() | {"cell": cell["source"].strip()}
                output = {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"text/plain": "box", MIME: shown},
                }
                mine["cells"][at + 1] |= {"outputs": [output], "execution_count": 5}
    save(path, mine)


def test_a_term(clone, capsys):
    run("study", "3")
    start, third = clone.my / "00_start_here.ipynb", clone.my / "03_self_attention.ipynb"
    assert str(third) in capsys.readouterr().out

    for path, id in ((start, "0.1"), (third, "3.1"), (third, "3.2")):
        solve(path, id)
    mine = load(third)
    mine["cells"].insert(5, {**code(HELPER), "id": "0d5f7c1e-note"})
    save(third, mine)
    points = progress(clone.my).points
    assert points[0] == sum(find(id).points for id in ("0.1", "3.1", "3.2")) > 0

    shutil.copy(
        clone.notebooks / third.name, clone.my / "03_self_attention-Copy1.ipynb"
    )  # "Duplicate" of an old one
    assert progress(clone.my).points == points

    mine = load(start)  # saved while it ran: some cells have outputs and no number
    mine["cells"][-1] |= {"execution_count": None, "outputs": []}
    save(start, mine)

    clone.upstream.publish("00_start_here", notebook("00", "0.1", remark="second version"))
    more = (markdown("## A new section"),)
    clone.upstream.publish(
        "03_self_attention", notebook("03", "3.1", "3.2", "3.3", remark="second version", more=more)
    )
    clone.upstream.commit()
    capsys.readouterr()
    assert run("update") == 0
    said = capsys.readouterr()
    assert "The course has a new version." in said.out
    assert "00_start_here.ipynb is brought up, with 1 answer and 0 other cells of yours." in said.out
    assert "03_self_attention.ipynb is brought up, with 2 answers and 1 other cell of yours." in said.out
    assert said.err == ""
    got = texts(load(third))
    assert "print('second version')" in got and "## A new section" in got
    assert HELPER.replace("course.toy", "course.models.toy_attention") in got
    answers = {exercise_of(c): text_of(c) for c in load(third)["cells"] if exercise_of(c)}
    assert answers == {"3.1": solved(find("3.1")), "3.2": solved(find("3.2")), "3.3": stub(find("3.3"))}
    assert progress(clone.my).points[0] == points[0], "the checks' results went along"
    before = {path.name: path.read_bytes() for path in clone.my.iterdir()}
    assert run("update") == 0
    assert {path.name: path.read_bytes() for path in clone.my.iterdir()} == before

    solve(third, "3.3", checks=False)
    run("study", "3")
    handed_in = clone.root / "handed in"
    handed_in.mkdir()
    shutil.copy(third, handed_in / "李雷 (final).ipynb")
    capsys.readouterr()
    assert run("check", str(handed_in)) == 1  # the small notebook lacks half of the real one's exercises
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("李雷 (final).ipynb")]
    here = sum(find(id).points for id in ("3.1", "3.2", "3.3"))
    missing = sum(find(id).points for id in ("3.4", "3.5", "3.6"))
    assert line.split()[2] == f"{here}/{here + missing}" and "3.4: its check is not in the notebook" in line
