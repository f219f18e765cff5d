"""Why a training run cannot start or go on: what is wrong, and what to do."""

from __future__ import annotations


class RunError(RuntimeError):
    """A run that cannot start or go on; its text is for people, and no traceback is needed."""


class OtherSettings(RunError, ValueError):
    """The folder holds a run with other settings."""


class Diverged(RunError, FloatingPointError):
    """The loss is no longer finite."""
