"""What the checks add to nbval while pytest runs it: limits, new kernels for those that die, results.

``pytest_plugin`` tells why; ``cells`` and ``kernels`` are nbval's with bounds; ``results`` judges.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from queue import Empty

import pytest
from nbval.plugin import IPyNbFile

from course.workbook.cells import Notebook
from course.workbook.grading import write_json
from course.workbook.kernels import LARGEST_ERROR, KernelDied, shortened
from course.workbook.results import (
    HANDED_IN,
    SILENT,
    checked,
    failure_text,
    first_line,
    handed_in,
    result_line,
    stopped,
)


class Coursework:
    """Runs notebooks' cells within bounds, judges what they show, and keeps it for the report.

    Args:
        first_seconds: what the first cell may take; the others, nbval's limit.
        notebook_seconds: what a whole notebook may take.
    """

    def __init__(self, config, first_seconds: float, notebook_seconds: float):
        self.config, self.first_seconds, self.notebook_seconds = config, first_seconds, notebook_seconds
        self.seconds = config.option.nbval_cell_timeout
        self.results: dict[str, dict[str, dict]] = {}  # notebook -> exercise -> result
        self.errors: dict[str, list[str]] = {}  # notebook -> what failed and is no check
        self.unreadable: set[str] = set()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collect_file(self, file_path, parent):
        files = yield
        ours = [
            Notebook.from_parent(parent, path=file.path) if type(file) is IPyNbFile else file
            for file in files.get_result()
        ]
        files.force_result(ours)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item):
        if is_cell(item) and not item.parent.broken:
            file = item.parent
            if file.end == float("inf"):
                file.end = time.monotonic() + self.notebook_seconds
            if file.seconds_left <= 0:
                file.broken = f"the notebook was not through after {self.notebook_seconds / 60:g} minutes"
            self.config.option.nbval_cell_timeout = min(self.limit(item), max(1, file.seconds_left))
        yield

    def limit(self, item) -> float:
        """Seconds that a cell may take."""
        return self.first_seconds if item is item.parent.cells[0] else self.seconds

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = (yield).get_result()
        if call.when != "call" or not is_ours(item):
            return
        if not is_cell(item):
            return tell_failure(item, report)
        file = item.parent
        died = report.failed and not file.broken and not file.timed_out and not file.kernel.is_alive()
        if died or file.timed_out:
            report.longrepr = f"{cell_name(item)}: {self.mend(item, died)}"
        judge(item, report, died)

    def mend(self, item, died: bool) -> str:
        """Make the notebook usable again after a cell that killed or blocked its kernel; say what it did."""
        reason = (
            "ended Python itself (the kernel died): is there an exit, or far too large a tensor?"
            if died
            else f"did not finish within {self.limit(item):g} seconds: is there an endless loop?"
        )
        file = item.parent
        file.stopped[item] = reason
        if died or checked_in(item) or not file.kernel.is_alive():
            self.revive(item, reason)
        file.timed_out = False  # else nbval expects every later cell to fail
        return reason

    def revive(self, item, reason: str) -> None:
        """A new kernel, brought to where the old one was: the cells above run again, but the one that failed.

        If that one was a check, or handed an exercise in, the package's function is lent for its exercise.
        """
        file = item.parent
        file.stopped |= dict.fromkeys([*checked_in(item), handed_in(item.source) or item], reason)
        file.kernel.stop()
        file.setup()
        try:
            for cell in file.cells[: file.cells.index(item) + 1]:
                if not file.broken and (cell not in file.stopped or handed_in(cell.source) in file.stopped):
                    seconds = min(self.limit(cell), max(1, file.seconds_left))
                    run_quietly(file.kernel, replay_source(cell, file.stopped), seconds)
        except (Empty, KernelDied, RuntimeError):
            file.kernel.stop()
            file.broken = f"a cell {reason} And the cells above it could not be run again"

    def pytest_runtest_logreport(self, report):
        notebook = str(report.location[0])
        for name, value in report.user_properties:
            if name == "course":
                result = json.loads(value)
                self.results.setdefault(notebook, {})[result["exercise"]] = result
            elif name == "course_error" and value not in self.errors.setdefault(notebook, []):
                self.errors[notebook].append(value)
            elif name == "course_unreadable":
                self.unreadable.add(notebook)

    def pytest_sessionfinish(self):
        if self.config.option.course_json and not hasattr(self.config, "workerinput"):
            write_json(Path(self.config.option.course_json), self.summary())

    def summary(self) -> dict:
        names = sorted(self.results.keys() | self.errors.keys())
        notebooks = [
            {
                "notebook": name,
                "readable": name not in self.unreadable,
                "exercises": list(self.results.get(name, {}).values()),
                "errors": self.errors.get(name, []),
            }
            for name in names
        ]
        every = [r for n in notebooks for r in n["exercises"]]
        return {
            "notebooks": notebooks,
            "points": sum(r["points"] for r in every),
            "total": sum(r["total"] for r in every),
        }

    def pytest_terminal_summary(self, terminalreporter):
        data = self.summary()
        if not data["notebooks"]:
            return
        terminalreporter.section("exercises")
        for notebook in data["notebooks"]:
            terminalreporter.line(notebook["notebook"])
            for result in notebook["exercises"]:
                terminalreporter.line("  " + result_line(result))
            for error in [] if notebook["readable"] else notebook["errors"]:
                terminalreporter.line(f"  error   {error}")
        terminalreporter.line(f"{data['points']} of {data['total']} points")


# ---- a cell's report ------------------------------------------------------------------------------


def is_ours(item) -> bool:
    """Whether an item is a notebook's: a cell, or one of what ``cells`` adds to them."""
    return hasattr(item.parent, "broken")


def is_cell(item) -> bool:
    return is_ours(item) and hasattr(item, "cell")


def checked_in(item) -> list[str]:
    return checked(item.source)


def cell_name(item) -> str:
    ids = checked_in(item)
    lines = item.source.strip().splitlines() or [""]
    return f"Exercise {ids[0]}" if ids else f"The cell that starts with {lines[0][:80]!r}"


def judge(item, report, died: bool) -> None:
    """A cell that checks passes if each of its checks showed a right result, any other if it ran."""
    error = first_line(report.longrepr) if report.failed else ""
    results = item.results()
    if report.failed and not died:
        results = [said_why(item, result, error) for result in results]
    tell(item, report, results)
    if any(result["state"] != "right" for result in results):
        report.outcome, report.longrepr = "failed", failure_text(results)
    elif report.failed:
        report.user_properties.append(("course_error", error))
        report.longrepr = bounded(report.longrepr)
        if not died and not item.parent.broken and handed_in(item.source):
            lend_for(item, f"does not run: {error}")


def said_why(item, result: dict, error: str) -> dict:
    """A result for a check that showed none, with the error that kept it from doing so."""
    is_silent = result["diagnosis"] == SILENT
    return stopped(result["exercise"], f"its check did not run: {error}") if is_silent else result


def tell(item, report, results: list[dict]) -> None:
    """Put results into what pytest reports, and JUnit's file."""
    for result in results:
        item.parent.shown.add(result["exercise"])
        report.user_properties.append(("course", json.dumps(result)))
        item.user_properties += [(k, result[k]) for k in ("exercise", "points", "total")]  # JUnit's


def tell_failure(item, report) -> None:
    """A file that is no notebook, or an exercise without its check."""
    if hasattr(item, "results"):
        results = item.results()
        report.user_properties += [("course", json.dumps(result)) for result in results]
        if results:
            report.longrepr = f"Exercise {item.exercise}: {report.longrepr}"
    elif report.failed:
        report.user_properties += [("course_error", str(report.longrepr)), ("course_unreadable", True)]


def bounded(longrepr):
    return shortened(longrepr, LARGEST_ERROR) if isinstance(longrepr, str) else longrepr


# ---- kernels that die or hang ------------------------------------------------------------------


def lend_for(item, reason: str) -> None:
    """Lend the package's function for an exercise whose cell failed: the cells below need its name."""
    file = item.parent
    file.stopped[handed_in(item.source)] = reason
    try:
        run_quietly(file.kernel, replay_source(item, file.stopped), max(1, file.seconds_left))
    except (Empty, KernelDied, RuntimeError):
        file.kernel.stop()
        file.broken = f"a cell {reason}. And Python did not answer any more"


def replay_source(cell, stopped: dict) -> str:
    """A cell's source, or for a stopped exercise a line that lends the package's function."""
    match = HANDED_IN.search(cell.source)
    if match and match[1] in stopped:
        says = f"your code {stopped[match[1]]}"
        return f"from course import lend\n{match[2]} = lend({match[1]!r}, {says!r})"
    return "" if checked_in(cell) else cell.source


def run_quietly(kernel, source: str, seconds: float) -> None:
    message = kernel.execute_cell_input(source, allow_stdin=False)
    kernel.await_reply(message, timeout=seconds)
    kernel.await_idle(message, seconds)
