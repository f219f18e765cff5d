"""Reading a notebook's file, whatever state it is in: a notebook, or one sentence on what is wrong with it.

Read before the environment exists too: the standard library only.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from course.workbook.bootstrap import NOTEBOOKS

EXERCISE_ID = re.compile(r"""^@exercise\(\s*["'](\d+)\.\d+["']\s*\)""", re.MULTILINE)
CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: .*)?\r?$", re.MULTILINE)
FORMAT = 4  # nbformat's major version: every Jupyter since 2015


class UnreadableNotebook(ValueError):
    """A file that is no notebook, or one no longer: which, what is wrong, where, and how to get it back.

    Attributes:
        path: the file.
        wrong: what is wrong with it, as in "it holds the marks of a merge that git could not finish".
        line: the line of the file where that shows, from 1; None where no line is to blame.
        way_back: a sentence on how to get the notebook back.
    """

    def __init__(self, path: Path, wrong: str, line: int | None = None, way_back: str | None = None):
        way_back = way_back or how_to_get_back(path)
        super().__init__(path, wrong, line, way_back)  # all four, so that it can be pickled
        self.path, self.wrong, self.line, self.way_back = path, wrong, line, way_back

    def __str__(self) -> str:
        where = f" (line {self.line})" if self.line else ""
        return f"{self.path.name} cannot be read: {self.wrong}{where}. {self.way_back}"


class _Wrong(Exception):
    """What is wrong with a file, and in which line, before it is said which file it is."""

    def __init__(self, wrong: str, line: int | None = None, way_back: str | None = None):
        self.wrong, self.line, self.way_back = wrong, line, way_back


def read_notebook(path: str | Path) -> dict[str, Any]:
    """The notebook in a file, as JSON has it; what the format asks for and some editors leave out is added.

    Raises:
        UnreadableNotebook: if the file is not there, cannot be read, or holds no notebook.
    """
    path = Path(path)
    try:
        return _checked(_parsed(_decoded(_bytes(path))))
    except _Wrong as error:
        raise UnreadableNotebook(path, error.wrong, error.line, error.way_back) from None


def source_of(cell: dict[str, Any]) -> str:
    """A cell's text: on the disk it is a list of lines, or one text."""
    return "".join(cell["source"])


def number_of(notebook: dict[str, Any]) -> int | None:
    """The number that a notebook has in the course, whatever its file is called; None if it has none.

    It stands in the metadata; where an editor has dropped that, most of the exercises handed in tell it.
    """
    course = notebook["metadata"].get("course")
    number = course.get("number") if isinstance(course, dict) else None
    if isinstance(number, str) and number.isdecimal():
        number = int(number)
    if isinstance(number, int):
        return number
    code = (source_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "code")
    ids = Counter(int(found) for source in code for found in EXERCISE_ID.findall(source))
    return ids.most_common(1)[0][0] if ids else None


def how_to_get_back(path: Path) -> str:
    """What to do with a notebook that cannot be read."""
    kept = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint{path.suffix}"
    if path.is_file() and _is_readable(kept):
        return f"JupyterLab kept an earlier copy: put .ipynb_checkpoints/{kept.name} in its place."
    if path.resolve().parent == NOTEBOOKS:
        return f"`git restore notebooks/{path.name}` brings back the one that came with the course."
    number = re.search(r"(?<!\d)(\d\d)_", path.name)
    if number and path.exists():
        return (
            f"Move it elsewhere, and `python -m course study {int(number[1])}` gives you a new copy; "
            "answers can often still be read in the old one with a text editor."
        )
    return "Get it again from where it came from."


def _is_readable(path: Path) -> bool:
    try:
        _checked(_parsed(_decoded(_bytes(path))))
    except _Wrong:
        return False
    return True


# -- from bytes to a notebook, one step a function --


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise _Wrong("it is a folder")
    if not path.exists():
        raise _Wrong("it is not there")
    if not path.is_file():
        raise _Wrong("it is no ordinary file")  # a pipe would keep its reader waiting for ever
    try:
        return path.read_bytes()
    except OSError as error:
        raise _Wrong(f"the system does not give it out ({error.strerror})") from None


def _decoded(content: bytes) -> str:
    if not content.strip():
        raise _Wrong("it is empty (0 bytes)" if not content else "it holds nothing but white space")
    if not content.strip(b"\0"):
        raise _Wrong("it holds nothing but zero bytes, as after a power cut")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Wrong("it is written in UTF-16, and a notebook is in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Wrong("it is not written in UTF-8, as a notebook is", line) from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _what_is_not_json(text, error) from None
    except RecursionError:
        raise _Wrong("its JSON is nested too deep") from None
    except ValueError as error:  # a number of thousands of digits
        raise _Wrong(f"its JSON holds what cannot be read ({error})") from None


def _what_is_not_json(text: str, error: json.JSONDecodeError) -> _Wrong:
    mark = CONFLICT.search(text)
    if mark:
        line = text.count("\n", 0, mark.start()) + 1
        return _Wrong("it holds the marks of a merge that git could not finish", line)
    if text.lstrip()[:1] == "<":
        return _Wrong("it is a web page and no notebook")
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return _Wrong("it breaks off before its end", error.lineno)
    return _Wrong(f"it is no JSON, as a notebook is: {error.msg}", error.lineno)


def _checked(notebook: Any) -> dict[str, Any]:
    if not isinstance(notebook, dict):
        raise _Wrong(f"it is JSON, but {_kind(notebook)} and no notebook")
    _check_format(notebook)
    if "cells" not in notebook:
        raise _Wrong("it has no cells")
    cells = notebook["cells"]
    if not isinstance(cells, list):
        raise _Wrong(f"its cells are {_kind(cells)}, not a list")
    if not cells:
        raise _Wrong("it has no cells: their list is empty")
    if not isinstance(notebook.setdefault("metadata", {}), dict):
        raise _Wrong(f"its metadata are {_kind(notebook['metadata'])}, not an object")
    for number, cell in enumerate(cells, start=1):
        _check_cell(cell, f"cell {number} of {len(cells)}")
    _check_letters(notebook)
    return notebook


def _check_format(notebook: dict[str, Any]) -> None:
    major, minor = notebook.get("nbformat"), notebook.setdefault("nbformat_minor", 0)
    if major is None:
        raise _Wrong("it is JSON, but no notebook: it does not say its nbformat")
    if type(major) is not int or type(minor) is not int:
        raise _Wrong(f"its nbformat is {major!r}.{minor!r}, not two numbers")
    if major < FORMAT:
        renew = "Opening it in JupyterLab and saving it there renews it."
        raise _Wrong(f"its format is of before 2015 (nbformat {major})", way_back=renew)
    if major > FORMAT:
        older = f"Save it with nbformat {FORMAT} in the program that wrote it."
        raise _Wrong(
            f"its format is newer than the course knows (nbformat {major}, not {FORMAT})", way_back=older
        )


def _check_cell(cell: Any, name: str) -> None:
    if not isinstance(cell, dict):
        raise _Wrong(f"{name} is {_kind(cell)}, not an object")
    if cell.get("cell_type") not in ("code", "markdown", "raw"):
        raise _Wrong(f"{name} is neither code nor text: its cell_type is {cell.get('cell_type')!r}")
    source = cell.get("source")
    if not (isinstance(source, str) or _is_list_of(str, source)):
        raise _Wrong(f"the source of {name} is {_kind(source)}, not text")
    if not isinstance(cell.setdefault("metadata", {}), dict):
        raise _Wrong(f"the metadata of {name} are {_kind(cell['metadata'])}, not an object")
    if cell["cell_type"] != "code":
        return
    cell.setdefault("execution_count", None)
    outputs = cell.setdefault("outputs", [])
    if not _is_list_of(dict, outputs):
        raise _Wrong(f"the outputs of {name} are {_kind(outputs)}, not a list of objects")
    for output in outputs:
        if not isinstance(output.get("output_type"), str) or not isinstance(output.get("data", {}), dict):
            raise _Wrong(f"an output of {name} is of no kind that a notebook has")


def _check_letters(notebook: dict[str, Any]) -> None:
    """Half a letter (a lone surrogate) cannot be written back, nor sent to a kernel."""
    try:
        json.dumps(notebook, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        numbers = [n for n, cell in enumerate(notebook["cells"], start=1) if _has_half_letters(cell)]
        where = f"cell {numbers[0]}" if numbers else "its metadata"
        raise _Wrong(f"{where} holds half a letter (a lone surrogate), which nothing can save") from None


def _has_half_letters(cell: dict[str, Any]) -> bool:
    try:
        json.dumps(cell, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _is_list_of(kind: type, x: Any) -> bool:
    return isinstance(x, list) and all(isinstance(item, kind) for item in x)


def _kind(x: Any) -> str:
    """What JSON calls a value."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "nothing"}
    return names.get(type(x), "a number")
