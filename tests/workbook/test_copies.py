"""The learner's own copies: which is meant, how they are made, and that nothing of theirs is touched."""

import os
import time

import pytest
from learner import Course, answer, built, code, load, markdown, own, save

from course.workbook import copies
from course.workbook.merge import is_up_to_date
from course.workbook.ownership import ids_of_the_course, what_the_learner_wrote
from course.workbook.reading import read_notebook


@pytest.fixture
def course(tmp_path, monkeypatch) -> Course:
    return Course(tmp_path / "a course 课程", monkeypatch)


def test_the_build_names_cells_as_these_tests_do():
    """Else the tests of copies would be about notebooks that there are none of."""
    from course.workbook import bootstrap

    for path in sorted(bootstrap.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")):
        notebook = read_notebook(path)
        assert what_the_learner_wrote(notebook) == []
        assert len(ids_of_the_course(notebook)) == len(notebook["cells"])


def test_copies_are_made_once_and_remember_their_version(course):
    made = copies.make(course.my)
    assert [path.name for path in made] == ["00_start_here.ipynb", "03_self_attention.ipynb"]
    assert copies.make(course.my) == []
    mine = load(made[1])
    assert mine["metadata"]["course"]["cells"] == ids_of_the_course(load(course.notebooks / made[1].name))
    assert is_up_to_date(mine, Course.third()) and not copies.is_behind(made[1])
    assert [p.name for p in course.my.iterdir() if p.name.startswith(".")] == []


def test_what_was_done_in_notebooks_comes_along(course):
    save(course.notebooks / "03_self_attention.ipynb", answer(Course.third(), "3.1"))
    copies.make(course.my)
    [cell] = what_the_learner_wrote(load(course.my / "03_self_attention.ipynb"))
    assert "我的" in "".join(cell["source"])


def test_a_copy_that_is_there_is_left_alone(course):
    mine = save(course.my / "my own name.ipynb", answer(Course.third(), "3.1"))
    before = mine.read_bytes()
    assert [path.name for path in copies.make(course.my)] == ["00_start_here.ipynb"]
    assert mine.read_bytes() == before


@pytest.mark.parametrize(
    "double",
    ["03_self_attention-Copy1", "03_self_attention (1)", "03_self_attention(2)", "03_self_attention copy",
     "00 first of all", "a", "03_self_attention.from-notebooks-2026-11-29"],
)  # fmt: skip
def test_a_double_never_takes_the_place_of_the_notebook(course, double):
    copies.make(course.my)
    save(course.my / f"{double}.ipynb", Course.third())
    found = copies.by_number(course.my)[3]
    assert [path.stem for path in found] == ["03_self_attention", double]
    said = copies.of_doubles(found)
    assert "2 copies" in said and f"{double}.ipynb" in said and "name its path" in said


def test_among_other_names_what_looks_like_a_double_comes_last(course):
    for name in ("mine-Copy1", "mine"):
        save(course.my / f"{name}.ipynb", Course.third())
    assert [path.stem for path in copies.by_number(course.my)[3]] == ["mine", "mine-Copy1"]


def test_what_update_put_aside_is_no_copy(course):
    save(course.my / "03_self_attention.old-2026-11-29.ipynb", Course.third())
    save(course.my / "03_self_attention.old-2026-11-29-2.ipynb", Course.third())
    assert copies.by_number(course.my) == {}


def test_a_number_is_read_inside_else_from_the_name(course):
    names = {
        "x": built("03", code("1")),
        "04_y": {"cells": [code("1")], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
        "z": {"cells": [code("1")], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
        "100_things": {"cells": [markdown("1")], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
        "05_renamed": built("03", code("1")),
    }
    found = {name: copies.number_in(save(course.my / f"{name}.ipynb", nb)) for name, nb in names.items()}
    (course.my / "08_gpt.ipynb").write_bytes(b"")
    found["08_gpt"] = copies.number_in(course.my / "08_gpt.ipynb")
    assert found == {"x": 3, "04_y": 4, "z": None, "100_things": None, "05_renamed": 3, "08_gpt": 8}


def test_the_first_place_that_has_a_number_is_taken(course, monkeypatch):
    save(course.my / "03_self_attention.ipynb", Course.third())
    stick = course.root / "stick"
    save(stick / "handed.ipynb", built("00", code("1")))
    assert {n: p[0].parent.name for n, p in copies.taken().items()} == {0: "notebooks", 3: "my"}
    monkeypatch.setattr(copies, "running_folder", lambda: stick)
    assert {n: p[0].parent.name for n, p in copies.taken().items()} == {0: "stick", 3: "my"}
    monkeypatch.setenv(copies.PLACE, str(course.root / "else"))
    assert {n: p[0].parent.name for n, p in copies.taken().items()} == {0: "stick", 3: "notebooks"}


def test_outside_a_notebook_none_is_running():
    assert copies.running_folder() is None


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_clone_is_said(course):
    course.root.chmod(0o555)
    try:
        with pytest.raises(copies.NoPlace, match=r"--folder FOLDER, or COURSE_MY=FOLDER"):
            copies.make(course.my)
    finally:
        course.root.chmod(0o755)


def test_a_file_in_the_folders_place_is_said(course):
    course.my.write_text("a diary", encoding="utf-8")
    with pytest.raises(copies.NoPlace, match=r"cannot be kept in .*my .*--folder FOLDER"):
        copies.make(course.my)
    assert course.my.read_text(encoding="utf-8") == "a diary"


def test_the_courses_own_folder_is_refused(course):
    with pytest.raises(copies.NoPlace, match="the course's own notebooks"):
        copies.make(course.notebooks)


def test_a_file_is_never_written_over(course):
    course.my.mkdir()
    path = course.my / "x.ipynb"
    copies.write_new(path, b"one")
    with pytest.raises(FileExistsError):
        copies.write_new(path, b"two")
    assert path.read_bytes() == b"one" and list(course.my.iterdir()) == [path]


def test_on_a_stick_without_links_as_well(course, monkeypatch):
    def refuses(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuses)
    test_a_file_is_never_written_over(course)


def test_what_a_killed_writer_left_is_removed_and_what_one_writes_is_not(course):
    course.my.mkdir()
    old, new = course.my / ".a.ipynb.1.part", course.my / ".b.ipynb.2.part"
    old.touch()
    new.touch()
    os.utime(old, (time.time() - 700,) * 2)
    copies.make(course.my)
    assert not old.exists() and new.exists()


# -- a notebook that git could not join --


def conflicted(course: Course) -> None:
    """What ``git stash; git pull; git stash pop`` leaves."""
    path = course.notebooks / "03_self_attention.ipynb"
    course.commit()
    save(path, answer(Course.third(), "3.1"))
    course.git("stash")
    save(path, Course.third(above="import course.heads"))
    course.commit()
    with pytest.raises(Exception, match="returned non-zero"):
        course.git("stash", "pop")
    assert "<<<<<<<" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("is_staged", [False, True])
def test_the_learners_side_of_conflict_marks_is_found(course, is_staged):
    conflicted(course)
    if is_staged:
        course.git("add", ".")
    copies.make(course.my)
    [cell] = what_the_learner_wrote(load(course.my / "03_self_attention.ipynb"))
    assert "我的" in "".join(cell["source"])
    assert is_staged or copies.is_behind(course.my / "03_self_attention.ipynb")


def test_beyond_reading_the_copy_is_the_courses(course):
    course.commit()
    path = course.notebooks / "03_self_attention.ipynb"
    path.write_bytes(b"")
    copies.make(course.my)
    assert is_up_to_date(load(course.my / path.name), Course.third())
    assert path.read_bytes() == b"", "left for the learner to see"


def test_an_own_cell_is_told_from_the_courses():
    notebook = built("03", markdown("# 03"), code("1"), code("1"))
    assert what_the_learner_wrote(notebook) == []
    notebook["cells"].append(own("", "empty"))
    assert what_the_learner_wrote(notebook) == []
    notebook["cells"].append(own("mine"))
    assert what_the_learner_wrote(notebook) == [notebook["cells"][-1]]
    notebook["cells"][1]["source"] = ["1", "\r\n"]
    assert len(what_the_learner_wrote(notebook)) == 2
