"""What a learner starts from gives nothing away, and the solved cell runs and is right."""

import ast
import linecache as lines

import pytest
from coursework import FIRST

from course.masking import choose_words
from course.text.decoding import greedy_search
from course.workbook import notebook
from course.workbook.judge import is_blank, judge
from course.workbook.record import chapters, exercises_of
from course.workbook.stub import BLANK, blanked, needed_imports, open_sources, solved, stub

ALL = [e for number in chapters() for e in exercises_of(number)]
each = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)


@pytest.fixture
def desks(monkeypatch):
    monkeypatch.setattr(notebook, "DESKS", {})
    return notebook.DESKS


def run(source: str, scope: dict) -> None:
    """Run a cell, its text kept as IPython keeps it."""
    file = f"<cell {hash(source)}>"
    lines.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), scope)


def functions(source: str) -> list[ast.FunctionDef]:
    """The functions of a cell, or the methods of its class."""
    inside = [n for top in ast.parse(source).body for n in getattr(top, "body", [])]
    return [n for n in [*ast.parse(source).body, *inside] if isinstance(n, ast.FunctionDef)]


def body_lines(source: str) -> set[str]:
    """The lines of a function's body that say something."""
    function = ast.parse(source).body[0]
    start = function.body[1].lineno if ast.get_docstring(function) else function.body[0].lineno
    return {x.strip() for x in source.splitlines()[start - 1 :] if any(c.isalnum() for c in x)}


@each
def test_no_line_of_the_solution_is_in_the_stub(exercise):
    given = {x.strip() for x in stub(exercise).splitlines()}
    for source in open_sources(exercise):
        assert body_lines(source), "there is something to write"
        assert not body_lines(source) & given


@each
def test_a_stub_holds_nothing_but_docstrings_and_dots(exercise):
    for function in functions(stub(exercise)):
        dots = function.body[1:] if ast.get_docstring(function) else function.body
        assert [ast.unparse(n) for n in dots] == ["..."]
    assert stub(exercise).count(BLANK) == max(1, len(exercise.blank))


@each
def test_signature_and_docstring_stay(exercise):
    ours = [ast.parse(s).body[0] for s in open_sources(exercise)]
    for mine, its in zip(functions(stub(exercise)), ours, strict=True):
        assert mine.name == its.name
        assert ast.unparse(mine.args) == ast.unparse(its.args)
        assert mine.returns and ast.unparse(mine.returns) == ast.unparse(its.returns)
        assert ast.get_docstring(mine) and ast.get_docstring(mine) == ast.get_docstring(its)


@each
def test_a_stub_runs_and_is_blank(exercise, desks):
    scope = {"__name__": "learner"}
    run(FIRST, scope)
    run(stub(exercise), scope)
    assert is_blank(desks[exercise.id].candidate)
    assert judge(exercise, desks[exercise.id].candidate).state == "todo"


@each
def test_the_solved_cell_runs_after_the_first_cell_alone_and_is_right(exercise, desks):
    scope = {"__name__": "learner"}
    run(FIRST, scope)
    run(solved(exercise), scope)
    assert desks[exercise.id].candidate is not exercise.reference
    assert judge(exercise, desks[exercise.id].candidate).right


@pytest.mark.parametrize("number", chapters())
def test_a_notebooks_solved_cells_run_in_order_on_each_other(number, desks):
    scope, defined = {"__name__": "learner"}, frozenset()
    run(FIRST, scope)
    for exercise in exercises_of(number):
        run(solved(exercise, defined), scope)
        defined |= {exercise.name}
    assert all(desk.judge().right for desk in desks.values())
    assert [scope[e.name] is not e.reference for e in exercises_of(number)] == [True] * len(defined)


@each
def test_a_cell_imports_only_what_it_uses(exercise):
    for make in [stub, solved]:
        tree = ast.parse(make(exercise))
        imported = [
            a.asname or a.name
            for n in tree.body
            if isinstance(n, ast.Import | ast.ImportFrom)
            for a in n.names
        ]
        used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert {name.split(".")[0] for name in imported} <= used
        assert exercise.name not in imported


def test_an_earlier_exercise_is_not_imported_again():
    multi_head = next(e for e in ALL if e.id == "3.6")
    assert "split_heads" in solved(multi_head).split("@exercise")[0]
    assert "split_heads" not in solved(multi_head, frozenset({"split_heads"})).split("@exercise")[0]


def test_a_function_without_a_docstring_keeps_its_signature():
    source = "def f(\n    x,\n    y=1,\n):\n    z = x\n    return z\n"
    assert blanked(source) == f"def f(\n    x,\n    y=1,\n):\n    {BLANK}"


def test_a_docstring_on_several_lines_stays_whole():
    source = 'def f(x):\n    """One.\n\n    Two.\n    """\n    return x\n'
    assert blanked(source) == f'def f(x):\n    """One.\n\n    Two.\n    """\n    {BLANK}'


def test_a_function_without_a_body_cannot_be_an_exercise():
    with pytest.raises(ValueError, match="f has no body to take out"):
        blanked('def f(x):\n    """Only words."""')


def test_modules_are_imported_under_the_name_that_the_code_uses():
    code = "def f(x):\n    return ast.dump(x), lines.getline(x), FIRST, BLANK, x\n"
    assert needed_imports(functions, code, {"BLANK"}) == [
        "import ast",
        "import linecache as lines",
        f"from {__name__} import FIRST",
    ]


def test_an_alias_is_imported_from_where_it_is_given():
    assert needed_imports(greedy_search, "step: Step", set()) == ["from course.text.decoding import Step"]


def test_imports_come_from_where_people_import():
    lines = needed_imports(choose_words, "generator: Generator", set())
    assert lines == ["from torch import Generator"]
