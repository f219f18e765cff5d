"""A page answers when it can, on a busy machine late: what is read of it is read again until it is right."""

import time
from collections.abc import Callable
from typing import Any


def eventually(
    read: Callable[[], Any], expected: Any = True, seconds: float = 60, every: float = 0.05
) -> None:
    """Assert that ``read()`` comes to equal ``expected``; until then it may itself fail. Times in seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = read()
            assert found == expected, f"{found!r} has not become {expected!r}"
            return
        except (AssertionError, LookupError, ValueError):  # half drawn, a text has no number or too few
            if time.monotonic() > end:
                raise
        time.sleep(every)
