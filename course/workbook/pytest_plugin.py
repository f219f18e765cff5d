"""nbval as a coursework check: names the exercise and the mistake in place of a cell number and a traceback.

Installed as a pytest plugin, so plain ``pytest --nbval-lax notebooks/03_self_attention.ipynb`` gets it. It
does nothing unless nbval runs. What nbval lacks for coursework and is added here:

- the last line of a failing check names the exercise and the mistake; points, JUnit properties, JSON;
- cells are limited to 60 s (nbval: 2000 s) and run in the present environment (not the notebook's); the
  first, which imports, may take 5 minutes, as may the kernel's start: both can, right after an installation;
- a notebook that was saved while it ran (outputs, no execution count) is no error;
- a kernel that dies is noticed within a second, and a dead or stuck kernel costs one exercise: a new kernel
  runs the cells above again, with the package's function lent for the one that failed.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from queue import Empty

import pytest

from course.workbook.record import MIME

CHECK = re.compile(r"""^\s*check\(\s*["'](\d+\.\d+)["']""", re.MULTILINE)
HANDED_IN = re.compile(r"""^@exercise\(\s*["'](\d+\.\d+)["']\s*\)\s*\n(?:def|class)\s+(\w+)""", re.MULTILINE)
CELL_SECONDS, FIRST_SECONDS = 60, 300
NBVALS = {"nbval_cell_timeout": 2000, "nbval_kernel_startup_timeout": 60}  # its own limits, in seconds


def pytest_addoption(parser):
    group = parser.getgroup("course", "Transformers course companion")
    group.addoption(
        "--course-json", metavar="FILE", help="write the results of the exercises to FILE as JSON"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    option = config.option
    if not (getattr(option, "nbval", False) or getattr(option, "nbval_lax", False)):
        if option.course_json:
            raise pytest.UsageError("--course-json needs --nbval-lax and a notebook")
        return
    if not option.nbval_kernel_name:
        option.nbval_current_env = True
    limit, start = (getattr(option, name) for name in NBVALS)
    if start == NBVALS["nbval_kernel_startup_timeout"]:
        option.nbval_kernel_startup_timeout = FIRST_SECONDS
    is_asked_for = limit != NBVALS["nbval_cell_timeout"]
    option.nbval_cell_timeout = limit if is_asked_for else CELL_SECONDS
    first = limit if is_asked_for else FIRST_SECONDS
    config.pluginmanager.register(Coursework(config, first), "course-work")


class KernelDied(Exception):
    """The notebook's kernel ended while a cell ran."""


class Coursework:
    def __init__(self, config, first_seconds: float):
        self.config, self.first_seconds = config, first_seconds
        self.seconds = config.option.nbval_cell_timeout
        self.results: dict[str, dict[str, dict]] = {}  # notebook -> exercise -> result
        self.errors: dict[str, list[str]] = {}  # notebook -> cells that failed and are no checks

    def pytest_collection_modifyitems(self, items):
        for item in filter(is_cell, items):
            if item.cell.execution_count is None:
                item.cell.outputs = []  # saved while running: nothing to compare with
            if not hasattr(item.parent, "course_cells"):
                item.parent.course_cells = [i for i in items if i.parent is item.parent]
                item.parent.course_stopped = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item):
        if is_cell(item):
            watch(item.parent.kernel)
            self.config.option.nbval_cell_timeout = self.limit(item)
        yield

    def limit(self, item) -> float:
        """Seconds that a cell may take."""
        return self.first_seconds if item is item.parent.course_cells[0] else self.seconds

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = (yield).get_result()
        if not is_cell(item) or call.when != "call":
            return
        died = report.failed and not item.parent.timed_out and not item.parent.kernel.is_alive()
        if died or item.parent.timed_out:
            report.longrepr = f"{cell_name(item)}: {self.mend(item, died)}"
        result = result_of(item)
        if result:
            item.user_properties += [(k, result[k]) for k in ("exercise", "points", "total")]  # JUnit's
            report.user_properties.append(("course", json.dumps(result)))
            if report.failed:
                report.longrepr = (
                    f"Exercise {result['exercise']}: {result['diagnosis']}\n{parts_text(result)}"
                )
        elif report.failed:
            error = first_line(report.longrepr)
            report.user_properties.append(("course_error", error))
            if not died and handed_in(item):
                lend_for(item, f"does not run: {error}")

    def mend(self, item, died: bool) -> str:
        """Make the notebook usable again after a cell that killed or blocked its kernel; say what it did."""
        reason = (
            "ended Python itself (the kernel died): is there an exit, or far too large a tensor?"
            if died
            else f"did not finish within {self.limit(item):g} seconds: is there an endless loop?"
        )
        if died or checked(item) or not item.parent.kernel.is_alive():
            revive(item, reason)
        item.parent.timed_out = False  # else nbval expects every later cell to fail
        return reason

    def pytest_runtest_logreport(self, report):
        properties = dict(report.user_properties)
        notebook = str(report.location[0])
        if "course" in properties:
            result = json.loads(properties["course"])
            self.results.setdefault(notebook, {})[result["exercise"]] = result
        elif "course_error" in properties:
            self.errors.setdefault(notebook, []).append(properties["course_error"])

    def pytest_sessionfinish(self):
        if self.config.option.course_json and not hasattr(self.config, "workerinput"):
            path = Path(self.config.option.course_json)
            path.write_text(json.dumps(self.summary(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def summary(self) -> dict:
        names = sorted(self.results.keys() | self.errors.keys())
        results = {n: list(self.results.get(n, {}).values()) for n in names}
        notebooks = [
            {"notebook": n, "exercises": results[n], "errors": self.errors.get(n, [])} for n in names
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
        terminalreporter.line(f"{data['points']} of {data['total']} points")


def is_cell(item) -> bool:
    return hasattr(item, "cell") and hasattr(item.parent, "timed_out")


def result_line(result: dict) -> str:
    mark = {"right": "ok     ", "wrong": "wrong  ", "todo": "to do  "}.get(result["state"], "stopped")
    says = "" if result["state"] in ("right", "todo") else f": {result['diagnosis']}"
    return f"{mark} {result['exercise']:<5} {result['points']}/{result['total']}  {result['title']}{says}"


def parts_text(result: dict) -> str:
    lines = [f"  {'ok   ' if p['right'] else 'wrong'}  {p['name']}" for p in result["parts"]]
    return "\n".join([f"{result['title']}: {result['points']} of {result['total']} points", *lines])


def first_line(longrepr) -> str:
    lines = str(longrepr).strip().splitlines()
    raised = [line for line in lines if re.match(r"(\x1b\[[\d;]*m)*\w*(Error|Exception|Interrupt)\b", line)]
    return re.sub(r"\x1b\[[\d;]*m", "", (raised or lines)[-1])


# ---- results -----------------------------------------------------------------------------------


def checked(item) -> str | None:
    """The exercise that a cell checks."""
    match = CHECK.search(item.cell.source)
    return match[1] if match else None


def handed_in(item) -> str | None:
    """The exercise that a cell hands in."""
    match = HANDED_IN.search(item.cell.source)
    return match[1] if match else None


def cell_name(item) -> str:
    return (
        f"Exercise {checked(item)}"
        if checked(item)
        else f"The cell that starts with {item.cell.source.strip().splitlines()[0]!r}"
    )


def result_of(item) -> dict | None:
    """The result that the check displayed; for a check that could not run, one that says why."""
    for output in getattr(item, "test_outputs", None) or []:  # None when the cell never ran
        if MIME in output.get("data", {}):
            return {k: v for k, v in output["data"][MIME].items() if k != "cell"}
    id = checked(item)
    if id in item.parent.course_stopped:
        from course.workbook.judge import verdict
        from course.workbook.record import find

        return verdict(find(id), "stopped", f"your code {item.parent.course_stopped[id]}").as_dict()
    return None


# ---- kernels that die or hang ------------------------------------------------------------------


def watch(kernel) -> None:
    """Make waiting for a cell notice within a second that the kernel is gone (nbval waits out its limit)."""
    if hasattr(kernel, "course_watched"):
        return
    wait = kernel.await_reply

    def await_reply(msg_id, timeout=None):
        end = time.monotonic() + timeout
        while True:
            try:
                return wait(msg_id, timeout=min(1.0, max(0.05, end - time.monotonic())))
            except Empty:
                if not kernel.is_alive():
                    raise KernelDied from None
                if time.monotonic() >= end:
                    raise

    kernel.await_reply, kernel.course_watched = await_reply, True


def revive(item, reason: str) -> None:
    """A new kernel, brought to where the old one was: the cells above run again, without the one that failed.

    When that cell was a check (or handed an exercise in), the package's function is lent for its exercise.
    """
    file = item.parent
    file.course_stopped[checked(item) or handed_in(item) or item] = reason
    if file.kernel.is_alive():
        file.kernel.stop()
    file.setup()
    for cell in file.course_cells[: file.course_cells.index(item) + 1]:
        if cell not in file.course_stopped:
            run_quietly(file.kernel, replay_source(cell, file.course_stopped), FIRST_SECONDS)


def lend_for(item, reason: str) -> None:
    """Lend the package's function for an exercise whose cell failed: the cells below need its name."""
    stopped = item.parent.course_stopped
    stopped[handed_in(item)] = reason
    run_quietly(item.parent.kernel, replay_source(item, stopped), FIRST_SECONDS)


def replay_source(cell, stopped: dict) -> str:
    """A cell's source, or for a stopped exercise a line that lends the package's function."""
    match = HANDED_IN.search(cell.cell.source)
    if match and match[1] in stopped:
        says = f"your code {stopped[match[1]]}"
        return f"from course import lend\n{match[2]} = lend({match[1]!r}, {says!r})"
    return "" if checked(cell) else cell.cell.source


def run_quietly(kernel, source: str, seconds: float) -> None:
    message = kernel.execute_cell_input(source, allow_stdin=False)
    kernel.await_reply(message, timeout=seconds)
    kernel.await_idle(message, seconds)
