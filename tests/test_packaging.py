"""One source of truth for what is installed, and an ``import course`` that costs nothing."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PathDistribution as Distribution
from pathlib import Path

import pytest

from course.workbook.bootstrap import ROOT, pins

REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = pins(REQUIREMENTS)
# Pinned without being imported: programs that are run, and plugins.
TOOLS = {
    "bertviz": "the explorer is measured beside it",
    "ipywidgets": "sliders in learners' own cells",
    "jupyterlab": "study runs it",
    "ipykernel": "notebooks run in it",
    "nbval": "the pytest plugin that runs notebooks",
    "transformers": "its models' attention goes into the explorer",
    "import-linter": "holds the arrows between the package's rooms one way",
    "setuptools": "installs the clone itself, without asking the network for it",
}
APART = {"gensim_update.py"}  # run by hand, in an environment of its own
IMPORTED_AS = {
    "pytest-xdist": "xdist",
    "pillow": "PIL",
    "ipython": "IPython",
    "markdown-it-py": "markdown_it",
}


def imports(file: Path) -> set[str]:
    """Top-level names of the modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "import_module",
            "pytest.importorskip",
        ):
            found |= {
                argument.value.partition(".")[0]
                for argument in node.args
                if isinstance(argument, ast.Constant)
            }
    return found


def all_imports() -> set[str]:
    """What the project imports from outside itself and the standard library."""
    files = [file for folder in ("course", "tests", "benchmarks") for file in (ROOT / folder).rglob("*.py")]
    files = [file for file in files if file.name not in APART]
    own = {"course", "tests", "benchmarks", *(file.stem for file in (ROOT / "tests").rglob("*.py"))}
    return set.union(*map(imports, files)) - set(sys.stdlib_module_names) - own


def test_every_line_is_an_exact_pin_with_its_licence():
    lines = [line for line in REQUIREMENTS.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.!+]+ +# \S.*", line)] == []
    assert len(lines) == len(PINS)


def test_every_import_is_pinned_and_every_pin_is_used():
    modules = {IMPORTED_AS.get(name, name.replace("-", "_")): name for name in PINS}
    imported = all_imports()
    unpinned = imported - modules.keys()
    unused = {name for module, name in modules.items() if module not in imported} - TOOLS.keys()
    assert not unpinned, f"imported, but not in requirements.txt: {unpinned}"
    assert not unused, f"in requirements.txt, but neither imported nor in TOOLS: {unused}"
    assert TOOLS.keys() <= PINS.keys()


def test_the_three_files_agree():
    assert PROJECT["project"]["dynamic"] == ["dependencies"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.txt"]}
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ *- (.+)$", environment.partition("dependencies:")[2], flags=re.MULTILINE)
    assert listed == ["python=3.11", "pip", "pip:", "-r requirements.txt", "-e ."]


def test_an_installed_copy_requires_the_pins(tmp_path):
    """setuptools reads the pins with their comments, and finds nothing to warn about."""
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "course", tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    script = "import setuptools.build_meta as backend; backend.build_editable('.')"
    subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=tmp_path, check=True, capture_output=True
    )
    [wheel] = tmp_path.glob("*.whl")
    metadata = Distribution(zipfile.Path(wheel) / f"{wheel.name.partition('-0.editable')[0]}.dist-info")
    assert metadata.requires == [f"{name}=={version}" for name, version in PINS.items()]


def test_the_data_files_are_packaged():
    """Every kind of file beside the modules is named in package-data, so that an installed copy has it."""
    kinds = {Path(pattern).suffix for pattern in PROJECT["tool"]["setuptools"]["package-data"]["course"]}
    beside = {file.suffix for file in tracked("course") if file.suffix != ".py"}
    assert beside <= kinds


def tracked(folder: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git clone")
    return [Path(line) for line in listed.stdout.splitlines()]


def test_importing_the_course_imports_nothing_else():
    script = "import sys; before = set(sys.modules); import course; print(*set(sys.modules) - before)"
    added = subprocess.check_output([sys.executable, "-c", script], text=True, cwd=ROOT).split()
    assert {name.partition(".")[0] for name in added} <= {"course", *sys.stdlib_module_names}
    assert "course" in added
