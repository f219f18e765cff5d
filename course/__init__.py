"""The course companion: every idea of the lectures as a short, readable function.

``import course`` is instant: nothing heavy (torch, matplotlib, widgets) is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_LAZY = {
    **dict.fromkeys(("exercise", "check", "hint", "lend", "solution"), "course.workbook.notebook"),
    "progress": "course.workbook.progress",
}


def __getattr__(name: str):
    if name in _LAZY:
        import_module("course.exercises")  # makes the banks known
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'course' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
