"""``python -m course check``: nbval over the learner's notebooks, told in a learner's words.

Whatever a notebook is or does, it costs that notebook alone: the others are checked, and the results written.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import TextIO

import pytest

from course.files import write_whole
from course.workbook.reading import UnreadableNotebook, read_notebook
from course.workbook.results import result_line

STOPPED = 130  # the exit code of what was ended with Ctrl-C


class Narrator:
    """Prints one line as each check is done: a notebook takes its time, and silence looks like a hang."""

    def __init__(self, path: Path, out: TextIO):
        self.path, self.out = path, out
        self.summary = {"notebooks": []}
        self.is_interrupted = False

    def pytest_ignore_collect(self, collection_path):
        return None if collection_path == self.path or collection_path in self.path.parents else True

    def pytest_runtest_logreport(self, report):
        for name, value in report.user_properties:
            if name == "course":
                say("  " + result_line(json.loads(value)), self.out)
            elif name == "course_error":
                say(f"  error   {value}", self.out)

    def pytest_keyboard_interrupt(self, excinfo):
        self.is_interrupted = not issubclass(excinfo.type, pytest.Session.Interrupted)  # by pytest itself

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        self.summary = session.config.pluginmanager.get_plugin("course-work").summary()


def say(text: str, out: TextIO) -> None:
    """Print, also on a terminal that lacks some of the characters."""
    encoding = out.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=out, flush=True)


def run_checks(paths: Iterable[Path], json_file: Path | None = None) -> int:
    """Check notebooks; 0 only if all can be read, every exercise is right and no other cell fails.

    What was judged before Ctrl-C is kept: it is told, written, and the code is 130. A file that cannot be
    written is told before the work, with code 2.
    """
    out, results, is_stopped = sys.stdout, [], False
    wrong = why_not_writable(json_file) if json_file else None
    if wrong:
        say(f"--json {json_file}: {wrong}", sys.stderr)
        return 2
    json_file = Path(json_file).absolute() if json_file else None
    try:
        for path in paths:
            result, is_stopped = check_notebook(Path(path), out)
            results.append(result)
            if is_stopped:
                break
    except KeyboardInterrupt:
        is_stopped = True
    data = summary(results, is_stopped)
    say(last_line(data), out)
    if json_file:
        write_json(json_file, data)
    return STOPPED if is_stopped else 0 if data["ok"] else 1


def summary(results: list[dict], is_stopped: bool = False) -> dict:
    """Everything that was checked, and the points."""
    return {
        "ok": not is_stopped and all(r["ok"] for r in results),
        "stopped": is_stopped,
        "points": sum(r["points"] for r in results),
        "total": sum(r["total"] for r in results),
        "notebooks": results,
    }


def last_line(data: dict) -> str:
    unreadable = [n["notebook"] for n in data["notebooks"] if not n["readable"]]
    return (
        ("\nStopped. So far: " if data["stopped"] else "\n")
        + f"{data['points']} of {data['total']} points."
        + (" All right." if data["ok"] else "")
        + (f" Could not be read: {', '.join(unreadable)}." if unreadable else "")
    )


def check_notebook(path: Path, out: TextIO) -> tuple[dict, bool]:
    """One notebook's results, and whether Ctrl-C ended it."""
    say(f"{path.name} (every cell runs; this can take a minute)", out)
    try:
        read_notebook(path)
    except UnreadableNotebook as error:
        say(f"  error   {error}", out)
        return result_of(path, [], [str(error)], readable=False), False
    narrator = Narrator(path.absolute(), out)
    errors = run_nbval(narrator)
    for error in errors:
        say(f"  error   {error}", out)
    notebooks = narrator.summary["notebooks"]
    exercises = [r for n in notebooks for r in n["exercises"]]
    errors = [e for n in notebooks for e in n["errors"]] + errors
    readable = all(n["readable"] for n in notebooks)
    return result_of(path, exercises, errors, readable), narrator.is_interrupted


def result_of(path: Path, exercises: list[dict], errors: list[str], readable: bool = True) -> dict:
    return {
        "notebook": path.name,
        "readable": readable,
        "ok": readable and not errors and all(r["state"] == "right" for r in exercises),
        "points": sum(r["points"] for r in exercises),
        "total": sum(r["total"] for r in exercises),
        "exercises": exercises,
        "errors": errors,
    }


def run_nbval(narrator: Narrator) -> list[str]:
    """Run pytest on a notebook, its own report kept aside; gives back what kept it from being checked.

    No file beside the notebook has a say: neither settings of pytest nor a conftest.py that a cell wrote.
    """
    path = narrator.path
    options = ["--nbval-lax", "-p", "no:cacheprovider", "-p", "no:xdist", "--color=no"]
    options += ["-c", os.devnull, "--rootdir", str(path.parent), "--noconftest"]
    with chdir(path.parent), redirect_stdout(io.StringIO()) as report:
        code = pytest.main([*options, "."], plugins=[narrator])  # a name with [ or :: in it is no argument
    if narrator.is_interrupted or code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return []
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        return ["it holds no code: there is nothing to check"]
    last = (report.getvalue().strip().splitlines() or ["no word"])[-1]
    return [f"it could not be checked (pytest's exit code {int(code)}: {last})"]


def why_not_writable(path: Path) -> str | None:
    """What will keep a file from being written, as far as that can be seen now."""
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if Path(path).is_dir():
        return "this is a folder; name a file"
    return None if os.access(folder, os.W_OK) else f"the folder {folder} may not be written to"


def write_json(path: Path, data: dict) -> None:
    """Write results to a file that is whole or as it was, also where a notebook's name is no text."""
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    write_whole(path, text.encode("utf-8", "backslashreplace"))
