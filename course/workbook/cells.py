"""nbval's notebook and cell as the checks of the course need them: whatever a file holds, it is collected.

A file that is no notebook is one failing item that says so; an exercise without its check is another. A cell
that checks is run and judged even where a comment or a tag asks nbval to pass over it.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict

import nbformat
import pytest
from nbval.kernel import CURRENT_ENV_KERNEL_NAME
from nbval.plugin import IPyNbCell, IPyNbFile, find_comment_markers, find_metadata_tags

from course.workbook.kernels import Kernel
from course.workbook.reading import UnreadableNotebook, read_notebook
from course.workbook.record import MIME
from course.workbook.results import DELETED, SILENT, checked, handed_in, stopped, trusted, without_check


class Told(Exception):
    """What went wrong, as one sentence."""


class Notebook(IPyNbFile):
    """A notebook's file, and the kernel that its cells run in.

    Attributes:
        cells: its code cells.
        stopped: an exercise or a cell that ended or blocked the kernel -> what it did.
        shown: the exercises whose checks have shown a result.
        broken: why no more cells can be run; None as long as they can.
        end: when the notebook's time is over, by the monotonic clock.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cells: list[Cell] = []
        self.stopped: dict[object, str] = {}
        self.shown: set[str] = set()
        self.broken: str | None = None
        self.end = float("inf")

    def collect(self) -> list[pytest.Item]:
        try:
            notebook = read_notebook(self.path)
            return self._items(notebook)
        except UnreadableNotebook as error:
            self.broken = str(error)
        except Exception as error:  # what no reader foresaw may not stop the collection of the others
            self.broken = f"{self.path.name} cannot be read ({type(error).__name__}: {error})"
        return [Unreadable.from_parent(self, name="unreadable")]

    def _items(self, notebook: dict) -> list[pytest.Item]:
        self.nb = nbformat.reads(json.dumps(notebook), as_version=4)
        for number, cell in enumerate(cell for cell in self.nb.cells if cell.cell_type == "code"):
            if cell.execution_count is None:
                cell.outputs = []  # saved while running: nothing to compare with
            options = _options(cell, compare=self.compare_outputs)
            name = f"Cell {number}"
            item = Cell.from_parent(self, name=name, cell_num=number, cell=cell, options=options)
            self.cells.append(item)
        missing = [
            MissingCheck.from_parent(self, name=f"exercise {id}", exercise=id)
            for id in without_check(notebook)
        ]
        return [*self.cells, *missing]

    def setup(self) -> None:
        """Start a kernel where there is none that works; where that fails, ``broken`` says why."""
        if self.broken:
            return
        option = self.config.option
        named = option.nbval_kernel_name or self.nb.metadata.get("kernelspec", {}).get("name", "python")
        name = CURRENT_ENV_KERNEL_NAME if option.nbval_current_env else named
        try:
            self.kernel = Kernel(name, str(self.path.parent), option.nbval_kernel_startup_timeout)
        except Exception as error:
            self.broken = (
                f"a Python to run the notebook in could not be started ({error or type(error).__name__})"
            )
            return
        self.setup_sanitize_files()

    def teardown(self) -> None:
        if self.kernel is not None:
            self.kernel.stop()

    @property
    def seconds_left(self) -> float:
        return self.end - time.monotonic()


class Cell(IPyNbCell):
    """A code cell."""

    @property
    def source(self) -> str:
        return self.cell.source

    def runtest(self) -> None:
        if self.parent.broken:
            raise Told(self.parent.broken)
        super().runtest()
        reply = self.parent.kernel.reply
        if reply.get("status") == "error" and not self.options["check_exception"]:
            said = f"{reply.get('ename')}: {reply.get('evalue')}"  # its traceback was done away with
            self.raise_cell_error("Cell execution caused an exception", said)

    def repr_failure(self, excinfo):
        told = isinstance(excinfo.value, Told)
        return str(excinfo.value) if told else super().repr_failure(excinfo)

    def results(self) -> list[dict]:
        """What its checks have shown; for one that showed nothing, a result that says why.

        A cell that checks nothing by its text may show the results of exercises that no cell checks by its.
        """
        outputs = (output.get("data", {}) for output in self.test_outputs or [])
        shown = {r["exercise"]: r for data in outputs if MIME in data and (r := trusted(data[MIME]))}
        wanted = checked(self.source)
        if not wanted:
            elsewhere = {id for cell in self.parent.cells for id in checked(cell.source)}
            return [result for id, result in shown.items() if id not in elsewhere]
        return [shown.get(id) or stopped(id, self.why_no_result(id)) for id in wanted]

    def why_no_result(self, id: str) -> str:
        if id in self.parent.stopped:
            return f"your code {self.parent.stopped[id]}"
        return self.parent.broken or SILENT


class Unreadable(pytest.Item):
    """A file that is no notebook."""

    def runtest(self) -> None:
        raise Told(self.parent.broken)

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}: unreadable"


class MissingCheck(pytest.Item):
    """An exercise that no cell checks: fails unless a result of it was shown all the same."""

    def __init__(self, *, exercise: str, **kwargs):
        super().__init__(**kwargs)
        self.exercise = exercise

    def runtest(self) -> None:
        if self.exercise not in self.parent.shown:
            raise Told(DELETED)

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}: {self.name}"

    def results(self) -> list[dict]:
        return [] if self.exercise in self.parent.shown else [stopped(self.exercise, DELETED)]


def _options(cell: nbformat.NotebookNode, compare: bool) -> dict[str, bool]:
    """What nbval is asked to do with a cell, by its tags and comments; none make it pass over a check."""
    tags = cell.metadata.get("tags")
    tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    options = defaultdict(bool, find_metadata_tags({"tags": tags}))
    options.update(find_comment_markers(cell.source))
    options.setdefault("check", compare)
    if checked(cell.source) or handed_in(cell.source):
        options.update(skip=False, check_exception=False)
    return options
