"""The widgets' JavaScript: its pure parts tested by node's own test runner, all of it linted."""

import os
from pathlib import Path

import pytest

from course.widgets.base import HERE

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
