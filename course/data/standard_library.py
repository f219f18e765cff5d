"""The functions of Python's own standard library: code and documentation that every learner has on disk.

They are read from the interpreter that runs this, so another version of Python gives slightly others. Python
and its documentation are under the Python Software Foundation's licence.
"""

import ast
import sysconfig
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(sysconfig.get_path("stdlib"))
LEFT_OUT = {"test", "tests", "idle_test", "idlelib", "lib2to3", "turtledemo", "site-packages"}
"""Folders of tests, of programs, and of other people's packages."""
NOTHING = {"", "pass", "...", "raise NotImplementedError"}
LONGEST = 500  # characters of a function, signature included
HELD_OUT = 16  # one function in so many


class Function(NamedTuple):
    """A function's source as ``ast.unparse`` writes it, in parts.

    Args:
        signature: "def add(self, value):".
        summary: the first sentence of its docstring; "" where it has none.
        body: all that follows, from a newline on.
    """

    signature: str
    summary: str
    body: str

    @property
    def prompt(self) -> str:
        """What comes before the body."""
        return self.signature + (f'\n    """{self.summary}"""' if self.summary else "")

    @property
    def text(self) -> str:
        """The whole function."""
        return self.prompt + self.body


class Corpus(NamedTuple):
    """Functions to train on, and documented ones to validate with; no body is in both."""

    train: list[Function]
    validation: list[Function]


def functions(folder: Path = FOLDER) -> Corpus:
    """The short functions in the Python files of a folder, methods too; without decorators and comments."""
    found = (function for file in _files(folder) for function in parse(file.read_bytes()))
    return split(function for function in found if len(function.text) <= LONGEST)


def parse(source: str | bytes) -> Iterator[Function]:
    """The functions in a Python file that do anything at all, methods and inner functions too.

    Raises:
        SyntaxError: if it is not Python.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            function = _parts(node)
            if function.body.strip() not in NOTHING:
                yield function


def split(functions: Iterable[Function]) -> Corpus:
    """Hold out one in 16 by the SHA-256 of its body alone: the same ones whatever else there is."""
    train, validation = [], []
    for function in dict.fromkeys(functions):
        held_out = sha256(function.body.encode()).digest()[0] < 256 // HELD_OUT
        (validation if held_out else train).append(function)
    return Corpus(train, [function for function in validation if function.summary])


def first_sentence(docstring: str) -> str:
    """Up to the first blank line or full stop, on one line; "" if it would have to be escaped."""
    paragraph = " ".join(docstring.strip().split("\n\n")[0].split())
    sentence = paragraph.split(". ")[0].removesuffix(".")
    return f"{sentence}." if sentence and "\\" not in sentence and '"""' not in sentence else ""


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.rglob("*.py"))
    return [file for file in files if LEFT_OUT.isdisjoint(file.relative_to(folder).parts)]


def _parts(node: ast.FunctionDef) -> Function:
    docstring = ast.get_docstring(node)
    body = node.body if docstring is None else node.body[1:]
    whole, head = (
        ast.unparse(ast.FunctionDef(node.name, node.args, part, [], node.returns, lineno=node.lineno))
        for part in (body, [])
    )
    return Function(head, first_sentence(docstring or ""), whole.removeprefix(head))
