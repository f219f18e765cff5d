"""The widgets' JavaScript, called from Python: the node that comes with playwright runs it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import playwright
import pytest

from course.widgets.base import HERE

NODE = Path(playwright.__file__).parent / "driver" / ("node.exe" if os.name == "nt" else "node")
CALL = """
import { readFileSync } from "node:fs";
const [file, name] = process.argv.slice(1), { [name]: f } = await import(file);
console.log(JSON.stringify(JSON.parse(readFileSync(0)).map(args => f(...args))));
"""


@pytest.fixture(scope="session")
def node():
    """``node(*arguments, input="")`` runs node and gives what it printed; where node fails, the test does."""

    def run(*arguments: str, input: str = "") -> str:
        done = subprocess.run(
            [str(NODE), *arguments], input=input, capture_output=True, text=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def call(node):
    """``call("mask_builder", "buildMask", cases)`` calls an exported function with each list of arguments."""

    def call_all(widget: str, function: str, cases: list[list]) -> list[Any]:
        file = (HERE / f"{widget}.js").as_uri()
        return json.loads(node("--input-type=module", "-e", CALL, file, function, input=json.dumps(cases)))

    return call_all
