"""What a learner meets in a notebook: cells run in a real IPython shell, one after the other."""

import json
import types

import pytest
from coursework import FIRST
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from course.workbook import notebook as desk
from course.workbook.notebook import MIME, NotRight, box, plain, strict
from course.workbook.progress import standings
from course.workbook.record import find
from course.workbook.stub import solved, stub

RIGHT = '@exercise("0.1")\ndef weighted_sum(weights, value):\n    return weights @ value'
WRONG = '@exercise("0.1")\ndef weighted_sum(weights, value):\n    return weights.softmax(-1) @ value'
BLANK = '@exercise("0.1")\ndef weighted_sum(weights, value):\n    ...  # your code'
USE = "weighted_sum(torch.tensor([[0.5, 0.5]]), torch.tensor([[2.0], [4.0]])).tolist()"


class Notebook:
    """A notebook without its window."""

    def __init__(self, shell):
        self.shell = shell
        shell.init_create_namespaces(user_module=types.ModuleType("learner"))
        shell.init_user_ns()
        self.run(FIRST)

    def try_cell(self, source):
        """The cell's result (value, exception) and what it showed."""
        with capture_output() as shown:
            result = self.shell.run_cell(source)
        return result, shown

    def run(self, source):
        """A cell's value; what it raised is raised."""
        result, _ = self.try_cell(source)
        result.raise_error()
        return result.result

    def show(self, source) -> dict:
        """The MIME bundle that a cell displays."""
        result, shown = self.try_cell(source)
        result.raise_error()
        return shown.outputs[0].data

    def check(self, id="0.1") -> dict:
        return self.show(f'check("{id}")')[MIME]


@pytest.fixture(scope="module")
def shell():
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}), colors="nocolor")
    InteractiveShell.clear_instance()


@pytest.fixture
def notebook(shell, monkeypatch):
    """A fresh notebook in which nothing is handed in, as JupyterLab (not pytest) would run it."""
    monkeypatch.delenv("PYTEST_VERSION")
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    monkeypatch.setattr(desk, "DESKS", {})
    monkeypatch.setattr(desk, "_HINTS_SHOWN", {})
    return Notebook(shell)


# ---- lending -------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [BLANK, WRONG], ids=["blank", "wrong"])
@pytest.mark.parametrize("checked", [False, True], ids=["before the check", "after the check"])
def test_the_packages_function_is_lent_while_the_answer_is_not_right(notebook, answer, checked):
    notebook.run(answer)
    for _ in range(2 * checked):  # twice: the second check must not meet what was lent after the first
        assert notebook.check()["state"] == ("todo" if answer == BLANK else "wrong")
    assert notebook.run(USE) == [[3.0]]


def test_the_learners_own_code_runs_once_it_is_right(notebook):
    notebook.run("calls = []\n" + RIGHT.replace("    return", "    calls.append(1)\n    return"))
    assert notebook.check()["state"] == "right"
    before = notebook.run("len(calls)")
    assert notebook.run(USE) == [[3.0]]
    assert notebook.run("len(calls)") == before + 1


def test_a_wrong_answer_after_a_right_one_is_judged_again_and_not_used(notebook):
    notebook.run(RIGHT)
    assert notebook.check()["state"] == "right"
    notebook.run(WRONG)
    assert notebook.check()["mistake"] == "softmax-again"
    assert notebook.run(USE) == [[3.0]]
    notebook.run(RIGHT)
    assert notebook.check()["state"] == "right"


def test_a_helper_may_come_later(notebook):
    notebook.run(RIGHT.replace("weights @ value", "helper(weights, value)"))
    assert "NameError" in notebook.check()["diagnosis"]
    assert notebook.run(USE) == [[3.0]]
    notebook.run("helper = lambda w, v: w @ v")
    assert notebook.check()["state"] == "right"


def test_a_helper_that_is_spoilt_later_shows_at_the_next_check(notebook):
    notebook.run("helper = lambda w, v: w @ v\n" + RIGHT.replace("weights @ value", "helper(weights, value)"))
    assert notebook.check()["state"] == "right"
    notebook.run("helper = lambda w, v: w")
    assert notebook.check()["state"] == "wrong"


def test_an_answer_cannot_pass_by_calling_what_is_lent(notebook):
    """Such a body once failed, and passed at the second check: it met the lent function."""
    notebook.run(RIGHT.replace("weights @ value", "weighted_sum(weights, value)"))
    for _ in range(3):
        result = notebook.check()
        assert (result["state"], result["points"]) == ("wrong", 0)
        assert "calls itself without end" in result["diagnosis"]
        assert notebook.run(USE) == [[3.0]]


def test_two_answers_cannot_pass_by_calling_each_other(notebook):
    notebook.run('@exercise("4.4")\ndef causal_mask(n):\n    return padding_mask([n], n)')
    notebook.run('@exercise("4.6")\ndef padding_mask(lengths, n):\n    return causal_mask(n)')
    for id in ["4.4", "4.6", "4.4", "4.6"]:
        assert notebook.check(id)["state"] == "wrong"


def test_an_answer_may_use_an_earlier_exercise_that_is_not_done(notebook):
    notebook.run('@exercise("3.2")\ndef scaled_dot_score(query, key):\n    ...')
    notebook.run(
        '@exercise("3.3")\ndef scaled_dot_product_attention(query, key, value, mask=None, scale=None):\n'
        "    from course import attention\n"
        "    scale = 1 if scale is None else scale * query.shape[-1] ** 0.5\n"
        "    scores = scaled_dot_score(query, key) * scale\n"
        "    return attention.softmax_attention(scores, value, mask)"
    )
    result = notebook.check("3.3")
    assert result["state"] == "right", result["diagnosis"]
    assert notebook.check("3.2")["state"] == "todo"


def test_a_right_answer_may_call_itself(notebook):
    notebook.run(
        '@exercise("4.4")\ndef causal_mask(n):\n'
        "    mask = torch.ones(n, n, dtype=torch.bool)\n"
        "    if n > 1:\n        mask[:-1, :-1], mask[:-1, -1] = causal_mask(n - 1), False\n"
        "    return mask"
    )
    assert notebook.check("4.4")["state"] == "right"
    assert notebook.run("causal_mask(2).tolist()") == [[True, False], [True, True]]


def test_the_stand_in_looks_like_the_learners_function(notebook):
    notebook.run('@exercise("0.1")\ndef weighted_sum(weights, value):\n    """Mine."""\n    return None')
    assert notebook.run("weighted_sum.__name__, weighted_sum.__doc__") == ("weighted_sum", "Mine.")


# ---- classes -------------------------------------------------------------------------------------

MHA = '''
from course.attention import scaled_dot_weights
from course.heads import merge_heads, split_heads


@exercise("3.6")
class MultiHeadAttention(nn.Module):
    """From the ground up, with super as it was written before Python 3."""

    def __init__(self, d_model, n_heads, bias=True, dropout=0.0):
        super(MultiHeadAttention, self).__init__()
        self.n_heads, self.dropout = n_heads, nn.Dropout(dropout)
        for name in ["q_proj", "k_proj", "v_proj", "out_proj"]:
            setattr(self, name, nn.Linear(d_model, d_model, bias))

    def forward(self, query, key=None, value=None, mask=None, need_weights=True):
        assert isinstance(self, MultiHeadAttention)
        key = query if key is None else key
        value = key if value is None else value
        mask = mask[:, None] if mask is not None and mask.ndim == query.ndim == 3 else mask
        split = lambda x: split_heads(x, self.n_heads)
        query, key, value = split(self.q_proj(query)), split(self.k_proj(key)), split(self.v_proj(value))
        weights = self.dropout(scaled_dot_weights(query, key, mask))
        output = weights @ value
        return self.out_proj(merge_heads(output)), weights if need_weights else None
'''
MAKE = "m = MultiHeadAttention(8, 2); type(m).__module__, isinstance(m, MultiHeadAttention)"


def test_a_right_class_is_used_and_keeps_super_and_isinstance(notebook):
    notebook.run(MHA)
    assert notebook.check("3.6")["state"] == "right"
    assert notebook.run(MAKE) == ("learner", True)
    assert notebook.run("list(m(torch.ones(1, 3, 8))[0].shape)") == [1, 3, 8]


@pytest.mark.parametrize("spoilt", ["output = ...", "return query, None", "return 1 / 0"])
def test_a_class_that_is_not_right_gives_the_packages_own(notebook, spoilt):
    body = MHA.replace("return self.out_proj", f"{spoilt}\n        return self.out_proj")
    notebook.run(body)
    assert notebook.check("3.6")["state"] == ("todo" if "..." in spoilt else "wrong")
    module, _ = notebook.run(MAKE)
    assert module == "course.heads"
    assert notebook.run("list(m(torch.ones(1, 3, 8))[0].shape)") == [1, 3, 8]


def test_a_class_may_be_mended(notebook):
    notebook.run(MHA.replace("self.out_proj(merge_heads(output))", "merge_heads(output)"))
    assert notebook.check("3.6")["mistake"] == "no-output"
    notebook.run(MHA)
    assert notebook.check("3.6")["state"] == "right"


def test_a_class_that_makes_itself_does_not_meet_what_is_lent(notebook):
    notebook.run(
        MHA.replace(
            "return self.out_proj", "return MultiHeadAttention(8, 2)(query)\n        return self.out_proj"
        )
    )
    for _ in range(2):
        assert notebook.check("3.6")["state"] == "wrong"


def test_the_stub_of_a_class_and_its_solution(notebook):
    notebook.run(stub(find("3.6")))
    assert notebook.check("3.6")["state"] == "todo"
    assert notebook.run(MAKE)[0] == "course.heads"
    notebook.run(solved(find("3.6")))
    assert notebook.check("3.6")["state"] == "right"
    assert notebook.run(MAKE) == ("learner", True)


# ---- checks --------------------------------------------------------------------------------------


def test_a_check_before_the_hand_in_says_which_cell_to_run(notebook):
    result = notebook.check()
    assert (result["state"], result["points"], result["cell"]) == ("todo", 0, "")
    assert '@exercise("0.1")' in result["diagnosis"]


def test_a_wrong_name_says_to_keep_the_name(notebook):
    with pytest.raises(NameError, match=r"exercise 0\.1 is about weighted_sum; .* stands weigthed_sum: keep"):
        notebook.run('@exercise("0.1")\ndef weigthed_sum(weights, value):\n    ...')


def test_a_function_where_a_class_is_asked_for(notebook):
    with pytest.raises(TypeError, match=r"exercise 3\.6: MultiHeadAttention should be a class"):
        notebook.run('@exercise("3.6")\ndef MultiHeadAttention(x):\n    ...')


@pytest.mark.parametrize("call", ["check", "hint", "solution", "exercise"])
@pytest.mark.parametrize(
    "id, says",
    [
        ("'0.9'", r"there is no exercise 0\.9; notebook 00 has 0\.1"),
        ("'77.1'", "there is no exercise 77.1; notebook 77 has none"),
        ("'first'", "an exercise id looks like \"3.1\"; got 'first'"),
        ("3.1", 'an exercise id looks like "3.1"; got 3.1'),
    ],
)
def test_an_unknown_id_says_which_there_are(notebook, call, id, says):
    with pytest.raises(LookupError, match=says):
        notebook.run(f"{call}({id})")


def test_the_result_keeps_the_cell_it_judged(notebook):
    """So that progress can tell an answer that was changed after its check."""
    notebook.run(f"\n{WRONG}\n")
    assert notebook.check()["cell"] == WRONG


@pytest.mark.parametrize(
    "answer", [RIGHT, f"\n\n{RIGHT}\n", f"%precision 3\n{RIGHT}\n!true", f"{RIGHT}\n\nhint?"]
)
def test_progress_knows_the_judged_cell_again(notebook, tmp_path, answer):
    notebook.run(answer)
    box = {"output_type": "display_data", "data": notebook.show('check("0.1")')}
    cells = [{"cell_type": "code", "source": answer}, {"cell_type": "code", "source": "", "outputs": [box]}]
    path = tmp_path / "00_start_here.ipynb"
    saved = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for state in ["right", "changed"]:
        path.write_text(json.dumps(saved), encoding="utf-8")
        assert [row.state for row in standings(path, 0)] == [state]
        cells[0]["source"] = answer + "  # another"


ODD = [
    "return 1 / 0",
    "raise SystemExit",
    "return value.to_sparse()",
    "return weights.to('meta') @ value.to('meta')",
    "return weighted_sum",
    "return object()",
    "return [] if value is None else (value, [value, {1: 2}])",
    "return (weights @ value).to(torch.complex64)",
    "return torch.nested.nested_tensor([weights, value])",
    "del weights[0]",
    "yield value",
    "global torch; torch = None; return torch.ones(1)",
    "return (weights @ value).unsqueeze(-1).expand(*[1] * 20, 3)",
]


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("body", ODD)
def test_a_check_never_raises_in_jupyterlab(notebook, body):
    notebook.run(f'@exercise("0.1")\ndef weighted_sum(weights, value):\n    {body}')
    result = notebook.check()
    assert result["state"] == "wrong" and result["diagnosis"].startswith("In “one query, two keys”, ")


# ---- strict --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pytest_version, said, expected",
    [
        (None, None, False),
        ("9.2.0", None, True),
        ("9.2.0", "0", False),
        (None, "1", True),
        ("9.2.0", "1", True),
    ],
)
def test_strict_under_pytest_or_as_the_environment_says(monkeypatch, pytest_version, said, expected):
    for name, value in {"PYTEST_VERSION": pytest_version, "COURSE_STRICT": said}.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    assert strict() is expected


@pytest.mark.parametrize("said", ["yes", "", "2"])
def test_a_bad_value_for_strict_is_refused(monkeypatch, said):
    monkeypatch.setenv("COURSE_STRICT", said)
    with pytest.raises(ValueError, match=f'COURSE_STRICT should be "0" or "1"; it is {said!r}'):
        strict()


@pytest.mark.parametrize("answer, mark", [(WRONG, "✗"), (BLANK, "○"), ("", "○")])
def test_a_strict_check_shows_its_box_and_raises_three_lines(notebook, monkeypatch, answer, mark):
    monkeypatch.setenv("COURSE_STRICT", "1")
    notebook.run(answer)
    result, shown = notebook.try_cell('check("0.1")')
    assert isinstance(result.error_in_exec, NotRight)
    data = shown.outputs[0].data[MIME]
    assert str(result.error_in_exec) == f"Exercise 0.1: {data['diagnosis']}"
    lines = shown.stdout.strip().splitlines()
    assert lines == [
        f"{mark} Exercise 0.1 (The weighted sum): {data['points']}/{find('0.1').points}",
        f"  {data['diagnosis']}",
        '  Hint: run hint("0.1") in a cell.',
    ]
    assert (
        lines == result.error_in_exec._render_traceback_() == shown.outputs[0].data["text/plain"].splitlines()
    )


def test_a_strict_check_of_a_right_answer_does_not_raise(notebook, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    notebook.run(RIGHT)
    assert notebook.show('check("0.1")')["text/plain"] == "✓ Exercise 0.1 (The weighted sum): 11/11"


# ---- hints, solutions, boxes ---------------------------------------------------------------------


def test_hints_come_one_at_a_time_and_stay_at_the_last(notebook):
    hints = find("0.1").hints
    shown = [notebook.show('hint("0.1")')["text/markdown"] for _ in range(4)]
    for number, text in enumerate(shown[:3], 1):
        assert text.startswith(f"**Hint {number} of 3.** {hints[number - 1]}")
    assert 'solution("0.1")' in shown[2] and 'solution("0.1")' not in shown[0] + shown[1]
    assert shown[3] == shown[2]


def test_a_hint_can_be_chosen_and_each_exercise_counts_its_own(notebook):
    assert "**Hint 2 of 3.**" in notebook.show('hint("0.1", 2)')["text/markdown"]
    assert "**Hint 1 of 3.**" in notebook.show('hint("3.1")')["text/markdown"]
    assert "**Hint 3 of 3.**" in notebook.show('hint("0.1")')["text/markdown"]


@pytest.mark.parametrize("number", [0, 4, -1, 1.5, "two"])
def test_a_hint_that_does_not_exist(notebook, number):
    with pytest.raises(ValueError, match=r"exercise 0\.1 has hints 1 to 3; you asked for"):
        notebook.run(f'hint("0.1", {number!r})')


def test_solutions_show_the_packages_source(notebook):
    shown = notebook.show('solution("0.1")')["text/markdown"]
    assert "`course.attention.weighted_sum`" in shown and "def weighted_sum(" in shown
    assert "def forward(" in notebook.show('solution("3.6")')["text/markdown"]


def test_a_box_escapes_the_learners_own_text(notebook):
    notebook.run(RIGHT.replace("return weights @ value", "raise ValueError('<script>alert(1)</script>')"))
    shown = notebook.show('check("0.1")')
    assert "<script>alert(1)</script>" in shown[MIME]["diagnosis"]
    assert "<script" not in shown["text/html"] and "&lt;script&gt;alert(1)" in shown["text/html"]


def test_a_box_says_by_words_and_mark_what_its_colour_says(notebook):
    notebook.run(WRONG)
    shown = notebook.show('check("0.1")')["text/html"]
    assert "data-state='wrong'" in shown and "✗ Exercise 0.1" in shown and "3/11 points" in shown
    assert find("0.1").mistakes[3].says in shown and "Stuck?" in shown
    notebook.run(RIGHT)
    shown = notebook.show('check("0.1")')["text/html"]
    assert "data-state='right'" in shown and "✓ Exercise 0.1" in shown and "Stuck?" not in shown
    assert all(part.name in shown for part in find("0.1").parts)


def test_lending_by_force_remembers_why(notebook):
    """The plugin does this for an answer that killed its kernel."""
    notebook.run("from course import lend\nweighted_sum = lend('0.1', 'your code ended Python')")
    result = notebook.check()
    assert (result["state"], result["diagnosis"]) == ("stopped", "your code ended Python")
    assert notebook.run(USE) == [[3.0]]


def test_a_stopped_answer_is_run_again_by_a_check_and_not_by_its_use(notebook, monkeypatch):
    """What it waited for may have come meanwhile."""
    limit = desk.judge
    monkeypatch.setattr(desk, "judge", lambda record, candidate: limit(record, candidate, seconds=0.2))
    notebook.run("slow = True\n" + RIGHT.replace("return", "while slow: pass\n    return"))
    assert notebook.run(USE) == [[3.0]]
    assert notebook.check()["state"] == "stopped"
    assert notebook.run(USE) == [[3.0]]
    notebook.run("slow = False")
    assert notebook.check()["state"] == "right"


def test_plain_and_box_of_a_right_answer_need_no_notebook():
    result = desk.judge(find("0.1"), find("0.1").reference)
    assert plain(result) == "✓ Exercise 0.1 (The weighted sum): 11/11"
    assert "11/11 points" in box(result)
