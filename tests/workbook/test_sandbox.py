"""An answer runs within its time, and whatever it changes is put back."""

import os
import random
import signal
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
import torch
from answers import cell

from course import attention
from course.workbook.judge import judge
from course.workbook.record import find
from course.workbook.sandbox import remembered, sandbox, written

# ---- the time limit ------------------------------------------------------------------------------

ENDLESS = {
    "plain": "def weighted_sum(weights, value):\n    while True:\n        pass\n",
    "catching": (
        "def weighted_sum(weights, value):\n    while True:\n        try:\n            1 / 0\n"
        "        except Exception:\n            pass\n"
    ),
    "sleeping": "import time\ndef weighted_sum(weights, value):\n    time.sleep(600)\n",
    "in torch": "def weighted_sum(weights, value):\n    while True:\n        value = value + weights.sum()\n",
    "catching all": (
        "def weighted_sum(weights, value):\n    while True:\n        try:\n            sum(range(99))\n"
        "        except:\n            pass\n"
    ),
    "alarm switched off": (
        "import signal\ndef weighted_sum(weights, value):\n    signal.setitimer(signal.ITIMER_REAL, 0)\n"
        "    while True:\n        pass\n"
    ),
    "alarm ignored": (
        "from signal import *\ndef weighted_sum(weights, value):\n    signal(SIGALRM, SIG_IGN)\n"
        "    while True:\n        pass\n"
    ),
    "judging another": (
        "def weighted_sum(weights, value):\n    judge_other()\n    while True:\n        pass\n"
    ),
}  # fmt: skip


def endless(name: str):
    def judge_other():
        assert judge(find("0.1"), cell(ENDLESS["plain"], "weighted_sum"), seconds=0.05).state == "stopped"

    return cell(ENDLESS[name], "weighted_sum", judge_other=judge_other)


@pytest.fixture(params=[0, 600], ids=["no other alarm", "an alarm of the notebook's own"])
def alarm(request):
    """Seconds to another alarm that is set already."""
    before = signal.setitimer(signal.ITIMER_REAL, request.param)
    yield request.param
    signal.setitimer(signal.ITIMER_REAL, *before)


@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_loop_is_stopped(name, alarm):
    handler = signal.getsignal(signal.SIGALRM)
    result = judge(find("0.1"), endless(name), seconds=0.2)
    assert (result.state, result.points, result.mistake) == ("stopped", 0, None)
    assert result.diagnosis == "your code did not finish within 0.2 seconds: is there an endless loop?"
    assert signal.getsignal(signal.SIGALRM) is handler
    assert bool(signal.getitimer(signal.ITIMER_REAL)[0]) == bool(alarm)


def test_an_answer_in_time_leaves_no_alarm_of_ours_behind(alarm):
    judge(find("0.1"), attention.weighted_sum)
    assert bool(signal.getitimer(signal.ITIMER_REAL)[0]) == bool(alarm)


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["Ctrl-C", "Ctrl-C ignored"])
def interrupt(request):
    """What Ctrl-C does; a program that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, request.param)
    yield request.param
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("name", ["plain", "catching"])
def test_where_there_is_no_alarm_a_timer_stops_the_loop(name, interrupt, monkeypatch):
    monkeypatch.delattr(signal, "setitimer")  # as on Windows
    assert judge(find("0.1"), endless(name), seconds=0.2).state == "stopped"
    assert judge(find("0.1"), attention.weighted_sum, seconds=5).state == "right"
    assert signal.getsignal(signal.SIGINT) is interrupt


@pytest.mark.parametrize("alarm", [True, False])
def test_a_real_interrupt_is_the_learners(alarm, monkeypatch):
    if not alarm:
        monkeypatch.delattr(signal, "setitimer")

    def interrupted(weights, value):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(find("0.1"), interrupted)


def test_another_thread_can_judge():
    results = []
    thread = threading.Thread(target=lambda: results.append(judge(find("0.1"), attention.weighted_sum)))
    thread.start()
    thread.join()
    assert results[0].state == "right"


CHECKED = """
import cProfile, sys
import course.exercises
from course.workbook.judge import judge
from course.workbook.record import find

def deaf(weights, value):
    from signal import SIGALRM, SIG_IGN, signal
    signal(SIGALRM, SIG_IGN)
    while True:
        pass

assert judge(find("0.1"), lambda weights, value: weights @ value).right
assert "torch._inductor" not in sys.modules
assert judge(find("0.1"), deaf, seconds=0.05).state == "stopped"
assert cProfile.Profile().runcall(sorted, [2, 1], key=lambda x: x) == [1, 2]
"""


def test_a_check_imports_no_compiler_and_a_profiler_runs_after_it():
    """A mark that an error is under way once stayed in the interpreter, which then hung under a profiler."""
    subprocess.run([sys.executable, "-c", CHECKED], check=True, timeout=120)


# ---- what is left as it was ----------------------------------------------------------------------


@pytest.mark.parametrize("answer", [attention.weighted_sum, endless("in torch")], ids=["right", "stopped"])
def test_the_learners_random_numbers_and_threads_stay(answer):
    torch.manual_seed(7)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        judge(find("0.1"), answer, seconds=0.2)
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.get_rng_state(), state)
    finally:
        torch.set_num_threads(threads)


def test_judging_looks_with_one_thread_and_fixed_seeds():
    seen = []

    def noisy(weights, value):
        seen.append((torch.get_num_threads(), torch.rand(1).item()))
        return weights @ value

    for _ in range(2):
        torch.rand(3)
        assert judge(find("0.1"), noisy).right
    first, second = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    assert first == second and {threads for threads, _ in seen} == {1}


def test_gradients_are_judged_also_where_the_learner_has_switched_them_off():
    with torch.no_grad():
        assert judge(find("3.3"), attention.scaled_dot_product_attention).right
        assert not torch.is_grad_enabled()


SPOILERS = {
    "dtype": lambda: torch.set_default_dtype(torch.float64),
    "device": lambda: torch.set_default_device("meta"),
    "gradients": lambda: torch.set_grad_enabled(False),
    "threads": lambda: torch.set_num_threads(3),
    "warnings": lambda: warnings.simplefilter("error"),
    "environment": lambda: os.environ.update(COURSE_STRICT="0", EXTRA="1"),
    "folder": lambda: os.chdir("/"),
    "seeds": lambda: (torch.manual_seed(1), np.random.seed(1), random.seed(1)),
    "deterministic": lambda: torch.use_deterministic_algorithms(True),
}


def state() -> tuple:
    numbers = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()
    of_torch = (torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled(),
                torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())  # fmt: skip
    return of_torch, numbers, list(warnings.filters), dict(os.environ), os.getcwd()


@pytest.mark.parametrize("name", SPOILERS)
def test_what_an_answer_changes_is_put_back_and_the_next_is_judged_alike(name):
    before = state()

    def spoiler(weights, value):
        result = attention.weighted_sum(weights, value)
        SPOILERS[name]()
        return result

    judge(find("0.1"), spoiler)
    assert state() == before
    assert judge(find("0.1"), attention.weighted_sum).right


@pytest.mark.parametrize("name", ["dtype", "device", "gradients", "deterministic"])
def test_everybody_is_judged_on_the_same_defaults(name):
    """Whatever a learner set before in a cell of their own; it is as they set it afterwards."""
    with sandbox():  # puts back what this test sets
        SPOILERS[name]()
        before = state()
        assert judge(find("0.1"), attention.weighted_sum).right
        assert state() == before


# ---- what is remembered of a call ----------------------------------------------------------------


def test_a_small_call_is_told_in_words_by_the_functions_own_names():
    call = remembered(lambda scores, k=1: None, (torch.tensor([200.0, 0.0, -1.5]),), {"k": 2})
    assert call.words == "scores [200, 0, -1.5], k 2"
    assert call.sizes == {"scores": (3,)}
    assert remembered(lambda scores: None, (torch.zeros(9),), {}).words == ""
    assert remembered(lambda f: None, (len,), {}).words == ""


def test_small_values_are_written_as_one_would_type_them():
    assert written([1.0, True, None, "a", [2]]) == "[1, True, None, 'a', [2]]"
