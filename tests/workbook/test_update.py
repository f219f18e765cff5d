"""``python -m course update``: a new version, answers kept, and at every moment a whole copy on the disk."""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest
from learner import Course, answer, find, load, markdown, own, save, texts

from course.workbook import bootstrap, copies
from course.workbook import update as updating

TODAY = date.today()
needs_git = pytest.mark.skipif(not shutil.which("git"), reason="needs git")
NEW = Course.third(above="import course.heads", second="soft_lookup(2)", more=[markdown("## Summary")])


@pytest.fixture
def course(tmp_path, monkeypatch) -> Course:
    return Course(tmp_path / "a course 课程", monkeypatch)


@pytest.fixture
def mine(course) -> Path:
    """A copy of notebook 03 with an answer and an own cell."""
    copies.make(course.my)
    path = course.my / "03_self_attention.ipynb"
    notebook = answer(load(path), "3.1")
    notebook["cells"].insert(find(notebook, "soft_lookup(1)") + 1, own("from course.gpt import GPT"))
    return save(path, notebook)


def run(*, pulled: bool = False) -> int:
    options = argparse.Namespace(pulled=pulled, code=None)
    arguments = updating.update(options)
    assert arguments == ["update", "--brought-up", str(options.code)], "so that it is done once"
    return options.code


# -- the copies --


def test_without_git_the_copies_follow_the_notebooks(course, mine, capsys):
    before = mine.read_bytes()
    course.publish("03_self_attention", NEW)
    assert run() == 0
    old = course.my / f"03_self_attention.old-{TODAY}.ipynb"
    assert old.read_bytes() == before
    got = texts(load(mine))
    assert [t for t in got if "@exercise" not in t and "GPT" not in t] == [
        t for t in texts(NEW) if "@exercise" not in t
    ]
    assert "from course.models.gpt import GPT" in got and any("我的" in t for t in got)
    said = capsys.readouterr().out
    assert "put your folder" in said
    assert "03_self_attention.ipynb is brought up, with 1 answer and 1 other cell of yours." in said
    assert f"As it was: {old.name}.\n" in said
    assert "Reload Notebook from Disk" in said


def test_run_twice_nothing_happens(course, mine, capsys):
    course.publish("03_self_attention", NEW)
    run()
    before = {path.name: path.read_bytes() for path in course.my.iterdir()}
    capsys.readouterr()
    assert run(pulled=True) == 0
    assert {path.name: path.read_bytes() for path in course.my.iterdir()} == before
    assert capsys.readouterr().out == ""


def test_two_updates_in_a_day_keep_both_old_ones(course, mine):
    course.publish("03_self_attention", NEW)
    run()
    course.publish("03_self_attention", Course.third(second="soft_lookup(3)"))
    run()
    kept = sorted(path.name for path in course.my.glob("*.old-*"))
    assert kept == [f"03_self_attention.old-{TODAY}-2.ipynb", f"03_self_attention.old-{TODAY}.ipynb"]
    assert any("我的" in t for t in texts(load(mine)))


def test_a_new_notebook_is_added_and_a_double_left_alone(course, mine, capsys):
    double = save(course.my / "03_self_attention-Copy1.ipynb", load(mine))
    before = double.read_bytes()
    course.publish("03_self_attention", NEW)
    course.publish("04_masks", Course.third() | {"metadata": {"course": {"number": "04"}}})
    run()
    assert double.read_bytes() == before
    assert f"04_masks.ipynb is new in {course.my}." in capsys.readouterr().out


def test_an_unreadable_copy_is_named_and_the_others_follow(course, mine, capsys):
    broken = course.my / "00_start_here.ipynb"
    broken.write_bytes(b"")
    course.publish("03_self_attention", NEW)
    assert run() == 1
    assert "00_start_here.ipynb cannot be read: it is empty" in capsys.readouterr().err
    assert broken.read_bytes() == b"" and "soft_lookup(2)" in texts(load(mine))


def test_what_is_saved_meanwhile_is_not_lost(course, mine, monkeypatch):
    """JupyterLab saves between our reading and our writing."""
    saved, bring_up = [], updating.bring_up

    def slow(copy, new):
        if not saved:
            notebook = load(mine)
            notebook["cells"].append(own("meanwhile = 1", "m"))
            saved.append(save(mine, notebook))
        return bring_up(copy, new)

    course.publish("03_self_attention", NEW)
    monkeypatch.setattr(updating, "bring_up", slow)
    run()
    assert "meanwhile = 1" in texts(load(mine)) and "soft_lookup(2)" in texts(load(mine))


def test_without_git_a_notebook_that_was_worked_in_is_no_new_version(course, mine, capsys):
    course.publish("03_self_attention", answer(deepcopy(NEW), "3.2"))
    before = mine.read_bytes()
    run()
    assert mine.read_bytes() == before
    said = capsys.readouterr().out
    assert (
        "03_self_attention.ipynb stays as it is: notebooks/03_self_attention.ipynb is not as the course"
        in said
    )
    assert f"is also in {course.my / f'03_self_attention.from-notebooks-{TODAY}.ipynb'}" in said
    run()
    assert "also in" not in capsys.readouterr().out, "once"


# -- with git --


@pytest.fixture
def clone(course, tmp_path, monkeypatch) -> Course:
    """A learner's clone; ``clone.upstream`` is where the course comes from."""
    course.commit()
    course.git("clone", ".", str(tmp_path / "clone"))
    learners = Course.__new__(Course)
    learners.root, learners.upstream = (tmp_path / "clone").resolve(), course
    learners.notebooks, learners.my = learners.root / "notebooks", learners.root / "my"
    monkeypatch.setattr(bootstrap, "ROOT", learners.root)
    monkeypatch.setattr(bootstrap, "NOTEBOOKS", learners.notebooks)
    return learners


@pytest.fixture
def become(monkeypatch) -> list:
    """``become`` runs the new version's update; here it is this one's."""
    calls = []
    monkeypatch.setattr(bootstrap, "become", lambda command: (calls.append(command), run(pulled=True)))
    return calls


def release(clone: Course, notebook: dict = NEW) -> None:
    clone.upstream.publish("03_self_attention", notebook)
    clone.upstream.commit()


@needs_git
def test_one_command_pulls_and_brings_up(clone, become, capsys):
    copies.make(clone.my)
    mine = clone.my / "03_self_attention.ipynb"
    save(mine, answer(load(mine), "3.1"))
    release(clone)
    assert run() == 0
    assert become[0] == [sys.executable, "-m", "course", "update", "--pulled"]
    assert any("我的" in t for t in texts(load(mine))) and "soft_lookup(2)" in texts(load(mine))
    assert "The course has a new version.\n" in capsys.readouterr().out
    assert run() == 0 and len(become) == 1
    assert "The course is up to date.\n" in capsys.readouterr().out


@needs_git
@pytest.mark.parametrize("has_copy", [False, True])
def test_who_worked_in_notebooks_until_today_goes_on_in_my(clone, become, capsys, has_copy):
    worked = clone.notebooks / "03_self_attention.ipynb"
    if has_copy:
        copies.make(clone.my)
    save(worked, answer(Course.third(), "3.1"))
    release(clone)
    assert run() == 0
    assert texts(load(worked)) == texts(NEW), "pulled"
    name = f"03_self_attention.from-notebooks-{TODAY}" if has_copy else "03_self_attention"
    kept = clone.my / f"{name}.ipynb"
    assert any("我的" in t for t in texts(load(kept)))
    assert (
        f"notebooks/{worked.name} is the course's again; what you did there is in {kept}."
        in capsys.readouterr().out
    )


@needs_git
def test_a_notebook_that_was_only_run_does_not_stop_the_pull(clone, become):
    worked = clone.notebooks / "03_self_attention.ipynb"
    ran = load(worked)
    ran["cells"][1]["execution_count"] = 9
    save(worked, ran)
    release(clone)
    assert run() == 0 and texts(load(worked)) == texts(NEW)


@needs_git
def test_an_authors_build_is_left_alone(clone, become, capsys):
    built = save(clone.notebooks / "03_self_attention.ipynb", Course.third(second="an author's new cell"))
    before = built.read_bytes()
    release(clone)
    assert run() == 1
    assert built.read_bytes() == before
    assert "files of the course are changed here (`git status` lists them)" in capsys.readouterr().err


@needs_git
def test_conflict_marks_are_cleared_and_the_answer_is_kept(clone, become, capsys):
    worked = clone.notebooks / "03_self_attention.ipynb"
    save(worked, answer(Course.third(), "3.1"))
    release(clone)
    clone.git("stash")
    clone.git("pull")
    with pytest.raises(subprocess.CalledProcessError):
        clone.git("stash", "pop")
    assert "<<<<<<<" in worked.read_text(encoding="utf-8")
    assert run() == 0
    assert texts(load(worked)) == texts(NEW)
    got = texts(load(clone.my / worked.name))
    assert any("我的" in t for t in got) and "soft_lookup(2)" in got


@needs_git
@pytest.mark.parametrize("what", ["own commits", "nowhere", "no upstream"])
def test_where_git_refuses_it_says_what_to_do_and_the_copies_still_follow(clone, capsys, what):
    copies.make(clone.my)
    if what == "own commits":
        release(clone)
        clone.git("commit", "--allow-empty", "-m", "mine")
    elif what == "nowhere":
        clone.git("remote", "set-url", "origin", "https://127.0.0.1:9/course")
    else:
        clone.git("checkout", "-b", "mine")
    (clone.my / "00_start_here.ipynb").unlink()
    assert run() == 1
    says = {
        "own commits": "git pull --rebase",
        "nowhere": "there is no network",
        "no upstream": "does not know where",
    }
    assert says[what] in capsys.readouterr().err
    assert (clone.my / "00_start_here.ipynb").exists()


def test_what_git_says_is_explained_or_repeated():
    assert "no network" in updating.meaning("fatal: unable to access 'x': Could not resolve host: x")
    assert updating.meaning("a\nfatal: new words\n") == "git says 'fatal: new words'"


# -- killed at any moment --


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX processes and signals")
def test_killed_at_any_moment_the_old_or_the_new_copy_is_whole(course, mine):
    """50 times; and the same command again brings it to its end, with one old copy kept.

    However fast the machine is, some are killed early and some late: the span follows what was seen.
    """
    draw, before = random.Random(0), mine.read_bytes()
    course.publish("03_self_attention", NEW)
    started = time.monotonic()
    updating.bring_all(course.my)
    whole, seconds = mine.read_bytes(), time.monotonic() - started
    assert whole != before
    seen = []
    for _ in range(50):
        mine.write_bytes(before)
        [old] = course.my.glob("03_self_attention.old-*.ipynb")
        old.unlink()
        killed(lambda: updating.bring_all(course.my), draw.uniform(0, seconds))
        assert mine.read_bytes() in (before, whole)
        seen.append(mine.read_bytes() == whole)
        seconds *= 0.8 if seen[-1] else 1.25
        updating.bring_all(course.my)
        assert mine.read_bytes() == whole
        [old] = course.my.glob("03_self_attention.old-*.ipynb")
        assert old.read_bytes() == before
    assert True in seen and False in seen, "killed before and after the step that counts"


def killed(act: Callable[[], object], after: float) -> None:
    """Do something in a process that is killed after some seconds, wherever it is by then."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        act()
        os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
