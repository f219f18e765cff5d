"""What a run goes on from is whole or is not used: any damage is noticed."""

import errno
import os
import random

import pytest
import torch

from course.training import resuming
from course.training.errors import RunError

CPU = torch.device("cpu")


def state(n: int) -> dict:
    return {"step": n, "model": {"weight": torch.full((3, 4), float(n))}, "name": "é"}


def assert_is(found: dict, n: int) -> None:
    assert found.keys() == state(n).keys() and found["step"] == n and found["name"] == "é"
    assert torch.equal(found["model"]["weight"], state(n)["model"]["weight"])


def test_the_newest_state_and_the_one_before_are_kept(tmp_path):
    assert resuming.load(tmp_path, CPU) is None
    for n in (1, 2, 3):
        resuming.save(tmp_path, state(n))
    assert_is(resuming.load(tmp_path, CPU), 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resume.before.pt", "resume.pt"]
    (tmp_path / "resume.pt").unlink()
    assert_is(resuming.load(tmp_path, CPU), 2)


def test_every_flipped_byte_is_noticed(tmp_path, capsys):
    resuming.save(tmp_path, state(1))
    content, newest = (tmp_path / "resume.pt").read_bytes(), tmp_path / "resume.pt"
    resuming.save(tmp_path, state(2))  # as the one before
    (tmp_path / "resume.pt").replace(tmp_path / "resume.before.pt")
    places = random.Random(0).sample(range(len(content)), 300)
    for place in places:
        newest.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        assert_is(resuming.load(tmp_path, CPU), 2)
    assert capsys.readouterr().err.count("is damaged") == len(places)


@pytest.mark.parametrize("kept", [0, 1, 30, 0.5, 0.9, -1])
def test_a_file_that_was_cut_is_named(tmp_path, kept, capsys):
    resuming.save(tmp_path, state(1))
    resuming.save(tmp_path, state(2))
    path = tmp_path / "resume.pt"
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    assert_is(resuming.load(tmp_path, CPU), 1)
    assert f"{path} is damaged (" in capsys.readouterr().err


def test_a_file_of_a_run_begun_before_there_was_a_seal_is_read(tmp_path):
    torch.save(state(1), tmp_path / "resume.pt")
    assert_is(resuming.load(tmp_path, CPU), 1)


def test_where_nothing_is_whole_the_run_does_not_begin_anew_by_itself(tmp_path):
    resuming.save(tmp_path, state(1))
    (tmp_path / "resume.pt").write_bytes(b"\0" * 500)
    with pytest.raises(RunError, match=r"resume\.pt is damaged \(it holds nothing but zero bytes\).*delete"):
        resuming.load(tmp_path, CPU)


def test_a_run_ended_between_two_renamings_loses_no_step(tmp_path):
    resuming.save(tmp_path, state(1))
    resuming.save(tmp_path, state(2))
    (tmp_path / "resume.pt").rename(tmp_path / "resume.part")
    assert_is(resuming.load(tmp_path, CPU), 2)


def test_a_run_ended_while_it_wrote_goes_on_from_what_is_whole_without_a_word(tmp_path, capsys):
    resuming.save(tmp_path, state(1))
    (tmp_path / "resume.part").write_bytes((tmp_path / "resume.pt").read_bytes()[:100])
    assert_is(resuming.load(tmp_path, CPU), 1)
    assert capsys.readouterr().err == ""


def test_a_full_disk_leaves_both_states(tmp_path, monkeypatch):
    resuming.save(tmp_path, state(1))
    resuming.save(tmp_path, state(2))

    def full(path, content):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(resuming, "write_through", full)
    with pytest.raises(OSError, match="No space"):
        resuming.save(tmp_path, state(3))
    assert_is(resuming.load(tmp_path, CPU), 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resume.before.pt", "resume.pt"]
