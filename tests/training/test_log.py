"""A log survives what a crash does to it: whole lines are read, others are told, none is made up."""

import json

import pytest

from course.training.log import Log


def test_a_torn_last_line_is_not_read(tmp_path):
    log = Log(tmp_path / "log.jsonl")
    log.write({"step": 1})
    with log.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": 2})[:5])
    assert log.read() == [{"step": 1}]


@pytest.mark.parametrize("line", [b"\0" * 40, b'{"step": 2, "lo', b"\xff\xfe", b"[]", b'{"loss": 1}', b""])
def test_a_line_that_cannot_be_read_is_left_out_with_a_word(tmp_path, line, capsys):
    log = Log(tmp_path / "log.jsonl")
    log.path.write_bytes(b'{"step": 1}\n' + line + b'\n{"step": 3}\n')
    assert log.read() == [{"step": 1}, {"step": 3}]
    assert capsys.readouterr().err == f"{log.path}: line 2 cannot be read and is left out.\n"


def test_cutting_leaves_the_old_file_or_the_new_one(tmp_path, monkeypatch):
    log = Log(tmp_path / "log.jsonl")
    for step in range(1, 6):
        log.write({"step": step})
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr("course.files.os.fsync", lambda _: (_ for _ in ()).throw(OSError("the disk is full")))
        log.cut_after(3)
    assert [entry["step"] for entry in log.read()] == [1, 2, 3, 4, 5]
    log.cut_after(3)
    assert [entry["step"] for entry in log.read()] == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_nothing_is_made_where_there_is_no_log(tmp_path):
    Log(tmp_path / "log.jsonl").cut_after(0)
    assert list(tmp_path.iterdir()) == []


def test_only_runs_without_a_line_are_made(tmp_path):
    log, made = Log(tmp_path / "log.jsonl"), []

    def cell(name: str, seed: int) -> dict:
        made.append((name, seed))
        return {"loss": seed / 2} | ({"step": 50} if name == "b" else {})

    runs = [("a", 0), ("b", 0), ("a", 1)]
    assert log.fill(("name", "seed"), runs[:2], cell) == [
        {"step": 0, "name": "a", "seed": 0, "loss": 0.0},
        {"step": 50, "name": "b", "seed": 0, "loss": 0.0},
    ]
    assert [line["seed"] for line in log.fill(("name", "seed"), runs, cell)] == [0, 0, 1]
    assert made == runs
