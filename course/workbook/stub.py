"""From a function of the package to the cell a learner starts from, and back to the solved cell."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from typing import Any

from course.workbook.record import Exercise

BLANK = "...  # your code"
# What the first cell of every notebook imports, as the signatures need it.
AT_HAND = {"torch", "nn", "F", "math", "Tensor", "Float", "Bool", "Int"}


def stub(exercise: Exercise, defined: frozenset[str] = frozenset()) -> str:
    """The learner's cell: the package's own source, with the open bodies replaced by ``...``.

    ``defined`` are the names that the notebook has by then (earlier exercises): those are not imported.
    """
    return cell(exercise, "\n\n".join(map(blanked, open_sources(exercise))), defined)


def solved(exercise: Exercise, defined: frozenset[str] = frozenset()) -> str:
    """The same cell with the package's bodies."""
    return cell(exercise, "\n\n".join(open_sources(exercise)), defined)


def cell(exercise: Exercise, code: str, defined: frozenset[str]) -> str:
    """Imports of what the code needs from its module; the hand-in line; the code, in its class if any."""
    imports = needed_imports(exercise.reference, code, defined | {exercise.name} | AT_HAND)
    if exercise.blank:
        base = f"{exercise.reference.__module__}.{exercise.name}"
        imports = [f"import {exercise.reference.__module__}", *imports]
        summary = inspect.getdoc(exercise.reference).split("\n\n")[0]
        docstring = textwrap.indent(f'"""{summary}"""', "    ")
        code = f"class {exercise.name}({base}):\n{docstring}\n\n{textwrap.indent(code, '    ')}"
    return "\n".join([*imports, *(["", ""] if imports else []), f'@exercise("{exercise.id}")', code])


def open_sources(exercise: Exercise) -> list[str]:
    """The source of each function whose body the learner writes: the reference or its open methods."""
    functions = [getattr(exercise.reference, m) for m in exercise.blank] or [exercise.reference]
    return [textwrap.dedent(inspect.getsource(f)).rstrip() for f in functions]


def blanked(source: str) -> str:
    """A function's source with its body, docstring apart, replaced by ``...``."""
    function = ast.parse(source).body[0]
    rest = function.body[1:] if ast.get_docstring(function) else function.body
    if not rest:
        raise ValueError(f"{function.name} has no body to take out")
    return "\n".join([*source.splitlines()[: function.body[0].end_lineno if rest is not function.body
                                           else rest[0].lineno - 1], f"    {BLANK}"])  # fmt: skip


def needed_imports(reference: Any, code: str, defined: frozenset[str] | set[str]) -> list[str]:
    """Import lines for the module-level names that a piece of code uses: modules first, then the rest."""
    scope = vars(inspect.getmodule(reference))
    used = {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name)}
    modules, names = [], {}
    for name in sorted(n for n in used & scope.keys() if n not in defined and not n.startswith("__")):
        thing = scope[name]
        if inspect.ismodule(thing):
            modules.append(f"import {thing.__name__}" + ("" if thing.__name__ == name else f" as {name}"))
        else:
            home = _public(getattr(thing, "__module__", None) or reference.__module__)
            is_at_home = getattr(sys.modules[home], name, None) is thing  # an alias is not
            names.setdefault(home if is_at_home else reference.__module__, []).append(name)
    return [*modules, *(f"from {home} import {', '.join(names[home])}" for home in sorted(names))]


def _public(module: str) -> str:
    """A module's name up to its first private part: people import from ``torch``, not from ``torch._C``."""
    return re.split(r"\._", module, maxsplit=1)[0]
