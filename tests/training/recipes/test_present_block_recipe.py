"""Every part at every rate and seed, once; what is left is a table of the log."""

import json

import pytest

from course.data.tinyshakespeare import split
from course.models.present_block import PARTS
from course.training.log import Log
from course.training.recipes import present_block


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(present_block.tinyshakespeare, "plays", lambda: split("to be or not to be, " * 400))
    for name, value in {"STEPS": 2, "BATCH": 2, "LENGTH": 16, "JUDGED": 4, "SEEDS": range(2)}.items():
        monkeypatch.setattr(present_block, name, value)


def test_it_goes_on_where_it_was_interrupted_and_its_table_is_that_of_its_log(tmp_path, short):
    scores = present_block.train(tmp_path)
    log = Log(tmp_path / "log.jsonl")
    lines = log.path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(PARTS) * 2 * 2
    log.path.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    assert [row["parameters"] for row in present_block.train(tmp_path)] == [r["parameters"] for r in scores]
    assert log.path.read_text(encoding="utf-8").splitlines()[:-1] == lines[:-1]
    for row in json.loads((tmp_path / "scores.json").read_text(encoding="utf-8")):
        for rate, (mean, low, high) in row["loss"].items():
            found = [x["loss"] for x in log.read() if (x["part"], str(x["rate"])) == (row["part"], rate)]
            assert [mean, low, high] == pytest.approx([sum(found) / 2, min(found), max(found)], abs=1e-4)
    assert [row["cache"] for row in scores] == [2_097_152] * 5 + [524_288]
