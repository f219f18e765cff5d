"""Judging: what is compared, what is said of an answer that nobody foresaw, what is left as it was."""

import copy
import itertools
import linecache
import signal
import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course import attention
from course.workbook.judge import difference, is_blank, judge, line_of, relation
from course.workbook.record import Mistake, chapters, exercises_of, find

ALL = [e for number in chapters() for e in exercises_of(number)]
FUNCTIONS = [e for e in ALL if not e.blank]
NAN, INF = float("nan"), float("inf")
F32 = "the result should be a float32 tensor; yours is "
DENSE = "the result should be an ordinary (dense) tensor on the CPU."
counter = itertools.count()


def cell(source: str, name: str = "", **scope):
    """What a notebook cell defines: code with a file name of its own whose text is kept, as in IPython."""
    file = f"<cell {next(counter)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), scope := {"torch": torch, "nn": nn, "attention": attention, **scope})
    return scope[name or [k for k in scope if k != "__builtins__"][-1]]


def says(id: str, source: str, **options) -> str:
    """The diagnosis of a wrong answer that equals no known mistake."""
    result = judge(find(id), cell(source, find(id).name), **options)
    assert (result.state, result.mistake) == ("wrong", None)
    return result.diagnosis


# ---- difference ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expected, got",
    [
        (torch.tensor([1.0, NAN, -INF]), torch.tensor([1.00005, NAN, -INF])),
        (torch.tensor(2), torch.tensor(2)),
        (torch.ones(2), torch.ones(2, requires_grad=True)),
        (torch.ones(2, requires_grad=True), torch.ones(2)),
        (torch.ones(2), nn.Parameter(torch.ones(2))),
        (torch.ones(0, 3), torch.ones(0, 3)),
        ((torch.ones(2), torch.zeros(1)), [torch.ones(2), torch.zeros(1)]),
        ({"w": torch.ones(2), "b": 1.0}, {"b": 1.000001, "w": torch.ones(2)}),
        ((), ()),
        (0.5, 0.500001),
        (3, 3),
        (True, True),
        ("a", "a"),
        (None, None),
    ],
)
def test_equal_results_have_no_difference(expected, got):
    assert difference(expected, got) is None


@pytest.mark.parametrize(
    "expected, got, sentence",
    [
        (torch.ones(2, 3), torch.ones(3, 2), "the result should have shape [2, 3]; yours has [3, 2]."),
        (torch.ones(2), torch.ones(2).long(), F32 + "an int64 tensor."),
        (torch.ones(2), torch.ones(2).double(),
         F32 + "a float64 tensor."),
        (torch.ones(2).bool(), torch.ones(2),
         "the result should be a bool tensor; yours is a float32 tensor."),
        (torch.ones(2), np.ones(2), F32 + "a numpy array."),
        (torch.ones(2), [1.0, 1.0], F32 + "a list."),
        (torch.ones(1), 1, F32 + "an int."),
        (torch.ones(2), None, F32 + "nothing (None; is a return missing?)."),
        (torch.eye(2), torch.eye(2).to_sparse(), DENSE),
        (torch.eye(2), torch.eye(2, device="meta"), DENSE),
        (torch.tensor(1.0), torch.tensor(4.0),
         "the result should be 1; yours is 4. Every entry of yours is 4 times the expected one."),
        (torch.tensor([1, 2, 3]), torch.tensor([1, 5, 3]),
         "1 of 3 entries differ, the first at the result[1]: yours 5, expected 2."),
        (torch.tensor([[True, False]]), torch.tensor([[True, True]]),
         "1 of 2 entries differ, the first at the result[0, 1]: yours True, expected False."),
        (torch.tensor([1.0, 2.0]), torch.tensor([1.0, NAN]),
         "1 of 2 entries differ, the first at the result[1]: yours nan, expected 2."
         " Yours holds NaN: is something divided by zero, or a softmax taken over nothing?"),
        ((1.0, 2.0), 1.0, "the result should be a tuple of 2; yours is a float."),
        ((1.0, 2.0), (1.0,), "the result should be a tuple of 2; yours has 1."),
        ((1.0, torch.ones(2)), (1.0, torch.ones(3)), "the result[1] should have shape [2]; yours has [3]."),
        ({"b": 1, "a": 1}, {"a": 1}, "the result should have the keys ['a', 'b']; yours has ['a']."),
        ({"a": 1}, 3, "the result should have the keys ['a']; yours is an int."),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "b should be 2; yours is 3."),
        (1.0, 2.5, "the result should be 1; yours is 2.5."),
        (1.0, NAN, "the result should be 1; yours is nan."),
        (True, 1, "the result should be a bool; yours is an int."),
        (1.0, torch.tensor(1.0), "the result should be a float; yours is a float32 tensor."),
    ],
)  # fmt: skip
def test_the_first_difference_is_one_sentence(expected, got, sentence):
    assert difference(expected, got) == sentence


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=8), st.integers(0, 7))
def test_a_moved_entry_is_found_where_it_is(values, at):
    expected, at = torch.tensor(values), at % len(values)
    got = expected.clone()
    got[at] += 1 + 0.01 * got[at].abs()
    assert difference(expected, expected.clone()) is None
    assert f"1 of {len(values)} entries differ, the first at the result[{at}]:" in difference(expected, got)


# ---- relation ------------------------------------------------------------------------------------

TABLE = torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0], [7.0, 8.0, 10.0]])


@pytest.mark.parametrize(
    "expected, got, sentence",
    [
        (TABLE, 2.5 * TABLE, "Every entry of yours is 2.5 times the expected one."),
        (TABLE, -TABLE, "Every entry of yours is -1 times the expected one."),
        (TABLE, TABLE - 3, "Every entry of yours is the expected one plus -3."),
        (TABLE, TABLE.mT, "Yours is the expected one transposed."),
        (TABLE > 0, (TABLE > 0).mT, "Yours is the expected one transposed."),
        (TABLE > 0, TABLE <= 0, "Yours is the opposite everywhere."),
        (TABLE, TABLE.flip(1), "Yours holds the right numbers in another order."),
        (TABLE, TABLE / 0, "Yours holds NaN: is something divided by zero, or a softmax taken over nothing?"),
        (TABLE, TABLE.square(), ""),
        (TABLE, torch.zeros(3, 3), ""),
        (torch.zeros(3, 3), TABLE, ""),
        (TABLE.long(), TABLE.long() + 1, ""),
        (TABLE > 0, torch.ones(3, 3).bool(), ""),
    ],
)
def test_a_simple_relation_is_named(expected, got, sentence):
    got = torch.where(torch.eye(3) == 1, NAN, got) if "NaN" in sentence else got
    assert relation(expected, got) == sentence


# ---- answers that nobody foresaw -----------------------------------------------------------------


@pytest.mark.parametrize(
    "body, sentence",
    [
        ("weights @ value", F32 + "nothing (None; is a return missing?)."),
        ("return weights",
         "2 of 2 entries differ, the first at the result[0, 0]: yours 0.25, expected 17.5."),
        ("return (weights @ value)[0]", "the result should have shape [1, 2]; yours has [2]."),
        ("return (weights @ value).numpy()", F32 + "a numpy array."),
        ("return (weights @ value).double()", F32 + "a float64 tensor."),
        ("return weights @ value, weights", F32 + "a tuple."),
        ("return 7 * (weights @ value)",
         "2 of 2 entries differ, the first at the result[0, 0]: yours 122.5, expected 17.5."
         " Every entry of yours is 7 times the expected one."),
        ("return weights @ value + torch.tensor([0.0, 1.0])",
         "1 of 2 entries differ, the first at the result[0, 1]: yours 4, expected 3."),
    ],
)  # fmt: skip
def test_an_unknown_mistake_gets_a_true_sentence(body, sentence):
    assert (
        says("0.1", f"def weighted_sum(weights, value):\n    {body}\n")
        == f"In “one query, two keys”, {sentence}"
    )


@pytest.mark.parametrize(
    "source, sentence",
    [
        ("def weighted_sum(weights, value):\n    n = 1\n    return weights @ values\n",
         "NameError in line 3 of the cell (`return weights @ values`): name 'values' is not defined"),
        ("def helper(w):\n    return w[2]\n\ndef weighted_sum(weights, value):\n    return helper(weights)\n",
         "IndexError in line 2 of the cell (`return w[2]`): index 2 is out of bounds for"
         " dimension 0 with size 1"),
        ("def weighted_sum(weights, value):\n    return torch.cat(3)\n",
         "TypeError in line 2 of the cell (`return torch.cat(3)`): cat(): argument 'tensors' (position 1)"
         " must be tuple of Tensors, not int"),
        ("def weighted_sum(weights):\n    return weights\n",
         "TypeError: weighted_sum() takes 1 positional argument but 2 were given"),
        ("def weighted_sum(weights, value):\n    raise SystemExit\n",
         "SystemExit in line 2 of the cell (`raise SystemExit`): (no message)"),
        ("import sys\ndef weighted_sum(weights, value):\n    sys.exit('bye')\n",
         "SystemExit in line 3 of the cell (`sys.exit('bye')`): bye"),
        ("def weighted_sum(weights, value):\n    raise ValueError('first line\\nsecond line')\n",
         "ValueError in line 2 of the cell (`raise ValueError('first line\\nsecond line')`): first line"),
    ],
)  # fmt: skip
def test_an_exception_is_told_with_the_learners_line(source, sentence):
    assert says("0.1", source) == f"In “one query, two keys”, your code raises {sentence}"


def test_an_exception_in_a_method_is_told_with_its_line():
    source = (
        "class MultiHeadAttention(attention.MultiHeadAttention):\n"
        "    def forward(self, query, key=None, value=None, mask=None, need_weights=True):\n"
        "        return self.k_prj(query)\n"
    )
    assert "AttributeError in line 3 of the cell (`return self.k_prj(query)`)" in says("3.6", source)


def test_an_exception_outside_the_cell_has_no_line():
    assert line_of(cell("def f():\n    pass\n"), ValueError()) == ""


def test_a_function_that_calls_itself_without_end_is_told_so():
    source = "def weighted_sum(weights, value):\n    return weighted_sum(weights, value)\n"
    assert says("0.1", source) == "In “one query, two keys”, your code calls itself without end."


def test_two_mistakes_at_once_name_the_first_and_say_that_there_is_more():
    source = (
        "def scaled_dot_product_attention(query, key, value, mask=None, scale=None):\n"
        "    weights = (query @ key.mT * query.shape[-1] ** -0.5).softmax(-2)\n"
        "    return weights @ value, weights\n"
    )
    result = judge(find("3.3"), cell(source))
    known = next(m for m in find("3.3").mistakes if m.name == "over-queries")
    assert result.mistake == "over-queries"
    assert result.diagnosis == f"{known.says} (Seen in “without a mask”; there is more to mend.)"


@pytest.mark.parametrize("error", [RuntimeError, TypeError, ValueError, IndexError, AttributeError])
@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_an_exception_alone_is_no_known_mistake(exercise, error):
    """Many mistakes raise on some part; raising the same says nothing about why."""

    def answer(*args, **kwargs):
        raise error("no idea")

    result = judge(exercise, answer)
    assert (result.state, result.mistake, result.points) == ("wrong", None, 0)
    assert f"your code raises {error.__name__}" in result.diagnosis and "no idea" in result.diagnosis


def test_not_even_a_mistake_that_always_raises_is_recognised_by_its_exception(monkeypatch):
    def raises(weights, value):
        raise ValueError

    exercise = find("0.1")
    monkeypatch.setattr(exercise, "mistakes", [*exercise.mistakes, Mistake("raises", "It raises.", raises)])
    assert judge(exercise, raises).mistake is None


def test_points_are_given_for_the_parts_that_are_right():
    source = (
        "def scaled_dot_product_attention(query, key, value, mask=None, scale=None):\n"
        "    assert mask is None\n"
        "    return attention.scaled_dot_product_attention(query, key, value, None, scale)\n"
    )
    result = judge(find("3.3"), cell(source))
    right = {p.name for p in result.parts if p.right}
    assert right == {p.name for p in find("3.3").parts} - {"with a mask"}
    assert result.points == result.total - 2


# ---- the time limit ------------------------------------------------------------------------------

ENDLESS = {
    "plain": "def weighted_sum(weights, value):\n    while True:\n        pass\n",
    "catching": (
        "def weighted_sum(weights, value):\n    while True:\n        try:\n            1 / 0\n"
        "        except Exception:\n            pass\n"
    ),
    "sleeping": "import time\ndef weighted_sum(weights, value):\n    time.sleep(600)\n",
    "in torch": "def weighted_sum(weights, value):\n    while True:\n        value = value + weights.sum()\n",
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


# ---- what judging leaves as it was ---------------------------------------------------------------


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
    first, second = seen[:3], seen[3:]
    assert first == second and {threads for threads, _ in seen} == {1}


def test_gradients_are_judged_also_where_the_learner_has_switched_them_off():
    with torch.no_grad():
        assert judge(find("3.3"), attention.scaled_dot_product_attention).right
        assert not torch.is_grad_enabled()


MAY_OVERWRITE = [e for e in FUNCTIONS if e.id != "10.1"]  # which says that its input stays as it was


@pytest.mark.parametrize("exercise", MAY_OVERWRITE, ids=lambda e: e.id)
def test_code_that_works_in_place_spoils_nothing(exercise):
    """Every part makes fresh inputs, so an answer may overwrite them and is judged right time after time."""

    def spoiling(*args, **kwargs):
        result = exercise.reference(*args, **kwargs)
        given = [x for x in [*args, *kwargs.values()] if isinstance(x, torch.Tensor)]
        if not any(x.requires_grad for x in given):
            result = copy.deepcopy(result)  # it may be a view of what is spoilt now
            for x in given:
                x.zero_()
        return result

    for _ in range(2):
        assert judge(exercise, spoiling).right


# ---- blank ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    ...\n",
        'def f(x):\n    """Doc."""\n    ...  # your code\n',
        "def f(x):\n    y = ...\n    return y\n",
        "def f(x):\n    y: torch.Tensor = ...\n    return y\n",
        "def f(x):\n    return ...\n",
        "def f(x):\n    if x:\n        ...\n    return x\n",
        "def f(x):\n    return x\n\ndef f(x):\n    ...\n",
        "class f(nn.Module):\n    def forward(self, x):\n        ...\n",
    ],
)
def test_blank(source):
    assert is_blank(cell(source, "f"))


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return x[..., 0]\n",
        "def f(x):\n    y = x[..., None]\n    x[..., 0] = 1\n    return y\n",
        "def f(x):\n    return torch.einsum('...i->...', x)\n",
        "def f(x):\n    return None\n",
        "def later(x):\n    ...\n\ndef f(x):\n    return x\n",
        "def f(x):\n    return x\n\ndef later(x):\n    ...\n",
        "def f(x):\n    return x\n\nclass Other:\n    def f(self):\n        ...\n",
        "def f(x):\n    ...\n\ndef f(x):\n    return x\n",
        "f = lambda x: x[...]\n",
        "class f(nn.Module):\n    def forward(self, x):\n        return x[..., 0]\n",
        "class f(nn.Module):\n    def forward(self, x):\n        return x\n\ndef later():\n    ...\n",
    ],
)
def test_not_blank(source):
    assert not is_blank(cell(source, "f"))


@pytest.mark.parametrize("answer", [torch.matmul, len, attention.weighted_sum])
def test_what_has_no_cell_is_not_blank(answer):
    assert not is_blank(answer)


def test_a_blank_answer_is_to_do_and_is_not_run():
    def explode(x):
        raise AssertionError

    result = judge(
        find("0.1"), cell("def weighted_sum(weights, value):\n    explode(...)\n    ...\n", explode=explode)
    )
    assert (result.state, result.points, result.parts) == ("todo", 0, ())
    assert result.total == find("0.1").points
