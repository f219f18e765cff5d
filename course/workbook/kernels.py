"""The kernel that a notebook is checked in, whatever its cells do: nbval's, with bounds on time and output.

What nbval lacks, and is added here: output is read while a cell runs, and no more of it kept than can be
looked at; a kernel that is gone is noticed within a second; one that never falls silent is given up; what a
cell's reply says counts, also where the notebook has done away with its tracebacks; a kernel that died leaves
nothing behind.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from queue import Empty
from typing import Any

from nbval.kernel import RunningKernel

from course.workbook.record import MIME

LARGEST_OUTPUT = 1_000_000  # characters of a cell's output that are kept
LARGEST_ERROR = 10_000  # characters of an error's message, and of its traceback
MESSAGE = 500  # characters that a message counts for besides its text: a million empty ones fill a memory too
QUIET_SECONDS = 10  # for what a cell has written to arrive, once it has ended
KNOWN = ("stream", "display_data", "execute_result", "error", "status")  # what nbval does something with
Message = dict[str, Any]


class KernelDied(Exception):
    """The notebook's kernel ended while a cell ran."""


class Kernel(RunningKernel):
    """nbval's kernel; ``reply`` is what it answered to the last cell: a status, and an error's words."""

    def __init__(self, kernel_name: str, cwd: str, startup_timeout: float):
        self.waiting: deque[Message] = deque()  # output that arrived before it was asked for
        self.output = Output(None)
        self.silent_by = float("inf")
        self.reply: dict[str, Any] = {}
        super().__init__(kernel_name, cwd=cwd, startup_timeout=startup_timeout)

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send a cell to the kernel; gives back the message's id."""
        self.waiting.clear()
        self.silent_by, self.reply = float("inf"), {}
        id = super().execute_cell_input(cell_input, allow_stdin=allow_stdin)
        self.output = Output(id)
        return id

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait until a cell has ended, reading what it writes meanwhile.

        Raises:
            Empty: when the time is over.
            KernelDied: if there is no kernel any more.
        """
        end, look = time.monotonic() + (timeout or 0), 0.0
        while True:
            with suppress(Empty):
                self._keep(super().get_message("iopub", timeout=0.05))
            if self._has_replied(msg_id):
                break
            if time.monotonic() >= end:
                self.silent_by = time.monotonic() + QUIET_SECONDS
                raise Empty
            if time.monotonic() >= look:
                look = time.monotonic() + 0.5
                if not self.is_alive():
                    raise KernelDied
        self.silent_by = time.monotonic() + QUIET_SECONDS

    def get_message(self, stream: str, timeout: float | None = None) -> Message:
        """The next message of a stream; of the output, what is kept of it.

        Raises:
            Empty: if none comes in time, or the kernel goes on writing long after its cell has ended.
        """
        if stream != "iopub":
            return super().get_message(stream, timeout)
        end = time.monotonic() + (QUIET_SECONDS if timeout is None else timeout)
        while not self.waiting:
            left = min(end, self.silent_by) - time.monotonic()
            if left < 0:
                raise Empty
            self._keep(super().get_message("iopub", timeout=left))
        return self.waiting.popleft()

    def stop(self) -> None:
        """End the kernel and all that it started, also one that has died; a second time, do nothing."""
        if hasattr(self, "km"):
            super().stop()

    def _has_replied(self, msg_id: str) -> bool:
        try:
            message = super().get_message("shell", timeout=0)
        except Empty:
            return False
        if message["parent_header"].get("msg_id") != msg_id:
            return False
        self.reply = message["content"]
        if self.reply["status"] == "aborted":
            raise RuntimeError("Kernel aborted execution request")
        return True

    def _keep(self, message: Message) -> None:
        if self.output.id is None or self.output.keeps(message):
            self.waiting.append(message)


class Output:
    """How much a cell has written so far, and what of it is kept."""

    def __init__(self, id: str | None):
        self.id, self.size, self.results = id, 0, 0

    def keeps(self, message: Message) -> bool:
        """Whether this message is one of the cell's that is kept; what is too long in it is cut."""
        kind, content = message["msg_type"], message["content"]
        if message["parent_header"].get("msg_id") != self.id or kind not in KNOWN:
            return False
        if kind == "status":
            return True
        if kind == "error":
            content["evalue"] = shortened(content["evalue"], LARGEST_ERROR)
            content["traceback"] = [shortened("\n".join(content["traceback"]), LARGEST_ERROR)]
            return True
        if MIME in content.get("data", {}):
            self.results += len(str(content["data"]))  # apart: a flood before a check does not drown it
            return self.results <= LARGEST_OUTPUT
        left = LARGEST_OUTPUT - self.size
        self.size += MESSAGE + _length(content)
        if kind == "stream":
            content["text"] = shortened(content["text"], max(left, 0))
            return left > 0
        return self.size <= LARGEST_OUTPUT


def shortened(text: str, most: int) -> str:
    """A text without what lies in its middle, where it is longer than that."""
    if len(text) <= most:
        return text
    return (
        f"{text[: most // 2]} … ({len(text) - most:,} characters left out) … {text[len(text) - most // 2 :]}"
    )


def _length(content: dict[str, Any]) -> int:
    texts = [content.get("text", ""), *content.get("data", {}).values()]
    return sum(len(text) if isinstance(text, str) else MESSAGE for text in texts)
