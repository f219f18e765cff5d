"""What several tests of exercises share: the standard first cell, and nbval over a folder of notebooks."""

import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import pytest

FIRST = """import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from course import check, exercise, hint, progress, solution
"""
OURS = ("PYTEST", "COURSE_STRICT", "COV_")  # variables of these tests that a learner's run does not have
WIDE = {"PYTHONIOENCODING": "utf-8", "COLUMNS": "250"}  # pytest cuts its last lines to the width
INNER = ("no:cacheprovider", "no:xdist", "no:faulthandler", "no:terminalprogress")


def python(*arguments, cwd: Path) -> subprocess.CompletedProcess:
    """Run Python as a learner would, not as a part of these tests; kernels, too, are Jupyter's own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith((*OURS, "JUPYTER_PATH"))} | WIDE
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8")


@contextmanager
def as_a_learner(folder: Path):
    """This process, in a folder, without the variables of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(OURS)]:
            patch.delenv(name)
        for name, value in WIDE.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        yield


def pytest_here(*arguments: str, cwd: Path) -> tuple[int, str]:
    """pytest within this process, which has its imports behind it: exit code and report."""
    plugins = [x for name in INNER for x in ("-p", name)]
    with as_a_learner(cwd), redirect_stdout(io.StringIO()) as report:
        code = pytest.main([*plugins, "-o", "addopts=", "--capture=sys", "--color=no", *arguments])
    return int(code), report.getvalue()


def pytest_as_a_learner(*arguments: str, cwd: Path) -> tuple[int, str]:
    """pytest in a process of its own: exit code and report."""
    process = python("-m", "pytest", *arguments, cwd=cwd)
    return process.returncode, process.stdout + process.stderr


class Run:
    """What pytest said about the notebooks of a folder, and the JSON and JUnit files it wrote."""

    def __init__(self, folder: Path, *options: str, pytest=pytest_here):
        files = {"--course-json": folder / "results.json", "--junitxml": folder / "junit.xml"}
        names = sorted(p.name for p in folder.glob("*.ipynb"))
        options = [*options, *(str(x) for pair in files.items() for x in pair)]
        self.code, self.output = pytest("--nbval-lax", *options, *names, cwd=folder)
        assert self.code in (0, 1), self.output
        self.json = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        self.every_case = list(ElementTree.parse(folder / "junit.xml").iter("testcase"))

    def _of(self, notebook: str) -> dict:
        return next(n for n in self.json["notebooks"] if Path(n["notebook"]).stem == notebook)

    def exercises(self, notebook: str) -> dict[str, dict]:
        return {r["exercise"]: r for r in self._of(notebook)["exercises"]}

    def states(self, notebook: str) -> dict[str, str]:
        return {id: r["state"] for id, r in self.exercises(notebook).items()}

    def errors(self, notebook: str) -> list[str]:
        return self._of(notebook)["errors"]

    def cases(self, notebook: str) -> list[ElementTree.Element]:
        """JUnit's cases, one for each code cell."""
        return [c for c in self.every_case if Path(c.get("classname")).stem == notebook]

    def failures(self, notebook: str) -> list[str]:
        """What JUnit says of each cell that failed, in order."""
        return [f.get("message") for c in self.cases(notebook) for f in c.iter("failure")]

    def last_lines(self, notebook: str) -> list[str]:
        """The short summary's lines on a notebook."""
        return [x for x in self.output.splitlines() if x.startswith("FAILED") and f"{notebook}.ipynb::" in x]


def properties_of(case: ElementTree.Element) -> dict[str, str]:
    return {p.get("name"): p.get("value") for p in case.iter("property")}
