"""The course companion: every idea of the lectures as a short, readable function.

``import course`` is instant: nothing heavy (torch, matplotlib, widgets) is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_LAZY = {name: "course.exercises" for name in ("exercise", "check", "hint", "solution", "progress")}


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'course' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
