"""Every file is a notebook or one sentence that names it, what is wrong with it, where, and the way back."""

import json
import os
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.workbook.bootstrap import NOTEBOOKS
from course.workbook.reading import UnreadableNotebook, number_of, read_notebook, source_of

CODE = {
    "cell_type": "code",
    "source": ["x = 1\n", "x"],
    "metadata": {},
    "outputs": [],
    "execution_count": None,
}


def notebook(*cells, **others) -> dict:
    return {"cells": list(cells or [CODE]), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | others


def text_of(*cells, **others) -> str:
    return json.dumps(notebook(*cells, **others), indent=1)


def cell(**changed) -> dict:
    return CODE | changed


MARKS = '\n<<<<<<< HEAD\n "metadata": {},\n=======\n "metadata": {},\n>>>>>>> theirs\n'
CONFLICT = text_of().replace('\n "metadata": {},\n', MARKS)
UNREADABLE = {  # what is wrong: the file's content, and the line that is named
    "it is empty (0 bytes)": (b"", None),
    "nothing but white space": (b" \n\n", None),
    "nothing but zero bytes": (b"\0" * 100, None),
    "the marks of a merge": (CONFLICT, 1 + CONFLICT[: CONFLICT.index("<<<")].count("\n")),
    "it is a web page": ("<!DOCTYPE html>\n<html></html>", None),
    "it breaks off before its end": (text_of()[:-9], text_of()[:-9].count("\n") + 1),
    "it is no JSON": ("import torch\n", 1),
    "written in UTF-16": (text_of().encode("utf-16"), None),
    "not written in UTF-8": ('{\n"cells": [],\n"a": "café"}'.encode("latin-1"), 3),
    "not written in UTF-8, as a notebook": ('{"a":\n"变压器"}'.encode("gb18030"), 2),
    "a list and no notebook": ("[]", None),
    "a number and no notebook": ("4", None),
    "nothing and no notebook": ("null", None),
    "does not say its nbformat": ('{"a": 1}', None),
    "it has no cells": ('{"metadata": {}, "nbformat": 4, "nbformat_minor": 5}', None),
    "their list is empty": (json.dumps(notebook() | {"cells": []}), None),
    "its cells are an object": (json.dumps(notebook() | {"cells": {}}), None),
    "its metadata are a list": (text_of(metadata=[]), None),
    "(nbformat 3)": (json.dumps({"nbformat": 3, "nbformat_minor": 0, "worksheets": []}), None),
    "(nbformat 9, not 4)": (text_of(nbformat=9), None),
    "its nbformat is '4'.5": (text_of(nbformat="4"), None),
    "cell 2 of 2 is a text": (text_of(CODE, "x = 1"), None),
    "cell_type is 'heading'": (text_of(cell(cell_type="heading")), None),
    "the source of cell 1 of 1 is a number": (text_of(cell(source=3)), None),
    "the source of cell 1 of 1 is a list": (text_of(cell(source=["a", 1])), None),
    "the metadata of cell 1 of 1 are nothing": (text_of(cell(metadata=None)), None),
    "the outputs of cell 1 of 1 are a list": (text_of(cell(outputs=["a"])), None),
    "an output of cell 1 of 1 is of no kind": (text_of(cell(outputs=[{"data": {}}])), None),
    "an output of cell 1 of 1 is": (text_of(cell(outputs=[{"output_type": "error", "data": 1}])), None),
    "cell 2 holds half a letter": (text_of(CODE, cell(source="'\ud800'")), None),
    "its metadata holds half a letter": (text_of(metadata={"a": "\udfff"}), None),
    "nested too deep": ("[" * 200_000, None),
    "what cannot be read": ("1" * 5000, None),
}


def refusal(path) -> UnreadableNotebook:
    with pytest.raises(UnreadableNotebook) as caught:
        read_notebook(path)
    return caught.value


@pytest.mark.parametrize("wrong", UNREADABLE, ids=str)
def test_a_file_that_is_no_notebook_is_told_in_one_sentence(wrong, tmp_path):
    content, line = UNREADABLE[wrong]
    path = tmp_path / "03_self_attention.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    error = refusal(path)
    assert wrong in error.wrong and error.line == line and error.path == path
    assert str(error).startswith("03_self_attention.ipynb cannot be read: it") or "cell" in str(error)
    assert (f" (line {line}). " in str(error)) == (line is not None)
    assert "\n" not in str(error) and str(error).isprintable()
    assert ("python -m course study 3" in str(error)) == (
        "its format" not in wrong and "(nbformat" not in wrong
    )


def test_every_sentence_belongs_to_one_fault(tmp_path):
    path = tmp_path / "a.ipynb"
    said = []
    for content, _ in UNREADABLE.values():
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        said.append(refusal(path).wrong)
    assert len(set(said)) >= len(said) - 3  # another encoding, a bad output: one sentence each for two cases


def test_what_is_no_file_is_told_as_well(tmp_path):
    folder = tmp_path / "folder.ipynb"
    folder.mkdir()
    assert refusal(folder).wrong == "it is a folder"
    assert refusal(tmp_path / "none.ipynb").wrong == "it is not there"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.ipynb")
        assert "no ordinary file" in refusal(tmp_path / "pipe.ipynb").wrong  # and does not wait for a writer


def test_a_byte_order_mark_alone_is_read(tmp_path):
    path = tmp_path / "bom.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + text_of().encode())
    assert read_notebook(path) == notebook()


def test_what_some_editors_leave_out_is_added(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "1"}]}))
    assert read_notebook(path) == {
        "nbformat": 4,
        "nbformat_minor": 0,
        "metadata": {},
        "cells": [CODE | {"source": "1"}],
    }


def test_pairs_of_surrogates_are_letters(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook(cell(source="'🙂 注意'"))), encoding="ascii")
    assert source_of(read_notebook(path)["cells"][0]) == "'🙂 注意'"


def test_conflict_marks_that_a_learner_wrote_are_text(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(text_of(cell(source="<<<<<<< HEAD\n=======\n")))
    assert source_of(read_notebook(path)["cells"][0]).startswith("<<<<")


def test_the_way_back_names_what_jupyterlab_kept(tmp_path):
    path = tmp_path / "03_self_attention.ipynb"
    path.write_bytes(b"")
    kept = tmp_path / ".ipynb_checkpoints" / "03_self_attention-checkpoint.ipynb"
    kept.parent.mkdir()
    kept.write_text("also broken")
    assert "checkpoint" not in refusal(path).way_back
    kept.write_text(text_of())
    assert f".ipynb_checkpoints/{kept.name}" in refusal(path).way_back


def test_a_refusal_can_travel_between_processes(tmp_path):
    error = refusal(tmp_path / "none.ipynb")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.builds(lambda n, b: text_of().encode()[:n] + b, st.integers(0, 250), st.binary(max_size=3)),
    )
)
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise_anything_else(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.ipynb"
    path.write_bytes(content)
    try:
        assert read_notebook(path)["cells"]
    except UnreadableNotebook as error:
        assert str(error)


def test_the_courses_own_notebooks_are_read_with_their_numbers():
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        assert number_of(read_notebook(path)) == int(path.name[:2])


@pytest.mark.parametrize(
    ("metadata", "sources", "number"),
    [
        ({"course": {"number": "07"}}, ['@exercise("3.1")\ndef f(): ...'], 7),
        ({"course": {"number": 7}}, [], 7),
        ({"course": "07"}, ["@exercise('3.1')\ndef f(): ...", '@exercise( "4.2" )\ndef g(): ...'] * 2, 3),
        ({}, ["# @exercise('3.1')", 'x\n@exercise("11.2")\nclass A: ...'], 11),
        ({}, ["check('3.1')"], None),
    ],
)
def test_a_number_comes_from_the_metadata_or_from_what_is_handed_in(metadata, sources, number, tmp_path):
    cells = [cell(source=source) for source in sources] or [CODE]
    assert number_of(notebook(*cells, metadata=metadata)) == number
