"""Functions come apart into signature, summary and body, and no body is on both sides of the split."""

import ast
from pathlib import Path

import pytest

from course.data.standard_library import LONGEST, Function, first_sentence, functions, parse, split

SOURCE = '''
class Set:
    @property
    def first(self) -> int:
        """The first element. Raises if there is none.

        Details.
        """
        # the order is that of insertion
        return next(iter(self))

    def clear(self): pass
    def add(self, x):
        """Add an element"""
        raise NotImplementedError

def double(x, *, times=2):
    def helper(y): return y * times
    return helper(x)
'''


def test_a_function_comes_apart():
    found = {function.signature: function for function in parse(SOURCE)}
    assert set(found) == {"def first(self) -> int:", "def double(x, *, times=2):", "def helper(y):"}
    first = found["def first(self) -> int:"]
    assert first.summary == "The first element." and first.body == "\n    return next(iter(self))"
    assert first.prompt == 'def first(self) -> int:\n    """The first element."""'
    assert found["def helper(y):"].prompt == "def helper(y):"


@pytest.mark.parametrize("docstring", ["Whole", "Whole. Part.", "Whole.\n\nPart", "  Whole\n"])
def test_the_summary_is_the_first_sentence(docstring):
    assert first_sentence(docstring) == "Whole."


@pytest.mark.parametrize("docstring", ["", "A \\ in it", 'Says """.'])
def test_what_is_no_sentence_or_needs_escaping_is_none(docstring):
    assert first_sentence(docstring) == ""


def test_no_body_is_on_both_sides_and_what_is_held_out_has_a_docstring():
    bodies = [f"\n    return {i}" for i in range(400)]
    given = [Function(f"def f{i}_{j}():", "Give a number." * j, body)
             for i, body in enumerate(bodies) for j in range(2)]  # fmt: skip
    corpus = split(given)
    assert {f.body for f in corpus.train}.isdisjoint(f.body for f in corpus.validation)
    assert 10 <= len(corpus.validation) <= 45 and all(function.summary for function in corpus.validation)
    assert len(corpus.train) + 2 * len(corpus.validation) == len(given)
    assert set(split(reversed(given)).validation) == set(corpus.validation)


def test_a_folders_functions_are_read_without_its_tests(tmp_path):
    (tmp_path / "sets.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "test_sets.py").write_text("def test_it():\n    assert True\n", encoding="utf-8")
    corpus = functions(tmp_path)
    assert {f.signature for part in corpus for f in part} <= {f.signature for f in parse(SOURCE)}
    assert all(len(f.text) <= LONGEST and ast.parse(f.text) for f in corpus.train)


def test_a_real_module_is_python_again():
    found = list(parse(Path(ast.__file__).read_bytes()))
    assert len(found) > 50 and all(ast.parse(function.text) for function in found)
