"""The rooms of the package: imports run one way, no file is in a circle, and everything can be imported."""

import pkgutil
import re
import shutil
from importlib import import_module

import pytest
from importlinter.cli import EXIT_STATUS_ERROR, EXIT_STATUS_SUCCESS, lint_imports

import course
from course.workbook.bootstrap import ROOT


def kept(root, monkeypatch) -> bool:
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(root)
    code = lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert code in (EXIT_STATUS_SUCCESS, EXIT_STATUS_ERROR)
    return code == EXIT_STATUS_SUCCESS


def test_imports_run_one_way(monkeypatch):
    assert kept(ROOT, monkeypatch)


@pytest.mark.parametrize(
    ("file", "arrow", "told"),
    [
        ("models/gpt.py", "from course.studies import flops", "course.models is not allowed to import course.studies"),
        ("text/plain.py", "def f():\n    import course.attention", "course.text is not allowed to import"),
        ("workbook/judge.py", "import course.exercises.c03", "course.workbook is not allowed to import course.exercises"),
        ("models/gpt_reader.py", "from course.models.gpt import GPT", "No file is in a circle BROKEN"),
        ("attic.py", "", "course.attic"),
    ],
)  # fmt: skip
def test_an_arrow_that_runs_back_up_is_found(tmp_path, monkeypatch, capsys, file, arrow, told):
    sources = shutil.ignore_patterns("*.safetensors", "*.json", "*.jsonl", "__pycache__")
    shutil.copytree(ROOT / "course", tmp_path / "course", ignore=sources)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    place = tmp_path / "course" / file
    place.write_text(
        (place.read_text(encoding="utf-8") if place.exists() else "") + f"\n{arrow}\n", encoding="utf-8"
    )
    assert not kept(tmp_path, monkeypatch)
    assert told in re.sub(r"\s+", " ", capsys.readouterr().out)


@pytest.mark.parametrize("module", [m.name for m in pkgutil.walk_packages(course.__path__, "course.")])
def test_every_module_can_be_imported(module):
    if module != "course.__main__":
        import_module(module)
