"""A learner's answer as text: its cell, whether it is still blank, the line where it raised."""

from __future__ import annotations

import ast
import inspect
import linecache
from typing import Any


def file_of(candidate: Any) -> str:
    """The file name under which the candidate was compiled: each cell has one of its own."""
    functions = vars(candidate).values() if inspect.isclass(candidate) else [candidate]
    names = [f.__code__.co_filename for f in functions if inspect.isfunction(f)]
    return names[0] if names else "<not written in Python>"


def cell_of(candidate: Any) -> str:
    """The text of the cell that defines the candidate ("" where it is not kept)."""
    return "".join(linecache.getlines(file_of(candidate)))


def is_blank(candidate: Any) -> bool:
    """Whether the stub's ``...`` still stands for the code (one in ``x[..., 0]`` or in a branch does not)."""
    wanted = (ast.FunctionDef, ast.ClassDef)
    top = ast.parse(cell_of(candidate)).body
    nodes = [n for n in top if isinstance(n, wanted) and n.name == candidate.__name__]
    functions = [f for n in nodes[-1:] for f in ([n] if isinstance(n, ast.FunctionDef) else n.body)]
    return any(_is_undone(f) for f in functions if isinstance(f, ast.FunctionDef))


def _is_undone(function: ast.FunctionDef) -> bool:
    """Nothing but ``...`` below the docstring, or a value that is still ``...``."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if any(_is_dots(n) for n in body if isinstance(n, (ast.Assign, ast.AnnAssign, ast.Return))):
        return True
    return bool(body) and all(isinstance(n, ast.Expr) and _is_dots(n) for n in body)


def _is_dots(node: Any) -> bool:
    return isinstance(node.value, ast.Constant) and node.value.value is Ellipsis


def line_of(candidate: Any, error: BaseException) -> str:
    """Where in the learner's own cell the error arose: "" when it did not pass through it."""
    file, lines, trace = file_of(candidate), [], error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == file:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    if not lines:
        return ""
    return f" in line {lines[-1]} of the cell (`{linecache.getline(file, lines[-1]).strip()}`)"


def message_of(error: BaseException) -> str:
    """The first line of what an exception says; its ``__str__`` is the learner's and may fail."""
    try:
        lines = str(error).strip().splitlines()
    except BaseException:  # theirs, whatever it is
        return "(its message cannot be read)"
    return sound(lines[0]) if lines else "(no message)"


def sound(text: str) -> str:
    """Text that every notebook can hold: half of a surrogate pair becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
