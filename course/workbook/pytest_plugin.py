"""nbval as a coursework check: names the exercise and the mistake in place of a cell number and a traceback.

Installed as a pytest plugin, so plain ``pytest --nbval-lax my/03_self_attention.ipynb`` gets it. It
does nothing unless nbval runs. What nbval lacks for coursework and is added here:

- a check passes only if it showed a right result: that is judged here, out of the notebook's reach;
- the last line of a failing check names the exercise and the mistake; points, JUnit properties, JSON;
- a file that is no notebook, and an exercise whose check is gone, are failures of their own (``cells``);
- cells are limited to 60 s (nbval: 2000 s) and run in the present environment (not the notebook's); the
  first, which imports, may take 5 minutes, as may the kernel's start: both can, right after an installation;
  a notebook may take 15 minutes, and its output has a bound (``kernels``);
- a notebook that was saved while it ran (outputs, no execution count) is no error;
- a kernel that dies is noticed within a second, and a dead or stuck kernel costs one exercise: a new kernel
  runs the cells above again, with the package's function lent for the one that failed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

CELL_SECONDS, FIRST_SECONDS, NOTEBOOK_SECONDS = 60, 300, 900
NBVALS = {"nbval_cell_timeout": 2000, "nbval_kernel_startup_timeout": 60}  # its own limits, in seconds


def pytest_addoption(parser):
    group = parser.getgroup("course", "Transformers course companion")
    group.addoption(
        "--course-json", metavar="FILE", help="write the results of the exercises to FILE as JSON"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    option = config.option
    json_file = option.course_json
    if not (getattr(option, "nbval", False) or getattr(option, "nbval_lax", False)):
        if json_file:
            raise pytest.UsageError("--course-json needs --nbval-lax and a notebook")
        return
    if json_file and not Path(json_file).absolute().parent.is_dir():
        raise pytest.UsageError(f"--course-json: there is no folder {Path(json_file).parent}")
    if not option.nbval_kernel_name:
        option.nbval_current_env = True
    limit, start = (getattr(option, name) for name in NBVALS)
    if start == NBVALS["nbval_kernel_startup_timeout"]:
        option.nbval_kernel_startup_timeout = FIRST_SECONDS
    is_asked_for = limit != NBVALS["nbval_cell_timeout"]
    option.nbval_cell_timeout = limit if is_asked_for else CELL_SECONDS
    first = limit if is_asked_for else FIRST_SECONDS
    from course.workbook.coursework import Coursework  # not before nbval itself is loaded

    whole = max(NOTEBOOK_SECONDS, 10 * option.nbval_cell_timeout)
    config.pluginmanager.register(Coursework(config, first, whole), "course-work")
