"""What a learner uses: ``@exercise``, ``check``, ``hint``, ``solution``.

While an answer is blank or wrong, the rest of the notebook is lent the package's own function, so nothing
downstream breaks. In JupyterLab a check shows a box and never raises; under pytest it also raises.
"""

from __future__ import annotations

import functools
import html
import inspect
import os
from collections.abc import Callable
from typing import Any

from IPython.display import Markdown, display

from course.workbook.answer import cell_of, sound
from course.workbook.bounded import bounded_prints
from course.workbook.judge import Verdict, judge, verdict
from course.workbook.record import MIME, Exercise, find
from course.workbook.stub import open_sources


class NotRight(Exception):
    """Raised by a strict check; JupyterLab and nbval show three lines in place of a traceback."""

    def __init__(self, result: Verdict):
        super().__init__(headline(result))
        self.result = result

    def _render_traceback_(self) -> list[str]:
        return plain(self.result).splitlines()


class Desk:
    """One exercise on the learner's desk: what was handed in, and the last verdict on it."""

    def __init__(self, exercise: Exercise, candidate: Any, result: Verdict | None = None):
        self.exercise, self.candidate, self.result = exercise, candidate, result
        self.judging = False

    def judge(self) -> Verdict:
        """Judge again (a helper may have changed), but not what is lent for a cell that could not be run."""
        if self.result is None or self.candidate is not self.exercise.reference:
            self.judging = True  # a body that calls its own name must meet itself, not what is lent
            try:
                with bounded_prints():
                    self.result = judge(self.exercise, self.candidate)
            finally:
                self.judging = False
        return self.result

    @property
    def lends(self) -> bool:
        """Whether others get the package's function in place of the learner's."""
        if self.judging:
            return False
        return not (self.result or self.judge()).right

    def stand_in(self) -> Any:
        """What the notebook's name stands for: the learner's answer once right, till then what is lent."""
        return self._class() if inspect.isclass(self.candidate) else self._function()

    def _function(self) -> Any:
        @functools.wraps(self.candidate)
        def function(*args: Any, **kwargs: Any) -> Any:
            return (self.exercise.reference if self.lends else self.candidate)(*args, **kwargs)

        return function

    def _class(self) -> Any:
        """The class itself, as ``super(Name, self)`` needs it; making one may give the package's instead."""

        def __new__(cls: type, *args: Any, **kwargs: Any) -> Any:
            if cls is self.candidate and self.lends:
                return self.exercise.reference(*args, **kwargs)
            return object.__new__(cls)

        self.candidate.__new__ = staticmethod(__new__)
        return self.candidate


DESKS: dict[str, Desk] = {}


def exercise(id: str) -> Callable[[Any], Any]:
    """Hand in the function or class below as the answer to an exercise: ``@exercise("3.1")``."""
    record = find(id)

    def hand_in(candidate: Any) -> Any:
        name = getattr(candidate, "__name__", kind_name(candidate))
        if name != record.name:
            raise NameError(
                f'exercise {id} is about {record.name}; below @exercise("{id}") stands {name}: keep the name'
            )
        if inspect.isclass(candidate) != inspect.isclass(record.reference):
            wanted = "class" if inspect.isclass(record.reference) else "function"
            raise TypeError(f"exercise {id}: {name} should be a {wanted}")
        DESKS[id] = Desk(record, candidate)
        return DESKS[id].stand_in()

    return hand_in


def kind_name(x: Any) -> str:
    return f"a {type(x).__name__}"


def lend(id: str, reason: str) -> Any:
    """Put the package's own function in place of an answer that cannot be run at all, and remember why."""
    record = find(id)
    DESKS[id] = Desk(record, record.reference, verdict(record, "stopped", reason))
    return record.reference


def strict() -> bool:
    """Whether a check raises: under pytest, or as COURSE_STRICT says ("0" or "1")."""
    said = os.environ.get("COURSE_STRICT")
    if said not in (None, "0", "1"):
        raise ValueError(f'COURSE_STRICT should be "0" or "1"; it is {said!r}')
    return "PYTEST_VERSION" in os.environ if said is None else said == "1"


def check(id: str) -> None:
    """Check exercise ``id``: show a box that says what is right and which mistake was made."""
    record = find(id)
    desk = DESKS.get(id)
    if desk is None:
        result = verdict(
            record, "todo", f'not handed in: run the cell with @exercise("{id}") above this one first.'
        )
    else:
        result = desk.judge()
    data = result.as_dict() | {
        "cell": sound(cell_of(desk.candidate)).strip() if desk and result.state != "todo" else ""
    }
    display({"text/html": box(result), "text/plain": plain(result), MIME: data}, raw=True)
    if strict() and not result.right:
        raise NotRight(result)


_HINTS_SHOWN: dict[str, int] = {}


def hint(id: str, number: int | None = None) -> None:
    """Show the next hint for an exercise, from a nudge to nearly the answer; or hint 1, 2 or 3."""
    hints = find(id).hints
    if number is None:
        number = min(_HINTS_SHOWN.get(id, 0) + 1, len(hints))
    if number not in range(1, len(hints) + 1):
        raise ValueError(f"exercise {id} has hints 1 to {len(hints)}; you asked for {number!r}")
    _HINTS_SHOWN[id] = max(number, _HINTS_SHOWN.get(id, 0))
    after = (
        ""
        if number < len(hints)
        else f' That was the last one; `solution("{id}")` shows how the package does it.'
    )
    display(Markdown(f"**Hint {number} of {len(hints)}.** {hints[number - 1]}{after}"))


def solution(id: str) -> None:
    """Show how the package itself does it. Try the hints first: what you find yourself you keep."""
    record = find(id)
    code = "\n\n".join(open_sources(record))
    display(Markdown(f"`{record.reference.__module__}.{record.name}`:\n\n```python\n{code}\n```"))


# ---- showing -----------------------------------------------------------------------------------

_MARK = {"right": "✓", "wrong": "✗", "todo": "○", "stopped": "■"}
_COLOUR = {"right": "#009E73", "wrong": "#D55E00", "todo": "#0072B2", "stopped": "#D55E00"}


def headline(result: Verdict) -> str:
    return f"Exercise {result.exercise}: {result.diagnosis}"


def plain(result: Verdict) -> str:
    """Three lines for a terminal."""
    first = (
        f"{_MARK[result.state]} Exercise {result.exercise} ({result.title}): {result.points}/{result.total}"
    )
    if result.right:
        return first
    return f'{first}\n  {result.diagnosis}\n  Hint: run hint("{result.exercise}") in a cell.'


def box(result: Verdict) -> str:
    """The box a learner sees. Colour is never alone: a mark and words say the same."""
    esc = html.escape
    rows = "".join(
        f"<li style='list-style:none'>{'✓' if p.right else '✗'} {esc(p.name)} "
        f"<small>({p.points if p.right else 0}/{p.points})</small></li>"
        for p in result.parts
    )
    help_ = (
        ""
        if result.right
        else f"<div><small>Stuck? Run <code>hint(&quot;{result.exercise}&quot;)</code> in a new cell."
        "</small></div>"
    )
    says = (
        "All right: from here on the notebook runs on <b>your</b> code."
        if result.right
        else esc(upper_first(result.diagnosis))
    )
    return (
        f"<div role='status' data-exercise='{result.exercise}' data-state='{result.state}' "
        f"style='border-left:6px solid {_COLOUR[result.state]};padding:6px 12px;margin:4px 0;max-width:80ch'>"
        f"<div><b>{_MARK[result.state]} Exercise {result.exercise}</b> · {esc(result.title)} · "
        f"{result.points}/{result.total} points</div>"
        f"<div style='margin:4px 0'>{says}</div>"
        f"<ul style='margin:0;padding:0'>{rows}</ul>{help_}</div>"
    )


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
