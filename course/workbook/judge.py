"""Judge an answer by what it does: equal to the package's own function, or equal to a known mistake."""

from __future__ import annotations

import _thread
import ast
import inspect
import linecache
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from course.workbook.chance import Share
from course.workbook.record import Exercise, find

RTOL, ATOL = 1e-4, 1e-5  # float32: wide enough for another order of summation, far narrower than any mistake
SECONDS = 10


class Stopped(BaseException):
    """The time is over. Not an Exception, so that an answer's own ``except Exception`` cannot swallow it."""


@dataclass(frozen=True)
class Outcome:
    """What one part gave: a value, or the exception that was raised."""

    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class PartResult:
    name: str
    points: int
    right: bool


@dataclass(frozen=True)
class Verdict:
    """The result of one check. ``state`` is "right", "wrong", "todo" or "stopped"."""

    exercise: str
    title: str
    state: str
    points: int
    total: int
    diagnosis: str
    mistake: str | None = None
    parts: tuple[PartResult, ...] = ()

    @property
    def right(self) -> bool:
        return self.state == "right"

    def as_dict(self) -> dict:
        return asdict(self)


def verdict(exercise: Exercise, state: str, diagnosis: str, mistake: str | None = None,
            parts: tuple[PartResult, ...] = ()) -> Verdict:  # fmt: skip
    points = sum(p.points for p in parts if p.right)
    return Verdict(exercise.id, exercise.title, state, points, exercise.points, diagnosis, mistake, parts)


# ---- looking -----------------------------------------------------------------------------------


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise Stopped in the main thread after that many seconds (in another thread there is no limit)."""
    if threading.current_thread() is not threading.main_thread():
        yield
    elif hasattr(signal, "setitimer"):

        def stop(signum, frame):
            raise Stopped

        handler = signal.signal(signal.SIGALRM, stop)
        outer = signal.setitimer(signal.ITIMER_REAL, seconds)  # judging one answer may need to judge another
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, *outer)
            signal.signal(signal.SIGALRM, handler)
    else:  # Windows has no alarm: a timer presses Ctrl-C
        over = threading.Event()

        def press():
            over.set()
            _thread.interrupt_main()

        handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, it would press in vain
        timer = threading.Timer(seconds, press)
        timer.start()
        try:
            yield
        except KeyboardInterrupt:
            if over.is_set():
                raise Stopped from None
            raise  # a real Ctrl-C
        finally:
            timer.cancel()
            signal.signal(signal.SIGINT, handler or signal.SIG_DFL)


@contextmanager
def calm() -> Iterator[None]:
    """One thread (two make small tensors slower), and the learner's random numbers left as they were."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)


def observe(exercise: Exercise, candidate: Any) -> list[Outcome]:
    """Every part's outcome. What an answer raises is an outcome; Stopped and Ctrl-C go through."""
    outcomes = []
    for number, part in enumerate(exercise.parts):
        torch.manual_seed(number)
        try:
            outcomes.append(Outcome(part.run(candidate)))
        except (Exception, SystemExit) as error:
            outcomes.append(Outcome(error=error))
    return outcomes


@cache
def expected_of(id: str) -> list[Outcome]:
    outcomes = observe(find(id), find(id).reference)
    broken = [o.error for o in outcomes if o.error]
    if broken:
        raise RuntimeError(f"the package's own function fails exercise {id}") from broken[0]
    return outcomes


@cache
def imitation_of(id: str, index: int) -> list[Outcome]:
    return observe(find(id), find(id).mistakes[index].candidate)


# ---- comparing ---------------------------------------------------------------------------------


def kind(x: Any) -> str:
    """A value's kind in a learner's words."""
    if x is None:
        return "nothing (None; is a return missing?)"
    name = type(x).__name__.replace("ndarray", "numpy array")
    if isinstance(x, Tensor):
        name = f"{str(x.dtype).removeprefix('torch.')} tensor"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def difference(expected: Any, got: Any, where: str = "the result") -> str | None:
    """None when they are equal (to RTOL, ATOL); else one sentence on the first difference."""
    if isinstance(expected, (tuple, list)):
        if not isinstance(got, (tuple, list)):
            return f"{where} should be a tuple of {len(expected)}; yours is {kind(got)}."
        if len(got) != len(expected):
            return f"{where} should be a tuple of {len(expected)}; yours has {len(got)}."
        pairs = zip(expected, got, strict=True)
        return next(filter(None, (difference(e, g, f"{where}[{i}]") for i, (e, g) in enumerate(pairs))), None)
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return f"{where} should have the keys {sorted(expected)}; yours is {kind(got)}."
        if got.keys() != expected.keys():
            return f"{where} should have the keys {sorted(expected)}; yours has {list(got)}."
        return next(filter(None, (difference(expected[k], got[k], k) for k in expected)), None)
    if isinstance(expected, Tensor):
        return _tensor_difference(expected, got, where)
    if isinstance(expected, Share) and isinstance(got, Share):
        alike = got.right if expected.right else got.like(expected)
        return None if alike else f"{where} should be {expected.truth:.3g}; yours is {got}."
    if type(expected) is not type(got):
        return f"{where} should be {kind(expected)}; yours is {kind(got)}."
    if isinstance(expected, float):
        close = abs(expected - got) <= ATOL + RTOL * abs(expected)
        return None if close else f"{where} should be {expected:.6g}; yours is {got:.6g}."
    return None if expected == got else f"{where} should be {expected!r}; yours is {got!r}."


def _tensor_difference(expected: Tensor, got: Any, where: str) -> str | None:
    if not isinstance(got, Tensor):
        return f"{where} should be {kind(expected)}; yours is {kind(got)}."
    if got.is_nested or got.layout != expected.layout or got.device != expected.device:
        return f"{where} should be an ordinary (dense) tensor on the CPU."
    if got.shape != expected.shape:
        return f"{where} should have shape {list(expected.shape)}; yours has {list(got.shape)}."
    if got.dtype != expected.dtype:
        return f"{where} should be {kind(expected)}; yours is {kind(got)}."
    if got.requires_grad or expected.requires_grad:
        expected, got = expected.detach(), got.detach()
    close = torch.isclose(got, expected, rtol=RTOL, atol=ATOL, equal_nan=True)
    if close.all():
        return None
    at = (~close).nonzero()[0].tolist()
    yours, want = (
        f"{x.item():.4g}" if x.is_floating_point() else f"{x.item()}"
        for x in (got[tuple(at)], expected[tuple(at)])
    )
    first = f"the first at {where}{at}: yours {yours}, expected {want}."
    says = f"{int((~close).sum())} of {close.numel()} entries differ, {first}"
    if not at:
        says = f"{where} should be {want}; yours is {yours}."
    return f"{says} {relation(expected, got)}".strip()


def relation(expected: Tensor, got: Tensor) -> str:
    """What a wrong tensor has to do with the right one, when it is something simple; else nothing."""
    if got.is_floating_point() and got.isnan().any():
        return "Yours holds NaN: is something divided by zero, or a softmax taken over nothing?"
    same = lambda a, b: a.shape == b.shape and torch.allclose(a, b, rtol=RTOL, atol=ATOL)  # noqa: E731
    if got.ndim >= 2 and same(got.mT.to(expected.dtype), expected):
        return "Yours is the expected one transposed."
    if got.dtype == torch.bool:
        return "Yours is the opposite everywhere." if (got != expected).all() else ""
    if not got.is_floating_point():
        return ""
    factor = (got * expected).sum() / expected.square().sum()
    if factor.abs() > ATOL and same(got, factor * expected):
        return f"Every entry of yours is {factor.item():.4g} times the expected one."
    shift = (got - expected).mean()
    if same(got, expected + shift):
        return f"Every entry of yours is the expected one plus {shift.item():.4g}."
    if same(got.flatten().sort().values, expected.flatten().sort().values):
        return "Yours holds the right numbers in another order."
    return ""


def same(a: Outcome, b: Outcome) -> bool:
    if a.error or b.error:
        return type(a.error) is type(b.error)
    return difference(a.value, b.value) is None


# ---- judging -----------------------------------------------------------------------------------


def judge(exercise: Exercise, candidate: Any, seconds: float = SECONDS) -> Verdict:
    """Look at an answer and say what it is worth and, when it is wrong, which mistake it makes."""
    if is_blank(candidate):
        return verdict(exercise, "todo", "not done yet: replace the … by your code.")
    with calm():
        return _judge(exercise, candidate, seconds)


def _judge(exercise: Exercise, candidate: Any, seconds: float) -> Verdict:
    expected = expected_of(exercise.id)
    try:
        with time_limit(seconds):
            outcomes = observe(exercise, candidate)
    except Stopped:
        return verdict(
            exercise,
            "stopped",
            f"your code did not finish within {seconds:g} seconds: is there an endless loop?",
        )
    right = [same(e, o) for e, o in zip(expected, outcomes, strict=True)]
    parts = tuple(PartResult(p.name, p.points, r) for p, r in zip(exercise.parts, right, strict=True))
    if all(right):
        return verdict(exercise, "right", "right.", parts=parts)
    says, name = diagnose(exercise, candidate, outcomes, expected)
    return verdict(exercise, "wrong", says, name, parts)


def diagnose(
    exercise: Exercise, candidate: Any, outcomes: list[Outcome], expected: list[Outcome]
) -> tuple[str, str | None]:
    """The sentence for a wrong answer, and the name of the known mistake it equals, if any.

    First a mistake that does the same on every part; then, for answers with several mistakes at once, one
    that does the same on the first wrong part; then what can be said of any wrong value.
    """
    wrong = [i for i, (e, o) in enumerate(zip(expected, outcomes, strict=True)) if not same(e, o)]
    bank = [(m, imitation_of(exercise.id, i)) for i, m in enumerate(exercise.mistakes)]
    for mistake, imitation in bank:
        # An equal exception is no evidence: some wrong value must be equal too.
        if all(map(same, imitation, outcomes)) and any(not outcomes[i].error for i in wrong):
            return mistake.says, mistake.name
    first = wrong[0]
    part = exercise.parts[first].name
    if not outcomes[first].error:
        for mistake, imitation in bank:
            if same(imitation[first], outcomes[first]):
                return f"{mistake.says} (Seen in “{part}”; there is more to mend.)", mistake.name
    return describe(candidate, part, outcomes[first], expected[first]), None


def describe(candidate: Any, part: str, outcome: Outcome, expected: Outcome) -> str:
    """A wrong outcome that equals no known mistake, in one sentence."""
    if outcome.error is None:
        return f"In “{part}”, {difference(expected.value, outcome.value)}"
    if isinstance(outcome.error, RecursionError):
        return f"In “{part}”, your code calls itself without end."
    message = str(outcome.error).strip().splitlines()
    raised = f"{type(outcome.error).__name__}{line_of(candidate, outcome.error)}"
    return f"In “{part}”, your code raises {raised}: {message[0] if message else '(no message)'}"


def line_of(candidate: Any, error: BaseException) -> str:
    """Where in the learner's own cell the error arose: "" when it did not pass through it."""
    file, lines, trace = file_of(candidate), [], error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == file:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    if not lines:
        return ""
    return f" in line {lines[-1]} of the cell (`{linecache.getline(file, lines[-1]).strip()}`)"


# ---- the learner's source ----------------------------------------------------------------------


def file_of(candidate: Any) -> str:
    """The file name under which the candidate was compiled: each cell has one of its own."""
    functions = vars(candidate).values() if inspect.isclass(candidate) else [candidate]
    names = [f.__code__.co_filename for f in functions if inspect.isfunction(f)]
    return names[0] if names else "<not written in Python>"


def cell_of(candidate: Any) -> str:
    """The text of the cell that defines the candidate ("" where it is not kept)."""
    return "".join(linecache.getlines(file_of(candidate)))


def is_blank(candidate: Any) -> bool:
    """Whether a bare ``...`` stands where code should be (``x[..., 0]`` is code)."""
    wanted = (ast.FunctionDef, ast.ClassDef)
    top = ast.parse(cell_of(candidate)).body
    nodes = [n for n in top if isinstance(n, wanted) and n.name == candidate.__name__]
    return any(_is_dots(n) for node in nodes[-1:] for n in ast.walk(node))


def _is_dots(node: ast.AST) -> bool:
    places = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)
    held = node.value if isinstance(node, places) else None
    return isinstance(held, ast.Constant) and held.value is Ellipsis
