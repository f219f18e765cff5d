"""Drawing from what there is, alike under every version of Python."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

Option = TypeVar("Option")
One = Callable[[Sequence[Option]], Option]


def chooser(seed: int) -> One:
    """A function that draws one of several options (``random.choice`` may change, ``random.random`` not)."""
    numbers = random.Random(seed)
    return lambda options: options[int(numbers.random() * len(options))]
