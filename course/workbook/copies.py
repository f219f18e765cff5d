"""The learner's own copies of the notebooks: where they are, which is meant, how they are made.

Learners work in ``my/`` (or where COURSE_MY says), which git does not track; ``notebooks/`` is the course's.
A copy is known by the number in its metadata, whatever its file is called. Standard library only.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from course.files import flush_folder, write_through
from course.workbook import bootstrap
from course.workbook.merge import is_up_to_date, stamped
from course.workbook.ownership import Cell, what_the_learner_wrote
from course.workbook.reading import UnreadableNotebook, number_of, read_notebook, source_of

PLACE = "COURSE_MY"
LEFT_OVER_SECONDS = 600  # a part of a file is never written for so long: its writer was killed
SET_ASIDE = re.compile(r"\.old-\d{4}-\d\d-\d\d(-\d+)?$")  # what update keeps of a copy
DUPLICATE = re.compile(r"-Copy\d+$| ?\(\d+\)$|[ _-]copy( \d+)?$|\.from-notebooks-[\d-]+$", re.IGNORECASE)
ONE_SIDE = re.compile(r"^<{7}[^\n]*\n.*?^={7}\r?\n(.*?)^>{7}[^\n]*\n?", re.MULTILINE | re.DOTALL)


class NoPlace(Exception):
    """There is no folder for the learner's copies; the message says why, and what to do."""


def my_folder() -> Path:
    """Where the learner's copies are: ``my/`` beside the README, or what COURSE_MY names."""
    named = os.environ.get(PLACE)
    return Path(os.path.abspath(os.path.expanduser(named))) if named else bootstrap.ROOT / "my"


def running_folder() -> Path | None:
    """The folder of the notebook that runs this code; None outside of one."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if not hasattr(shell, "kernel"):
        return None
    notebook = Path(
        os.environ.get("JPY_SESSION_NAME", "")
    )  # JupyterLab's word; the notebook may change its folder
    return notebook.parent if notebook.is_absolute() and notebook.parent.is_dir() else Path.cwd()


def places() -> list[Path]:
    """Where notebooks are looked for when only a number is named, in this order."""
    found = [running_folder(), my_folder(), bootstrap.NOTEBOOKS]
    return list(dict.fromkeys(place.resolve() for place in found if place))


# -- which notebook --


def shipped_names() -> dict[int, str]:
    """The number of each notebook of the course and what its file is called, without its ending."""
    sources = sorted((bootstrap.NOTEBOOKS / "source").glob("[0-9][0-9]_*.md"))
    return {int(path.name[:2]): path.stem for path in sources}


def number_in(path: Path) -> int | None:
    """A notebook's number: from inside it; for a file that does not tell, from its name."""
    try:
        number = number_of(read_notebook(path))
    except UnreadableNotebook:
        number = None
    by_name = re.match(r"(\d\d)(?!\d)", path.name)
    return int(by_name[1]) if number is None and by_name else number


def by_number(folder: Path) -> dict[int, list[Path]]:
    """The notebooks of a folder by number, those of one number in the order in which they are taken."""
    names, found = shipped_names(), {}
    files = [p for p in folder.glob("*.ipynb") if p.is_file() and not p.name.startswith(".")]
    for path in sorted(p for p in files if not SET_ASIDE.search(p.stem)):
        found.setdefault(number_in(path), []).append(path)
    found.pop(None, None)
    return {
        number: sorted(found[number], key=lambda p: (p.stem != names.get(number), _is_duplicate(p), p.name))
        for number in sorted(found)
    }


def _is_duplicate(path: Path) -> bool:
    return bool(DUPLICATE.search(path.stem))


def taken(folders: Iterable[Path] | None = None) -> dict[int, list[Path]]:
    """Every notebook that there is, from the first folder that has it: the one taken, then its doubles."""
    found: dict[int, list[Path]] = {}
    for folder in places() if folders is None else folders:
        for number, paths in by_number(folder).items():
            found.setdefault(number, paths)
    return dict(sorted(found.items()))


def of_doubles(paths: list[Path]) -> str:
    """A sentence on several notebooks of one number; empty for one."""
    if len(paths) < 2:
        return ""
    others = ", ".join(path.name for path in paths[1:])
    return (
        f"{paths[0].parent} has {len(paths)} copies of this notebook: {paths[0].name} is taken, "
        f"not {others} (name its path to have that one)."
    )


def count(made: list[Path]) -> str:
    return "1 copy" if len(made) == 1 else f"{len(made)} copies"


# -- making copies --


def make(folder: Path) -> list[Path]:
    """Copies of the notebooks that the folder has not yet; what a learner did in ``notebooks/`` comes along.

    Raises:
        NoPlace: if the folder cannot be made or written.
    """
    try:
        ready(folder)
        clear_left_overs(folder)
        known = by_number(folder)
        originals = by_number(bootstrap.NOTEBOOKS)
        made = [_make(paths[0], folder) for number, paths in originals.items() if number not in known]
    except OSError as error:
        raise _no_place(folder, error) from error
    return [path for path in made if path]


def ready(folder: Path) -> Path:
    """The learner's folder, made where it is missing.

    Raises:
        NoPlace: if it cannot be made, or is the course's own.
    """
    if folder.resolve() == bootstrap.NOTEBOOKS.resolve():
        raise NoPlace(f"{folder} holds the course's own notebooks: name another folder for your copies.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_place(folder, error) from error
    return folder


def _no_place(folder: Path, error: OSError) -> NoPlace:
    return NoPlace(
        f"Your copies of the notebooks cannot be kept in {folder} ({error.strerror or error}). "
        f"Name a folder of yours: --folder FOLDER, or {PLACE}=FOLDER for all commands."
    )


def _make(original: Path, folder: Path) -> Path | None:
    path = folder / f"{shipped_names().get(number_in(original), original.stem)}.ipynb"
    notebook = as_the_learner_left_it(original)
    if notebook is None:  # beyond reading: the course's own, and the file stays where it is
        notebook = shipped(original)
    if notebook is None:
        return None
    if path.exists():  # unreadable, without a number: not ours to touch
        raise FileExistsError(17, f"{path.name} is there and cannot be read: move it away", str(path))
    write_new(path, as_bytes(stamped(notebook)))
    return path


def as_bytes(notebook: Cell) -> bytes:
    """A notebook as nbformat writes it."""
    cells = [{**cell, "source": source_of(cell).splitlines(keepends=True)} for cell in notebook["cells"]]
    notebook = {**notebook, "cells": cells}
    return (json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8")


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, in one step.

    Raises:
        FileExistsError: if there is one by now; it is left alone.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write_through(part, content)
        try:
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links, as on a stick
            if path.exists():
                raise FileExistsError(17, "File exists", str(path)) from None
            os.rename(part, path)
    finally:
        part.unlink(missing_ok=True)
    flush_folder(path.parent)


def clear_left_overs(folder: Path) -> None:
    """Remove the parts of notebooks that were being written when their writer was killed."""
    for part in folder.glob(".*.part"):
        if time.time() - part.stat().st_mtime > LEFT_OVER_SECONDS:
            part.unlink(missing_ok=True)


# -- what is in notebooks/ --


def as_the_learner_left_it(original: Path) -> Cell | None:
    """A notebook of the course as it is on the disk; the learner's side where a merge left its marks."""
    try:
        return read_notebook(original)
    except UnreadableNotebook:
        return _learners_side(original)


def _learners_side(original: Path) -> Cell | None:
    """The learner's version of a file that ``git stash pop`` (or merge) could not join with the new one."""
    staged = git("show", f":3:./{original.relative_to(bootstrap.ROOT).as_posix()}")
    if staged is None:
        text = original.read_bytes().decode("utf-8", "replace") if original.is_file() else ""
        staged = ONE_SIDE.sub(lambda match: match[1], text)
    return parsed(staged)


def shipped(original: Path) -> Cell | None:
    """A notebook of the course as its present version has it: the file, or git's where it was changed."""
    try:
        notebook = read_notebook(original)
    except UnreadableNotebook:
        notebook = None
    if notebook is not None and not what_the_learner_wrote(notebook):
        return notebook
    return committed(original)


def committed(original: Path) -> Cell | None:
    """A notebook of the course as git's last commit has it."""
    text = git("show", f"HEAD:./{original.relative_to(bootstrap.ROOT).as_posix()}")
    return parsed(text) if text is not None else None


def parsed(text: str) -> Cell | None:
    """The notebook in a text; None if there is none."""
    try:
        notebook = json.loads(text)
    except ValueError:
        return None
    is_one = isinstance(notebook, dict) and isinstance(notebook.get("cells"), list)
    return notebook if is_one and isinstance(notebook.setdefault("metadata", {}), dict) else None


def is_behind(copy: Path) -> bool:
    """Whether the course has a newer version of the notebook that a copy was made from."""
    original = by_number(bootstrap.NOTEBOOKS).get(number_in(copy))
    new = shipped(original[0]) if original else None
    return new is not None and not is_up_to_date(read_notebook(copy), new)


def git(*arguments: str) -> str | None:
    """What git prints; None without git, outside of a clone, or where it refuses."""
    if not (bootstrap.ROOT / ".git").exists():  # a folder in somebody else's repository
        return None
    try:
        told = subprocess.run(
            ["git", *arguments],
            cwd=bootstrap.ROOT,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError:
        return None
    return None if told.returncode else told.stdout
