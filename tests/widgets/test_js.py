"""The widgets' JavaScript: its pure parts tested by node's own test runner, all of it linted."""

import os
from pathlib import Path

import pytest

from course.widgets.base import HERE, module

JS = Path(__file__).resolve().parents[1] / "js"


def test_the_javascript_passes_its_own_tests(node):
    files = sorted(map(str, JS.glob("*.test.mjs")))
    assert len(files) > 1
    node("--test", *files)


def test_the_javascript_is_clean(node):
    oxlint = JS / "node_modules" / "oxlint" / "bin" / "oxlint"
    if not oxlint.exists():
        message = "oxlint is not installed: npm ci --prefix tests/js"
        assert os.environ.get("COURSE_REQUIRE_BROWSER") != "1", message
        pytest.skip(message)
    node(str(oxlint), f"--config={JS / 'oxlint.json'}", str(HERE), str(JS))


def test_the_files_of_every_widget_can_be_joined(node, tmp_path):
    """Two of them that give one name to two things would make a module that no browser loads."""
    widgets = [
        file for file in sorted(HERE.glob("*.js")) if "export default" in file.read_text(encoding="utf-8")
    ]
    assert len(widgets) > 10
    for file in widgets:
        joined = tmp_path / f"{file.stem}.mjs"
        joined.write_text(module(file.stem), encoding="utf-8")
        node("--check", str(joined))
