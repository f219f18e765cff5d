"""``.ci/run``: a browser is installed where it is missing, and a browser test that is skipped fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course.workbook.bootstrap import ROOT

SUITE = """
import pytest

@pytest.mark.browser
def test_with_a_browser():
    pytest.skip("no Chromium")

@pytest.mark.browser
@pytest.mark.xfail
def test_known_to_fail():
    assert False

def test_without():
    pytest.skip("another reason")
"""


@pytest.mark.parametrize(
    ("required", "outcome"), [("1", "1 failed, 1 skipped, 1 xfailed"), ("", "2 skipped, 1 xfailed")]
)
def test_a_skipped_browser_test_fails_where_a_browser_is_promised(tmp_path, required, outcome):
    for name in ("conftest.py", "seconds.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path)
    (tmp_path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser\n", encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:nbval", "-q", "-rf"],
        cwd=tmp_path,
        env=os.environ | {"COURSE_REQUIRE_BROWSER": required},
        capture_output=True,
        text=True,
    )
    assert told.stdout.splitlines()[-1].startswith(outcome), told.stdout
    assert ("but this was skipped: Skipped: no Chromium" in told.stdout) == bool(required)


@pytest.mark.skipif(os.name == "nt", reason="a script for Debian")
@pytest.mark.parametrize("has_browser", [True, False])
def test_the_run_installs_what_is_missing_and_ends_as_the_tests_do(tmp_path, has_browser):
    log = tmp_path / "log"
    program(tmp_path, "dpkg", f"exit {0 if has_browser else 1}")
    program(tmp_path, "apt-get", f'echo "apt-get $*" >> {log}')
    program(tmp_path, "npm", f'echo "npm $*" >> {log}')
    program(
        tmp_path, "python3", f'echo "$COURSE_REQUIRE_BROWSER $HYPOTHESIS_PROFILE python3 $*" >> {log}; exit 7'
    )
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    ended = subprocess.run([ROOT / ".ci" / "run", "-k", "masks"], env=os.environ | {"PATH": path})
    assert ended.returncode == 7
    *installing, accessibility, testing = log.read_text(encoding="utf-8").splitlines()
    assert accessibility.startswith("npm ci --prefix tests/js")
    assert testing == "1 ci python3 -m course test -k masks"
    if has_browser:
        assert not installing
    else:
        update, install = installing
        assert " update" in update and {"chromium", "fonts-noto-cjk", "fonts-noto-color-emoji"} <= {
            *install.split()
        }


def program(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    (folder / name).chmod(0o755)
