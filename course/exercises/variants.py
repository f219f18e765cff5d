"""For writing banks: parts with a sentence of their own, wrong versions that refuse what is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch

from course.exercises.contract import Part


def said(part: Part, sentence: str) -> Part:
    """The same part, with the sentence for an answer that differs there: it measures one property."""
    return *part[:3], sentence


def checked(reference: Callable, wrong: Callable) -> Callable:
    """A wrong version that refuses what the package's function refuses: only its one mistake shows."""

    @wraps(wrong)
    def both(*args: Any, **given: Any) -> Any:
        with torch.no_grad():
            reference(*args, **given)
        return wrong(*args, **given)

    return both
