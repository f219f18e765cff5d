"""Where an answer runs: within a time limit, on defaults that are put back, whatever it does to them."""

from __future__ import annotations

import _thread
import ctypes
import functools
import inspect
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course.workbook.record import Exercise

AGAIN = 0.05  # seconds between two signals, for loops that catch everything
PATIENCE = 3  # times the limit, where the machine has other work: an answer that got no processor is no loop
IMPORTS = 60.0  # seconds that a first import may take besides


class Stopped(BaseException):
    """The time is over. Not an Exception, so that an answer's own ``except Exception`` cannot swallow it."""


@dataclass(frozen=True)
class Call:
    """What an answer was given last: sizes of its tensors, and small inputs in words."""

    sizes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one part gave: a value, or the exception that was raised.

    ``returned`` is what the answer itself gave where the check raised afterwards, on that.
    """

    value: Any = None
    error: BaseException | None = None
    call: Call = Call()
    returned: list = field(default_factory=list)


# ---- the time limit ------------------------------------------------------------------------------------


class time_limit:  # used like a function
    """Raise Stopped in the main thread after that many seconds (in another thread there is no limit).

    Again and again, should the answer catch it; never in here, where things are put back. Time for imports
    is not counted. Not written with ``contextmanager``, whose frames could be hit.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.main = self.over = self.raised = self.is_back = False

    def __enter__(self):
        self.main = threading.current_thread() is threading.main_thread()
        if not self.main:
            return self
        self.start, self.cpu, self.done = time.monotonic(), time.process_time(), threading.Event()
        self.alarm = hasattr(signal, "setitimer")
        if self.alarm:
            self.handler = signal.signal(signal.SIGALRM, self.stop)
            self.outer = signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN)
        else:  # Windows has no alarm: a thread presses Ctrl-C
            self.handler = signal.signal(signal.SIGINT, self.pressed)  # ignored, it would press in vain
        self.watch = threading.Thread(target=self.insist, daemon=True)
        self.watch.start()
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.put_back()

    def put_back(self) -> None:
        """Once more after ``with``, to be sure: Stopped may hit the very first step of ``__exit__``."""
        if not self.main or self.is_back:
            return
        self.over = True
        self.done.set()
        self.watch.join()
        if self.raised:
            await_raised()
        if self.alarm:  # judging one answer may need to judge another
            signal.setitimer(signal.ITIMER_REAL, *self.outer)
            signal.signal(signal.SIGALRM, self.handler)
        else:
            signal.signal(signal.SIGINT, self.handler or signal.SIG_DFL)
        self.is_back = True

    def stop(self, signum, frame) -> None:
        if not self.over and not self.excused(frame):
            raise Stopped

    def pressed(self, signum, frame) -> None:
        if self.over or time.monotonic() - self.start < self.seconds:
            raise KeyboardInterrupt  # a real one
        self.stop(signum, frame)

    def excused(self, frame) -> bool:
        """In here, in an import, or on a machine that is busy with other things."""
        wall, cpu = time.monotonic() - self.start, time.process_time() - self.cpu
        if cpu < self.seconds / 2 and wall < PATIENCE * self.seconds:
            return True
        if frame is not None and frame.f_code.co_filename == __file__:
            return True
        late = wall > PATIENCE * self.seconds + IMPORTS
        while frame is not None and not late:
            if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
                return True
            frame = frame.f_back
        return False

    def insist(self) -> None:
        """From another thread: Ctrl-C where there is no alarm; Stopped where the answer switched it off."""
        if not self.alarm:
            while not self.done.wait(max(self.start + self.seconds - time.monotonic(), AGAIN)):
                _thread.interrupt_main()
        elif not self.done.wait(self.seconds + 1):
            main = threading.main_thread().ident
            while not self.done.wait(AGAIN):
                if not self.excused(sys._current_frames().get(main)):
                    self.raised = True
                    raise_in(main)


def raise_in(thread: int) -> None:
    """Raise Stopped in a thread, at its next line of Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Stopped))


def await_raised() -> None:
    """What may still be under way to this thread arrives here and nowhere else.

    Taken back instead (by raising NULL), CPython's mark that something is under way would stay for good:
    Python was slower from then on, and hung under a profiler or a debugger (3.11).
    """
    try:
        raise_in(threading.get_ident())
        while True:
            pass
    except Stopped:
        return


# ---- what is put back ----------------------------------------------------------------------------------


@contextmanager
def sandbox() -> Iterator[None]:
    """Everybody is judged on torch's own defaults and one thread; the learner's are put back afterwards.

    Default dtype and device, gradient mode, threads (two make small tensors slower), deterministic
    algorithms, random numbers of torch, numpy and Python, warnings, environment, working folder.
    """
    settings = Settings()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    use_deterministic_algorithms(False)
    try:
        with warnings.catch_warnings(), torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        settings.put_back()


class Settings:
    """The state of a process that an answer can change."""

    def __init__(self):
        self.threads, self.dtype, self.device = (
            torch.get_num_threads(),
            torch.get_default_dtype(),
            device_set(),
        )
        self.deterministic = torch.are_deterministic_algorithms_enabled()
        self.only_warn = torch.is_deterministic_algorithms_warn_only_enabled()
        self.grad = torch.is_grad_enabled()
        self.numbers = torch.get_rng_state(), np.random.get_state(), random.getstate()
        self.environment, self.folder = dict(os.environ), folder()

    def put_back(self) -> None:
        torch.set_default_device(None)  # where random numbers live
        torch_state, numpy_state, python_state = self.numbers
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        torch.set_default_device(self.device)
        torch.set_default_dtype(self.dtype)
        torch.set_num_threads(self.threads)
        use_deterministic_algorithms(self.deterministic, self.only_warn)
        torch.set_grad_enabled(self.grad)
        if os.environ != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        if self.folder and folder() != self.folder:
            os.chdir(self.folder)


def use_deterministic_algorithms(mode: bool, warn_only: bool = False) -> None:
    """As torch's own, which imports torch's compiler for it (seconds), where there is something to change."""
    now = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    if now != (mode, warn_only):
        torch.use_deterministic_algorithms(mode, warn_only=warn_only)


def device_set() -> torch.device | None:
    """The default device, None where nobody set one (a set one slows every call of torch)."""
    device = torch.get_default_device()
    return None if device.type == "cpu" else device


def folder() -> str | None:
    """The working folder; None where it was removed."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


# ---- looking -------------------------------------------------------------------------------------------


class Heard:
    """A function that remembers what it was given last and what it gave."""

    def __init__(self, function: Any):
        functools.update_wrapper(self, function)
        self.function, self.call, self.returned, self.error = function, Call(), [], None
        self.times = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.call, self.returned, self.error = remembered(self.function, args, kwargs), [], None
        self.times += 1
        if self.times > 1:  # which of the calls a part's result is about, nobody knows
            self.call = replace(self.call, words="")
        try:
            result = self.function(*args, **kwargs)
        except BaseException as error:
            self.error = error
            raise
        self.returned = [result]
        return result


SMALL = 10_000  # entries of a tensor that is remembered


def remembered(function: Any, args: tuple, kwargs: dict) -> Call:
    """The tensors of a call by the function's own names; in words too, where they are few numbers."""
    try:
        given = inspect.signature(function).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        given = {f"argument {i}": x for i, x in enumerate(args, 1)} | kwargs
    tensors = {n: x for n, x in given.items() if isinstance(x, Tensor)}
    sizes = {n: tuple(x.shape) for n, x in tensors.items()}
    small = {n: x.detach().clone() for n, x in tensors.items() if x.numel() <= SMALL}
    numbers = sum(x.numel() for x in tensors.values())
    plain = all(isinstance(x, (Tensor, int, float, str, list, tuple, type(None))) for x in given.values())
    words = ", ".join(f"{n} {written(x)}" for n, x in given.items()) if plain and numbers <= 8 else ""
    return Call(sizes, small, words if len(words) <= 100 else "")


def written(x: Any) -> str:
    """A small value as a learner would type it."""
    if isinstance(x, Tensor):
        x = x.detach().tolist()
    if isinstance(x, float):
        return f"{x:.4g}"
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(map(written, x))}]"
    return str(x) if isinstance(x, (int, bool)) else repr(x)


def observe(exercise: Exercise, candidate: Any) -> list[Outcome]:
    """Every part's outcome. What an answer raises is an outcome; Stopped and Ctrl-C go through."""
    outcomes = []
    for number, part in enumerate(exercise.parts):
        torch.manual_seed(number)
        np.random.seed(number)
        random.seed(number)
        heard = candidate if inspect.isclass(candidate) else Heard(candidate)
        outcomes.append(_look(part, heard))
    return outcomes


def _look(part: Any, heard: Any) -> Outcome:
    try:
        value = part.run(heard)
    except (Stopped, KeyboardInterrupt):
        raise
    except BaseException as error:  # is what was seen, GeneratorExit and SystemExit too
        theirs = not isinstance(heard, Heard) or error is heard.error
        returned = [] if theirs else heard.returned
        return Outcome(error=error, call=getattr(heard, "call", Call()), returned=returned)
    return Outcome(value, call=getattr(heard, "call", Call()))
