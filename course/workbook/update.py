"""``python -m course update``: the course's new version, and the learner's copies brought up to it.

At every moment each copy is whole on the disk, as it was or as it becomes, and the old one is kept beside the
new. Everything here runs before the environment is entered, which may then need new packages: the standard
library only.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from itertools import chain, count
from pathlib import Path

from course.files import write_whole
from course.workbook import bootstrap, copies
from course.workbook.copies import write_new
from course.workbook.merge import Merged, bring_up, is_up_to_date
from course.workbook.ownership import ids_of_the_course, what_the_learner_wrote
from course.workbook.reading import UnreadableNotebook, read_notebook

REFUSALS = {  # what git prints, and what it means
    "[Nn]ot possible to fast-forward|divergent branches|have diverged": (
        "you have commits of your own: join them with `git pull --rebase`, then update again"
    ),
    "would be overwritten|not pull with rebase|unmerged files|unresolved conflict": (
        "files of the course are changed here (`git status` lists them): commit them, or put them aside with "
        "`git stash`, then update again"
    ),
    "Could not resolve host|unable to access|Connection|timed out|Network is unreachable": (
        "there is no network, or the course's place cannot be reached; the same command tries again"
    ),
    "no tracking information|No remote repository|not currently on a branch|does not appear to be": (
        "this clone does not know where the course comes from: `git pull` from there yourself, then update"
    ),
}


class NotPulled(Exception):
    """git has not brought the new version; the message says why, and what to do."""


def update(options: argparse.Namespace) -> list[str]:
    """Everything but the packages; the arguments with which to go on to these."""
    if options.code is None:
        options.code = _update(options.pulled)
    return ["update", "--brought-up", str(options.code)]


def _update(pulled: bool) -> int:
    """0 if all went well."""
    folder, code = copies.my_folder(), 0
    try:
        if not pulled:
            for line in rescue(folder):
                print(line)
            if pull():
                # the new version brings the copies up, by its own lights
                bootstrap.become([sys.executable, "-m", "course", "update", "--pulled"])
    except (NotPulled, copies.NoPlace) as failure:
        print(failure, file=sys.stderr)
        code = 1
    return bring_all(folder) or code


# -- the new version --


def pull() -> bool:
    """Fast-forward the clone; whether there was something new."""
    before = copies.git("rev-parse", "HEAD")
    if before is None:
        print(
            "This is no clone made with git: to have a new version, unpack it in a new folder and put your "
            f"folder {copies.my_folder()} into it, then update there."
        )
        return False
    told = subprocess.run(
        ["git", "pull", "--ff-only"],
        cwd=bootstrap.ROOT,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
    )
    if told.returncode:
        raise NotPulled(f"The course was not updated: {meaning(told.stderr + told.stdout)}.")
    is_new = copies.git("rev-parse", "HEAD") != before
    print("The course has a new version." if is_new else "The course is up to date.", flush=True)
    return is_new


def meaning(output: str) -> str:
    """What git's output means, in one sentence."""
    for pattern, says in REFUSALS.items():
        if re.search(pattern, output):
            return says
    lines = [line for line in output.splitlines() if line.startswith(("fatal:", "error:"))]
    return f"git says {(lines or output.splitlines() or ['nothing'])[0]!r}"


# -- what was done in notebooks/ --


def rescue(folder: Path) -> Iterator[str]:
    """Bring what a learner did in ``notebooks/`` into their folder, then give git its own files back."""
    changed = copies.git("diff", "-z", "--name-only", "HEAD", "--", "notebooks/*.ipynb")
    if changed is None:  # without git nothing can be given back
        for path in sorted(bootstrap.NOTEBOOKS.glob("*.ipynb")):
            if kept := bring_in(path, folder):
                yield f"What you did in notebooks/{path.name} is also in {kept}: go on there."
        return
    for path in (bootstrap.ROOT / name for name in changed.split("\0") if name):
        if path.exists() and not is_the_learners(path):
            continue
        kept = path.exists() and bring_in(path, folder)
        copies.git("checkout", "HEAD", "--", path.relative_to(bootstrap.ROOT).as_posix())
        yield f"notebooks/{path.name} is the course's again" + (
            f"; what you did there is in {kept}." if kept else "."
        )


def is_the_learners(path: Path) -> bool:
    """Whether a changed notebook was changed by working in it; an author's is built, and has new cells."""
    try:
        notebook = read_notebook(path)
    except UnreadableNotebook:
        return path.is_file()
    committed = copies.committed(path)
    if what_the_learner_wrote(notebook):
        return True
    return committed is not None and ids_of_the_course(notebook) == ids_of_the_course(committed)


def bring_in(path: Path, folder: Path) -> Path | None:
    """Keep a changed notebook in the learner's folder; None if it is there, or holds nothing of theirs."""
    notebook = copies.as_the_learner_left_it(path)
    if notebook is not None and not what_the_learner_wrote(notebook):
        return None
    copies.ready(folder)
    if notebook is None:
        kept, is_new = keep(path.read_bytes(), folder, f"{path.name}.unreadable", suffix="")
        return kept if is_new else None
    content, later = copies.as_bytes(copies.stamped(notebook)), f"{path.stem}.from-notebooks-{date.today()}"
    kept, is_new = keep(content, folder, path.stem, later)
    return kept if is_new else None


def keep(content: bytes, folder: Path, *stems: str, suffix: str = ".ipynb") -> tuple[Path, bool]:
    """Write a file under the first of the names that is free; gives the path, and whether it is new."""
    numbered = (f"{stems[-1]}-{n}" for n in count(2))
    for stem in chain(stems, numbered):
        path = folder / f"{stem}{suffix}"
        if not path.exists():
            write_new(path, content)
            return path, True
        if path.read_bytes() == content:
            return path, False
    raise AssertionError("names run out")


# -- the copies --


def bring_all(folder: Path) -> int:
    """Bring up every copy that is behind; 0 unless one could not be."""
    code, brought = 0, False
    try:
        made = copies.make(folder)
    except copies.NoPlace as failure:
        print(failure, file=sys.stderr)
        return 1
    for path in made:
        print(f"{path.name} is new in {folder}.")
    originals = copies.by_number(bootstrap.NOTEBOOKS)
    for number, paths in copies.by_number(folder).items():
        if number not in originals:
            continue
        try:
            said = bring(paths[0], originals[number][0])
        except UnreadableNotebook as unreadable:
            print(unreadable, file=sys.stderr)
            code = 1
        else:
            if said:
                print(said, flush=True)
                brought = True
    if brought:
        print("A notebook that is open in JupyterLab: File > Reload Notebook from Disk.")
    return code


def bring(path: Path, original: Path) -> str:
    """Bring one copy up to its original, and say so; says nothing where there was nothing to do."""
    new = copies.shipped(original)
    if new is None:
        return f"{path.name} stays as it is: notebooks/{original.name} is not as the course made it."
    while True:
        before = path.read_bytes()
        copy = read_notebook(path)
        if is_up_to_date(copy, new):
            return ""
        merged = bring_up(copy, new)
        old = set_aside(path, before)
        if path.read_bytes() == before:  # not saved meanwhile in JupyterLab
            write_whole(path.resolve(), copies.as_bytes(merged.notebook))
            return told(path, merged, old)


def set_aside(path: Path, content: bytes) -> Path:
    """Keep a copy as it was beside itself, under its date."""
    return keep(content, path.parent, f"{path.stem}.old-{date.today()}")[0]


def told(path: Path, merged: Merged, old: Path) -> str:
    """What became of a copy, for the terminal."""
    answers = f"{len(merged.answers)} answer{'' if len(merged.answers) == 1 else 's'}"
    others = f"{merged.other_cells} other cell{'' if merged.other_cells == 1 else 's'}"
    says = f"{path.name} is brought up, with {answers} and {others} of yours. As it was: {old.name}."
    if merged.gone:
        says += f"\n  At its end: {len(merged.gone)} of your answers whose exercises are no longer there."
    return says
