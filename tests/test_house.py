"""The rooms of the package: imports run one way, no file is in a circle, and everything can be imported."""

import os
import pkgutil
import re
import shutil
import subprocess
import sys
from importlib import import_module

import pytest

import course
from course.workbook.bootstrap import ROOT

LINT = """
from importlinter.cli import lint_imports
raise SystemExit(lint_imports(config_filename="pyproject.toml", no_cache=True))
"""


def lint(root) -> tuple[int, str]:
    """What import-linter says of the package in a folder: 0 if every contract is kept; its words."""
    told = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    return told.returncode, re.sub(r"\s+", " ", told.stdout + told.stderr)


def test_imports_run_one_way():
    code, told = lint(ROOT)
    assert code == 0, told


@pytest.mark.parametrize(
    ("file", "arrow", "told"),
    [
        ("models/gpt.py", "from course.studies import flops", "not allowed to import course.studies"),
        ("text/plain.py", "def f():\n    import course.attention", "course.text is not allowed to import"),
        ("workbook/judge.py", "import course.exercises.c03", "not allowed to import course.exercises"),
        ("models/gpt_reader.py", "from course.models.gpt import GPT", "No file is in a circle BROKEN"),
        ("attic.py", "", "course.attic"),
    ],
)
def test_an_arrow_that_runs_back_up_is_found(tmp_path, file, arrow, told):
    sources = shutil.ignore_patterns("*.safetensors", "*.json", "*.jsonl", "__pycache__")
    shutil.copytree(ROOT / "course", tmp_path / "course", ignore=sources)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    place = tmp_path / "course" / file
    place.write_text(
        (place.read_text(encoding="utf-8") if place.exists() else "") + f"\n{arrow}\n", encoding="utf-8"
    )
    code, words = lint(tmp_path)
    assert code == 1 and told in words


@pytest.mark.parametrize("module", [m.name for m in pkgutil.walk_packages(course.__path__, "course.")])
def test_every_module_can_be_imported(module):
    if module != "course.__main__":
        import_module(module)
