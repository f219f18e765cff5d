"""Files are whole or as they were; a lock is one process's."""

import gc
import os
import subprocess
import sys

import pytest

from course.files import Busy, Lock, write_whole

HOLD = """
import sys
from course.files import Lock
lock = Lock(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "Übung 注意.txt"
    write_whole(path, b"old")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("the disk is full")))
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    write_whole(path, b"new")
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == [path.name]


def test_a_lock_is_given_back_by_whoever_ends(tmp_path):
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "ascii"}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=str(other.pid)):
            Lock(path)
        assert not Lock.is_held_here(path)
        other.kill()
    assert Lock(path).held


def test_one_process_may_have_a_lock_several_times(tmp_path):
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    first.release()
    assert Lock.is_held_here(tmp_path / "lock")
    second.release()
    gc.collect()
    assert not Lock.is_held_here(tmp_path / "lock")
