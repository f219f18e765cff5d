"""A teacher's table: thirty files, one line each, what each is stuck at, and as CSV."""

import csv
import io

import pytest
from learner import Course, save

from course.workbook import hand_ins


def result(
    *exercises: tuple[str, str, int, str], errors: tuple[str, ...] = (), readable: bool = True
) -> dict:
    rows = [
        {
            "exercise": id,
            "state": state,
            "points": points,
            "total": 3,
            "diagnosis": says,
            "title": "",
            "parts": [],
        }
        for id, state, points, says in exercises
    ]
    ok = readable and not errors and all(r["state"] == "right" for r in rows)
    total = {"points": sum(r["points"] for r in rows), "total": 3 * len(rows)}
    return {
        "notebook": "x",
        "readable": readable,
        "ok": ok,
        **total,
        "exercises": rows,
        "errors": list(errors),
    }


RIGHT = result(("3.1", "right", 3, ""), ("3.2", "right", 3, ""))
STUCK = result(
    ("3.1", "wrong", 1, "the scores are not divided by sqrt(d_k)"), ("3.2", "todo", 0, "not done yet")
)
BROKEN = result(errors=("b.ipynb cannot be read: it is empty (0 bytes). Get it again.",), readable=False)


@pytest.fixture
def handed_in(tmp_path, monkeypatch):
    """Thirty files, one of them right, one unreadable, one in a folder of its own; and two not meant."""
    folder = tmp_path / "交 in"
    for n in range(28):
        save(folder / f"s{n:02d}.ipynb", Course.third())
    save(folder / "李雷" / "=cmd.ipynb", Course.third())
    (folder / "b.ipynb").write_bytes(b"")
    save(folder / ".ipynb_checkpoints" / "s00-checkpoint.ipynb", Course.third())
    save(folder / "s00.old-2026-11-29.ipynb", Course.third())
    told = {"s00.ipynb": RIGHT, "b.ipynb": BROKEN}
    monkeypatch.setattr(hand_ins, "check_notebook", lambda path, out: (told.get(path.name, STUCK), False))
    return folder


def test_thirty_files_give_one_table(handed_in, capsys):
    assert hand_ins.check_folders([handed_in]) == 1
    lines = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert lines[0].split() == ["file", "points", "stuck", "at"] and lines[-2] == "30 of 30 files."
    rows = {line.split()[0]: line for line in lines[1:31]}
    assert len(rows) == 30 and rows["s00.ipynb"].split() == ["s00.ipynb", "6/6"]
    assert rows["s01.ipynb"].endswith("1/6  3.1: the scores are not divided by sqrt(d_k) | to do: 3.2")
    assert "b.ipynb cannot be read" in rows["b.ipynb"]


def test_the_table_is_written_for_spreadsheets(handed_in, capsys):
    hand_ins.check_folders([handed_in])
    content = (handed_in / "points.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf"), "else Excel reads Chinese as something else"
    rows = {row["file"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))}
    assert len(rows) == 30 and "李雷/=cmd.ipynb" in rows
    assert rows["s01.ipynb"] == {
        "file": "s01.ipynb",
        "notebook": "03",
        "points": "1",
        "of": "6",
        "right": "0 of 2 exercises",
        "stuck_at": "3.1: the scores are not divided by sqrt(d_k) | to do: 3.2",
    }
    assert hand_ins._text("=1+1") == "'=1+1" and hand_ins._text("@x") == "'@x" and hand_ins._text(3) == 3


def test_another_file_and_json(handed_in, tmp_path, capsys):
    hand_ins.check_folders([handed_in], tmp_path / "t.csv", tmp_path / "t.json")
    assert (tmp_path / "t.csv").exists() and not (handed_in / "points.csv").exists()
    assert "李雷/=cmd.ipynb" in (tmp_path / "t.json").read_text(encoding="utf-8")


def test_ctrl_c_keeps_what_was_judged(handed_in, monkeypatch, capsys):
    answers = iter([(RIGHT, False), (STUCK, True)])
    monkeypatch.setattr(hand_ins, "check_notebook", lambda path, out: next(answers))
    assert hand_ins.check_folders([handed_in]) == hand_ins.STOPPED
    assert "2 of 30 files. Stopped." in capsys.readouterr().out
    assert len((handed_in / "points.csv").read_text(encoding="utf-8-sig").splitlines()) == 3


def test_all_right_is_code_0_and_an_empty_folder_code_2(handed_in, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(hand_ins, "check_notebook", lambda path, out: (RIGHT, False))
    assert hand_ins.check_folders([handed_in]) == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    assert hand_ins.check_folders([empty]) == 2
    assert "There is no notebook in" in capsys.readouterr().err
